//! A map that forgets its oldest entries.

use crate::codec::JobId;
use std::collections::{BTreeMap, VecDeque};

/// The latest entries by job, at most `limit` of them.
pub(super) struct Recent<V> {
    entries: BTreeMap<JobId, V>,
    /// In order of insertion; contains every key of `entries`, and removed ones until all before them are.
    order: VecDeque<JobId>,
    limit: usize,
}

impl<V> Recent<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: BTreeMap::new(), order: VecDeque::new(), limit }
    }

    /// Adds an entry unless there is one of this job.
    pub(super) fn insert(&mut self, job: JobId, value: V) {
        if self.entries.contains_key(&job) {
            return;
        }
        if self.order.len() == self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.entries.insert(job, value);
        self.order.push_back(job);
    }

    pub(super) fn get(&self, job: &JobId) -> Option<&V> {
        self.entries.get(job)
    }

    pub(super) fn remove(&mut self, job: &JobId) -> Option<V> {
        let removed = self.entries.remove(job);
        while self.order.front().is_some_and(|oldest| !self.entries.contains_key(oldest)) {
            self.order.pop_front();
        }
        removed
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
