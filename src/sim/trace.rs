//! A run as text: one line an event, in columns that `grep` can tell apart: virtual milliseconds, replica, what, details.
//!
//! | what | tells |
//! |---|---|
//! | `start` `crash` | a replica starts, or ends without warning |
//! | `cut` `linked` | a connection ends; an end is told that its link is new |
//! | `vertex` | a vertex is sent for the first time, by anybody |
//! | `coin` | t+1 shares exist somewhere: from now on the order of a round's leaders can be known |
//! | `slots` | a replica decides a round: leaders in the coin's order, each with commit or skip, and its anchor if an anchor decided |
//! | `batch` `publish` | a batch is executed, a version served |
//! | `request` `reply` | a client's try, and its answer |
//! | `fault` | a replica reports another |
//! | `send` `again` `late` | a message; one that comes again; one that is put off |
//!
//! What all replicas find alike (`slots`, `batch`, `publish`) is told of the first, and of others where they find it
//! otherwise; everything of everybody at [`Level::Messages`].
use super::clients::Next;
use super::graph::Graph;
use super::witness::{News, Seen, Witness};
use crate::codec;
use crate::consensus::{self, ClosedRound, Onlooker, Vertex, VertexRef};
use crate::dns::message::Message;
use crate::limits::MAX_FRAME_BYTES;
use crate::protocol::To;
use crate::quorum::{Committee, ReplicaId};
use crate::replica::{PeerMessage, transfer};
use crate::signing;
use clap::ValueEnum;
use std::collections::{BTreeMap, BTreeSet};

/// How much to tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub enum Level {
    /// Nothing
    None,
    /// What happens
    Events,
    /// Every message too
    Messages,
}

/// Writes lines to `sink`.
pub struct Trace<F> {
    level: Level,
    sink: F,
    graph: Option<Graph>,
    /// What was told once.
    told: BTreeSet<String>,
    /// The first machine of each identity.
    machines: BTreeMap<ReplicaId, usize>,
}

impl<F: FnMut(&str)> Trace<F> {
    /// A trace of this level.
    pub fn new(level: Level, sink: F) -> Self {
        Self { level, sink, graph: None, told: BTreeSet::new(), machines: BTreeMap::new() }
    }

    fn line(&mut self, at_ms: u64, who: &str, what: &str, text: &str) {
        (self.sink)(format!("{at_ms:>8}  {who:<4} {what:<8} {text}").trim_end());
    }

    /// A line that is told once.
    fn common(&mut self, at_ms: u64, who: &str, what: &str, text: &str) {
        let new = self.told.insert(format!("{what} {text}"));
        if new || self.level == Level::Messages {
            self.line(at_ms, who, what, text);
        }
    }

    fn vertices(&mut self, at_ms: u64, vertices: &[Vertex]) {
        for vertex in vertices {
            let Some(graph) = &mut self.graph else { return };
            let Some((id, coin)) = graph.see(vertex) else { continue };
            let leaders = coin.and_then(|round| Some((round, list(graph.leaders(round)?.iter()))));
            self.line(at_ms, &format!("{:?}", id.author), "vertex", &describe(&id, vertex));
            if let Some((round, leaders)) = leaders {
                self.line(at_ms, "", "coin", &format!("round {round}: {leaders}"));
            }
        }
    }

    fn sent(&mut self, seen: &Seen<'_>, who: &str, to: To, bytes: &[u8]) {
        let decoded = codec::decode(bytes, MAX_FRAME_BYTES);
        if self.level == Level::Messages {
            let to = match to {
                To::Others => "all".to_owned(),
                To::One(one) => format!("{one:?}"),
            };
            let text = match &decoded {
                Ok(PeerMessage::Consensus(message)) => self.ordering(message),
                Ok(PeerMessage::Signing(message)) => signing(message),
                Ok(PeerMessage::State(message)) => state(message),
                Ok(PeerMessage::Before(_)) => "how the epoch before ended".to_owned(),
                Err(_) => "what is no message".to_owned(),
            };
            self.line(seen.at_ms, who, "send", &format!("to {to}: {text} ({} octets)", bytes.len()));
        }
        if let Ok(PeerMessage::Consensus(message)) = decoded {
            self.vertices(seen.at_ms, &carried(message));
        }
    }

    fn ordering(&self, message: &consensus::Message) -> String {
        let named = |vertex: &Vertex| {
            self.graph.as_ref().map_or_else(String::new, |graph| short(&graph.name(vertex)))
        };
        match message {
            consensus::Message::Vertex(vertex) => format!("vertex {}", named(vertex)),
            consensus::Message::Fetch(ids) => {
                format!("fetch {}", ids.iter().map(short).collect::<Vec<_>>().join(" "))
            }
            consensus::Message::Vertices(vertices) => format!("{} vertices asked for", vertices.len()),
            consensus::Message::Range(from) => format!("range from round {}", from.round),
            consensus::Message::Page(vertices, next) => {
                let more = next.map_or_else(String::new, |next| format!(", more from round {}", next.round));
                format!("page of {} vertices{more}", vertices.len())
            }
            consensus::Message::Proof(one, other) => format!("proof: {} and {}", named(one), named(other)),
            consensus::Message::Alert(alert) => {
                format!("{} vertices accepted of {:?}", alert.accepted.len(), alert.subject.accused)
            }
            consensus::Message::Signed(..) => "signature under an alert".to_owned(),
            consensus::Message::Listed(listed) => {
                let subject = listed.alert.subject;
                format!("certified alert of {:?} against {:?}", subject.by, subject.accused)
            }
            consensus::Message::Vote(statement, _) => format!("vote for checkpoint {}", statement.round),
            consensus::Message::Certified(certificate) => {
                format!("certificate of checkpoint {}", certificate.statement.round)
            }
            consensus::Message::Observe { wants: 0, .. } => "what is your newest vertex?".to_owned(),
            consensus::Message::Observe { wants, .. } => format!("make a vertex up to round {wants}"),
            consensus::Message::Newest { observes: true, .. } => "I observe, too".to_owned(),
            consensus::Message::Newest { newest, .. } => format!("my newest is {}", short(newest)),
            consensus::Message::Ended(ending, _) => format!("the epoch ended in round {}", ending.round),
            consensus::Message::Finale(finale) => format!("finale of round {}", finale.ending.round),
            consensus::Message::Kept => "the last state is kept".into(),
        }
    }
}

impl<F: FnMut(&str)> Witness for Trace<F> {
    fn begin(&mut self, _committee: Committee, onlooker: Onlooker) {
        self.graph = Some(Graph::new(onlooker));
    }

    fn see(&mut self, seen: &Seen<'_>) {
        if self.level == Level::None {
            return;
        }
        let first = *self.machines.entry(seen.who).or_insert(seen.machine);
        let copy = if first == seen.machine { "" } else { "'" };
        let (at, who) = (seen.at_ms, format!("{:?}{copy}", seen.who));
        let all = self.level == Level::Messages;
        match &seen.news {
            News::Started { torn } => {
                self.line(
                    at,
                    &who,
                    "start",
                    if *torn { "after a torn tail of the log was cut off" } else { "" },
                );
            }
            News::Crashed { between } => {
                self.line(at, &who, "crash", if *between { "between a write and its sync" } else { "" });
            }
            News::Cut { peer, lossy } => {
                let loss = if *lossy { ", a queue is lost" } else { ", all comes later" };
                self.line(at, &who, "cut", &format!("from {peer:?}{loss}"));
            }
            News::Linked(peer) if all => self.line(at, &who, "linked", &format!("to {peer:?}")),
            News::Again(peer) if all => self.line(at, &who, "again", &format!("from {peer:?}")),
            News::PutOff(peer) if all => self.line(at, &who, "late", &format!("from {peer:?}")),
            News::Linked(_) | News::Again(_) | News::PutOff(_) => {}
            News::Sent { to, bytes } => self.sent(seen, &who, *to, bytes),
            News::Closed(round) => self.common(at, &who, "slots", &slots(round)),
            News::Executed(batch) => {
                let text =
                    format!("{} of round {}, requests {}", batch.number, batch.round, batch.requests.len());
                self.common(at, &who, "batch", &text);
            }
            News::Published { serial } => self.common(at, &who, "publish", &format!("serial {serial}")),
            News::Request { client, number } => {
                self.line(at, &who, "request", &format!("client {client}, try {number}"));
            }
            News::Reply { client, number, wire, next } => {
                let rcode = match wire.map(Message::parse) {
                    None => "from its version".to_owned(),
                    Some(Ok(reply)) => reply.rcode().to_string(),
                    Some(Err(_)) => "no message".to_owned(),
                };
                let next = match next {
                    Next::Nothing => ", to an earlier try",
                    Next::Again => ", and tries again",
                    Next::Ended => "",
                };
                self.line(at, &who, "reply", &format!("client {client}, try {number}: {rcode}{next}"));
            }
            News::Fault(fault) => {
                self.line(at, &who, "fault", &format!("{:?} of {:?}", fault.what, fault.who))
            }
        }
    }
}

/// The vertices that a message carries.
pub(super) fn carried(message: consensus::Message) -> Vec<Vertex> {
    match message {
        consensus::Message::Vertex(vertex) => vec![vertex],
        consensus::Message::Vertices(vertices) | consensus::Message::Page(vertices, _) => vertices,
        consensus::Message::Proof(one, other) => vec![one, other],
        consensus::Message::Newest { vertex, .. } => vertex.into_iter().collect(),
        consensus::Message::Fetch(_)
        | consensus::Message::Range(_)
        | consensus::Message::Vote(..)
        | consensus::Message::Certified(_)
        | consensus::Message::Alert(_)
        | consensus::Message::Signed(..)
        | consensus::Message::Listed(_)
        | consensus::Message::Ended(..)
        | consensus::Message::Finale(_)
        | consensus::Message::Kept
        | consensus::Message::Observe { .. } => Vec::new(),
    }
}

/// A vertex's name: author, round, and the first digits of its digest.
pub(super) fn short(id: &VertexRef) -> String {
    format!("{:?}@{}:{}", id.author, id.round, &id.digest.to_hex()[..6])
}

/// The slots of a closed round, in words.
pub(super) fn slots(round: &ClosedRound) -> String {
    let slot = |slot: &consensus::SlotOutcome| {
        let what = if slot.commit.is_some() { "commit" } else { "skip" };
        let anchor = slot.anchor.map_or_else(String::new, |anchor| format!(" by {}", short(&anchor)));
        format!("{:?} {what}{anchor}", slot.author)
    };
    let slots: Vec<String> = round.slots.iter().map(slot).collect();
    let excluded = match round.excluded {
        0 => String::new(),
        some => format!("; {some} vertices too old"),
    };
    format!("round {}: {}{excluded}", round.round, slots.join(", "))
}

fn list<'a>(ids: impl Iterator<Item = &'a ReplicaId>) -> String {
    ids.map(|id| format!("{id:?}")).collect::<Vec<_>>().join(" ")
}

fn describe(id: &VertexRef, vertex: &Vertex) -> String {
    let body = vertex.body();
    let parents = list(body.parents.iter().map(|(author, _)| author));
    let octets: usize = body.payload.iter().map(|request| request.0.len()).sum();
    let mut text = format!("{}, parents {parents}", short(id));
    if !body.weak.is_empty() {
        text += &format!(", weak {}", body.weak.iter().map(short).collect::<Vec<_>>().join(" "));
    }
    if !body.payload.is_empty() {
        text += &format!(", requests {} ({octets} octets)", body.payload.len());
    }
    text
}

fn state(message: &transfer::Message) -> String {
    match message {
        transfer::Message::AskHead { round, from } => format!("head of state {round} from octet {from}?"),
        transfer::Message::Head { round, last, .. } => {
            format!("head of state {round}{}", if *last { ", its end" } else { "" })
        }
        transfer::Message::Ask { round, chunk, from } => {
            format!("chunk {chunk} of state {round} from {from}?")
        }
        transfer::Message::Pieces { round, chunk, runs, .. } => {
            let pieces: usize = runs.iter().map(|(pieces, _)| pieces.len()).sum();
            format!("{pieces} pieces of state {round} from chunk {chunk} on")
        }
        transfer::Message::Gone { round } => format!("state {round} is gone"),
    }
}

fn signing(message: &signing::Message) -> String {
    match message {
        signing::Message::Shares(shares) => format!("{} signature shares", shares.len()),
        signing::Message::Ask(jobs) => format!("ask for {} shares", jobs.len()),
        signing::Message::AskProofs(jobs) => format!("ask for {} proofs", jobs.len()),
        signing::Message::Proofs(proofs) => format!("{} proofs", proofs.len()),
        signing::Message::Finished(finished) => format!("{} signatures", finished.len()),
    }
}
