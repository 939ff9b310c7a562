//! n `Consensus` values, virtual time, links that reorder across peers but lose nothing unless told to, logs that lose what
//! was not synced.

use crate::codec::{ClusterId, Digest, Epoch, digest};
use crate::consensus::coin::{self, CoinPublic};
use crate::consensus::*;
use crate::protocol::{Misbehaviour, To};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A seeded stream.
pub struct Random {
    seed: u64,
    counter: u64,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }

    pub fn next(&mut self) -> u64 {
        self.counter += 1;
        // SplitMix64.
        let mut z =
            self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.counter.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let word = self.next().to_be_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

pub fn id(index: usize) -> ReplicaId {
    ReplicaId::new(index as u8).unwrap()
}

pub const GENESIS: UnixMillis = UnixMillis(1_700_000_000_000);

/// The keys of a cluster.
pub struct Keys {
    pub committee: Committee,
    pub coin: CoinPublic,
    coins: Vec<[u8; 32]>,
    seeds: Vec<[u8; 32]>,
}

impl Keys {
    pub fn deal(n: usize) -> Self {
        let committee = Committee::new(n as u8).unwrap();
        let mut random = Random::new(0xc01 + n as u64);
        let (coin, secrets) = coin::deal(n, committee.one_correct(), &mut |out| random.fill(out));
        let seeds = (0..n).map(|i| digest("identity", &[&[i as u8, n as u8]]).0).collect();
        Self { committee, coin, coins: secrets.iter().map(|secret| *secret.to_bytes()).collect(), seeds }
    }

    pub fn config(&self, me: ReplicaId) -> Config {
        Config {
            committee: self.committee,
            me,
            cluster: ClusterId(Digest([9; 32])),
            epoch: Epoch(3),
            genesis_time: GENESIS,
            identities: self.seeds.iter().map(|seed| IdentityKey::from_seed(*seed).public()).collect(),
            coin: self.coin.clone(),
            gather_ms: DEFAULT_GATHER_MS,
        }
    }

    pub fn secrets(&self, me: ReplicaId) -> Secrets {
        Secrets {
            identity: IdentityKey::from_seed(self.seeds[me.slot()]),
            coin: CoinSecret::from_bytes(&self.coins[me.slot()]).unwrap(),
        }
    }
}

/// How long a message takes, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Net {
    /// Exactly this.
    Steady(u64),
    /// From 1 to this, at random: links reorder.
    Random(u64),
    /// As `Random`, and this replica's, both ways, take twenty times as long.
    Lagging(u64, ReplicaId),
}

pub struct Host {
    pub core: Option<Consensus>,
    pub log: Vec<Record>,
    pub batches: Vec<Batch>,
    pub wake: Option<u64>,
    /// Milliseconds its clock is ahead.
    pub skew: i64,
    /// The digest of all batches so far: what execution would come to.
    pub history: Digest,
    /// The marks executed, by round, and what was stated of them.
    pub marks: BTreeMap<u64, (Arc<Mark>, Statement)>,
    /// What the last restart, or a state taken over, began with.
    pub base: Option<Base>,
}

type Filter = Box<dyn FnMut(u64, ReplicaId, ReplicaId, &Message) -> bool>;

pub struct Sim {
    pub keys: Keys,
    pub seed: u64,
    pub random: Random,
    pub net: Net,
    pub now: u64,
    pub hosts: BTreeMap<ReplicaId, Host>,
    flight: BTreeMap<(u64, u64), (ReplicaId, ReplicaId, Message)>,
    counter: u64,
    pub sent: u64,
    starts: u64,
    pub faults: Vec<(ReplicaId, ReplicaId, Misbehaviour)>,
    /// Whether a message is delivered: time, from, to.
    pub filter: Filter,
    /// Whether batches with marks are executed, and states taken over by who lacks history.
    pub checkpoints: bool,
    /// Messages of replicas that have no host: the adversary reads them here.
    pub adversary_inbox: VecDeque<(ReplicaId, ReplicaId, Message)>,
}

impl Sim {
    pub fn new(n: usize, seed: u64, net: Net) -> Self {
        let keys = Keys::deal(n);
        let mut sim = Self {
            seed,
            random: Random::new(seed),
            net,
            now: GENESIS.0 + 3_600_000,
            hosts: BTreeMap::new(),
            flight: BTreeMap::new(),
            counter: 0,
            sent: 0,
            starts: 76,
            faults: Vec::new(),
            filter: Box::new(|_, _, _, _| true),
            checkpoints: false,
            adversary_inbox: VecDeque::new(),
            keys,
        };
        for me in sim.keys.committee.members() {
            let core = Consensus::new(sim.keys.config(me), sim.keys.secrets(me), [me.get(); 32]);
            // It is known that it has never run: nothing to observe.
            let log = vec![Consensus::first_record(&sim.keys.config(me))];
            let host = Host {
                core: Some(core),
                log,
                batches: Vec::new(),
                wake: None,
                skew: 0,
                history: Digest::default(),
                marks: BTreeMap::new(),
                base: None,
            };
            sim.hosts.insert(me, host);
        }
        sim
    }

    fn clock(&self, me: ReplicaId) -> UnixMillis {
        UnixMillis(self.now.saturating_add_signed(self.hosts[&me].skew))
    }

    pub fn submit(&mut self, me: ReplicaId, request: &[u8]) {
        let now = self.clock(me);
        let Some(core) = self.hosts.get_mut(&me).and_then(|host| host.core.as_mut()) else { return };
        let step = core.submit(now, request.to_vec());
        self.apply(me, step);
    }

    pub fn linked(&mut self, me: ReplicaId, peer: ReplicaId) {
        if !self.hosts.contains_key(&me) {
            return;
        }
        let now = self.clock(me);
        let Some(core) = self.hosts.get_mut(&me).and_then(|host| host.core.as_mut()) else { return };
        let step = core.linked(now, peer);
        self.apply(me, step);
    }

    pub fn apply(&mut self, me: ReplicaId, step: Step) {
        let skew = self.hosts[&me].skew;
        let host = self.hosts.get_mut(&me).unwrap();
        host.log.extend(step.records);
        let marks = host.execute(&step.batches);
        host.batches.extend(step.batches);
        host.wake = step.wake_at.map(|at| at.0.saturating_add_signed(-skew).max(self.now + 1));
        self.faults.extend(step.faults.into_iter().map(|fault| (me, fault.who, fault.what)));
        for (to, message) in step.send {
            let targets: Vec<ReplicaId> = match to {
                To::One(peer) => vec![peer],
                To::Others => self.keys.committee.others(me).collect(),
            };
            for peer in targets {
                self.send(me, peer, message.clone());
            }
        }
        let stated = if self.checkpoints { marks } else { Vec::new() };
        for statement in stated {
            let now = self.clock(me);
            let Some(core) = self.hosts.get_mut(&me).and_then(|host| host.core.as_mut()) else { return };
            let step = core.executed(now, statement);
            self.apply(me, step);
        }
        self.take_over(me);
    }

    /// A replica that lacks history goes on from the newest certified checkpoint, which somebody has executed.
    fn take_over(&mut self, me: ReplicaId) {
        let Some(core) = self.hosts.get(&me).and_then(|host| host.core.as_ref()) else { return };
        let newest = core.certified().filter(|_| self.checkpoints).map(|c| c.statement.round);
        let Some(round) = newest.filter(|_| core.lacks_history()) else { return };
        let certificate = core.certified().unwrap().clone();
        let executed = self.hosts.values().find_map(|host| host.marks.get(&round)).cloned();
        let Some((mark, statement)) = executed else { return };
        assert_eq!(statement, certificate.statement, "seed {}: what is certified was executed", self.seed);
        let now = self.clock(me);
        let host = self.hosts.get_mut(&me).unwrap();
        let base = Base { line: mark.line(), mark: Mark::clone(&mark), certificate };
        let core = host.core.as_mut().unwrap();
        host.log = core.records_from(base.line);
        let step = core.install(now, &base);
        host.history = statement.history;
        host.marks.insert(round, (mark, statement));
        host.base = Some(base);
        self.apply(me, step);
    }

    pub fn send(&mut self, from: ReplicaId, to: ReplicaId, message: Message) {
        let delay = match self.net {
            Net::Steady(ms) => ms,
            Net::Random(ms) => 1 + self.random.below(ms),
            Net::Lagging(ms, slow) => {
                (1 + self.random.below(ms)) * if from == slow || to == slow { 20 } else { 1 }
            }
        };
        self.sent += 1;
        self.counter += 1;
        self.flight.insert((self.now + delay, self.counter), (from, to, message));
    }

    /// One event: a message or a tick. False if nothing is to come before `until`.
    pub fn step(&mut self, until: u64) -> bool {
        let message = self.flight.keys().next().map(|key| key.0);
        let alive = self.hosts.iter().filter(|(_, host)| host.core.is_some());
        let wake = alive.filter_map(|(me, host)| Some((host.wake?, *me))).min();
        let first = message.into_iter().chain(wake.map(|(at, _)| at)).min();
        let Some(at) = first.filter(|at| *at <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = self.now.max(at);
        if message == Some(at) {
            let (_, (from, to, message)) = self.flight.pop_first().unwrap();
            if (self.filter)(self.now, from, to, &message) {
                self.deliver(from, to, message);
            }
        } else if let Some((_, me)) = wake {
            let now = self.clock(me);
            let step = self.hosts.get_mut(&me).unwrap().core.as_mut().unwrap().tick(now);
            self.apply(me, step);
        }
        true
    }

    fn deliver(&mut self, from: ReplicaId, to: ReplicaId, message: Message) {
        // Over the wire: what is sent must decode to itself.
        let bytes = crate::codec::encode(&message);
        assert!(bytes.len() < crate::limits::MAX_FRAME_BYTES, "seed {}: {} bytes", self.seed, bytes.len());
        let message: Message = crate::codec::decode(&bytes, crate::limits::MAX_FRAME_BYTES).unwrap();
        if !self.hosts.contains_key(&to) {
            self.adversary_inbox.push_back((from, to, message));
            return;
        }
        let now = self.clock(to);
        let Some(core) = self.hosts.get_mut(&to).and_then(|host| host.core.as_mut()) else { return };
        let step = core.message(now, from, message);
        self.apply(to, step);
    }

    /// Runs for so many milliseconds.
    pub fn run(&mut self, millis: u64) {
        let until = self.now + millis;
        while self.step(until) {}
    }

    /// Runs until nothing is in flight and nobody waits; fails after `millis`.
    pub fn drain(&mut self, millis: u64) {
        let until = self.now + millis;
        while self.step(until) {}
        let busy: Vec<_> =
            self.hosts.iter().filter(|(_, host)| host.core.is_some() && host.wake.is_some()).collect();
        assert!(
            self.flight.is_empty() && busy.is_empty(),
            "seed {}: {} messages in flight, {} replicas waiting, {:?}",
            self.seed,
            self.flight.len(),
            busy.len(),
            self.statuses()
        );
    }

    pub fn statuses(&self) -> Vec<Status> {
        self.hosts.values().filter_map(|host| host.core.as_ref()).map(Consensus::status).collect()
    }

    /// Stops a replica; its log loses up to the last `lost` records that follow its newest own vertex.
    pub fn crash(&mut self, me: ReplicaId, lost: usize) {
        let host = self.hosts.get_mut(&me).unwrap();
        host.core = None;
        host.wake = None;
        // Everything up to the last own vertex or signature was synced before that was sent; later ones may be lost.
        let sent = |record: &Record| {
            matches!(record, Record::Own(_) | Record::Alert(_) | Record::Signed(..) | Record::Listed(_))
        };
        let synced = host.log.iter().rposition(sent).map_or(0, |at| at + 1);
        let keep = host.log.len().saturating_sub(lost).max(synced);
        host.log.truncate(keep);
        self.flight.retain(|_, (_, to, _)| *to != me);
    }

    /// Starts it again from its log; all links are new.
    pub fn restart(&mut self, me: ReplicaId) {
        let (config, secrets) = (self.keys.config(me), self.keys.secrets(me));
        let host = self.hosts.get_mut(&me).unwrap();
        self.starts += 1;
        let entropy = [self.starts as u8; 32];
        let base = host.base.clone();
        host.history = base.as_ref().map_or(Digest::default(), |base| base.certificate.statement.history);
        let from = base.as_ref().map_or(0, |base| base.mark.round);
        let recovered = Consensus::recover(config, secrets, entropy, base, host.log.clone());
        let (core, step) = recovered.expect("its own log");
        let mut before = std::mem::take(&mut host.batches);
        host.core = Some(core);
        let kept = before.partition_point(|batch| batch.round <= from);
        let after = before.split_off(kept);
        assert!(step.batches.len() <= after.len(), "seed {}: {me:?} redelivers more than it had", self.seed);
        assert_eq!(
            step.batches[..],
            after[..step.batches.len()],
            "seed {}: {me:?} redelivers otherwise",
            self.seed
        );
        host.batches = before;
        self.apply(me, step);
        for peer in self.keys.committee.others(me).collect::<Vec<_>>() {
            self.linked(me, peer);
            self.linked(peer, me);
        }
    }

    /// What a replica's disk holds becomes its stable checkpoint and what follows.
    pub fn store(&mut self, me: ReplicaId) {
        let host = self.hosts.get_mut(&me).unwrap();
        let Some(core) = host.core.as_ref() else { return };
        let Some(certificate) = core.stable().cloned() else { return };
        let Some((mark, _)) = host.marks.get(&certificate.statement.round) else { return };
        let line = core.status().line;
        host.log = core.records_from(line);
        host.base = Some(Base { certificate, mark: Mark::clone(mark), line });
    }

    /// All disks of a replica are gone; it starts again.
    pub fn wipe(&mut self, me: ReplicaId) {
        self.crash(me, 0);
        let host = self.hosts.get_mut(&me).unwrap();
        (host.log, host.base, host.batches, host.marks) = (Vec::new(), None, Vec::new(), BTreeMap::new());
        self.restart(me);
    }
}

impl Host {
    /// Chains batches into the history; gives what is to be stated of marks.
    fn execute(&mut self, batches: &[Batch]) -> Vec<Statement> {
        let mut statements = Vec::new();
        for batch in batches {
            let mut fields: Vec<&[u8]> = vec![&self.history.0];
            fields.extend(batch.requests.iter().map(|ordered| &*ordered.bytes));
            self.history = digest("test/history", &fields);
            if let Some(mark) = &batch.mark {
                let (round, previous) = (mark.round, mark.previous);
                let statement = Statement { round, previous, state: mark.digest(), history: self.history };
                self.marks.insert(round, (mark.clone(), statement));
                statements.push(statement);
            }
        }
        statements
    }
}

/// Submits `count` requests at random moments to random replicas of `who`, and returns them.
pub fn load(sim: &mut Sim, who: &[ReplicaId], count: usize, gap_ms: u64) -> BTreeSet<Vec<u8>> {
    let mut requests = BTreeSet::new();
    for i in 0..count {
        let me = who[sim.random.below(who.len() as u64) as usize];
        let request = format!("request {i} at {me:?}").into_bytes();
        sim.submit(me, &request);
        requests.insert(request);
        let pause = sim.random.below(gap_ms + 1);
        sim.run(pause);
    }
    requests
}
