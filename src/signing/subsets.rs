//! k-subsets in the order in which they deserve to be tried.

use crate::quorum::ReplicaId;

/// A set of replicas, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Mask(u32);

const _: () = assert!(crate::limits::MAX_REPLICAS as u32 <= u32::BITS);

impl Mask {
    pub(super) fn of(members: impl Iterator<Item = ReplicaId>) -> Self {
        Self(members.fold(0, |mask, who| mask | 1 << who.slot()))
    }

    pub(super) fn has(self, who: ReplicaId) -> bool {
        self.0 >> who.slot() & 1 == 1
    }
}

/// The k-subsets of 0..n, lexicographically: those of the first places first.
pub(super) struct Subsets {
    n: usize,
    next: Option<Vec<usize>>,
}

impl Subsets {
    pub(super) fn new(n: usize, k: usize) -> Self {
        Self { n, next: (k <= n).then(|| (0..k).collect()) }
    }
}

impl Iterator for Subsets {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let current = self.next.take()?;
        let k = current.len();
        // The last place that can move on, and all after it close behind.
        if let Some(place) = (0..k).rev().find(|place| current[*place] < self.n - k + place) {
            let mut following = current.clone();
            for (step, value) in following[place..].iter_mut().enumerate() {
                *value = current[place] + 1 + step;
            }
            self.next = Some(following);
        }
        Some(current)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subset_comes_once_and_the_first_places_first() {
        let all: Vec<_> = Subsets::new(4, 2).collect();
        assert_eq!(all, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        assert_eq!(Subsets::new(7, 3).count(), 35);
        assert_eq!(Subsets::new(13, 5).count(), 1287);
        assert_eq!(Subsets::new(1, 1).count(), 1);
        assert_eq!(Subsets::new(1, 2).count(), 0);
    }
}
