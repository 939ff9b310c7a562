//! What the sessions of a replica have cost it, in RSA operations.

use super::task::Done;

/// RSA operations done for sessions since the start. One share is one exponentiation by a secret as long as N and one by 2Δ; a
/// proof two by a nonce 512 bits longer; verifying one two by a number as long; the rest, exponents of some bits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Effort {
    /// Own shares made.
    pub shares: u64,
    /// Own proofs made.
    pub proofs: u64,
    /// Others' proofs verified.
    pub verifications: u64,
    /// k-subsets combined, those that only showed who was wrong included.
    pub combinations: u64,
    /// Others' finished signatures verified.
    pub checks: u64,
}

impl Effort {
    pub(super) fn count(&mut self, done: &Done) {
        match done {
            Done::Share(made, _) => {
                self.shares += made.len() as u64;
                self.proofs += made.iter().filter(|made| made.proof.is_some()).count() as u64;
            }
            Done::Combine(outcomes) => {
                self.combinations += outcomes.iter().map(|outcome| outcome.combinations).sum::<u64>();
            }
            Done::Check(claims) => self.checks += claims.len() as u64,
            Done::Prove(proofs) => self.proofs += proofs.len() as u64,
            Done::Verify(verdicts) => self.verifications += verdicts.len() as u64,
            Done::Errand(_) => {}
        }
    }
}
