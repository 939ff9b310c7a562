//! Chance from a seed, which `CONCLAVE_SEED` sets.

/// xorshift64*: all that the choices need.
pub struct Random(pub u64);

impl Random {
    /// What `CONCLAVE_SEED` says, or the tests' own.
    pub fn seed() -> u64 {
        std::env::var("CONCLAVE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_126)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    pub fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}
