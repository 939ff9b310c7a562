//! Sequences of peers' messages, ticks, links, clients and crashes against one replica of four.
//!
//! Three real replicas (2, 3, 4) have run a short history among themselves ([`history`]); the fourth, which was away,
//! is the one under test ([`subject`]). An input says who of the three is corrupt, and then step by step what reaches
//! the subject: messages of the history in any order, again, or changed; vertices that the corrupt replica's real key
//! signs ([`forge`]), equivocations among them; octets; new links; time; requests of clients; a crash, after which
//! the replica comes back from what was durable.
//!
//! With one corrupt replica all that is promised must hold: no panic; records before what rests on them; one own
//! vertex a round, across crashes; bounded output; one reply for each client; nobody accused but the corrupt one; and
//! batches equal to those of the history. If the first octet says that all three are corrupt, what no number of
//! corrupt peers may break must still hold: all but the last two.

mod forge;
pub(super) mod history;
mod subject;

use super::bytes::Bytes;
use super::keys::name;
use conclave::codec::{decode, encode};
use conclave::consensus::{Message, Vertex};
use conclave::dns::message::{Header, Message as DnsMessage, Question, Section, Writer};
use conclave::dns::{Class, Opcode, Rdata, RrType, tsig};
use conclave::limits::MAX_FRAME_BYTES;
use conclave::quorum::ReplicaId;
use conclave::replica::{ClientId, Input, PeerMessage};
use conclave::sim::cluster::Cluster;
use history::History;
use subject::Subject;

/// Steps of one run.
const MAX_STEPS: usize = 160;
/// Messages of the history that one step may deliver.
const MAX_RUN: usize = 32;

pub fn run(data: &[u8]) {
    let history = history::get();
    let mut bytes = Bytes(data);
    let first = bytes.u8();
    let corrupt = history::PEERS[usize::from(first) % 3];
    let mut play = Play {
        history,
        subject: Subject::new(history, (first < 128).then_some(corrupt)),
        corrupt,
        next: [0; 3],
        clients: 0,
    };
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            return;
        }
        play.step(&mut bytes);
    }
}

struct Play {
    history: &'static History,
    subject: Subject,
    corrupt: ReplicaId,
    /// How far each peer's messages have been delivered in order.
    next: [usize; 3],
    clients: u64,
}

impl Play {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        self.subject.now.0 += 1;
        let said = |play: &Self, bytes: &mut Bytes<'_>| {
            let said = &play.history.said[bytes.index(3)];
            said[usize::from(bytes.u16()) % said.len()].clone()
        };
        match bytes.u8() % 15 {
            0 => self.deliver_next(bytes.index(3)),
            1 => (0..usize::from(bytes.u8()) % MAX_RUN).for_each(|at| self.deliver_next(at % 3)),
            2 => {
                let peer = bytes.index(3);
                let said = &self.history.said[peer];
                let message = said[usize::from(bytes.u16()) % said.len()].clone();
                self.deliver(history::PEERS[peer], message);
            }
            3 => {
                let message = said(self, bytes);
                self.deliver(self.corrupt, message);
            }
            4 => {
                let mut message = said(self, bytes);
                mutate(&mut message, bytes);
                self.deliver(self.corrupt, message);
            }
            5 => self.deliver(self.corrupt, bytes.counted().to_vec()),
            6 => {
                let vertex = forge::vertex(self.history, &self.subject, self.corrupt, bytes);
                self.say(self.corrupt, Message::Vertex(vertex));
            }
            7 => {
                let message = self.question(bytes);
                self.say(self.corrupt, message);
            }
            8 => self.answer(bytes),
            9 => self.subject.step(Input::Linked(history::PEERS[bytes.index(3)])),
            10 => {
                self.subject.now.0 += u64::from(bytes.u16());
                self.subject.step(Input::Tick);
            }
            11 => self.client(bytes),
            12 => self.subject.step(Input::Forget(ClientId(u64::from(bytes.u8()) % (self.clients + 1)))),
            13 => self.subject.compute(),
            _ => self.subject.crash(bytes.u8()),
        }
    }

    fn deliver(&mut self, from: ReplicaId, bytes: Vec<u8>) {
        self.subject.step(Input::Peer { from, bytes });
    }

    fn say(&mut self, from: ReplicaId, message: Message) {
        self.deliver(from, encode(&PeerMessage::Consensus(message)));
    }

    fn deliver_next(&mut self, peer: usize) {
        if let Some(message) = self.history.said[peer].get(self.next[peer]) {
            self.next[peer] += 1;
            self.deliver(history::PEERS[peer], message.clone());
        }
    }

    /// What a corrupt replica may ask, claim or send on, of vertices that are and vertices that are not.
    fn question(&self, bytes: &mut Bytes<'_>) -> Message {
        let kind = bytes.u8() % 5;
        let refs = |bytes: &mut Bytes<'_>| {
            let count = bytes.u8() % 8;
            (0..count).map(|_| forge::link(self.history, &self.subject, bytes)).collect::<Vec<_>>()
        };
        match kind {
            0 => Message::Fetch(refs(bytes)),
            1 => Message::Range(forge::link(self.history, &self.subject, bytes)),
            2 => {
                let (one, other) = (self.vertex(bytes), self.vertex(bytes));
                Message::Proof(one, other)
            }
            3 => Message::Vertices((0..bytes.u8() % 8).map(|_| self.vertex(bytes)).collect()),
            _ => {
                let page = (0..bytes.u8() % 8).map(|_| self.vertex(bytes)).collect();
                Message::Page(page, refs(bytes).pop())
            }
        }
    }

    /// Vertices of the history, from an honest replica that was asked.
    fn answer(&mut self, bytes: &mut Bytes<'_>) {
        let peer = history::PEERS[bytes.index(3)];
        let start = bytes.index(self.history.vertices.len());
        let vertices = self.history.vertices.iter().skip(start).take(usize::from(bytes.u8() % 12));
        let vertices: Vec<Vertex> = vertices.map(|(_, vertex)| vertex.clone()).collect();
        self.say(peer, Message::Vertices(vertices));
    }

    /// One of the history, of the subject, or a forged one.
    fn vertex(&self, bytes: &mut Bytes<'_>) -> Vertex {
        let (kind, at) = (bytes.u8() % 3, bytes.u8());
        let own = self.subject.sent.values().nth(usize::from(at) % self.subject.sent.len().max(1));
        match (kind, own) {
            (0, Some(vertex)) => vertex.clone(),
            (1, _) => forge::vertex(self.history, &self.subject, self.corrupt, bytes),
            _ => self.history.vertices[usize::from(at) % self.history.vertices.len()].1.clone(),
        }
    }

    fn client(&mut self, bytes: &mut Bytes<'_>) {
        let wire = match bytes.u8() % 3 {
            0 => bytes.counted().to_vec(),
            1 => super::query::query("www.sim.test.", RrType::A, Some(0x80)),
            _ => update(&self.history.cluster, bytes.u8(), self.subject.now.secs()),
        };
        self.clients += 1;
        self.subject.step(Input::Client { id: ClientId(self.clients), wire, manners: Default::default() });
    }
}

/// Changes, cuts or lengthens.
pub(super) fn mutate(message: &mut Vec<u8>, bytes: &mut Bytes<'_>) {
    let (kind, at, change) = (bytes.u8() % 3, usize::from(bytes.u16()), bytes.u8());
    let at = at % message.len().max(1);
    match kind {
        0 => message.iter_mut().skip(at).take(1).for_each(|octet| *octet ^= change),
        1 => message.truncate(at),
        _ => message.insert(at, change),
    }
}

/// An update of a client: the address of a name that `number` chooses.
fn update(cluster: &Cluster, number: u8, now_secs: u64) -> Vec<u8> {
    let mut writer = Writer::new(1_000);
    writer.header(&Header::request(u16::from(number), Opcode::UPDATE));
    let zone = Question { name: name("sim.test."), rtype: RrType::SOA, class: Class::IN };
    writer.question(&zone).expect("room");
    let owner = name(&format!("n{}.sim.test.", number % 4));
    let data = Rdata::new(&[192, 0, 2, number]);
    writer.parts(Section::Authority, &owner, RrType::A, Class::IN, 60, &data).expect("room");
    let mut wire = writer.finish();
    assert!(DnsMessage::parse(&wire).is_ok());
    tsig::sign_request(&mut wire, &cluster.tsig(), now_secs);
    wire
}

/// The consensus message in what a replica said, if it is one.
fn consensus(bytes: &[u8]) -> Option<Message> {
    match decode(bytes, MAX_FRAME_BYTES) {
        Ok(PeerMessage::Consensus(message)) => Some(message),
        _ => None,
    }
}

/// Some messages of the history, for the targets that decode them.
pub fn said() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = history::get().said.iter().flatten().cloned().collect();
    // One of each kind and size class.
    all.sort_by_key(|message| (message[..2].to_vec(), message.len() / 128));
    all.dedup_by_key(|message| (message[..2].to_vec(), message.len() / 128));
    all
}

pub fn seeds() -> Vec<Vec<u8>> {
    let all: Vec<u8> = [1, 31, 13, 13].repeat(12);
    let links: Vec<u8> = vec![9, 0, 9, 1, 9, 2, 10, 100, 0];
    let crash = [&all[..20], &[14, 0, 9, 0, 9, 1], &all[..20], &[14, 200], &all[..]].concat();
    let clients = [&links[..], &[11, 2, 7, 11, 2, 7, 11, 1, 10, 50, 0], &all[..]].concat();
    let forged =
        [&all[..16], &[6, 3, 1, 2, 0, 0, 0, 0, 6, 9, 1, 1, 1, 2, 3, 4], &all[..], &[6, 1, 1, 1]].concat();
    let questions =
        [&all[..16], &[7, 0, 3, 1, 1, 2, 2, 3, 3, 7, 1, 2, 2, 7, 2, 1, 4, 2, 5, 8, 0, 3, 9]].concat();
    let late = [&[8, 0, 20, 11, 8, 1, 3, 11, 2, 0, 9, 0, 2, 1, 20, 0], &all[..]].concat();
    let spoilt =
        [&all[..12], &[4, 0, 9, 0, 0, 40, 0, 1, 4, 1, 2, 0, 1, 30, 0, 0, 3, 2, 7, 0], &all[..]].concat();
    [links, all, crash, clients, forged, questions, late, spoilt]
        .map(|steps| [&[0], &steps[..]].concat())
        .to_vec()
}
