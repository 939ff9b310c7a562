//! The dealer.

use super::Dealt;

/// What the search for a key has reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DealProgress {
    /// So many candidates have been tried, over both primes.
    Candidates(u64),
    /// So many of the two primes are found.
    Primes(u8),
}

/// Why no key was dealt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DealError(pub &'static str);

impl std::fmt::Display for DealError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for DealError {}

/// Deals a new key of `bits` (1024, 2048, 3072 or 4096) bits to `n` replicas, `k` of which sign.
pub fn deal(
    _bits: usize,
    _n: usize,
    _k: usize,
    _entropy: &mut dyn FnMut(&mut [u8]),
    _progress: &mut dyn FnMut(DealProgress),
) -> Result<Dealt, DealError> {
    todo!()
}

/// Deals the key of two given safe primes (big-endian).
pub fn deal_from_primes(
    _p: &[u8],
    _q: &[u8],
    _n: usize,
    _k: usize,
    _entropy: &mut dyn FnMut(&mut [u8]),
) -> Result<Dealt, DealError> {
    todo!()
}
