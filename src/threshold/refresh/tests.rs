//! What a refresh promises, what it refuses, and the theft it is for.

use super::*;
use crate::codec::Digest;
use crate::threshold::{CombineError, Representative, SignatureShare, test_keys};
use num_bigint::BigInt;
use sha2::{Digest as _, Sha256};
use std::sync::OnceLock;

mod theft;
mod wrong;

pub(super) const EPOCH: Epoch = Epoch(2);

/// Receivers' secrets for 1024-bit keys, made once.
pub(in crate::threshold) fn receiver(slot: usize) -> &'static ReceiverSecret {
    static MADE: OnceLock<Vec<ReceiverSecret>> = OnceLock::new();
    &MADE.get_or_init(|| (0..7u8).map(|slot| ReceiverSecret::generate(128, [slot; 32])).collect())[slot]
}

pub(super) fn receivers(n: usize) -> Vec<ReceiverKey> {
    (0..n).map(|slot| ReceiverKey::from_bytes(receiver(slot).public().as_bytes(), 128).unwrap()).collect()
}

pub(super) fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

pub(super) fn round<'a>(public: &'a PublicKey, receivers: &'a [ReceiverKey]) -> Round<'a> {
    Round::new(ClusterId(Digest([7; 32])), EPOCH, public, receivers).unwrap()
}

/// What these dealings lead to.
pub(super) fn outcome(
    round: &Round<'_>,
    dealings: &[&Dealing],
    missed: &[Option<Vec<u8>>],
) -> Result<Outcome, KeyError> {
    let sum = dealings.iter().try_fold(Sum::default(), |sum, dealing| round.add(&sum, dealing))?;
    round.outcome(&sum, &missed.iter().map(Option::as_deref).collect::<Vec<_>>())
}

/// A key with the shares of all replicas.
pub(super) struct Sharing {
    pub(super) public: PublicKey,
    pub(super) shares: Vec<SecretShare>,
}

impl Sharing {
    pub(super) fn dealt(n: usize, k: usize) -> Self {
        let dealt = test_keys::dealt(1024, 0, n, k);
        Self { public: dealt.public, shares: dealt.shares }
    }

    /// The next one, from dealings of the first `dealers` replicas.
    pub(super) fn next(&self, dealers: usize, entropy: u8) -> Self {
        let keys = receivers(self.shares.len());
        let round = round(&self.public, &keys);
        let dealings: Vec<_> = self.shares[..dealers].iter().map(|s| round.deal(s, [entropy; 32])).collect();
        for (share, dealing) in self.shares.iter().zip(&dealings) {
            assert_eq!(round.verify(share.index(), dealing), Ok(()));
        }
        let made = outcome(&round, &dealings.iter().collect::<Vec<_>>(), &[]).unwrap();
        self.take(&made)
    }

    pub(super) fn take(&self, outcome: &Outcome) -> Self {
        let grow = |(slot, share): (usize, &SecretShare)| {
            share.refreshed(&self.public, &outcome.public, &outcome.rows[slot], receiver(slot)).unwrap()
        };
        Self { shares: self.shares.iter().enumerate().map(grow).collect(), public: outcome.public.clone() }
    }

    pub(super) fn x(&self, message: &[u8]) -> Representative {
        self.public.encode(&Sha256::digest(message)).unwrap()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<(ReplicaId, SignatureShare)> {
        let x = self.x(message);
        self.shares.iter().map(|share| (share.index(), share.sign(&self.public, &x))).collect()
    }
}

/// s_i as an integer.
pub(super) fn integer(share: &SecretShare) -> BigInt {
    let s = BigInt::from(BigUint::from_bytes_be(&share.s));
    if share.negative { -s } else { s }
}

#[test]
fn refreshed_shares_make_the_same_signature_again_and_again() {
    let dealt = Sharing::dealt(4, 2);
    let expected = dealt.public.combine(&dealt.x(b"same"), &dealt.sign(b"same")).unwrap();
    let mut sharing = dealt;
    for number in 1..=3u8 {
        sharing = sharing.next(2, number);
        assert_eq!(sharing.public.refreshed(), u32::from(number));
        let all = sharing.sign(b"same");
        for pair in [[0, 1], [1, 3], [3, 2]] {
            let pair = pair.map(|slot: usize| all[slot].clone());
            assert_eq!(sharing.public.combine(&sharing.x(b"same"), &pair).as_ref(), Ok(&expected));
        }
        assert_eq!(
            sharing.public.combine(&sharing.x(b"same"), &all[..1]),
            Err(CombineError::TooFew),
            "one share alone"
        );
    }
}

#[test]
fn proofs_of_refreshed_shares_hold_for_their_own_sharing_only() {
    let old = Sharing::dealt(4, 2);
    let new = old.next(2, 1);
    let prove = |sharing: &Sharing| {
        let x = sharing.x(b"proof");
        let share = sharing.shares[1].sign(&sharing.public, &x);
        let proof = sharing.shares[1].prove(&sharing.public, EPOCH, &x, &share, [3; 32]);
        (share, proof)
    };
    let (share, proof) = prove(&new);
    let check = |sharing: &Sharing, share, proof| {
        sharing.public.verify_share(id(2), EPOCH, &sharing.x(b"proof"), share, proof).is_ok()
    };
    assert!(check(&new, &share, &proof));
    assert!(!check(&old, &share, &proof));
    let (share, proof) = prove(&old);
    assert!(check(&old, &share, &proof));
    assert!(!check(&new, &share, &proof));
}

#[test]
fn what_a_replica_missed_over_three_refreshes_is_one_row() {
    let dealt = Sharing::dealt(4, 2);
    let (mut sharing, mut missed) = (Sharing::dealt(4, 2), None);
    for number in 1..=3 {
        let keys = receivers(4);
        let round = round(&sharing.public, &keys);
        let dealings =
            [round.deal(&sharing.shares[0], [number; 32]), round.deal(&sharing.shares[2], [number; 32])];
        let with = [None, None, None, missed.take()];
        let made = outcome(&round, &[&dealings[0], &dealings[1]], &with).unwrap();
        missed = Some(made.rows[3].clone());
        // The others take it as it comes; the fourth's row is another one here.
        let plain = outcome(&round, &[&dealings[0], &dealings[1]], &[]).unwrap();
        sharing = sharing.take(&plain);
    }
    let late =
        dealt.shares[3].refreshed(&dealt.public, &sharing.public, &missed.unwrap(), receiver(3)).unwrap();
    assert_eq!(*late.to_bytes(), *sharing.shares[3].to_bytes());
}

#[test]
fn a_refreshed_key_and_its_shares_survive_their_encoding() {
    let sharing = Sharing::dealt(4, 3).next(2, 9);
    let back = PublicKey::from_bytes(&sharing.public.to_bytes()).unwrap();
    assert_eq!((back.key_id(), back.refreshed()), (sharing.public.key_id(), 1));
    for share in &sharing.shares {
        let back = SecretShare::from_bytes(&share.to_bytes()).unwrap();
        assert_eq!(back.check(&sharing.public), Ok(()));
        let mut signed = share.to_bytes();
        signed[34] = 1;
        assert!(SecretShare::from_bytes(&signed).unwrap().check(&sharing.public).is_err(), "-s is not s");
        signed[34] = 2;
        assert!(SecretShare::from_bytes(&signed).is_err());
    }
    let mut unrefreshed = sharing.public.to_bytes();
    let end = unrefreshed.len();
    unrefreshed[end - 4..].fill(0);
    assert!(PublicKey::from_bytes(&unrefreshed).is_err(), "version 2 without a refresh");
    assert!(PublicKey::from_bytes(&unrefreshed[..end - 4]).is_err(), "no number");
}

#[test]
fn the_sizes_fit_the_receivers_for_every_key_and_committee() {
    for n in 2..=usize::from(crate::limits::MAX_REPLICAS) {
        for k in [2, n / 2, n].into_iter().filter(|k| (2..=n).contains(k)) {
            let public = test_keys::dealt(1024, 0, n, k).public;
            let sizes = Sizes::of(&public);
            assert!(sizes.response < super::super::receiver_len(128));
            assert!(sizes.share <= max_share_len(&public));
            assert_eq!(Round::possible(&public), Ok(()), "{k} of {n}");
        }
    }
    assert!(Round::possible(&test_keys::dealt(1024, 0, 3, 1).public).is_err());
}
