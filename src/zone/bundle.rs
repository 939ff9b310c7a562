//! A new threshold key before it may be used: its public part, the *bundle*, and the *receipts* of those who hold shares.
//!
//! The dealer deals one key; its bundle says whose it is and who holds shares of it, and the digest of the bundle is
//! its name. Each holder opens its share, finds it right (v^{s_i} = v_i), and makes a receipt: a share of the signature
//! over the bundle's *test message* with its proof, all signed by the holder's identity key. So anybody can check a receipt, nobody
//! can write another's, and any k receipts of a bundle combine to a signature that the key verifies: the shares are shown to
//! sign together without one of them leaving its machine. A bundle is *complete* when all n receipts are there. Until then
//! its key is used for nothing: a share lost unseen would be missed only when it is needed.
//!
//! The test message is harmless: its hash is a domain-separated digest, whose preimage begins with six zero octets, which
//! no RRSIG's does (type 0 with algorithm 0), and with no certificate's or signature's of anything else in use.
#![forbid(unsafe_code)]

use crate::codec::{ClusterId, Digest, Epoch, KeyId, digest, encode};
use crate::dns::Name;
use crate::dns::dnssec::{key_tag, rsa_dnskey_rdata};
use crate::dns::rdata::Rdata;
use crate::limits::MAX_BUNDLE_BYTES;
use crate::quorum::{Committee, ReplicaId};
use crate::threshold::{Proof, PublicKey, Representative, SignatureShare};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// Version of the form.
const VERSION: u8 = 1;
/// What the identity key signs begins with this: never a vertex, never TLS.
const SIGNED: &[u8] = b"conclave/receipt signature\0";

/// What a key signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub enum Role {
    /// Everything but the DNSKEY set (flags 256).
    Zsk,
    /// The DNSKEY, CDS and CDNSKEY sets (flags 257).
    Ksk,
}

impl Role {
    /// The flags field of its DNSKEY.
    pub fn flags(self) -> u16 {
        match self {
            Self::Zsk => 256,
            Self::Ksk => 257,
        }
    }

    /// `zsk` or `ksk`, as in file names and `cluster.toml`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Zsk => "zsk",
            Self::Ksk => "ksk",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Zsk { "ZSK" } else { "KSK" })
    }
}

/// The public part of one dealt key, canonical as borsh, at most [`MAX_BUNDLE_BYTES`] encoded.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Bundle {
    version: u8,
    /// Digest of the written plan under which it was dealt.
    pub plan: Digest,
    /// The cluster whose members hold the shares.
    pub cluster: ClusterId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Identity keys (Ed25519) of the holders, by slot.
    pub members: Vec<[u8; 32]>,
    /// The zone, in lower case.
    pub zone: Name,
    /// What it is to sign.
    pub role: Role,
    /// 8 or 10.
    pub algorithm: u8,
    /// The verification key's canonical bytes ([`PublicKey::to_bytes`]).
    pub verification: Vec<u8>,
}

/// A bundle that was checked, with its key ready for use.
#[derive(Clone, Debug)]
pub struct CheckedBundle {
    bundle: Bundle,
    name: Digest,
    public: PublicKey,
}

/// That one holder has its share: a share of the signature of the test message, with its proof.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Receipt {
    /// The bundle's name.
    pub bundle: Digest,
    /// The holder.
    pub replica: ReplicaId,
    /// x_i of the test message.
    pub share: SignatureShare,
    /// That x_i is right.
    pub proof: Proof,
    /// Ed25519, by the holder's identity key, over [`Receipt::signed`].
    pub signature: [u8; 64],
}

/// Whose key and shares a bundle is about.
pub struct Holders {
    /// Digest of the plan.
    pub plan: Digest,
    /// The cluster.
    pub cluster: ClusterId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Identity keys, by slot.
    pub members: Vec<[u8; 32]>,
}

impl Bundle {
    /// The bundle of a key.
    pub fn new(holders: Holders, zone: &Name, role: Role, algorithm: u8, public: &PublicKey) -> Self {
        let Holders { plan, cluster, epoch, members } = holders;
        let (zone, verification) = (zone.to_lowercase(), public.to_bytes());
        Self { version: VERSION, plan, cluster, epoch, members, zone, role, algorithm, verification }
    }

    /// Its name.
    pub fn digest(&self) -> Digest {
        digest("conclave/bundle", &[&encode(self)])
    }

    /// The identity key of a holder; none if that replica holds no share.
    pub fn holder(&self, replica: ReplicaId) -> Option<&[u8; 32]> {
        self.members.get(replica.slot())
    }

    /// Checks everything that can be seen of a bundle alone.
    pub fn check(self) -> Result<CheckedBundle, String> {
        if self.version != VERSION {
            return Err(format!("bundle version {}; this program knows version {VERSION}", self.version));
        }
        if encode(&self).len() > MAX_BUNDLE_BYTES {
            return Err(format!("a bundle of more than {MAX_BUNDLE_BYTES} bytes"));
        }
        let committee = u8::try_from(self.members.len()).ok().and_then(Committee::new);
        let committee = committee.ok_or("a bundle for an impossible number of replicas")?;
        let public = PublicKey::from_bytes(&self.verification).map_err(|e| e.0.to_owned())?;
        if public.parties() != committee.n() {
            return Err(format!("a key of {} shares for {} replicas", public.parties(), committee.n()));
        }
        if !(committee.one_correct()..=committee.quorum()).contains(&public.threshold()) {
            return Err(format!("a threshold of {}", public.threshold()));
        }
        if !matches!(self.algorithm, 8 | 10) {
            return Err(format!("algorithm {} is not 8 (RSASHA256) or 10 (RSASHA512)", self.algorithm));
        }
        if self.zone != self.zone.to_lowercase() {
            return Err("an origin that is not in lower case".into());
        }
        let name = self.digest();
        Ok(CheckedBundle { bundle: self, name, public })
    }
}

impl CheckedBundle {
    /// What was checked.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// The bundle's name, its digest.
    pub fn name(&self) -> Digest {
        self.name
    }

    /// The key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key's name.
    pub fn key_id(&self) -> KeyId {
        self.public.key_id()
    }

    /// Its DNSKEY (RFC 3110 §2: the exponent without leading zeros).
    pub fn dnskey(&self) -> Rdata {
        let exponent = self.public.exponent().to_be_bytes();
        let zeros = exponent.iter().take_while(|octet| **octet == 0).count();
        let Bundle { role, algorithm, .. } = self.bundle;
        rsa_dnskey_rdata(role.flags(), algorithm, &exponent[zeros..], self.public.modulus())
    }

    /// Its key tag.
    pub fn tag(&self) -> u16 {
        key_tag(self.dnskey().wire())
    }

    /// x of the test message.
    pub fn test_message(&self) -> Representative {
        let hash = digest("conclave/receipt", &[&self.name.0]);
        self.public.encode(&hash.0).expect("a key that exists has room for a SHA-256 digest")
    }

    /// Checks a receipt: its signature first, which is cheap.
    pub fn verify(&self, receipt: &Receipt) -> Result<(), String> {
        let Receipt { bundle, replica, share, proof, .. } = receipt;
        if *bundle != self.name {
            return Err("a receipt of another bundle".into());
        }
        let identity = self.bundle.holder(*replica);
        let identity = identity.ok_or_else(|| format!("replica {replica} holds no share of it"))?;
        if !receipt.is_signed_by(identity) {
            return Err(format!("a receipt that replica {replica} did not sign"));
        }
        let x = self.test_message();
        let proved = self.public.verify_share(*replica, self.bundle.epoch, &x, share, proof);
        proved.map_err(|e| format!("replica {replica}'s receipt shows {e}"))
    }
}

impl Receipt {
    /// Whether the owner of this identity key has signed it.
    pub fn is_signed_by(&self, identity: &[u8; 32]) -> bool {
        let signed = Self::signed(self.bundle, self.replica, &self.share, &self.proof);
        UnparsedPublicKey::new(&ED25519, identity).verify(&signed, &self.signature).is_ok()
    }

    /// What the holder's identity key signs.
    pub fn signed(bundle: Digest, replica: ReplicaId, share: &SignatureShare, proof: &Proof) -> Vec<u8> {
        let said = digest("conclave/receipt-said", &[&bundle.0, &[replica.get()], &share.0, &encode(proof)]);
        [SIGNED, &said.0].concat()
    }
}
