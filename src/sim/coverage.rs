//! What a set of runs has exercised. What a test does not reach it does not test: so what was never seen is said.
use super::clients::Next;
use super::graph::Graph;
use super::trace::carried;
use super::witness::{News, Seen, Witness};
use crate::codec;
use crate::consensus::{self, ClosedRound, Onlooker, Vertex};
use crate::dns::message::Message;
use crate::limits::MAX_FRAME_BYTES;
use crate::quorum::{Committee, ReplicaId};
use crate::replica::{PeerMessage, transfer};
use crate::signing;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Rounds from a leader to the first that may anchor it.
const ANCHOR: u64 = 5;

/// What is expected of a large set of runs, in groups.
const EXPECTED: &[(&str, &[&str])] = &[
    (
        "slots",
        &[
            "committed by certificates",
            "skipped by blames",
            "committed by an anchor",
            "skipped by an anchor",
            "anchored beyond the first round possible",
            "rounds skipped whole",
            "rounds that excluded by age",
            "coins combined",
        ],
    ),
    (
        "vertices",
        &[
            "made",
            "with requests",
            "with weak links",
            "with a mere quorum of parents",
            "after a jump",
            "two of one slot",
        ],
    ),
    (
        "messages",
        &["fetch", "fetched vertices", "range", "page", "page that goes on", "proof of two vertices"],
    ),
    (
        "checkpoints",
        &[
            "vote",
            "certificate",
            "question of an observer",
            "answer to an observer",
            "head of a state",
            "pieces of a state",
            "state gone",
        ],
    ),
    ("signing", &["shares", "ask", "ask for proofs", "proofs", "finished signatures"]),
    (
        "replies",
        &[
            "NOERROR",
            "YXDOMAIN",
            "NXDOMAIN",
            "NOTZONE",
            "REFUSED",
            "NOTAUTH",
            "FORMERR",
            "SERVFAIL",
            "ordered read",
            "to an earlier try",
        ],
    ),
    ("machines", &["crash at any moment", "crash between write and sync", "start", "start with a torn tail"]),
    ("links", &["linked anew", "cut without loss", "cut with loss", "message again", "message put off"]),
    (
        "faults",
        &[
            "Malformed",
            "BadSignature",
            "InvalidVertex",
            "BadCoinShare",
            "Equivocation",
            "Flood",
            "BadSignatureShare",
            "BadSignatureClaim",
            "BadCertificate",
            "BadState",
        ],
    ),
    ("batches", &["executed", "executed empty", "several in one step"]),
];

/// How often: in how many runs, and how many times.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Count {
    runs: u64,
    times: u64,
}

/// Counts of one run or of many.
#[derive(Default)]
pub struct Coverage {
    counts: BTreeMap<(&'static str, String), Count>,
    graph: Option<Graph>,
    quorum: usize,
    n: usize,
    slots: BTreeSet<(u64, ReplicaId)>,
    newest: BTreeMap<ReplicaId, u64>,
    last_batch: BTreeMap<usize, u64>,
}

impl Coverage {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what other runs have exercised.
    pub fn add(&mut self, other: &Self) {
        for (key, count) in &other.counts {
            let sum = self.counts.entry(key.clone()).or_default();
            sum.runs += count.runs;
            sum.times += count.times;
        }
    }

    /// Counts a run under a choice that its scenario made.
    pub fn chose(&mut self, what: &'static str, choice: &str) {
        self.count(what, choice);
    }

    /// How many times something was seen.
    pub fn times(&self, group: &str, what: &str) -> u64 {
        self.counts.iter().filter(|((g, w), _)| *g == group && w == what).map(|(_, count)| count.times).sum()
    }

    /// What was expected and never seen: group and what.
    pub fn never(&self) -> Vec<(&'static str, &'static str)> {
        let all = EXPECTED.iter().flat_map(|(group, rows)| rows.iter().map(move |row| (*group, *row)));
        all.filter(|(group, row)| self.times(group, row) == 0).collect()
    }

    fn count(&mut self, group: &'static str, what: &str) {
        let count = self.counts.entry((group, what.to_owned())).or_default();
        count.runs = 1;
        count.times += 1;
    }

    fn closed(&mut self, closed: &ClosedRound) {
        for slot in &closed.slots {
            self.count(
                "slots",
                match (slot.commit, slot.anchor) {
                    (Some(_), None) => "committed by certificates",
                    (None, None) => "skipped by blames",
                    (Some(_), Some(_)) => "committed by an anchor",
                    (None, Some(_)) => "skipped by an anchor",
                },
            );
            if slot.anchor.is_some_and(|anchor| anchor.round > closed.round + ANCHOR) {
                self.count("slots", "anchored beyond the first round possible");
            }
        }
        if closed.slots.iter().all(|slot| slot.commit.is_none()) {
            self.count("slots", "rounds skipped whole");
        }
        if closed.excluded > 0 {
            self.count("slots", "rounds that excluded by age");
        }
    }

    fn message(&mut self, message: consensus::Message) {
        match &message {
            consensus::Message::Vertex(_) => {}
            consensus::Message::Fetch(_) => self.count("messages", "fetch"),
            consensus::Message::Vertices(_) => self.count("messages", "fetched vertices"),
            consensus::Message::Range(_) => self.count("messages", "range"),
            consensus::Message::Page(_, None) => self.count("messages", "page"),
            consensus::Message::Page(_, Some(_)) => self.count("messages", "page that goes on"),
            consensus::Message::Proof(..) => self.count("messages", "proof of two vertices"),
            consensus::Message::Alert(_) => self.count("messages", "alert"),
            consensus::Message::Signed(..) => self.count("messages", "signature under an alert"),
            consensus::Message::Listed(_) => self.count("messages", "certified alert"),
            consensus::Message::Vote(..) => self.count("checkpoints", "vote"),
            consensus::Message::Certified(_) => self.count("checkpoints", "certificate"),
            consensus::Message::Observe { .. } => self.count("checkpoints", "question of an observer"),
            consensus::Message::Newest { .. } => self.count("checkpoints", "answer to an observer"),
            consensus::Message::Ended(..) => self.count("epochs", "ending stated"),
            consensus::Message::Finale(_) => self.count("epochs", "finale"),
            consensus::Message::Kept => self.count("epochs", "last state kept"),
        }
        carried(message).iter().for_each(|vertex| self.vertex(vertex));
    }

    fn vertex(&mut self, vertex: &Vertex) {
        let Some((id, coin)) = self.graph.as_mut().and_then(|graph| graph.see(vertex)) else { return };
        let body = vertex.body();
        let before = self.newest.insert(id.author, id.round).unwrap_or(0);
        let facts = [
            (true, "made"),
            (!body.payload.is_empty(), "with requests"),
            (!body.weak.is_empty(), "with weak links"),
            (body.parents.len() == self.quorum && self.quorum < self.n, "with a mere quorum of parents"),
            (before > 0 && id.round > before + 1, "after a jump"),
            (!self.slots.insert((id.round, id.author)), "two of one slot"),
        ];
        for (_, what) in facts.iter().filter(|(holds, _)| *holds) {
            self.count("vertices", what);
        }
        if coin.is_some() {
            self.count("slots", "coins combined");
        }
    }

    fn reply(&mut self, wire: Option<&[u8]>, next: Next) {
        match wire.map(Message::parse) {
            None => self.count("replies", "ordered read"),
            Some(Ok(reply)) => self.count("replies", &reply.rcode().to_string()),
            Some(Err(_)) => {}
        }
        if next == Next::Nothing {
            self.count("replies", "to an earlier try");
        }
    }

    fn signing(&mut self, message: &signing::Message) {
        self.count(
            "signing",
            match message {
                signing::Message::Shares(_) => "shares",
                signing::Message::Ask(_) => "ask",
                signing::Message::AskProofs(_) => "ask for proofs",
                signing::Message::Proofs(_) => "proofs",
                signing::Message::Finished(_) => "finished signatures",
            },
        );
    }
}

impl Witness for Coverage {
    fn begin(&mut self, committee: Committee, onlooker: Onlooker) {
        self.graph = Some(Graph::new(onlooker));
        (self.quorum, self.n) = (committee.quorum(), committee.n());
    }

    fn see(&mut self, seen: &Seen<'_>) {
        match &seen.news {
            News::Started { torn: true } => self.count("machines", "start with a torn tail"),
            News::Started { torn: false } => self.count("machines", "start"),
            News::Crashed { between: true } => self.count("machines", "crash between write and sync"),
            News::Crashed { between: false } => self.count("machines", "crash at any moment"),
            News::Linked(_) => self.count("links", "linked anew"),
            News::Cut { lossy: true, .. } => self.count("links", "cut with loss"),
            News::Cut { lossy: false, .. } => self.count("links", "cut without loss"),
            News::Again(_) => self.count("links", "message again"),
            News::PutOff(_) => self.count("links", "message put off"),
            News::Sent { bytes, .. } => match codec::decode(bytes, MAX_FRAME_BYTES) {
                Ok(PeerMessage::Consensus(message)) => self.message(message),
                Ok(PeerMessage::Signing(message)) => self.signing(&message),
                Ok(PeerMessage::State(transfer::Message::Head { .. })) => {
                    self.count("checkpoints", "head of a state");
                }
                Ok(PeerMessage::State(transfer::Message::Pieces { .. })) => {
                    self.count("checkpoints", "pieces of a state");
                }
                Ok(PeerMessage::State(transfer::Message::Gone { .. })) => {
                    self.count("checkpoints", "state gone");
                }
                Ok(PeerMessage::Before(_)) => self.count("epochs", "finale of the epoch before"),
                Ok(PeerMessage::State(_)) | Err(_) => {}
            },
            News::Closed(closed) => self.closed(closed),
            News::Executed(batch) => {
                self.count("batches", "executed");
                if batch.requests.is_empty() {
                    self.count("batches", "executed empty");
                }
                if self.last_batch.insert(seen.machine, seen.at_ms) == Some(seen.at_ms) {
                    self.count("batches", "several in one step");
                }
            }
            News::Reply { wire, next, .. } => self.reply(*wire, *next),
            News::Fault(fault) => self.count("faults", &format!("{:?}", fault.what)),
            News::Published { .. } | News::Request { .. } => {}
        }
    }
}

/// A table: group, what, runs, times; what was never seen is flagged.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<(&str, String, Count)> = Vec::new();
        for (group, names) in EXPECTED {
            for name in *names {
                let count = self.counts.get(&(*group, (*name).to_owned())).copied().unwrap_or_default();
                rows.push((group, (*name).to_owned(), count));
            }
        }
        let expected: BTreeSet<(&str, String)> =
            rows.iter().map(|(group, name, _)| (*group, name.clone())).collect();
        let others = self.counts.iter().filter(|(key, _)| !expected.contains(*key));
        rows.extend(others.map(|((group, name), count)| (*group, name.clone(), *count)));
        writeln!(f, "{:<10} {:<42} {:>8} {:>10}", "", "", "runs", "times")?;
        let mut last = "";
        for (group, name, Count { runs, times }) in rows {
            let flag = if times == 0 { "  <- never" } else { "" };
            let shown = if group == last { "" } else { group };
            writeln!(f, "{shown:<10} {name:<42} {runs:>8} {times:>10}{flag}")?;
            last = group;
        }
        Ok(())
    }
}
