//! What the loops of all transports share: the zones, the settings, the way to the replica, and limits on what UDP may be sent.
#![forbid(unsafe_code)]

use super::clients::{Busy, ClientPort, OnReply};
use super::rate::{Judgement, RateLimit};
use super::transfer::Transfers;
use crate::answer::{self, Catalog, Client, Reply, Request, Settings, Subject, respond};
use crate::dns::Rcode;
use crate::dns::edns::ede;
use crate::dns::tsig;
use crate::limits::CLIENT_PATIENCE_MS;
use arc_swap::ArcSwap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};

/// Hands an update or an ordered query to the replica.
pub type Forward = Arc<dyn Fn(Vec<u8>, Client, OnReply) -> Result<(), Busy> + Send + Sync>;

/// The service of one replica: cheap to clone, one clone for each listener.
#[derive(Clone)]
pub struct Service {
    pub(super) catalog: Arc<ArcSwap<Catalog>>,
    pub(super) settings: Arc<ArcSwap<Settings>>,
    pub(super) forward: Forward,
    pub(super) transfers: Arc<Transfers>,
    /// How long the replica lets a client wait.
    patience: Duration,
    rate: Option<Arc<RateLimit>>,
}

impl Service {
    /// Answers from `catalog` as it is at each query; updates and ordered queries go to `port`.
    pub fn new(catalog: Arc<ArcSwap<Catalog>>, settings: Arc<ArcSwap<Settings>>, port: ClientPort) -> Self {
        Self::with_forward(
            catalog,
            settings,
            Arc::new(move |wire, client, reply| port.try_submit(wire, client, reply)),
        )
    }

    /// The same with any way to hand a message on.
    pub fn with_forward(
        catalog: Arc<ArcSwap<Catalog>>,
        settings: Arc<ArcSwap<Settings>>,
        forward: Forward,
    ) -> Self {
        let transfers = Arc::new(Transfers::new(Vec::new()));
        let patience = Duration::from_millis(CLIENT_PATIENCE_MS);
        Self { catalog, settings, forward, transfers, patience, rate: None }
    }

    /// The same, with zone transfers by these rules.
    pub fn with_transfers(self, transfers: Transfers) -> Self {
        Self { transfers: Arc::new(transfers), ..self }
    }

    /// The same of a replica that lets its clients wait for so many milliseconds.
    pub fn patient(self, millis: u64) -> Self {
        Self { patience: Duration::from_millis(millis), ..self }
    }

    /// How long a connection that ends waits for answers still due: a little longer than a client of the replica waits.
    pub(super) fn last_answers(&self) -> Duration {
        self.patience + Duration::from_secs(1)
    }

    /// The same with bounds on how often one network is sent one thing.
    pub fn limited(self, rate: Option<Arc<RateLimit>>) -> Self {
        Self { rate, ..self }
    }

    /// Answers a message that asks for a zone transfer; an error if the connection is to end.
    pub(super) async fn transfer(
        &self,
        wire: &[u8],
        address: IpAddr,
        answers: &mpsc::Sender<Vec<u8>>,
    ) -> Result<(), ()> {
        let keys = self.settings.load().keys.clone();
        self.transfers.answer(&self.catalog, &keys, wire, address, answers).await
    }

    /// Answers a message that came alone, by a way that bounds only its length. `turn` is held until the replica is done with it,
    /// should it have to be asked, whether or not somebody still waits.
    pub(super) async fn answer(
        &self,
        wire: Vec<u8>,
        client: Client,
        turn: impl Send + 'static,
    ) -> Result<Vec<u8>, Silence> {
        let mut out = Vec::new();
        let request = Request { wire: &wire, client, now_secs: now_secs() };
        let reply = respond(&self.catalog.load(), &self.settings.load(), request, &mut out);
        match reply {
            Reply::Send(_) => Ok(out),
            Reply::Ignore => Err(Silence::NotARequest),
            Reply::Forward(_) => {
                let (sender, receiver) = oneshot::channel();
                let on_reply: OnReply = Box::new(move |reply| {
                    drop(turn);
                    // The asker may have gone.
                    let _ = sender.send(reply);
                });
                if (self.forward)(wire.clone(), client, on_reply).is_err() {
                    not_taken(&self.settings.load(), request, &mut out);
                    return Ok(out);
                }
                receiver.await.ok().flatten().ok_or(Silence::Ended)
            }
        }
    }

    /// Leaves in `out` what of a response about `subject` may be sent to where forged addresses may lead; false: it is not
    /// the response any more.
    pub(super) fn limit(&self, request: Request<'_>, subject: &Subject, out: &mut Vec<u8>) -> bool {
        let Some(rate) = &self.rate else { return true };
        match rate.judge(request.client.address, request.wire, subject) {
            Judgement::Send => return true,
            Judgement::Slip => answer::instead(&self.settings.load(), request, out),
            Judgement::Drop => out.clear(),
        }
        false
    }

    /// Whether the request is signed, and by whom it says: its sender is to be told what is wrong with it, whoever else sends how
    /// much from where.
    pub(super) fn is_authentic(&self, wire: &[u8]) -> bool {
        tsig::authenticate(wire, &self.settings.load().keys, now_secs()).is_ok()
    }
}

/// Why a message has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Silence {
    /// It is no request.
    NotARequest,
    /// The replica has ended.
    Ended,
}

/// The response to a message that the replica cannot take now: SERVFAIL with the reason (RFC 8914 §4.15).
pub(super) fn not_taken(settings: &Settings, request: Request<'_>, out: &mut Vec<u8>) {
    let ede = Some((ede::NOT_READY, "replica is busy or ending"));
    answer::failure_to(settings, request, Rcode::SERVFAIL, ede, out);
}

/// Seconds since 1970 by this machine's clock.
pub(super) fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
