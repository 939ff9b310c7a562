//! The way of a client's update or ordered query to the replica and of the reply back.
//!
//! Bounds: at most [`MAX_PENDING_CLIENTS`] wait at a time, with [`MAX_PENDING_REQUEST_BYTES`] of messages, half of both for updates and
//! half for the rest, which anybody can send; who comes above that is told at once.
#![forbid(unsafe_code)]

use super::inbox::Lane;
use super::service::now_secs;
pub use crate::answer::Client;
use crate::answer::{self, Request, Settings};
use crate::dns::Opcode;
use crate::dns::edns::Manners;
use crate::limits::{MAX_PENDING_CLIENTS, MAX_PENDING_REQUEST_BYTES};
use crate::replica::ClientId;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::oneshot;

/// What to do with a reply: called once, from the replica's thread, so it must not block.
/// `None`: the message deserves no reply, or the replica has ended.
pub type OnReply = Box<dyn FnOnce(Option<Vec<u8>>) + Send>;

/// What clients do to the replica.
pub(super) enum FromClient {
    /// A client has come.
    Request { id: ClientId, wire: Vec<u8>, manners: Manners },
    /// A client waits no longer.
    Forget(ClientId),
}

/// The entrance to the replica for those who serve clients.
#[derive(Clone)]
pub struct ClientPort {
    shared: Arc<Shared>,
}

struct Shared {
    submit: Box<dyn Fn(FromClient) -> bool + Send + Sync>,
    settings: Arc<ArcSwap<Settings>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    ended: bool,
    clients: BTreeMap<ClientId, Waiter>,
    updates: Taken,
    others: Taken,
}

/// A client, the octets of its message, and whether that is an update.
type Waiter = (Client, OnReply, (usize, bool));

/// Places and octets that are taken.
#[derive(Default)]
struct Taken {
    clients: usize,
    bytes: usize,
}

impl Waiting {
    fn taken(&mut self, is_update: bool) -> &mut Taken {
        if is_update { &mut self.updates } else { &mut self.others }
    }

    fn add(&mut self, client: Client, reply: OnReply, wire: &[u8]) -> Option<ClientId> {
        let (bytes, is_update) =
            (wire.len(), wire.get(2).is_some_and(|octet| octet >> 3 & 15 == Opcode::UPDATE.0));
        let taken = self.taken(is_update);
        if taken.clients >= MAX_PENDING_CLIENTS / 2 || taken.bytes + bytes > MAX_PENDING_REQUEST_BYTES / 2 {
            return None;
        }
        taken.clients += 1;
        taken.bytes += bytes;
        self.next += 1;
        let id = ClientId(self.next);
        self.clients.insert(id, (client, reply, (bytes, is_update)));
        Some(id)
    }

    fn remove(&mut self, id: ClientId) -> Option<(Client, OnReply)> {
        let (client, reply, (bytes, is_update)) = self.clients.remove(&id)?;
        let taken = self.taken(is_update);
        taken.clients -= 1;
        taken.bytes -= bytes;
        Some((client, reply))
    }
}

/// Too many clients wait; answer SERVFAIL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

/// Items and bytes of the lane between the port and the replica.
pub(super) const LANE: (usize, usize) = (MAX_PENDING_CLIENTS, MAX_PENDING_REQUEST_BYTES);

impl ClientPort {
    /// What replies have besides is as these settings say.
    pub(super) fn new<T: From<FromClient> + Send + 'static>(
        lane: Lane<T>,
        settings: Arc<ArcSwap<Settings>>,
    ) -> Self {
        let submit = move |input: FromClient| {
            let bytes = match &input {
                FromClient::Request { wire, .. } => wire.len(),
                FromClient::Forget(_) => 0,
            };
            lane.try_put(input.into(), bytes).is_ok()
        };
        Self { shared: Arc::new(Shared { submit: Box::new(submit), settings, waiting: Mutex::default() }) }
    }

    /// Hands an update or ordered query (the client's bytes as received) to the replica and waits for the reply.
    /// `None`: too many wait, or the replica has ended; answer SERVFAIL. Dropping the future forgets the client.
    pub async fn ask(&self, wire: Vec<u8>, client: Client) -> Option<Vec<u8>> {
        let (sender, receiver) = oneshot::channel();
        let reply: OnReply = Box::new(move |wire| {
            // The asker may have gone.
            let _ = sender.send(wire);
        });
        let id = self.submit(wire, client, reply).ok()?;
        let _forget = Forget { port: self, id };
        receiver.await.ok().flatten()
    }

    /// The same without waiting, for threads: `reply` is called once with the whole response.
    pub fn try_submit(&self, wire: Vec<u8>, client: Client, reply: OnReply) -> Result<(), Busy> {
        self.submit(wire, client, reply).map(|_| ())
    }

    /// The replica replies to a client, who may have gone.
    pub(super) fn reply(&self, id: ClientId, make: impl FnOnce(Client) -> Option<Vec<u8>>) {
        let waiting = self.waiting().remove(id);
        if let Some((client, reply)) = waiting {
            reply(make(client));
        }
    }

    /// The replica has ended: nobody will be served any more.
    pub(super) fn end(&self) {
        let clients = {
            let mut waiting = self.waiting();
            waiting.ended = true;
            std::mem::take(&mut waiting.clients)
        };
        clients.into_values().for_each(|(_, reply, _)| reply(None));
    }

    fn submit(&self, wire: Vec<u8>, client: Client, reply: OnReply) -> Result<ClientId, Busy> {
        let request = Request { wire: &wire, client, now_secs: now_secs() };
        let manners = answer::manners(&self.shared.settings.load(), request);
        let id = {
            let mut waiting = self.waiting();
            if waiting.ended {
                return Err(Busy);
            }
            waiting.add(client, reply, &wire).ok_or(Busy)?
        };
        if (self.shared.submit)(FromClient::Request { id, wire, manners }) {
            return Ok(id);
        }
        self.waiting().remove(id);
        Err(Busy)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Tells the replica when whoever asked has gone before the reply.
struct Forget<'a> {
    port: &'a ClientPort,
    id: ClientId,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if self.port.waiting().remove(self.id).is_some() {
            // A full lane does not matter: the replica forgets by itself when its patience ends.
            let _ = (self.port.shared.submit)(FromClient::Forget(self.id));
        }
    }
}

#[cfg(test)]
mod tests;
