//! What replicas 2, 3 and 4 said while replica 1 was away, and the order they agreed on.

use super::{consensus, update};
use conclave::codec::ClusterId;
use conclave::consensus::{IdentityKey, Message, Vertex, VertexRef};
use conclave::protocol::To;
use conclave::quorum::ReplicaId;
use conclave::replica::{ClientId, Effect, ExecutedBatch, Input, Output, Past, Replica};
use conclave::signing::{KeyStore, Task};
use conclave::sim::cluster::{Cluster, START};
use conclave::sim::{Chance, Scenario};
use conclave::time::UnixMillis;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock, OnceLock};

/// The replica under test.
pub static SUBJECT: LazyLock<ReplicaId> = LazyLock::new(|| id(1));
/// The others.
pub static PEERS: LazyLock<[ReplicaId; 3]> = LazyLock::new(|| [2, 3, 4].map(id));

/// Milliseconds of the history, and of one turn of it.
const TURNS: u64 = 60;
const TURN_MS: u64 = 10;

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
}

impl History {
    /// The identity of a peer that is to lie.
    pub fn identity(&self, peer: ReplicaId) -> IdentityKey {
        self.cluster.config(peer, [0; 32], None).secrets.identity
    }
}

/// The history.
pub fn get() -> &'static History {
    static HISTORY: OnceLock<History> = OnceLock::new();
    HISTORY.get_or_init(|| Making::new().run())
}

struct Making {
    cluster: Cluster,
    peers: Vec<(Replica, KeyStore)>,
    now: UnixMillis,
    said: [Vec<Vec<u8>>; 3],
    mail: VecDeque<(usize, usize, Arc<[u8]>)>,
    tasks: VecDeque<(usize, Task)>,
    batches: BTreeMap<u64, ExecutedBatch>,
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
        Self {
            peers,
            cluster,
            now: START,
            said: Default::default(),
            mail: VecDeque::new(),
            tasks: VecDeque::new(),
            batches: BTreeMap::new(),
        }
    }

    fn run(mut self) -> History {
        for peer in 0..3 {
            PEERS.iter().filter(|other| **other != PEERS[peer]).for_each(|other| {
                self.step(peer, Input::Linked(*other));
            });
        }
        for turn in 0..TURNS {
            self.now.0 += TURN_MS;
            for peer in 0..3 {
                self.step(peer, Input::Tick);
            }
            if turn % 20 == 10 {
                self.request(turn as u8);
            }
            self.settle();
        }
        assert!(self.batches.len() >= 4, "the history has {} batches", self.batches.len());
        let vertices = self.vertices();
        let keys = self.cluster.key_store(*SUBJECT);
        let Self { cluster, said, batches, now, .. } = self;
        History { cluster, said, vertices, batches, end: now, keys }
    }

    fn request(&mut self, number: u8) {
        let wire = update(&self.cluster, number, self.now.secs());
        self.step(usize::from(number) % 3, Input::Client { id: ClientId(u64::from(number)), wire });
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
