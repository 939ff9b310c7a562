//! A fully signed view from a master file, made as the cluster makes it, by the zone machine, with two ordinary RSA keys
//! in the place of the shares. Included by path, inside the library and outside.
#![allow(dead_code, reason = "not every test needs all of it")]

use conclave::codec::{ClusterId, Epoch, KeyId, digest, encode};
use conclave::dns::{Name, RrType, Rrset, dnssec, master};
use conclave::time::AgreedTime;
use conclave::zone::{
    Batch, Denial, Genesis, KeyInfo, Machine, Reads, Request, RequestId, SerialRule, UpdatePolicy, Validity,
    View, ZoneRules,
};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey, sha2::Sha256};
use std::sync::Arc;

/// A zone with everything that an answer can meet.
pub const EXAMPLE: &str = include_str!("example.zone");

/// 2026-11-21, the agreed time at which everything is signed.
const TIME: AgreedTime = AgreedTime(1_795_219_200_000);

/// The primes of two keys that are no secrets.
const ZSK: [&str; 2] = [
    "d2a61b727874a06fad51cae4479206aa7d30d7211f9b724bb0ff2f487f08616cec2ddd63ec4a6ddaea77795e4aefc9a0619f017f06defafdd3127879f11c2771",
    "c41d1dba1eaefdc7abe8023f44711e97fd7d308de7c90a5ac92339105dbbb02a0199a5f9144f28a4540be28361bab10f6b8d2cf786489fbc3e4ca0f41f017a03",
];
const KSK: [&str; 2] = [
    "e4e4344d1aed9f75ba55ff25dce68427593382c6329d5fa22e817c052d65527b561296a06ee013e6ef5be883a09d37f5dded62bbeaa9ff4ae649855e454cbc45",
    "d7b88e8d8e6cab6d7d30903a1ec719d23083c86fe84a8dc25f612e5ecb8d1b68b724e3920121f446f8fd89d22f67d6f02e4a64b6538e11966208776ebfe63125",
];

/// A key that is whole, as no cluster has one.
pub struct Key {
    private: RsaPrivateKey,
    /// What the rules of a zone say of it.
    pub info: KeyInfo,
}

impl Key {
    /// ZSK and KSK.
    pub fn pair() -> [Self; 2] {
        [Self::new(ZSK, 256), Self::new(KSK, 257)]
    }

    fn new(primes: [&str; 2], flags: u16) -> Self {
        let [p, q] = primes.map(|hex| BigUint::parse_bytes(hex.as_bytes(), 16).expect("a number"));
        let private = RsaPrivateKey::from_p_q(p, q, BigUint::from(65_537_u32)).expect("a key");
        let modulus = private.n().to_bytes_be();
        let dnskey = dnssec::rsa_dnskey_rdata(flags, 8, &[1, 0, 1], &modulus);
        Self { private, info: KeyInfo { id: KeyId(digest("tests/key", &[&modulus])), dnskey } }
    }

    /// The signature of a job.
    pub fn sign(&self, hash: &[u8]) -> Vec<u8> {
        self.private.sign(Pkcs1v15Sign::new::<Sha256>(), hash).expect("a signature")
    }
}

/// The first version of the zone that `text` describes, signed by the two keys of [`Key::pair`].
pub fn view(origin: &str, text: &str) -> Arc<View> {
    view_with(origin, text, Denial::Nsec)
}

/// The same with either kind of denial.
pub fn view_with(origin: &str, text: &str, denial: Denial) -> Arc<View> {
    let [zsk, ksk] = Key::pair();
    let infos = [zsk.info.clone(), ksk.info.clone()];
    view_of(origin, text, denial, infos, TIME, &|id, hash| {
        if id == zsk.info.id { &zsk } else { &ksk }.sign(hash)
    })
}

/// The first version of a zone with this ZSK and KSK, signed at `time` by what `sign` makes of a key and a hash.
pub fn view_of(
    origin: &str,
    text: &str,
    denial: Denial,
    [zsk, ksk]: [KeyInfo; 2],
    time: AgreedTime,
    sign: &dyn Fn(KeyId, &[u8]) -> Vec<u8>,
) -> Arc<View> {
    let origin = Name::parse(origin).expect("an origin");
    let records = master::read_str(text, &origin).expect("a zone");
    let rules = ZoneRules {
        origin: origin.clone(),
        policy: UpdatePolicy::default(),
        reads: Reads::Local,
        serial: SerialRule::Increment,
        validity: Validity::default(),
        dnskey_ttl: 3600,
        denial,
        ksk,
        zsk,
    };
    let genesis = Genesis {
        cluster: ClusterId(digest("tests/cluster", &[])),
        epoch: Epoch(0),
        members: Vec::new(),
        operators: Vec::new(),
        operators_needed: 0,
        zones: vec![(rules, records)],
        keys: Arc::default(),
    };
    let mut machine = Machine::new(genesis).expect("a machine");
    let request = encode(&Request::Genesis { zone: origin.clone() });
    let executed = machine.execute(&Batch { time, requests: &[(RequestId(0), &request)] });
    for job in executed.jobs {
        let signed = machine.signed(job.id, &sign(job.key, &job.hash));
        assert!(signed.failures.is_empty(), "{:?}", signed.failures);
    }
    machine.view(&origin).expect("the zone is published once it is signed")
}

/// The signed zone as a master file, without what a DNAME hides: NSD does not take a zone that has such names.
pub fn export(view: &View) -> String {
    let mut lines = Vec::new();
    for node in view.iter() {
        let hidden = view.dname_above(node.name()).is_some();
        for (_, set) in node.iter().filter(|(rtype, _)| !hidden || *rtype == RrType::NSEC3) {
            lines.extend(set.rrset.records(node.name()).map(|record| master::write_record(&record)));
            let signatures =
                Rrset { rtype: RrType::RRSIG, ttl: set.rrset.ttl, rdatas: set.rrsigs().to_vec() };
            lines.extend(signatures.records(node.name()).map(|record| master::write_record(&record)));
        }
    }
    lines.join("\n") + "\n"
}
