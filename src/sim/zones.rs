//! A zone that comes and goes while the run lasts, and what each operator does for that: his replica votes, two of them sign
//! with keys of their own.
use super::cluster::Cluster;
use crate::consensus::IdentityKey;
use crate::dns::Name;
use crate::dns::master;
use crate::quorum::ReplicaId;
use crate::replica::{Output, Replica, ZoneCharter};
use crate::time::UnixMillis;
use crate::zone::{
    Command, Contents, Denial, NewZone, OPERATOR_DOMAIN, OperatorVote, Parcel, Reads, SerialRule, Validity,
};

/// Seeds of the operators' keys.
const SEEDS: [[u8; 32]; 2] = [[0xa1; 32], [0xa2; 32]];
/// Names of the zone: some pieces of a parcel.
const NAMES: usize = 300;

/// The zone that comes and goes.
pub(super) fn other() -> Name {
    Name::parse("other.").expect("a name")
}

/// The operators of every run: both are needed.
pub(super) fn operators() -> Vec<(String, [u8; 32])> {
    let public = |seed: &[u8; 32]| IdentityKey::from_seed(*seed).public();
    SEEDS.iter().zip(["ada", "bob"]).map(|(seed, name)| (name.to_owned(), public(seed))).collect()
}

impl Cluster {
    /// Whether this replica has seen the zone come and go.
    pub(super) fn has_come_and_gone(&self, replica: &Replica) -> bool {
        let is_done = replica
            .votes()
            .decided
            .iter()
            .any(|one| one.command == format!("zone {} remove", other()) && one.refused.is_none());
        is_done && self.other_zone(replica).is_none()
    }

    fn other_zone(&self, replica: &Replica) -> Option<ZoneCharter> {
        replica.zones().zones.into_iter().find(|zone| zone.zone == other().to_string())
    }

    /// What the operator of `me` does now for the zone to come, to be frozen, and to go.
    pub(super) fn manage(&self, me: ReplicaId, replica: &mut Replica, now: UnixMillis) -> Output {
        if self.has_come_and_gone(replica) {
            return Output::default();
        }
        let zone = format!("zone {}", other());
        let vote = |replica: &mut Replica, text: &str| {
            let command: Command = text.parse().expect("a command");
            replica.vote(now, &command).map(|(_, output)| output).unwrap_or_default()
        };
        match self.other_zone(replica) {
            None => {
                if let Some(output) = self.bring_spare(me, replica, now) {
                    return output;
                }
                let parcel = self.new_zone();
                let text = format!("{zone} add {}", parcel.name().to_hex());
                let is_awaited = replica.zones().awaited.iter().any(|one| one.command == text);
                // Two give it: they begin at different places.
                if me.get() <= 2
                    && let Ok(output) = replica.give(now, parcel)
                    && is_awaited
                {
                    return output;
                }
                vote(replica, &text)
            }
            Some(other) if !other.frozen => match SEEDS.get(me.slot()) {
                Some(seed) => {
                    let command = format!("{zone} freeze").parse().expect("a command");
                    let key = IdentityKey::from_seed(*seed);
                    let newest = replica.votes().decided.last().map_or(0, |one| one.number);
                    let numbers = (now.0, newest);
                    let sign = |digest: &crate::codec::Digest| key.sign_in(OPERATOR_DOMAIN, digest);
                    let vote =
                        OperatorVote::new((self.id, self.epoch), key.public(), numbers, &command, sign);
                    replica.carry(now, vote).unwrap_or_default()
                }
                None => Output::default(),
            },
            Some(_) => vote(replica, &format!("{zone} remove")),
        }
    }

    fn new_zone(&self) -> Parcel {
        let text = (0..NAMES)
            .fold("@ 60 SOA ns admin 1 3600 600 86400 60\n@ 60 NS ns.invalid.\n".to_owned(), |text, at| {
                format!("{text}n{at} 60 TXT {}\n", "x".repeat(180))
            });
        let records = master::read_str(&text, &other()).expect("a zone");
        let [zsk, ksk] = [0, 1].map(|which| self.spares[which].name());
        let new = NewZone {
            policy: Vec::new(),
            reads: Reads::Local,
            serial: SerialRule::default(),
            validity: Validity::default(),
            dnskey_ttl: 60,
            denial: Denial::Nsec,
            ksk,
            zsk,
            records: Contents::sets(&other(), &records).expect("a zone"),
        };
        Parcel::new(Contents::Zone(Box::new(new)).to_bytes()).expect("contents of a zone")
    }
}
