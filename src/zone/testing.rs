//! A machine with ordinary RSA keys and a client, for tests: of this layer, and of those that need signed views.

use super::*;
use crate::codec::{self, ClusterId, Epoch, KeyId};
use crate::dns::message::{Header, Message, Question, Section, Writer};
use crate::dns::tsig::{self, Keyring, Mode, TsigAlgorithm, TsigKey};

use crate::dns::{Class, Name, Opcode, Rcode, Rdata, Record, RrType, dnssec, rdata};
use crate::quorum::ReplicaId;
use crate::threshold::{Dealt, test_keys};
use crate::time::{AgreedTime, SECOND};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};
use std::sync::Arc;

const ZSK: [&str; 2] = [
    "e9c70c959dab5bbac4523477f7cf3e41768d9233a37acc421d95aa55ff7f6501aeb43ce64330236e0b2e9ead9a8c3a701b89727ba02ff9a652fd0abac9942e21",
    "cb0ba7feed6790f06c6a0f94e8b6c547c48abf36e0c6b1e26e838f3e28c79338b287d6c2aaa1371066e6f6d40e046528f210c098da64d20ff28fad6928966353",
];
const KSK: [&str; 2] = [
    "e3cf96306bc4994b04f9d4b7c5f272aeab0dbd9fc09dd0993baf20874dfb17ccf105e8c8bdc3988306d9a305a807e0700746686eaf18b18db814456d52bc43b3",
    "c704ace3a26f8b7947a9879d80331a5dba513221b130cb8acc0f5a4d0d706ed2a4188804110864df58eed606c6b56eb3e04445bec18612c458c0e118c70e778d",
];

/// The agreed time of genesis, in seconds.
pub(crate) const START_SECS: u64 = 1_795_000_000;

/// A key that is whole, as no cluster has one.
pub(crate) struct WholeKey {
    pub(crate) info: KeyInfo,
    private: RsaPrivateKey,
}

impl WholeKey {
    fn new(primes: [&str; 2], flags: u16) -> Self {
        let number = |hex: &str| BigUint::parse_bytes(hex.replace(' ', "").as_bytes(), 16).unwrap();
        let e = BigUint::from(65_537u32);
        let private = RsaPrivateKey::from_p_q(number(primes[0]), number(primes[1]), e.clone()).unwrap();
        let dnskey = dnssec::rsa_dnskey_rdata(flags, 8, &e.to_bytes_be(), &private.n().to_bytes_be());
        Self { info: KeyInfo { id: KeyId(codec::digest("test", &[dnskey.wire()])), dnskey }, private }
    }

    pub(crate) fn zsk() -> Self {
        Self::new(ZSK, 256)
    }

    pub(crate) fn ksk() -> Self {
        Self::new(KSK, 257)
    }

    pub(crate) fn sign(&self, hash: &[u8]) -> Vec<u8> {
        self.private.sign(Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), hash).unwrap()
    }
}

/// Replicas of a bench's cluster.
pub(crate) const REPLICAS: u8 = 4;

/// Its operators' keys are made like those of replicas.
pub(crate) const OPERATORS: [u8; 3] = [101, 102, 103];

/// The identity key of a bench's replica, or operator.
fn identity(index: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[index; 32]).unwrap()
}

fn public(pair: &Ed25519KeyPair) -> [u8; 32] {
    pair.public_key().as_ref().try_into().unwrap()
}

/// Signs as a bench's replica does.
pub(crate) fn signer(index: u8) -> impl FnOnce(&codec::Digest) -> [u8; 64] {
    move |digest| identity(index).sign(&[SAID_DOMAIN, &digest.0].concat()).as_ref().try_into().unwrap()
}

/// A machine, its keys, and the client `updater.`
pub(crate) struct Bench {
    pub(crate) machine: Machine,
    pub(crate) origin: Name,
    pub(crate) now: AgreedTime,
    /// What the machine was made of.
    pub(crate) genesis: Genesis,
    keys: [WholeKey; 2],
    /// Of rolled keys: the threshold key of one replica, on the primes that all have shares of.
    rolled: Vec<(KeyId, Dealt)>,
    next_id: u16,
    votes: u64,
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// `OWNER TTL TYPE RDATA…`, all names absolute.
pub(crate) fn record(line: &str) -> Record {
    let words: Vec<&str> = line.split_whitespace().collect();
    let rtype = RrType::parse(words[2]).unwrap();
    let rdata = rdata::from_text(rtype, &words[3..], &Name::root()).unwrap_or_else(|e| panic!("{line}: {e}"));
    Record { name: name(words[0]), rtype, class: Class::IN, ttl: words[1].parse().unwrap(), rdata }
}

pub(crate) fn records(zone: &str) -> Vec<Record> {
    zone.lines().map(str::trim).filter(|line| !line.is_empty()).map(record).collect()
}

/// The lines of an nsupdate script: prerequisites, updates.
pub(crate) fn script(text: &str) -> (Vec<Record>, Vec<Record>) {
    let (mut prerequisites, mut updates) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (verb, rest) = line.split_once(' ').unwrap();
        let mut words: Vec<&str> = rest.split_whitespace().collect();
        let bare = |class, words: &[&str]| Record {
            name: name(words[0]),
            rtype: words.get(1).map_or(RrType::ANY, |word| RrType::parse(word).unwrap()),
            class,
            ttl: 0,
            rdata: Rdata::new(&[]),
        };
        match verb {
            "nxdomain" | "nxrrset" => prerequisites.push(bare(Class::NONE, &words)),
            "yxdomain" => prerequisites.push(bare(Class::ANY, &words)),
            "yxrrset" if words.len() == 2 => prerequisites.push(bare(Class::ANY, &words)),
            "yxrrset" => {
                words.insert(1, "0");
                prerequisites.push(record(&words.join(" ")));
            }
            "add" => updates.push(record(rest)),
            "del" if words.len() <= 2 => updates.push(bare(Class::ANY, &words)),
            "del" => {
                words.insert(1, "0");
                updates.push(Record { class: Class::NONE, ..record(&words.join(" ")) });
            }
            other => panic!("no verb {other}"),
        }
    }
    (prerequisites, updates)
}

/// An UPDATE message, unsigned.
pub(crate) fn message(id: u16, zone: &Name, prerequisites: &[Record], updates: &[Record]) -> Vec<u8> {
    let mut writer = Writer::new(65_000);
    writer.header(&Header::request(id, Opcode::UPDATE));
    writer.question(&Question { name: zone.clone(), rtype: RrType::SOA, class: Class::IN }).unwrap();
    for record in prerequisites {
        writer.record(Section::Answer, record).unwrap();
    }
    for record in updates {
        writer.record(Section::Authority, record).unwrap();
    }
    let wire = writer.finish();
    assert!(Message::parse(&wire).is_ok(), "a test's message is well formed");
    wire
}

pub(crate) fn updater() -> TsigKey {
    TsigKey::new(name("updater."), TsigAlgorithm::HmacSha256, vec![7; 32])
}

/// A `quorum` key, with one replica's secret.
pub(crate) fn many() -> TsigKey {
    TsigKey::new(name("many."), TsigAlgorithm::HmacSha256, vec![9; 32]).in_mode(Mode::Quorum)
}

impl Bench {
    /// The zone before genesis, at [`START_SECS`].
    pub(crate) fn unstarted(origin: &str, zone: &str, policy: &[&str]) -> Self {
        Self::of(origin, zone, policy, |_| {}).unwrap()
    }

    pub(crate) fn of(
        origin: &str,
        zone: &str,
        policy: &[&str],
        adapt: impl FnOnce(&mut ZoneRules),
    ) -> Result<Self, MachineError> {
        let keys = [WholeKey::zsk(), WholeKey::ksk()];
        let mut keyring = Keyring::default();
        keyring.tsig.insert(name("updater."), updater());
        keyring.tsig.insert(name("many."), many());
        let mut rules = ZoneRules {
            origin: name(origin),
            policy: UpdatePolicy::parse(policy).unwrap(),
            reads: Reads::Local,
            serial: SerialRule::Increment,
            validity: Validity::default(),
            dnskey_ttl: 3600,
            denial: Denial::Nsec,
            ksk: keys[1].info.clone(),
            zsk: keys[0].info.clone(),
        };
        adapt(&mut rules);
        let genesis = Genesis {
            cluster: ClusterId::default(),
            epoch: Epoch(0),
            members: (1..=REPLICAS).map(|index| public(&identity(index))).collect(),
            operators: OPERATORS
                .map(|index| (format!("operator {index}"), public(&identity(index))))
                .to_vec(),
            operators_needed: 2,
            zones: vec![(rules, records(zone))],
            keys: Arc::new(keyring),
        };
        let machine = Machine::new(genesis.clone())?;
        let now = AgreedTime(START_SECS * SECOND);
        Ok(Self {
            machine,
            origin: name(origin),
            now,
            genesis,
            keys,
            rolled: Vec::new(),
            next_id: 0,
            votes: 0,
        })
    }

    /// The zone, signed and visible; `updater.` may do anything.
    pub(crate) fn new(origin: &str, zone: &str) -> Self {
        Self::with_policy(origin, zone, &["grant updater. zonesub ANY"])
    }

    pub(crate) fn with_policy(origin: &str, zone: &str, policy: &[&str]) -> Self {
        let mut bench = Self::unstarted(origin, zone, policy);
        let _ = bench.execute(&[Request::Genesis { zone: name(origin) }]);
        let signed = bench.sign_all();
        assert_eq!(signed.failures, []);
        assert_eq!(signed.published.len(), 1);
        bench
    }

    /// Executes one batch; agreed time goes on by a second.
    pub(crate) fn execute(&mut self, requests: &[Request]) -> Executed {
        self.now.0 += SECOND;
        let encoded: Vec<Vec<u8>> = requests.iter().map(codec::encode).collect();
        let tagged: Vec<(RequestId, &[u8])> =
            encoded.iter().enumerate().map(|(i, bytes)| (RequestId(i as u64), bytes.as_slice())).collect();
        self.machine.execute(&Batch { time: self.now, requests: &tagged })
    }

    /// A vote of a replica, its `count`th.
    pub(crate) fn vote(&self, index: u8, count: u64, command: &Command) -> Request {
        self.machine.vote_of(ReplicaId::new(index).unwrap(), count, command, signer(index))
    }

    /// The vote of an operator, signed so many milliseconds from now, who knows what was decided.
    pub(crate) fn operator_vote(&self, index: u8, count: u64, text: &str) -> OperatorVote {
        let Genesis { cluster, epoch, .. } = self.genesis;
        let pair = identity(index);
        let sign = |digest: &codec::Digest| {
            pair.sign(&[OPERATOR_DOMAIN, &digest.0].concat()).as_ref().try_into().unwrap()
        };
        let after = self.machine.votes().1.last().map_or(0, |one| one.number);
        let numbers = (self.now.0 + count, after);
        OperatorVote::new((cluster, epoch), public(&pair), numbers, &text.parse().unwrap(), sign)
    }

    /// The bundle of one of four fixed keys, its shares, and from now on its signatures.
    pub(crate) fn dealt(&mut self, role: Role, algorithm: u8, which: usize) -> (CheckedBundle, Dealt) {
        self.dealt_with(role, algorithm, which, if role == Role::Ksk { 3 } else { 2 })
    }

    /// The same, for another threshold.
    fn dealt_with(&mut self, role: Role, algorithm: u8, which: usize, k: usize) -> (CheckedBundle, Dealt) {
        let Genesis { cluster, epoch, members, .. } = self.genesis.clone();
        let holders = Holders { plan: codec::Digest::default(), cluster, epoch, members };
        let (bits, which) = ([1024, 2048][which / 2], which % 2);
        let dealt = test_keys::dealt(bits, which, usize::from(REPLICAS), k);
        let bundle = Bundle::new(holders, &self.origin, role, algorithm, &dealt.public).check().unwrap();
        self.rolled.push((bundle.key_id(), test_keys::dealt(bits, which, 1, 1)));
        (bundle, dealt)
    }

    /// A bundle that all replicas have given their receipts for; its name in hexadecimal.
    pub(crate) fn complete(&mut self, role: Role, algorithm: u8, which: usize) -> String {
        let (bundle, _) = self.dealt(role, algorithm, which);
        self.machine.put_complete(bundle.bundle().clone());
        bundle.name().to_hex()
    }

    /// The same, for algorithm 8 and another threshold.
    pub(crate) fn complete_with(&mut self, role: Role, which: usize, k: usize) -> String {
        let (bundle, _) = self.dealt_with(role, 8, which, k);
        self.machine.put_complete(bundle.bundle().clone());
        bundle.name().to_hex()
    }

    /// What a replica says.
    pub(crate) fn say(&self, index: u8, what: Saying) -> Said {
        self.machine.saying(ReplicaId::new(index).unwrap(), what, signer(index))
    }

    /// What a quorum is to say of its progress, if anybody waits for that.
    pub(crate) fn progress(&self) -> Vec<Request> {
        let due = |index| Some((index, self.machine.progress_due(ReplicaId::new(index)?)?));
        (1..=3).filter_map(due).map(|(index, what)| Request::Said(self.say(index, what))).collect()
    }

    /// A replica's receipt.
    pub(crate) fn receipt(
        &self,
        index: u8,
        bundle: &CheckedBundle,
        share: crate::threshold::SignatureShare,
        proof: crate::threshold::Proof,
    ) -> Receipt {
        let replica = ReplicaId::new(index).unwrap();
        let signed = Receipt::signed(bundle.name(), replica, &share, &proof);
        let signature = identity(index).sign(&signed).as_ref().try_into().unwrap();
        Receipt { bundle: bundle.name(), replica, share, proof, signature }
    }

    /// A batch in which a quorum votes for a command; why it was refused, if it was.
    pub(crate) fn command(&mut self, text: &str) -> Option<String> {
        let votes = self.votes_for(text);
        let _ = self.execute(&votes);
        self.decision(text)
    }

    pub(crate) fn votes_for(&mut self, text: &str) -> Vec<Request> {
        self.votes += 1;
        let command = text.parse().unwrap();
        (1..=3).map(|index| self.vote(index, self.votes, &command)).collect()
    }

    /// Why the command decided last, which is this, was refused.
    pub(crate) fn decision(&self, text: &str) -> Option<String> {
        let decided = self.machine.votes().1.pop().unwrap();
        assert_eq!(decided.command.to_string(), text);
        decided.refused
    }

    /// A signed update message.
    pub(crate) fn signed(&mut self, text: &str) -> Request {
        let (prerequisites, updates) = script(text);
        self.signed_records(&prerequisites, &updates)
    }

    pub(crate) fn signed_records(&mut self, prerequisites: &[Record], updates: &[Record]) -> Request {
        self.next_id += 1;
        let mut wire = message(self.next_id, &self.origin, prerequisites, updates);
        // Equal scripts in one second would be one request: a nonce where nobody looks.
        wire[11] = 1;
        wire.extend([0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 3, 2]);
        wire.extend(self.next_id.to_be_bytes());
        tsig::sign_request(&mut wire, &updater(), self.now.secs());
        Request::Update { wire }
    }

    /// One update, a batch of its own, executed but not signed.
    pub(crate) fn update(&mut self, text: &str) -> Rcode {
        self.batch(&[text])[0]
    }

    /// Updates in one batch.
    pub(crate) fn batch(&mut self, texts: &[&str]) -> Vec<Rcode> {
        let requests: Vec<Request> = texts.iter().map(|text| self.signed(text)).collect();
        self.execute(&requests).outcomes.iter().map(|outcome| outcome.rcode).collect()
    }

    /// The signature of a job, by the key it names.
    pub(crate) fn signature(&self, job: &Job) -> Vec<u8> {
        if let Some((_, whole)) = self.rolled.iter().find(|(id, _)| *id == job.key) {
            let x = whole.public.encode(&job.hash).unwrap();
            let share = whole.shares[0].sign(&whole.public, &x);
            return whole.public.combine(&x, &[(whole.shares[0].index(), share)]).unwrap().into_bytes();
        }
        self.keys.iter().find(|key| key.info.id == job.key).unwrap().sign(&job.hash)
    }

    /// Signs all that is pending.
    pub(crate) fn sign_all(&mut self) -> Signed {
        let mut all = Signed::default();
        for job in self.machine.pending_jobs() {
            let signature = self.signature(&job);
            let signed = self.machine.signed(job.id, &signature);
            all.published.extend(signed.published);
            all.failures.extend(signed.failures);
        }
        all
    }

    /// The published view.
    pub(crate) fn view(&self) -> Arc<View> {
        self.machine.view(&self.origin).unwrap()
    }

    /// What `update` gave, signed and published.
    pub(crate) fn publish(&mut self, text: &str) -> Arc<View> {
        assert_eq!(self.update(text), Rcode::NOERROR, "{text}");
        assert_eq!(self.sign_all().failures, []);
        self.view()
    }
}
