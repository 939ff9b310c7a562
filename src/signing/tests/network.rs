//! The network of the tests: messages and tasks in a bag, drawn at random.

use super::*;
use crate::threshold::SecretShare;

/// What a corrupt replica sends instead of its shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Attack {
    /// Nothing at all.
    Silent,
    /// Random octets of the right length.
    Random,
    /// Well formed shares of another hash.
    WrongBase,
    /// Its right share of another job.
    Replayed,
    /// Another replica's right share of this job.
    OthersShare,
    /// 0, or a number above N.
    Zero,
    /// Wrong bare shares, and right ones when asked for proofs.
    Liar,
    /// Right shares, and false finished signatures.
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
    events: Vec<Event>,
    jobs: Vec<JobSpec>,
    finished: BTreeMap<(ReplicaId, JobId), Vec<u8>>,
    pub(super) faults: Vec<(ReplicaId, Fault)>,
    /// Deliver what corrupt replicas send before all else.
    pub(super) corrupt_first: bool,
    pub(super) proofs_seen: bool,
    public: Arc<PublicKey>,
    /// All shares once more, for what the corrupt make up.
    pool: Vec<SecretShare>,
    n: usize,
    k: usize,
    seed: u64,
    draws: u64,
}

impl Network {
    pub(super) fn new(n: u8, k: usize, faulty: &[(ReplicaId, Attack)], seed: u64) -> Self {
        let n = usize::from(n);
        let dealt = test_keys::dealt(1024, 0, n, k);
        let public = Arc::new(dealt.public);
        let nodes = dealt.shares.into_iter().map(|share| {
            let me = share.index();
            let mut keys = KeyStore::new();
            assert!(keys.insert(public.clone(), share));
            let attack = faulty.iter().find(|(who, _)| *who == me).map(|(_, attack)| *attack);
            Node { signing: Signing::new(config(&public, me)), keys, attack }
        });
        Self {
            nodes: nodes.collect(),
            events: Vec::new(),
            jobs: Vec::new(),
            finished: BTreeMap::new(),
            faults: Vec::new(),
            corrupt_first: false,
            proofs_seen: false,
            public,
            pool: test_keys::dealt(1024, 0, n, k).shares,
            n,
            k,
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

    pub(super) fn jobs(&mut self, count: usize) -> Vec<JobSpec> {
        self.jobs = (0..count).map(|number| job(&self.public, number)).collect();
        self.jobs.clone()
    }

    pub(super) fn start_everywhere(&mut self, count: usize) {
        let jobs = self.jobs(count);
        let everybody: Vec<_> = self.nodes.iter().map(|node| node.signing.config.me).collect();
        self.start_at(&everybody, &jobs);
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
        self.nodes[who.slot()].signing = Signing::new(config(&self.public, who));
        self.events.retain(|event| match event {
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
        self.events.extend(step.tasks.into_iter().map(|task| Event::Task(at, task)));
        self.faults.extend(step.faults.into_iter().map(|fault| (at, fault)));
        for (job, signature) in step.finished {
            let twice = self.finished.insert((at, job), signature);
            assert!(twice.is_none(), "{at} finished a job twice, seed {}", self.seed);
        }
        for (to, message) in step.send {
            let Some(message) = self.corrupt(at, message) else { continue };
            let to: Vec<_> = match to {
                To::One(peer) => vec![peer],
                To::Others => self.nodes[0].signing.config.committee.others(at).collect(),
            };
            self.events.extend(to.into_iter().map(|to| Event::Message(at, to, message.clone())));
        }
    }

    /// What a replica's message becomes under its attack.
    fn corrupt(&mut self, at: ReplicaId, message: Message) -> Option<Message> {
        self.proofs_seen |= matches!(message, Message::Proofs(_));
        let Some(attack) = self.nodes[at.slot()].attack else { return Some(message) };
        match (attack, message) {
            (Attack::Silent, _) => None,
            (Attack::FalseClaim, Message::Shares(shares)) => {
                let claims = shares.into_iter().map(|(job, share)| (job, share.0)).collect();
                Some(Message::Finished(claims))
            }
            (Attack::Liar, Message::Proofs(proofs)) => Some(Message::Proofs(proofs)),
            (_, Message::Finished(_)) => None,
            (_, Message::Shares(shares)) => {
                let wrong =
                    |(job, share): (JobId, SignatureShare)| (job, self.wrong_share(at, attack, job, share));
                Some(Message::Shares(shares.into_iter().map(wrong).collect()))
            }
            (_, Message::Proofs(proofs)) => {
                let wrong = |(job, share, proof): (JobId, SignatureShare, Proof)| {
                    (job, self.wrong_share(at, attack, job, share), proof)
                };
                Some(Message::Proofs(proofs.into_iter().map(wrong).collect()))
            }
            (_, question) => Some(question),
        }
    }

    fn wrong_share(
        &mut self,
        at: ReplicaId,
        attack: Attack,
        job: JobId,
        right: SignatureShare,
    ) -> SignatureShare {
        let place = self.jobs.iter().position(|spec| spec.id == job).unwrap();
        let share_of = |net: &Self, who: usize, hash: &[u8]| {
            net.pool[who].sign(&net.public, &net.public.encode(hash).unwrap())
        };
        match attack {
            Attack::WrongBase => share_of(self, at.slot(), &Sha256::digest(b"another")),
            Attack::Replayed if self.jobs.len() > 1 => {
                let other = self.jobs[(place + 1) % self.jobs.len()].hash.clone();
                share_of(self, at.slot(), &other)
            }
            Attack::OthersShare => {
                let hash = self.jobs[place].hash.clone();
                share_of(self, (at.slot() + 1) % self.nodes.len(), &hash)
            }
            Attack::Zero if place % 2 == 0 => SignatureShare(vec![0; right.0.len()]),
            Attack::Zero => SignatureShare(vec![0xff; right.0.len()]),
            _ => {
                let mut octets: Vec<u8> = (0..4).flat_map(|_| self.draw()).collect();
                octets[0] = 0;
                SignatureShare(octets)
            }
        }
    }

    pub(super) fn one_event(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let corrupt = |net: &Self, event: &Event| match event {
            Event::Message(from, ..) => net.nodes[from.slot()].attack.is_some(),
            Event::Task(at, _) => net.nodes[at.slot()].attack.is_some(),
        };
        let first = self.corrupt_first.then(|| self.events.iter().position(|e| corrupt(self, e))).flatten();
        let place = first.unwrap_or_else(|| self.below(self.events.len()));
        match self.events.swap_remove(place) {
            Event::Message(from, to, message) => {
                let step = self.replica(to).message(from, message);
                self.absorb(to, step);
            }
            Event::Task(at, task) => {
                let entropy = self.draw();
                let computed = task.run(&self.nodes[at.slot()].keys, entropy);
                let step = self.replica(at).computed(computed);
                self.absorb(at, step);
            }
        }
    }

    /// Until nothing moves any more and a minute of ticks has passed.
    pub(super) fn run(&mut self) {
        for tick in 0..60u64 {
            while !self.events.is_empty() {
                self.one_event();
            }
            for slot in 0..self.nodes.len() {
                let step = self.nodes[slot].signing.tick(UnixMillis(1_000_000 + tick * 1_000));
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
                let (n, k, seed) = (self.n, self.k, self.seed);
                assert!(valid, "{me} lacks a job: n = {n}, k = {k}, {:?}, seed {seed}", self.attacks());
            }
            assert_eq!(node.signing.open_jobs(), 0);
        }
    }

    pub(super) fn assert_only_corrupt_are_blamed(&self) {
        for (by, fault) in &self.faults {
            let corrupt = |who: ReplicaId| self.nodes[who.slot()].attack.is_some();
            assert!(corrupt(*by) || corrupt(fault.who), "{by} blames {fault:?}, seed {}", self.seed);
        }
    }

    fn attacks(&self) -> Vec<Attack> {
        self.nodes.iter().filter_map(|node| node.attack).collect()
    }
}

fn config(public: &Arc<PublicKey>, me: ReplicaId) -> Config {
    Config {
        committee: Committee::new(u8::try_from(public.parties()).unwrap()).unwrap(),
        me,
        cluster: ClusterId::default(),
        epoch: Epoch(0),
        keys: BTreeMap::from([(public.key_id(), public.clone())]),
    }
}

fn job(public: &PublicKey, number: usize) -> JobSpec {
    let hash = Sha256::digest(number.to_be_bytes()).to_vec();
    let id = JobId::new(ClusterId::default(), Epoch(0), public.key_id(), &hash);
    JobSpec { id, key: public.key_id(), hash }
}
