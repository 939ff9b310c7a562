//! A replica's secret share, and what it makes with it.

use super::encode::Representative;
use super::public::{MODULUS_BITS, PublicKey};
use super::{KeyError, Proof, SignatureShare, lagrange, proof};
use crate::codec::{Digest, Epoch, KeyId};
use crate::quorum::ReplicaId;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
/// Version, index, key id.
const HEADER_BYTES: usize = 1 + 1 + 32;

/// s_i, replica i's share of one key. It is wiped when dropped and can be neither printed nor copied.
///
/// It is held and exponentiated at the fixed width of N, so that nothing shows its own length (s_i < m < N).
pub struct SecretShare {
    index: ReplicaId,
    key: KeyId,
    pub(super) s: Zeroizing<Vec<u8>>,
}

impl SecretShare {
    /// s_i, big-endian, as long as N.
    pub(super) fn new(index: ReplicaId, key: KeyId, s: Zeroizing<Vec<u8>>) -> Self {
        Self { index, key, s }
    }

    /// i, whose share it is.
    pub fn index(&self) -> ReplicaId {
        self.index
    }

    /// Of which key it is a share.
    pub fn key_id(&self) -> KeyId {
        self.key
    }

    /// For the share file: version (1), index, key id, and s_i big-endian as long as N. The caller protects it.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + self.s.len()));
        bytes.extend_from_slice(&[VERSION, self.index.get()]);
        bytes.extend_from_slice(&self.key.0.0);
        bytes.extend_from_slice(&self.s);
        bytes
    }

    /// From [`Self::to_bytes`]. Whether it is the right share, [`Self::check`] tells.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let Some((header, s)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(KeyError("a share that is too short"));
        };
        if header[0] != VERSION {
            return Err(KeyError("a share of another version"));
        }
        if !MODULUS_BITS.contains(&(s.len() * 8)) {
            return Err(KeyError("a share of another length"));
        }
        let index = ReplicaId::new(header[1]).ok_or(KeyError("a share of no replica"))?;
        let mut key = [0; 32];
        key.copy_from_slice(&header[2..]);
        Ok(Self { index, key: KeyId(Digest(key)), s: Zeroizing::new(s.to_vec()) })
    }

    /// Whether this is the share that `public` holds a verification key of: v^{s_i} = v_i.
    pub fn check(&self, public: &PublicKey) -> Result<(), KeyError> {
        let ring = &public.0.modulus;
        if self.key != public.key_id() {
            return Err(KeyError("a share of another key"));
        }
        if self.s.len() != ring.len() {
            return Err(KeyError("a share of another length"));
        }
        let v_i = public.verification_key(self.index).ok_or(KeyError("a share of no replica of this key"))?;
        let v_s = Zeroizing::new(ring.encode(&ring.pow_secret(&public.0.v, &self.s)));
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
                    let bases = [&public.base(first), &public.base(second)];
                    shares.extend(ring.pow_secret_pair(bases, &self.s).map(finish));
                }
                _ => shares.extend(pair.iter().map(|x| finish(ring.pow_secret(&public.base(x), &self.s)))),
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

    /// A share that was not [checked](Self::check) may say the name of a key and have the width of another.
    fn assert_is_of(&self, public: &PublicKey) {
        assert_eq!(self.key, public.key_id(), "a share works with its own key");
        assert_eq!(self.s.len(), public.modulus().len(), "a share is as wide as its modulus");
    }
}
