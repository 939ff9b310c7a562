//! A client that signs by SIG(0) (RFC 2931) with Ed25519, as `nsupdate -k` does.
use crate::dns::{Name, Rdata};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

/// Seconds that a signature is good for, as BIND has it.
const WINDOW_SECS: u32 = 300;

/// A client's private key.
pub struct Signer {
    name: Name,
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The key of this seed.
    pub fn new(name: Name, seed: [u8; 32]) -> Self {
        Self { name, pair: Ed25519KeyPair::from_seed_unchecked(&seed).expect("any 32 octets are a seed") }
    }

    /// The key's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The KEY record's data: flags 512 (a host or other entity), protocol 3, algorithm 15.
    pub fn key(&self) -> Rdata {
        Rdata::new(&[&[2, 0, 3, 15], self.pair.public_key().as_ref()].concat())
    }

    /// Appends the SIG(0) record and counts it.
    pub fn sign(&self, message: &mut Vec<u8>, now_secs: u64) {
        let tag = crate::dns::dnssec::key_tag(self.key().wire());
        // Type covered 0, algorithm, labels 0, original TTL 0.
        let mut covered = vec![0, 0, 15, 0, 0, 0, 0, 0];
        let inception = now_secs as u32;
        covered.extend_from_slice(&inception.wrapping_add(WINDOW_SECS).to_be_bytes());
        covered.extend_from_slice(&inception.to_be_bytes());
        covered.extend_from_slice(&tag.to_be_bytes());
        covered.extend_from_slice(self.name.wire());
        let signature = self.pair.sign(&[&covered[..], message].concat());
        let rdata = [&covered[..], signature.as_ref()].concat();
        // Owner root, type SIG, class ANY, TTL 0.
        message.extend_from_slice(&[0, 0, 24, 0, 255, 0, 0, 0, 0]);
        message.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
        message.extend_from_slice(&rdata);
        let additional = u16::from_be_bytes([message[10], message[11]]) + 1;
        message[10..12].copy_from_slice(&additional.to_be_bytes());
    }
}
