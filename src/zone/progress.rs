//! How far replicas have executed, as they say themselves: by that the order knows what is served no more.
//!
//! Ordering does not wait for signing: the batch after which a replaced version is served nowhere may have its agreed time hours
//! before anybody executes it. So while a rollover waits, each replica says, in its own name, how many batches it has executed
//! ([`Saying::Progress`]). When q = n - t have said that they executed batch b, then at least n - 2t correct ones have, and the agreed
//! time of that saying's place in the order is not before the last of them did: it may be behind by what messages took.
//! Up to t replicas may be later still, and secondaries: for them is the allowance ([`super::keys`]).
//!
//! Only what somebody waits for is said. A number that is no greater than the last of its replica, or that cannot be, changes nothing.

use super::machine::{Machine, Verdict};
use super::register::{Entry, Label};
use super::request::Kind;
use super::said::{Said, Saying};
use crate::dns::Rcode;
use crate::limits::PIPELINE_BATCHES;
use crate::quorum::ReplicaId;

impl Machine {
    /// What replica `who` is to say of its progress: that it has executed what a rollover waits for, if it has not said so before.
    pub fn progress_due(&self, who: ReplicaId) -> Option<Saying> {
        let awaited = self.zones.values().flat_map(|ledger| ledger.keys.awaited());
        let needed =
            awaited.map(|batch| batch + PIPELINE_BATCHES).filter(|batch| *batch <= self.batches).max()?;
        (self.progress_of(who) < needed).then_some(Saying::Progress { batches: needed })
    }

    /// A replica has executed so many batches.
    pub(super) fn progress(&mut self, said: &Said, batches: u64) -> Verdict {
        let plain = |rcode| Verdict::plain(Kind::Internal, rcode);
        let (before, public) = (self.progress_of(said.by), self.members.get(said.by.slot()));
        if batches <= before {
            return plain(Rcode::NOERROR);
        }
        // Nobody has executed the batch that carries his word.
        if batches >= self.batches || public.is_none_or(|public| !said.is_authentic(self.realm, public)) {
            return plain(Rcode::REFUSED);
        }
        self.register.put(Entry::Progress(said.by, batches), &mut self.tally);
        self.settle();
        plain(Rcode::NOERROR)
    }

    /// Of how many batches a quorum says that it has executed them.
    pub(super) fn progress_of_quorum(&self) -> u64 {
        let all = (1..=self.members.len()).filter_map(|index| ReplicaId::new(u8::try_from(index).ok()?));
        let mut said: Vec<u64> = all.map(|who| self.progress_of(who)).collect();
        said.sort_unstable_by(|a, b| b.cmp(a));
        said.get(self.quorum().saturating_sub(1)).copied().unwrap_or_default()
    }

    fn progress_of(&self, who: ReplicaId) -> u64 {
        match self.register.get(&Label::Progress(who)) {
            Some(Entry::Progress(_, batches)) => *batches,
            _ => 0,
        }
    }
}
