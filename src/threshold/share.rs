//! A replica's secret share, and what it makes with it.

use super::encode::Representative;
use super::modulus::{Modulus, Residue};
use super::public::{MODULUS_BITS, PublicKey};
use super::{KeyError, Proof, SignatureShare, lagrange, proof, refresh};
use crate::codec::{Digest, Epoch, KeyId};
use crate::quorum::ReplicaId;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// As dealt.
const VERSION: u8 = 1;
/// Of a refreshed key: an octet for the sign before s_i.
const REFRESHED_VERSION: u8 = 2;
/// Octets of the longest share of a refreshed key: the longest N and what a refresh adds at most.
const MAX_REFRESHED_BYTES: usize = 4096 / 8 + 128;
/// Version, index, key id.
const HEADER_BYTES: usize = 1 + 1 + 32;

/// s_i, replica i's share of one key. It is wiped when dropped and can be neither printed nor copied.
///
/// It is held and exponentiated at a fixed width, so that nothing shows its own length: that of N as dealt (s_i < m < N); after a
/// refresh what honest dealings make it fit in, and more only by as much as a dealer cheated, who knows it.
pub struct SecretShare {
    index: ReplicaId,
    key: KeyId,
    refreshed: bool,
    /// -s is meant. Only dealers that cheat in a refresh can bring it about, and know.
    pub(super) negative: bool,
    pub(super) s: Zeroizing<Vec<u8>>,
}

impl SecretShare {
    /// s_i, big-endian, as long as N.
    pub(super) fn new(index: ReplicaId, key: KeyId, s: Zeroizing<Vec<u8>>) -> Self {
        Self { index, key, refreshed: false, negative: false, s }
    }

    /// ±s of a refreshed key, big-endian with any number of leading zeros.
    pub(super) fn of_refresh(
        index: ReplicaId,
        public: &PublicKey,
        negative: bool,
        s: &[u8],
    ) -> Result<Self, KeyError> {
        // Looked at is only what honest dealings leave 0.
        let honest = refresh::share_len(public);
        let beyond = &s[..s.len().saturating_sub(honest)];
        let excess = beyond.iter().position(|octet| *octet != 0).map_or(0, |at| beyond.len() - at);
        let width = honest + excess.next_multiple_of(8);
        if width > s.len() || width > refresh::max_share_len(public) {
            return Err(KeyError("a share longer than it can be"));
        }
        let s = Zeroizing::new(s[s.len() - width..].to_vec());
        Ok(Self { index, key: public.key_id(), refreshed: true, negative, s })
    }

    /// i, whose share it is.
    pub fn index(&self) -> ReplicaId {
        self.index
    }

    /// Of which key it is a share.
    pub fn key_id(&self) -> KeyId {
        self.key
    }

    /// For the share file: version (1), index, key id, and s_i big-endian as long as N; of a refreshed key version 2, and before
    /// s_i an octet that is 1 if -s_i is meant and 0 otherwise. The caller protects it.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + 1 + self.s.len()));
        let version = if self.refreshed { REFRESHED_VERSION } else { VERSION };
        bytes.extend_from_slice(&[version, self.index.get()]);
        bytes.extend_from_slice(&self.key.0.0);
        if self.refreshed {
            bytes.push(u8::from(self.negative));
        }
        bytes.extend_from_slice(&self.s);
        bytes
    }

    /// From [`Self::to_bytes`]. Whether it is the right share, [`Self::check`] tells.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let Some((header, s)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(KeyError("a share that is too short"));
        };
        let (negative, s) = match (header[0], s) {
            (VERSION, _) if MODULUS_BITS.contains(&(s.len() * 8)) => (false, s),
            (REFRESHED_VERSION, [sign @ (0 | 1), s @ ..]) if s.len() <= MAX_REFRESHED_BYTES => {
                (*sign == 1, s)
            }
            (VERSION | REFRESHED_VERSION, _) => return Err(KeyError("a share of another length")),
            _ => return Err(KeyError("a share of another version")),
        };
        let index = ReplicaId::new(header[1]).ok_or(KeyError("a share of no replica"))?;
        let mut key = [0; 32];
        key.copy_from_slice(&header[2..]);
        let (refreshed, s) = (header[0] == REFRESHED_VERSION, Zeroizing::new(s.to_vec()));
        Ok(Self { index, key: KeyId(Digest(key)), refreshed, negative, s })
    }

    /// Whether this is the share that `public` holds a verification key of: v^{s_i} = v_i.
    pub fn check(&self, public: &PublicKey) -> Result<(), KeyError> {
        let ring = &public.0.modulus;
        if self.key != public.key_id() {
            return Err(KeyError("a share of another key"));
        }
        if self.refreshed != (public.refreshed() > 0) || !public.share_lens().contains(&self.s.len()) {
            return Err(KeyError("a share of another length"));
        }
        let v_i = public.verification_key(self.index).ok_or(KeyError("a share of no replica of this key"))?;
        let v = self.signed(ring, &public.0.v);
        let v_s = Zeroizing::new(ring.encode(&ring.pow_secret(&v, &self.s)));
        let same: bool = v_s.ct_eq(&ring.encode(v_i)).into();
        if same { Ok(()) } else { Err(KeyError("a share that does not fit its verification key")) }
    }

    /// x_i = (x^{s_i})^{2Δ}: the secret exponentiation in constant time, then the small public one; x^{s_i} itself
    /// never leaves.
    pub fn sign(&self, public: &PublicKey, x: &Representative) -> SignatureShare {
        self.sign_all(public, std::slice::from_ref(x)).swap_remove(0)
    }

    /// [`Self::sign`] for several, two at a time, which some processors do for less.
    pub fn sign_all(&self, public: &PublicKey, xs: &[Representative]) -> Vec<SignatureShare> {
        self.assert_is_of(public);
        let ring = &public.0.modulus;
        let two_delta = lagrange::magnitude(&(&public.0.delta * 2));
        let finish = |secret| SignatureShare(ring.encode(&ring.pow(&secret, &two_delta)));
        let mut shares = Vec::with_capacity(xs.len());
        for pair in xs.chunks(2) {
            match pair {
                [first, second] => {
                    let bases = [&self.base(public, first), &self.base(public, second)];
                    shares.extend(ring.pow_secret_pair(bases, &self.s).map(finish));
                }
                _ => shares
                    .extend(pair.iter().map(|x| finish(ring.pow_secret(&self.base(public, x), &self.s)))),
            }
        }
        shares
    }

    /// The proof that `share`, made by [`Self::sign`] for x, is right. `entropy` hedges the nonce: even if it repeats,
    /// the nonce does not, unless the statement is the same.
    pub fn prove(
        &self,
        public: &PublicKey,
        epoch: Epoch,
        x: &Representative,
        share: &SignatureShare,
        entropy: [u8; 32],
    ) -> Proof {
        self.assert_is_of(public);
        proof::prove(self, public, epoch, x, share, entropy)
    }

    fn base(&self, public: &PublicKey, x: &Representative) -> Residue {
        self.signed(&public.0.modulus, &public.base(x))
    }

    /// `base`, or its inverse if -s is meant: base^{-s} = (1/base)^s.
    fn signed(&self, ring: &Modulus, base: &Residue) -> Residue {
        match self.negative {
            true => ring.invert(base).expect("v is a unit, and no encoded hash has a factor of N"),
            false => ring.copy(base),
        }
    }

    /// A share that was not [checked](Self::check) may say the name of a key and have the width of another.
    fn assert_is_of(&self, public: &PublicKey) {
        assert_eq!(self.key, public.key_id(), "a share works with its own key");
        let fits = public.share_lens().contains(&self.s.len());
        assert!(fits && self.refreshed == (public.refreshed() > 0), "a share is as wide as those of its key");
    }
}
