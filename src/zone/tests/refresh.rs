//! Refreshes in the order: what t corrupt and some absent replicas can do to them, and that the state carries them.

use super::*;
use crate::codec::{Epoch, KeyId, encode};
use crate::quorum::ReplicaId;
use crate::threshold::refresh::Round;
use crate::threshold::{PublicKey, ReceiverKey, ReceiverSecret, SecretShare, test_keys};
use crate::zone::refresh::{Receiver, Stage};
use crate::zone::{Command, Request, Restore, Saying, Trust};
use std::sync::OnceLock;

const N: usize = 4;

/// A bench whose ZSK is shared, and the replicas' secrets.
struct Shared {
    bench: Bench,
    key: KeyId,
    dealt: PublicKey,
    public: PublicKey,
    shares: Vec<SecretShare>,
    /// The receivers' secrets in use, by slot.
    using: [usize; N],
    count: u64,
}

/// Receivers' secrets, made once: enough for each replica to have a new one now and then.
fn secrets() -> &'static [ReceiverSecret] {
    static MADE: OnceLock<Vec<ReceiverSecret>> = OnceLock::new();
    MADE.get_or_init(|| (0..2 * N as u8).map(|i| ReceiverSecret::generate(128, [i; 32])).collect())
}

fn id(slot: usize) -> ReplicaId {
    ReplicaId::new(slot as u8 + 1).unwrap()
}

impl Shared {
    fn new() -> Self {
        let dealt = test_keys::dealt(1024, 0, N, 2);
        let key = dealt.public.key_id();
        let bench =
            Bench::of("a.test.", ZONE, &["grant updater. zonesub ANY"], |rules| rules.zsk.id = key).unwrap();
        let (public, shares) = (dealt.public.clone(), dealt.shares);
        Self { bench, key, dealt: dealt.public, public, shares, using: [0, 1, 2, 3], count: 0 }
    }

    fn tag(&self) -> u16 {
        crate::dns::dnssec::key_tag(self.bench.genesis.zones[0].0.zsk.dnskey.wire())
    }

    fn command(&mut self) {
        self.count += 1;
        let command = Command::Refresh { zone: crate::dns::Name::parse("a.test.").unwrap(), tag: self.tag() };
        let votes: Vec<Request> = (1..=3).map(|index| self.bench.vote(index, self.count, &command)).collect();
        let _ = self.bench.execute(&votes);
        assert_eq!(self.bench.machine.votes().1.last().unwrap().refused, None);
    }

    fn say(&self, slot: usize, what: Saying) -> Request {
        self.bench.machine.say(id(slot), what, signer(slot as u8 + 1))
    }

    fn offer(&self, slot: usize, count: u64, secret: usize) -> Request {
        let what = Saying::Offer {
            key: self.key,
            sharing: self.public.key_id(),
            count,
            public: self.dealt.to_bytes(),
            modulus: secrets()[secret].public().as_bytes().to_vec(),
        };
        self.say(slot, what)
    }

    fn offers(&mut self, slots: &[usize], count: u64) {
        let offers: Vec<_> = slots.iter().map(|slot| self.offer(*slot, count, self.using[*slot])).collect();
        let _ = self.bench.execute(&offers);
    }

    fn dealing(&self, slot: usize) -> Request {
        let keys: Vec<_> = (0..N)
            .map(|i| ReceiverKey::from_bytes(secrets()[self.using[i]].public().as_bytes(), 128).unwrap())
            .collect();
        let genesis = &self.bench.genesis;
        let round = Round::new(genesis.cluster, Epoch(0), &self.public, &keys).unwrap();
        let dealing = encode(&round.deal(&self.shares[slot], [self.count as u8; 32]));
        self.say(slot, Saying::Dealing { key: self.key, sharing: self.public.key_id(), dealing })
    }

    fn order(&mut self, request: Request) -> crate::dns::Rcode {
        self.bench.execute(&[request]).outcomes[0].rcode
    }

    fn stage(&self) -> Stage {
        self.bench.machine.sharing(self.key).unwrap().stage.clone()
    }

    fn receiver(&self, slot: usize) -> &Receiver {
        self.bench.machine.receiver(self.key, id(slot)).unwrap()
    }

    /// The replicas of these slots take what the state has for them.
    fn take(&mut self, slots: &[usize]) {
        let new = self.bench.machine.sharing(self.key).unwrap().parsed().unwrap();
        for slot in slots {
            let row = &self.receiver(*slot).missed;
            let share = self.shares[*slot].refreshed(&self.public, &new, row, &secrets()[self.using[*slot]]);
            self.shares[*slot] = share.unwrap();
        }
        self.public = new;
    }
}

const ZONE: &str = "a.test. 300 SOA ns.a.test. admin.a.test. 1 7200 3600 604800 300\na.test. 300 NS ns.a.test.\nns.a.test. 300 A 192.0.2.1\n";

#[test]
fn a_refresh_goes_its_way_and_the_next_one_needs_not_everybody() {
    let mut s = Shared::new();
    s.command();
    s.offers(&[0, 1, 2], 1);
    assert!(matches!(s.stage(), Stage::Offers { .. }), "the fourth has never offered a key");
    s.offers(&[3], 1);
    assert!(matches!(s.stage(), Stage::Dealings { .. }));
    for slot in [2, 0] {
        assert_eq!(s.order(s.dealing(slot)), crate::dns::Rcode::NOERROR);
    }
    assert_eq!(s.stage(), Stage::Rest);
    let before = s.public.key_id();
    s.take(&[0, 1, 2, 3]);
    assert!(s.public.key_id() != before && s.public.refreshed() == 1);
    // The fourth says nothing of it, and is away at the next refresh.
    s.offers(&[0, 1, 2], 2);
    assert!(s.receiver(0).missed.is_empty() && !s.receiver(3).missed.is_empty());
}

#[test]
fn who_was_away_for_two_refreshes_finds_one_ciphertext_for_both() {
    let mut s = Shared::new();
    for count in 1..=2 {
        s.command();
        s.offers(if count == 1 { &[0, 1, 2, 3] } else { &[0, 1, 2] }, 2 * count);
        for slot in [0, 1] {
            let _ = s.order(s.dealing(slot));
        }
        assert_eq!(s.stage(), Stage::Rest, "refresh {count}");
        s.take(&[0, 1, 2]);
        s.offers(&[0, 1, 2], 2 * count + 1);
    }
    let row = s.receiver(3).missed.clone();
    let late = s.shares[3].refreshed(&s.dealt, &s.public, &row, &secrets()[3]).unwrap();
    assert_eq!(late.check(&s.public), Ok(()));
    s.offers(&[3], 9);
    assert!(s.receiver(3).missed.is_empty(), "taken");
}

#[test]
fn wrong_dealings_are_heard_once_and_do_not_count() {
    let mut s = Shared::new();
    s.command();
    s.offers(&[0, 1, 2, 3], 1);
    let Request::Said(mut said) = s.dealing(0) else { panic!("it is said") };
    let Saying::Dealing { dealing, .. } = &mut said.what else { panic!("a dealing") };
    let last = dealing.len() - 1;
    dealing[last] ^= 1;
    let wrong = s.say(0, said.what);
    let refused = crate::dns::Rcode::REFUSED;
    assert_eq!(s.order(wrong), refused);
    assert_eq!(s.order(s.dealing(0)), refused, "he had his chance");
    let Request::Said(mut stolen) = s.dealing(1) else { panic!("it is said") };
    stolen.by = id(2);
    assert_eq!(s.order(Request::Said(stolen)), refused, "in another's name");
    assert_eq!(s.order(s.offer(3, 7, 5)), refused, "the keys are fixed");
    assert_eq!(s.order(s.dealing(1)), crate::dns::Rcode::NOERROR);
    assert!(matches!(s.stage(), Stage::Dealings { .. }), "one valid dealing is not enough");
    assert_eq!(s.order(s.dealing(3)), crate::dns::Rcode::NOERROR);
    assert_eq!(s.stage(), Stage::Rest);
    s.take(&[0, 1, 2, 3]);
    assert_eq!(s.order(s.dealing(2)), refused, "none is awaited");
}

#[test]
fn an_offer_counts_once_and_only_for_the_sharing_in_force() {
    let mut s = Shared::new();
    assert_eq!(s.order(s.offer(0, 1, 0)), crate::dns::Rcode::REFUSED, "no refresh was ever commanded");
    s.command();
    let first = s.offer(0, 1, 0);
    assert_eq!(s.order(first.clone()), crate::dns::Rcode::NOERROR);
    assert_eq!(s.order(s.offer(0, 2, 5)), crate::dns::Rcode::REFUSED, "one a refresh");
    s.command();
    assert_eq!(s.order(first), crate::dns::Rcode::REFUSED, "an old key does not come back");
    assert_eq!(s.order(s.offer(0, 2, 4)), crate::dns::Rcode::NOERROR);
    assert_eq!(s.receiver(0).modulus, secrets()[4].public().as_bytes());
    let other = test_keys::dealt(1024, 1, N, 2).public;
    let offer = |key, sharing, public: Vec<u8>, modulus: Vec<u8>| Saying::Offer {
        key,
        sharing,
        count: 5,
        public,
        modulus,
    };
    let m = secrets()[1].public().as_bytes().to_vec();
    for what in [
        offer(s.key, other.key_id(), s.dealt.to_bytes(), m.clone()),
        offer(other.key_id(), other.key_id(), other.to_bytes(), m.clone()),
        offer(s.key, s.key, s.dealt.to_bytes(), m[1..].to_vec()),
        offer(s.key, s.key, s.dealt.to_bytes(), vec![0xfe; m.len()]),
    ] {
        assert_eq!(s.order(s.say(1, what)), crate::dns::Rcode::REFUSED);
    }
    let mut fresh = Shared::new();
    fresh.command();
    let wrong_public = offer(fresh.key, fresh.key, other.to_bytes(), m);
    assert_eq!(
        fresh.order(fresh.say(1, wrong_public)),
        crate::dns::Rcode::REFUSED,
        "another key's public part"
    );
}

#[test]
fn a_command_in_the_middle_begins_anew() {
    let mut s = Shared::new();
    s.command();
    s.offers(&[0, 1, 2, 3], 1);
    let _ = s.order(s.dealing(0));
    s.command();
    assert_eq!(s.stage(), Stage::Offers { fresh: vec![] });
    assert_eq!(s.order(s.dealing(1)), crate::dns::Rcode::REFUSED);
    s.using = [4, 5, 6, 3];
    s.offers(&[0, 1, 2], 2);
    for slot in [1, 0] {
        assert_eq!(s.order(s.dealing(slot)), crate::dns::Rcode::NOERROR);
    }
    s.take(&[0, 1, 2, 3]);
}

#[test]
fn the_state_carries_a_refresh_at_every_step() {
    let mut s = Shared::new();
    let mut stages = 0;
    let mut check = |s: &Shared| {
        let snapshot = s.bench.machine.snapshot();
        let mut restore = Restore::new(s.bench.genesis.clone(), snapshot.manifest(), Trust::OwnDisk).unwrap();
        while let Some((chunk, from)) = restore.needs() {
            let (pieces, last) = snapshot.pieces(chunk, from, 100_000);
            restore.take(pieces, last).unwrap();
        }
        let (restored, ..) = restore.finish().unwrap();
        assert_eq!(restored.digest(), s.bench.machine.digest());
        assert_eq!(restored.sharing(s.key), s.bench.machine.sharing(s.key));
        stages += 1;
    };
    s.command();
    check(&s);
    s.offers(&[0, 1], 1);
    check(&s);
    s.offers(&[2, 3], 1);
    check(&s);
    let _ = s.order(s.dealing(0));
    check(&s);
    let _ = s.order(s.dealing(1));
    check(&s);
    assert_eq!(stages, 5);
}

#[test]
fn a_command_for_what_is_not_there_is_refused() {
    let mut s = Shared::new();
    for (zone, tag) in [("b.test.", s.tag()), ("a.test.", s.tag() ^ 1)] {
        s.count += 1;
        let command = Command::Refresh { zone: crate::dns::Name::parse(zone).unwrap(), tag };
        let votes: Vec<Request> = (1..=3).map(|index| s.bench.vote(index, s.count, &command)).collect();
        let _ = s.bench.execute(&votes);
        assert!(s.bench.machine.votes().1.last().unwrap().refused.is_some(), "{command}");
    }
}
