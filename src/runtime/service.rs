//! What the UDP and the TCP loop share: the zones, the settings, and the way to the replica.
#![forbid(unsafe_code)]

use super::clients::{Busy, ClientPort, OnReply};
use super::transfer::Transfers;
use crate::answer::{self, Catalog, Settings, Transport};
use crate::dns::Rcode;
use crate::dns::edns::ede;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Hands an update or an ordered query to the replica.
pub type Forward = Arc<dyn Fn(Vec<u8>, Transport, OnReply) -> Result<(), Busy> + Send + Sync>;

/// The service of one replica: cheap to clone, one clone for each listener.
#[derive(Clone)]
pub struct Service {
    pub(super) catalog: Arc<ArcSwap<Catalog>>,
    pub(super) settings: Arc<Settings>,
    pub(super) forward: Forward,
    pub(super) transfers: Arc<Transfers>,
}

impl Service {
    /// Answers from `catalog` as it is at each query; updates and ordered queries go to `port`.
    pub fn new(catalog: Arc<ArcSwap<Catalog>>, settings: Arc<Settings>, port: ClientPort) -> Self {
        Self::with_forward(
            catalog,
            settings,
            Arc::new(move |wire, transport, reply| port.try_submit(wire, transport, reply)),
        )
    }

    /// The same with any way to hand a message on.
    pub fn with_forward(catalog: Arc<ArcSwap<Catalog>>, settings: Arc<Settings>, forward: Forward) -> Self {
        let transfers = Arc::new(Transfers::new(Vec::new(), settings.keys.clone()));
        Self { catalog, settings, forward, transfers }
    }

    /// The same, with zone transfers by these rules.
    pub fn with_transfers(self, transfers: Transfers) -> Self {
        Self { transfers: Arc::new(transfers), ..self }
    }
}

/// The response to a message that the replica cannot take now: SERVFAIL with the reason (RFC 8914 §4.24).
pub(super) fn not_taken(wire: &[u8], out: &mut Vec<u8>) {
    answer::failure(wire, Rcode::SERVFAIL, Some((ede::NOT_READY, "replica is busy or ending")), out);
}

/// Seconds since 1970 by this machine's clock.
pub(super) fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
