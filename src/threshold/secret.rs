//! Secret integers of fixed width, and the hedged stream that draws them.

use crypto_bigint::BoxedUint;
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize, Zeroizing};

/// A secret integer, wiped when dropped. Its width is public, its value is not: sums and products of it take constant
/// time.
pub(super) type Secret = Zeroizing<BoxedUint>;

/// From big-endian octets, as wide as they are.
pub(super) fn secret(octets: &[u8]) -> Secret {
    let bits = u32::try_from(octets.len() * 8).expect("a few thousand bits");
    Zeroizing::new(BoxedUint::from_be_slice(octets, bits).expect("as long as said"))
}

/// The last `len` octets, big-endian; with zeros before them where the number is narrower.
pub(super) fn octets(number: &BoxedUint, len: usize) -> Zeroizing<Vec<u8>> {
    let bytes = Zeroizing::new(number.to_be_bytes().into_vec());
    let skip = bytes.len().saturating_sub(len);
    let mut out = Zeroizing::new(vec![0; len - (bytes.len() - skip)]);
    out.reserve_exact(bytes.len() - skip);
    out.extend_from_slice(&bytes[skip..]);
    out
}

/// SHA-512 in counter mode over everything that what is drawn depends on: fresh entropy, the secret and the statement. A
/// random source that repeats itself gives other numbers unless all of it repeats.
pub(super) struct Hedged {
    seed: Zeroizing<[u8; 64]>,
    counter: u32,
}

impl Hedged {
    /// A stream for one use: fields are length-prefixed, and `domain` says which.
    pub(super) fn new(domain: &str, fields: &[&[u8]]) -> Self {
        let mut hash = Sha512::new();
        for field in std::iter::once(domain.as_bytes()).chain(fields.iter().copied()) {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        Self { seed: Zeroizing::new(hash.finalize().into()), counter: 0 }
    }

    /// The next `len` octets.
    pub(super) fn draw(&mut self, len: usize) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(len + 64));
        while out.len() < len {
            let block = Sha512::new().chain_update(*self.seed).chain_update(self.counter.to_be_bytes());
            let mut block = block.finalize();
            self.counter += 1;
            out.extend_from_slice(&block);
            block.as_mut_slice().zeroize();
        }
        out.truncate(len);
        out
    }
}
