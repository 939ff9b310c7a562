//! What operators are told of updates: in the log, and when they ask why one was refused, what one would come to, and where the audit
//! lies.
#![forbid(unsafe_code)]

use super::throttle::Throttle;
use crate::dns::Name;
use crate::quorum::ReplicaId;
use crate::replica::{Explanation, Replica};
use crate::zone::Ticket;
use serde_json::{Value, json};
use std::path::Path;
use tracing::{debug, warn};

/// Explanations that are listed where none is named.
const LISTED: usize = 20;

/// A question to the replica's thread.
pub(super) enum Question {
    /// Why the update of this ticket was refused; without one, the last refusals.
    Explain(Option<Ticket>),
    /// What this unsigned message would come to, were it signed with the key of this name.
    Trial(Vec<u8>, Name),
    /// The data directory of the epoch.
    Data,
}

impl Question {
    pub fn answer(self, replica: &Replica, data: &Path) -> Value {
        match self {
            Self::Explain(None) => {
                json!({ "explanations": replica.explanations().take(LISTED).collect::<Vec<_>>() })
            }
            Self::Explain(Some(ticket)) => match replica.explain(ticket) {
                Some(explanation) => json!({ "explanation": explanation }),
                None => {
                    json!({ "error": format!("nothing is known here of {ticket}: another replica may have refused it, or it is long ago") })
                }
            },
            Self::Trial(wire, key) => json!({ "trial": replica.trial(&wire, &key) }),
            Self::Data => json!({ "data": data }),
        }
    }
}

/// Logs refusals, at most one a second as a warning: a log must not grow at the pace of strangers.
pub(super) fn tell(throttle: &mut Throttle, me: ReplicaId, refused: &[Explanation]) {
    for Explanation { ticket, key, zone, rcode, why, .. } in refused {
        let (key, zone) = (key.as_deref().unwrap_or("-"), zone.as_deref().unwrap_or("-"));
        match throttle.tell((me, None)) {
            Some(count) => warn!(ticket, key, zone, rcode, count, "an update is refused: {why}"),
            None => debug!(ticket, key, zone, rcode, "an update is refused: {why}"),
        }
    }
}
