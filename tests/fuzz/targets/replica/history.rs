//! What replicas 2, 3 and 4 said while replica 1 was away, and the order they agreed on.

use super::{consensus, update};
use conclave::codec::{ClusterId, Digest};
use conclave::consensus::{IdentityKey, Message, Vertex, VertexRef};
use conclave::protocol::To;
use conclave::quorum::ReplicaId;
use conclave::replica::{ClientId, Effect, ExecutedBatch, Input, Output, Past, Replica};
use conclave::signing::{KeyStore, Task};
use conclave::sim::cluster::{Cluster, START};
use conclave::sim::{Chance, Scenario};
use conclave::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

/// The replica under test.
pub static SUBJECT: LazyLock<ReplicaId> = LazyLock::new(|| id(1));
/// The others.
pub static PEERS: LazyLock<[ReplicaId; 3]> = LazyLock::new(|| [2, 3, 4].map(id));

/// Milliseconds of the history, and of one turn of it.
const TURNS: u64 = 60;
const TURN_MS: u64 = 10;
/// Turns of a long history, at most, and checkpoints that it has.
const LONG_TURNS: u64 = 2_000;
const CHECKPOINTS: usize = 3;

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).expect("an index")
}

/// A short history, the same each time.
pub struct History {
    pub cluster: Cluster,
    /// What each peer said that the subject should hear, in order.
    pub said: [Vec<Vec<u8>>; 3],
    /// The peers' vertices, ascending.
    pub vertices: Vec<(VertexRef, Vertex)>,
    /// The batches of the order, by number.
    pub batches: BTreeMap<u64, ExecutedBatch>,
    /// When it ended.
    pub end: UnixMillis,
    /// The subject's shares.
    pub keys: KeyStore,
    /// The state after some of the batches, by number.
    pub states: BTreeMap<u64, Digest>,
    /// The round of the newest checkpoint, 0 if there is none.
    pub stable: u64,
    /// The peers, to be asked about states; and the time by their clocks.
    peers: Mutex<(Vec<Replica>, UnixMillis)>,
}

impl History {
    /// The identity of a peer that is to lie.
    pub fn identity(&self, peer: ReplicaId) -> IdentityKey {
        self.cluster.config(peer, [0; 32], None).secrets.identity
    }

    /// What an honest peer says to the subject upon this.
    pub fn answer(&self, peer: ReplicaId, question: &[u8]) -> Vec<Vec<u8>> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let (peers, now) = &mut *peers;
        now.0 += TURN_MS;
        let input = Input::Peer { from: *SUBJECT, bytes: question.to_vec() };
        let at = PEERS.iter().position(|other| *other == peer).expect("a peer");
        let effects = peers[at].step(*now, input).effects.into_iter();
        let said = effects.filter_map(|effect| match effect {
            Effect::Send { to, bytes } if to == To::One(*SUBJECT) => Some(bytes.to_vec()),
            _ => None,
        });
        said.collect()
    }
}

/// The history.
pub fn get() -> &'static History {
    static HISTORY: OnceLock<History> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let mut making = Making::new();
        (0..TURNS).for_each(|turn| making.turn(turn, 20));
        assert!(making.batches.len() >= 4, "the history has {} batches", making.batches.len());
        making.end()
    })
}

/// A history with three checkpoints: its beginning is collected.
pub fn long() -> &'static History {
    static HISTORY: OnceLock<History> = OnceLock::new();
    HISTORY.get_or_init(|| {
        let mut making = Making::new();
        (0..LONG_TURNS)
            .take_while(|turn| {
                making.turn(*turn, 12);
                making.marks.len() < CHECKPOINTS
            })
            .for_each(drop);
        making.end()
    })
}

struct Making {
    cluster: Cluster,
    peers: Vec<(Replica, KeyStore)>,
    now: UnixMillis,
    said: [Vec<Vec<u8>>; 3],
    mail: VecDeque<(usize, usize, Arc<[u8]>)>,
    tasks: VecDeque<(usize, Task)>,
    batches: BTreeMap<u64, ExecutedBatch>,
    states: BTreeMap<u64, Digest>,
    /// Rounds of checkpoints that all peers hold stable.
    marks: BTreeSet<u64>,
}

impl Making {
    fn new() -> Self {
        let cluster = Cluster::deal(&Scenario::new(4, 1), &mut Chance::new(1));
        let peer = |id: ReplicaId| {
            let config = cluster.config(id, [id.get(); 32], None);
            let past = Past { checkpoint: None, records: vec![Replica::first_record(&config.consensus)] };
            let recovered = Replica::recover(START, config, past);
            (recovered.expect("a replica").0, cluster.key_store(id))
        };
        let peers = PEERS.iter().copied().map(peer).collect();
        let mut making = Self {
            peers,
            cluster,
            now: START,
            said: Default::default(),
            mail: VecDeque::new(),
            tasks: VecDeque::new(),
            batches: BTreeMap::new(),
            states: BTreeMap::new(),
            marks: BTreeSet::new(),
        };
        for peer in 0..3 {
            PEERS.iter().filter(|other| **other != PEERS[peer]).for_each(|other| {
                making.step(peer, Input::Linked(*other));
            });
        }
        making
    }

    /// One turn; a client speaks once in so many.
    fn turn(&mut self, turn: u64, pause: u64) {
        self.now.0 += TURN_MS;
        for peer in 0..3 {
            self.step(peer, Input::Tick);
        }
        if turn % pause == pause / 2 {
            self.request(turn as u8);
        }
        self.settle();
        let stable = self.peers.iter().map(|(peer, _)| peer.status().stable).min().unwrap_or(0);
        self.marks.extend((stable > 0).then_some(stable));
    }

    fn end(self) -> History {
        let vertices = self.vertices();
        let keys = self.cluster.key_store(*SUBJECT);
        let Self { cluster, peers, said, batches, states, marks, now, .. } = self;
        let peers = Mutex::new((peers.into_iter().map(|(peer, _)| peer).collect(), now));
        let stable = marks.last().copied().unwrap_or(0);
        History { cluster, said, vertices, batches, end: now, keys, states, stable, peers }
    }

    fn request(&mut self, number: u8) {
        let wire = update(&self.cluster, number, self.now.secs());
        self.step(
            usize::from(number) % 3,
            Input::Client { id: ClientId(u64::from(number)), wire, manners: Default::default() },
        );
    }

    /// Delivers all that is under way and does all work.
    fn settle(&mut self) {
        while !self.mail.is_empty() || !self.tasks.is_empty() {
            // A message takes its time, so that rounds do not run away within one turn.
            for (from, to, bytes) in std::mem::take(&mut self.mail) {
                self.step(to, Input::Peer { from: PEERS[from], bytes: bytes.to_vec() });
            }
            if let Some((peer, task)) = self.tasks.pop_front() {
                let computed = task.run(&self.peers[peer].1, [peer as u8; 32]);
                self.step(peer, Input::Computed(computed));
            }
            self.now.0 += 1;
        }
    }

    fn step(&mut self, peer: usize, input: Input) {
        let output: Output = self.peers[peer].0.step(self.now, input);
        self.tasks.extend(output.tasks.into_iter().map(|task| (peer, task)));
        if let Some(last) = output.executed.last() {
            self.states.insert(last.number, self.peers[peer].0.digest());
        }
        for batch in output.executed {
            let known = self.batches.entry(batch.number).or_insert_with(|| batch.clone());
            assert_eq!(*known, batch, "the peers agree");
        }
        for effect in output.effects {
            let Effect::Send { to, bytes } = effect else { continue };
            let hears = |id: ReplicaId| to == To::Others || to == To::One(id);
            if hears(*SUBJECT) {
                self.said[peer].push(bytes.to_vec());
            }
            let others = (0..3).filter(|other| *other != peer && hears(PEERS[*other]));
            self.mail.extend(others.map(|other| (peer, other, bytes.clone())));
        }
    }

    fn vertices(&self) -> Vec<(VertexRef, Vertex)> {
        let said = self.said.iter().flatten();
        let vertices = said.filter_map(|bytes| match consensus(bytes) {
            Some(Message::Vertex(vertex)) => Some((reference(self.cluster.id, &vertex), vertex)),
            _ => None,
        });
        let sorted: BTreeMap<VertexRef, Vertex> = vertices.collect();
        sorted.into_iter().collect()
    }
}

/// The name of a vertex in this cluster and its first epoch (the manual, "Formats").
pub fn reference(cluster: ClusterId, vertex: &Vertex) -> VertexRef {
    let body = vertex.body();
    let digest = super::forge::digest_of(cluster, &conclave::codec::encode(body));
    VertexRef { round: body.round, author: body.author, digest }
}
