//! How many replicas there are, how many may be corrupt, and what a number of them proves.
//!
//! n replicas, at most t = ⌊(n-1)/3⌋ of them Byzantine. All threshold arithmetic of the project is here, under
//! names that say what each number proves; nothing else computes with n and t.

use crate::limits::MAX_REPLICAS;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

/// A replica's index in its epoch, from 1 to n.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct ReplicaId(u8);

impl ReplicaId {
    /// The replica with this index, if 1 ≤ `index` ≤ [`MAX_REPLICAS`].
    pub fn new(index: u8) -> Option<Self> {
        (1..=MAX_REPLICAS).contains(&index).then_some(Self(index))
    }

    /// The index, from 1.
    pub fn get(self) -> u8 {
        self.0
    }

    /// The index from 0, for arrays ordered by replica.
    pub fn slot(self) -> usize {
        usize::from(self.0) - 1
    }
}

impl BorshDeserialize for ReplicaId {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let index = u8::deserialize_reader(reader)?;
        Self::new(index).ok_or_else(|| {
            borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "replica index out of range")
        })
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The replicas of one epoch: r1 … rn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committee {
    n: u8,
}

impl Committee {
    /// A committee of `n` replicas, if 1 ≤ `n` ≤ [`MAX_REPLICAS`].
    pub fn new(n: u8) -> Option<Self> {
        (1..=MAX_REPLICAS).contains(&n).then_some(Self { n })
    }

    /// n, the number of replicas.
    pub fn n(self) -> usize {
        usize::from(self.n)
    }

    /// t = ⌊(n-1)/3⌋, the greatest number of corrupt replicas that is tolerated.
    pub fn faults(self) -> usize {
        (self.n() - 1) / 3
    }

    /// q = n - t: as many as can be waited for; any two quorums share a correct replica.
    pub fn quorum(self) -> usize {
        self.n() - self.faults()
    }

    /// t + 1: so many replicas contain at least one correct one.
    pub fn one_correct(self) -> usize {
        self.faults() + 1
    }

    /// Whether `id` belongs to this committee.
    pub fn contains(self, id: ReplicaId) -> bool {
        id.0 <= self.n
    }

    /// All replicas, by index.
    pub fn members(self) -> impl DoubleEndedIterator<Item = ReplicaId> + Clone {
        (1..=self.n).map(ReplicaId)
    }

    /// All replicas but `me`, by index.
    pub fn others(self, me: ReplicaId) -> impl DoubleEndedIterator<Item = ReplicaId> + Clone {
        self.members().filter(move |id| *id != me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_quorums_share_a_correct_replica_and_a_quorum_can_be_waited_for() {
        for n in 1..=MAX_REPLICAS {
            let c = Committee::new(n).unwrap();
            assert!(c.n() > 3 * c.faults());
            assert!(2 * c.quorum() - c.n() >= c.one_correct(), "n = {n}");
            assert!(c.quorum() <= c.n() - c.faults(), "n = {n}");
        }
    }

    #[test]
    fn indices_out_of_range_do_not_exist() {
        assert!(ReplicaId::new(0).is_none());
        assert!(ReplicaId::new(MAX_REPLICAS + 1).is_none());
        assert!(Committee::new(0).is_none());
        assert!(borsh::from_slice::<ReplicaId>(&[0]).is_err());
    }
}
