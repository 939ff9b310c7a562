//! A replica that floods its peers with all they might have to keep or answer, as fast as the links take it: for the tests
//! only, on the same library, never in the shipped programs.
//!
//! `flooding_replica REPLICA.TOML`
//!
//! It is a member: its links are authenticated and its vertices signed. Every other second it reads nothing, so that what
//! its peers have for it stays with them. First comes a vertex that links as many others as a vertex may, and these, all
//! of one round and all waiting for ancestors nobody has: twice what may wait. Then in turn: vertices that contradict one
//! another, vertices nobody asked for, questions for everything, shares and signatures of unknown jobs, and garbage.

use aws_lc_rs::signature::Ed25519KeyPair;
use conclave::codec::{ClusterId, Digest, Epoch, digest};
use conclave::limits::{MAX_INBOX_BYTES, MAX_INBOX_FRAMES, MAX_WEAK_LINKS};
use conclave::link::Local;
use conclave::quorum::{Committee, ReplicaId};
use conclave::runtime::config::{Loaded, ReplicaFile};
use conclave::runtime::inbox::Inbox;
use conclave::runtime::peers::{FromPeer, Peers, Setup, start};
use conclave::runtime::tcp::bind;
use conclave::sim::Chance;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Messages that wait at one link before this end pauses: enough to keep it busy, few enough that none is dropped.
const AHEAD: usize = 48;
/// The payload limit of a vertex, and a little less than a frame.
const PAYLOAD: usize = 64 * 1024;
const NEARLY_A_FRAME: usize = 1_000_000;

/// What it signs with, and for.
struct Forger {
    cluster: ClusterId,
    epoch: Epoch,
    me: ReplicaId,
    committee: Committee,
    key: Ed25519KeyPair,
    chance: Chance,
}

fn main() {
    let path = std::env::args().nth(1).expect("usage: flooding_replica REPLICA.TOML");
    let file = ReplicaFile::read(path.as_ref()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let loaded = file.load().unwrap_or_else(|problems| panic!("{problems:?}"));
    // Ends with who started it.
    let parent = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    parent.expect("a signal at the parent's end");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { flood(loaded) });
}

fn flood(loaded: Loaded) {
    let (me, committee) = (loaded.consensus.me, loaded.consensus.committee);
    let seed = *loaded.secrets.identity.seed();
    let local = Local {
        cluster: loaded.cluster.id(),
        epoch: loaded.cluster.epoch,
        me,
        incarnation: u64::from(std::process::id()),
    };
    let mut inbox: Inbox<FromPeer> = Inbox::new();
    let lanes =
        committee.others(me).map(|peer| (peer, inbox.lane(MAX_INBOX_FRAMES, MAX_INBOX_BYTES))).collect();
    let mut tasks = JoinSet::new();
    let listener = bind(loaded.file.peer).expect("the peers' port");
    let setup = Setup { local, tls: loaded.tls, listener, addresses: loaded.file.peers, lanes };
    let peers = start(setup, &mut tasks).expect("links");
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 octets");
    let mut forger = Forger {
        cluster: loaded.cluster.id(),
        epoch: loaded.cluster.epoch,
        me,
        committee,
        key,
        chance: Chance::new(7),
    };
    let began = Instant::now();
    let mut hear = || {
        if began.elapsed().as_secs().is_multiple_of(2) {
            inbox.take(Duration::ZERO);
        }
    };
    while !peers.status().iter().all(|link| link.up) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut waiting_for_nobody = forger.waiting_for_nobody().into_iter();
    for turn in 0u64.. {
        let message: Arc<[u8]> = waiting_for_nobody.next().unwrap_or_else(|| forger.message(turn)).into();
        for peer in committee.others(me) {
            while waiting(&peers, peer) > AHEAD {
                std::thread::sleep(Duration::from_millis(1));
                hear();
            }
            peers.send(peer, message.clone());
        }
        hear();
    }
}

fn waiting(peers: &Peers, peer: ReplicaId) -> usize {
    peers.status().iter().find(|link| link.peer == peer.get()).map_or(0, |link| link.waiting)
}

/// The tables of octets are in the manual, "Messages between peers".
impl Forger {
    fn message(&mut self, turn: u64) -> Vec<u8> {
        match turn % 8 {
            // Valid, and one of endlessly many of its round.
            0 => pushed(self.first(PAYLOAD / 2)),
            1 => self.list(&[0, 2], 8, |forger| forger.first(0)),
            // Everything is asked for.
            2 => self.list(&[0, 1], 64, |forger| [forger.round(), vec![1], forger.octets(32)].concat()),
            3 => [vec![0, 3], 1u64.to_le_bytes().to_vec(), vec![1], vec![0; 32]].concat(),
            4 => {
                let kind = 1 + (turn / 8 % 2) as u8;
                self.list(&[1, kind], 16_384, |forger| forger.octets(32))
            }
            // Shares and signatures of unknown jobs.
            5 => self.list(&[1, 0], NEARLY_A_FRAME / 164, |forger| {
                [forger.octets(32), 128u32.to_le_bytes().to_vec(), forger.octets(128)].concat()
            }),
            6 => self.list(&[1, 4], 64, |forger| {
                [forger.octets(32), 128u32.to_le_bytes().to_vec(), forger.octets(128)].concat()
            }),
            _ => self.octets(NEARLY_A_FRAME),
        }
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut octets = vec![0; count];
        self.chance.fill(&mut octets);
        octets
    }

    fn round(&mut self) -> Vec<u8> {
        self.chance.range(1, 1_000_000).to_le_bytes().to_vec()
    }

    fn list(&mut self, kind: &[u8], count: usize, element: impl Fn(&mut Self) -> Vec<u8>) -> Vec<u8> {
        let mut message = [kind, &(count as u32).to_le_bytes()].concat();
        (0..count).for_each(|_| message.extend(element(self)));
        message
    }

    /// The vertex that links all it may, and what it links: each is needed, so each is kept as long as there is room.
    fn waiting_for_nobody(&mut self) -> Vec<Vec<u8>> {
        let mut linked: Vec<(Digest, Vec<u8>)> = (0..MAX_WEAK_LINKS)
            .map(|_| {
                let parents = self.strangers();
                self.vertex(3, &parents, &[], PAYLOAD)
            })
            .collect();
        linked.sort_by_key(|(digest, _)| digest.0);
        let weak: Vec<Digest> = linked.iter().map(|(digest, _)| *digest).collect();
        let parents = self.strangers();
        let first = self.vertex(4, &parents, &weak, 0).1;
        std::iter::once(first).chain(linked.into_iter().map(|(_, vertex)| vertex)).map(pushed).collect()
    }

    /// Parents that do not exist.
    fn strangers(&mut self) -> Vec<(ReplicaId, Vec<u8>)> {
        self.committee.members().map(|author| (author, self.octets(32))).collect()
    }

    /// A valid vertex of round 1.
    fn first(&mut self, payload: usize) -> Vec<u8> {
        let genesis = |author: ReplicaId| self.bound("conclave/genesis vertex", &[author.get()]).0.to_vec();
        let parents: Vec<(ReplicaId, Vec<u8>)> =
            self.committee.members().map(|author| (author, genesis(author))).collect();
        self.vertex(1, &parents, &[], payload).1
    }

    /// A signed vertex of a round that needs no share of a coin, and its digest; `weak`: own vertices of the round before.
    fn vertex(
        &mut self,
        round: u64,
        parents: &[(ReplicaId, Vec<u8>)],
        weak: &[Digest],
        payload: usize,
    ) -> (Digest, Vec<u8>) {
        let mut body = self.epoch.0.to_le_bytes().to_vec();
        body.push(self.me.get());
        body.extend(round.to_le_bytes());
        body.push(0);
        body.extend((parents.len() as u32).to_le_bytes());
        for (author, digest) in parents {
            body.push(author.get());
            body.extend(digest);
        }
        body.extend((weak.len() as u32).to_le_bytes());
        for digest in weak {
            body.extend((round - 1).to_le_bytes());
            body.push(self.me.get());
            body.extend(digest.0);
        }
        body.extend(self.chance.bits().to_le_bytes());
        body.extend(1u32.to_le_bytes());
        body.extend((payload as u32).to_le_bytes());
        body.extend(self.octets(payload));
        body.push(0);
        let digest = self.bound("conclave/vertex", &body);
        let signed = [&b"conclave/vertex signature\0"[..], &digest.0].concat();
        body.extend(self.key.sign(&signed).as_ref());
        (digest, body)
    }

    fn bound(&self, tag: &str, field: &[u8]) -> Digest {
        digest(tag, &[&self.cluster.0.0, &self.epoch.0.to_be_bytes(), field])
    }
}

/// A vertex as a message.
fn pushed(vertex: Vec<u8>) -> Vec<u8> {
    [vec![0, 0], vertex].concat()
}
