//! The network of the tests: messages and tasks in a bag, drawn at random; some stay in it for seconds.

use super::*;
use crate::signing::task::Done;
use crate::threshold::{SecretShare, SignatureShare};

/// What a corrupt replica sends instead of its shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Attack {
    /// Nothing at all.
    Silent,
    /// Random octets of the right length.
    Random,
    /// Shares of another hash, well formed, with proofs that are right there.
    WrongBase,
    /// Its right share of another job, and the proof of that.
    Replayed,
    /// Another replica's right share of this job, and its proof.
    OthersShare,
    /// 0, or a number above N.
    Zero,
    /// Wrong bare shares, and right ones with proofs.
    Liar,
    /// Right shares, and proofs that do not hold.
    Unproved,
    /// Right shares for every other replica, wrong ones for the rest.
    Split,
    /// Right shares, said to be finished signatures.
    FalseClaim,
}

enum Event {
    Message(ReplicaId, ReplicaId, Message),
    Task(ReplicaId, Task),
}

struct Node {
    signing: Signing,
    keys: KeyStore,
    attack: Option<Attack>,
}

pub(super) struct Network {
    nodes: Vec<Node>,
    /// With the tick before which it does not happen.
    events: Vec<(u64, Event)>,
    tick: u64,
    jobs: Vec<JobSpec>,
    finished: BTreeMap<(ReplicaId, JobId), Vec<u8>>,
    pub(super) faults: Vec<(ReplicaId, Fault)>,
    /// Deliver what corrupt replicas send before all else.
    pub(super) corrupt_first: bool,
    /// Every task is done before the next message arrives.
    pub(super) tasks_first: bool,
    /// Some events take seconds.
    pub(super) delays: bool,
    /// Whose exponentiations are wrong.
    pub(super) miscalculates: Option<ReplicaId>,
    /// Messages sent, by kind, one for each receiver.
    pub(super) sent: BTreeMap<&'static str, usize>,
    public: Arc<PublicKey>,
    /// All shares once more, for what the corrupt make up, and what they have made up.
    pool: Vec<SecretShare>,
    made_up: BTreeMap<(ReplicaId, JobId), (SignatureShare, Proof)>,
    protocol: Protocol,
    seed: u64,
    draws: u64,
}

impl Network {
    pub(super) fn new(
        protocol: Protocol,
        n: u8,
        k: usize,
        faulty: &[(ReplicaId, Attack)],
        seed: u64,
    ) -> Self {
        let n = usize::from(n);
        let dealt = test_keys::dealt(1024, 0, n, k);
        let public = Arc::new(dealt.public);
        let pool = dealt.shares.iter().map(|share| SecretShare::from_bytes(&share.to_bytes()).unwrap());
        let pool = pool.collect();
        let nodes = dealt.shares.into_iter().map(|share| {
            let me = share.index();
            let keys = KeyStore::new();
            assert!(keys.insert(public.clone(), share));
            let attack = faulty.iter().find(|(who, _)| *who == me).map(|(_, attack)| *attack);
            Node { signing: Signing::new(config(&public, me, protocol)), keys, attack }
        });
        Self {
            nodes: nodes.collect(),
            events: Vec::new(),
            tick: 0,
            jobs: Vec::new(),
            finished: BTreeMap::new(),
            faults: Vec::new(),
            corrupt_first: false,
            tasks_first: false,
            delays: false,
            miscalculates: None,
            sent: BTreeMap::new(),
            public,
            pool,
            made_up: BTreeMap::new(),
            protocol,
            seed,
            draws: 0,
        }
    }

    fn draw(&mut self) -> [u8; 32] {
        self.draws += 1;
        digest("draw", &[&self.seed.to_be_bytes(), &self.draws.to_be_bytes()]).0
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        let draw = u64::from_be_bytes(self.draw()[..8].try_into().unwrap());
        usize::try_from(draw % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(super) fn replica(&mut self, who: ReplicaId) -> &mut Signing {
        &mut self.nodes[who.slot()].signing
    }

    pub(super) fn keys_mut(&mut self, who: ReplicaId) -> &mut KeyStore {
        &mut self.nodes[who.slot()].keys
    }

    pub(super) fn keys(&self, who: ReplicaId) -> &KeyStore {
        &self.nodes[who.slot()].keys
    }

    /// The replicas that do as they should.
    pub(super) fn correct(&self) -> impl Iterator<Item = &Signing> {
        self.nodes.iter().filter(|node| node.attack.is_none()).map(|node| &node.signing)
    }

    /// From now on.
    pub(super) fn attacks(&mut self, who: ReplicaId, attack: Option<Attack>) {
        self.nodes[who.slot()].attack = attack;
    }

    /// The jobs from now on; what is made up and finished stays.
    pub(super) fn jobs(&mut self, numbers: std::ops::Range<usize>) -> Vec<JobSpec> {
        self.jobs = numbers.map(|number| job(&self.public, number)).collect();
        self.jobs.clone()
    }

    pub(super) fn start_everywhere(&mut self, numbers: std::ops::Range<usize>) {
        let jobs = self.jobs(numbers);
        let everybody: Vec<_> = self.nodes.iter().map(|node| node.signing.config.me).collect();
        self.start_at(&everybody, &jobs);
    }

    /// All start these jobs before anything else happens.
    pub(super) fn start_together(&mut self, numbers: std::ops::Range<usize>) {
        let jobs = self.jobs(numbers);
        for slot in 0..self.nodes.len() {
            let step = self.nodes[slot].signing.start_all(jobs.clone());
            self.absorb(id(u8::try_from(slot + 1).unwrap()), step);
        }
    }

    /// Each replica starts the jobs in two parts, at a random moment.
    pub(super) fn start_at(&mut self, whom: &[ReplicaId], jobs: &[JobSpec]) {
        let mut starts: Vec<_> = jobs
            .chunks(jobs.len().div_ceil(2))
            .flat_map(|part| whom.iter().map(move |who| (*who, part)))
            .collect();
        while !starts.is_empty() {
            let (who, part) = starts.swap_remove(self.below(starts.len()));
            let step = self.replica(who).start_all(part.to_vec());
            self.absorb(who, step);
            for _ in 0..self.below(20) {
                self.one_event();
            }
        }
    }

    /// A replica loses its memory and everything under way to it.
    pub(super) fn restart(&mut self, who: ReplicaId) {
        self.nodes[who.slot()].signing = Signing::new(config(&self.public, who, self.protocol));
        self.events.retain(|(_, event)| match event {
            Event::Message(_, to, _) => *to != who,
            Event::Task(at, _) => *at != who,
        });
        self.finished.retain(|(at, _), _| *at != who);
    }

    /// All links of `who` come up.
    pub(super) fn link(&mut self, who: ReplicaId) {
        for other in self.nodes[0].signing.config.committee.others(who) {
            for (at, peer) in [(who, other), (other, who)] {
                let step = self.replica(at).linked(peer);
                self.absorb(at, step);
            }
        }
    }

    pub(super) fn absorb(&mut self, at: ReplicaId, step: Step) {
        for task in step.tasks {
            self.events.push((0, Event::Task(at, task)));
        }
        self.faults.extend(step.faults.into_iter().map(|fault| (at, fault)));
        for (job, signature) in step.finished {
            let twice = self.finished.insert((at, job), signature);
            assert!(twice.is_none(), "{at} finished a job twice, {}", self.told());
        }
        for (to, message) in step.send {
            let to: Vec<ReplicaId> = match to {
                To::One(peer) => vec![peer],
                To::Others => self.nodes[0].signing.config.committee.others(at).collect(),
            };
            for to in to {
                let Some(message) = self.corrupt(at, to, message.clone()) else { continue };
                *self.sent.entry(kind(&message)).or_default() += 1;
                let late = self.delays && self.below(4) == 0;
                let delay = if late { self.below(4) } else { 0 };
                self.events.push((self.tick + delay as u64, Event::Message(at, to, message)));
            }
        }
    }

    /// What a replica's message becomes under its attack.
    fn corrupt(&mut self, at: ReplicaId, to: ReplicaId, message: Message) -> Option<Message> {
        let Some(attack) = self.nodes[at.slot()].attack else { return Some(message) };
        let right = attack == Attack::Split && to.slot().is_multiple_of(2);
        match (attack, message) {
            (Attack::Silent, _) => None,
            (_, Message::Finished(_)) => None,
            (_, message @ (Message::Ask(_) | Message::AskProofs(_))) => Some(message),
            (_, message) if right => Some(message),
            (Attack::Unproved, message @ Message::Shares(_)) => Some(message),
            (Attack::Liar, message @ Message::Proofs(_)) => Some(message),
            (Attack::FalseClaim, Message::Shares(shares)) => {
                Some(Message::Finished(shares.into_iter().map(|(job, share)| (job, share.0)).collect()))
            }
            (Attack::FalseClaim, Message::Proofs(proofs)) => {
                Some(Message::Finished(proofs.into_iter().map(|(job, share, _)| (job, share.0)).collect()))
            }
            (_, Message::Shares(shares)) => {
                let wrong = |(job, share)| (job, self.wrong(at, attack, job, share, None).0);
                Some(Message::Shares(shares.into_iter().map(wrong).collect()))
            }
            (_, Message::Proofs(proofs)) => {
                let wrong = |(job, share, proof)| {
                    let (share, proof) = self.wrong(at, attack, job, share, Some(proof));
                    (job, share, proof)
                };
                Some(Message::Proofs(proofs.into_iter().map(wrong).collect()))
            }
        }
    }

    /// What stands in the place of a right share and its proof; the same for all.
    fn wrong(
        &mut self,
        at: ReplicaId,
        attack: Attack,
        job: JobId,
        share: SignatureShare,
        proof: Option<Proof>,
    ) -> (SignatureShare, Proof) {
        if let Some(made_up) = self.made_up.get(&(at, job)) {
            return made_up.clone();
        }
        let none = Proof { c: [7; 32], z: vec![0; share.0.len() + 65] };
        let place = self.jobs.iter().position(|spec| spec.id == job).unwrap();
        let (own, this) = (at.slot(), self.jobs[place].hash.clone());
        let another = Sha256::digest(b"another").to_vec();
        let replayed = match self.jobs.len() {
            1 => another.clone(),
            count => self.jobs[(place + 1) % count].hash.clone(),
        };
        let made_up = match attack {
            Attack::Replayed => self.proven_share(own, &replayed),
            Attack::OthersShare => self.proven_share((own + 1) % self.nodes.len(), &this),
            Attack::Zero if place % 2 == 0 => (SignatureShare(vec![0; share.0.len()]), none),
            Attack::Zero => (SignatureShare(vec![0xff; share.0.len()]), none),
            Attack::Random => {
                let mut octets: Vec<u8> = (0..4).flat_map(|_| self.draw()).collect();
                octets[0] = 0;
                (SignatureShare(octets), proof.unwrap_or(none))
            }
            Attack::Unproved => {
                let mut proof = proof.unwrap_or(none);
                proof.z[40] ^= 1;
                (share, proof)
            }
            _ => self.proven_share(own, &another),
        };
        self.made_up.insert((at, job), made_up.clone());
        made_up
    }

    fn proven_share(&self, slot: usize, hash: &[u8]) -> (SignatureShare, Proof) {
        let x = self.public.encode(hash).unwrap();
        let share = self.pool[slot].sign(&self.public, &x);
        let proof = self.pool[slot].prove(&self.public, Epoch(0), &x, &share, [3; 32]);
        (share, proof)
    }

    /// Whether there was something to happen now.
    pub(super) fn one_event(&mut self) -> bool {
        let corrupt = |net: &Self, event: &Event| match event {
            Event::Message(from, ..) => net.nodes[from.slot()].attack.is_some(),
            Event::Task(at, _) => net.nodes[at.slot()].attack.is_some(),
        };
        let ripe: Vec<usize> = (0..self.events.len()).filter(|at| self.events[*at].0 <= self.tick).collect();
        let first = ripe.iter().copied().find(|at| {
            let event = &self.events[*at].1;
            (self.corrupt_first && corrupt(self, event))
                || (self.tasks_first && matches!(event, Event::Task(..)))
        });
        let Some(place) = first.or_else(|| (!ripe.is_empty()).then(|| ripe[self.below(ripe.len())])) else {
            return false;
        };
        match self.events.swap_remove(place).1 {
            Event::Message(from, to, message) => {
                let step = self.replica(to).message(from, message);
                self.absorb(to, step);
            }
            Event::Task(at, task) => {
                let entropy = self.draw();
                let mut computed = task.run(&self.nodes[at.slot()].keys, entropy);
                if let Done::Share(made, _) = &mut computed.0
                    && self.miscalculates == Some(at)
                {
                    made.iter_mut().for_each(|made| made.share.0[9] ^= 4);
                }
                let step = self.replica(at).computed(computed);
                self.absorb(at, step);
            }
        }
        true
    }

    /// Until nothing moves any more and a minute of ticks has passed.
    pub(super) fn run(&mut self) {
        for _ in 0..60u64 {
            while self.one_event() {}
            self.tick += 1;
            for slot in 0..self.nodes.len() {
                let step = self.nodes[slot].signing.tick(UnixMillis(1_000_000 + self.tick * 1_000));
                self.absorb(id(u8::try_from(slot + 1).unwrap()), step);
            }
        }
    }

    pub(super) fn signature(&self, job: JobId) -> Vec<u8> {
        self.finished.iter().find(|((_, done), _)| *done == job).unwrap().1.clone()
    }

    /// Every correct replica that started has the valid signature of every job.
    pub(super) fn assert_all_finished(&self) {
        for node in self.nodes.iter().filter(|node| node.attack.is_none()) {
            let me = node.signing.config.me;
            for spec in &self.jobs {
                let signature = self.finished.get(&(me, spec.id));
                let x = self.public.encode(&spec.hash).unwrap();
                let valid = signature.is_some_and(|signature| self.public.verify(&x, signature));
                assert!(valid, "{me} lacks a job: {}", self.told());
            }
            assert_eq!(node.signing.open_jobs(), 0, "{}", self.told());
        }
    }

    /// In faults, and in what is kept of culprits.
    pub(super) fn assert_only_corrupt_are_blamed(&self) {
        let corrupt = |who: ReplicaId| self.nodes[who.slot()].attack.is_some();
        for (by, fault) in &self.faults {
            assert!(corrupt(*by) || corrupt(fault.who), "{by} blames {fault:?}: {}", self.told());
        }
        for signing in self.correct() {
            for who in signing.culprits().keys() {
                assert!(corrupt(*who), "{} caught {who}: {}", signing.config.me, self.told());
            }
        }
    }

    /// What failures print.
    pub(super) fn told(&self) -> String {
        let (n, k) = (self.public.parties(), self.public.threshold());
        let attacks: Vec<_> = self.nodes.iter().filter_map(|node| node.attack).collect();
        format!("{}, n = {n}, k = {k}, {attacks:?}, seed {}", self.protocol, self.seed)
    }
}

fn kind(message: &Message) -> &'static str {
    match message {
        Message::Shares(_) => "shares",
        Message::Ask(_) => "ask",
        Message::AskProofs(_) => "ask for proofs",
        Message::Proofs(_) => "proofs",
        Message::Finished(_) => "finished",
    }
}

fn config(public: &Arc<PublicKey>, me: ReplicaId, protocol: Protocol) -> Config {
    Config {
        committee: Committee::new(u8::try_from(public.parties()).unwrap()).unwrap(),
        me,
        cluster: ClusterId::default(),
        epoch: Epoch(0),
        protocol,
        keys: BTreeMap::from([(public.key_id(), public.clone())]),
    }
}

fn job(public: &PublicKey, number: usize) -> JobSpec {
    let hash = Sha256::digest(number.to_be_bytes()).to_vec();
    let id = JobId::new(ClusterId::default(), Epoch(0), public.key_id(), &hash);
    JobSpec { id, key: public.key_id(), hash }
}
