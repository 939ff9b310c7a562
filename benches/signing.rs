//! What one signature costs under each of the paper's three session protocols, with corrupt signers and without.
//! `cargo bench --bench signing [-- JOBS]`
//!
//! n replicas with k = t+1, the first so many of them corrupt: their shares are of another hash and are there before any other,
//! and their proofs hold for that other hash. The network takes no time, and each replica has a core of its own: time is virtual,
//! but the processor time of each task is measured. So what is told does not depend on what else this machine does: in
//! exponentiations of a share, *time* until the last correct replica has the signature, and *work* of one correct replica.
//! The first job is apart: after it the corrupt are known.

use conclave::codec::{ClusterId, Epoch, JobId};
use conclave::protocol::To;
use conclave::quorum::{Committee, ReplicaId};
use conclave::signing::{Computed, Config, JobSpec, KeyStore, Message, Protocol, Signing, Step};
use conclave::threshold::{Proof, PublicKey, SecretShare, SignatureShare, test_keys};
use std::collections::BTreeMap;
use std::sync::Arc;

/// n and corrupt replicas, as in the paper and beyond.
const CASES: [(u8, u8); 7] = [(1, 0), (4, 0), (4, 1), (7, 0), (7, 1), (7, 2), (13, 4)];
const OTHER_HASH: [u8; 32] = [0xee; 32];

fn main() {
    let jobs = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(8u8);
    for bits in [1024, 2048] {
        let unit = one_exponentiation(bits);
        println!("\n{bits} bits; one exponentiation of a share: {:.2} ms\n", unit / 1e6);
        println!(
            "| n, corrupt | protocol | time: first | later | work: first | later | proofs, verifications, sets: first | later |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        for (n, corrupt) in CASES {
            for protocol in Protocol::ALL {
                let mut site = Site::new(bits, n, corrupt, protocol);
                let first = site.job(0);
                let later: Vec<Cost> = (1..=jobs).map(|number| site.job(number)).collect();
                println!("| {n}, {corrupt} | `{protocol}` | {} |", row(&first, &median(later), unit));
            }
        }
    }
}

/// What one signature took.
#[derive(Clone, Copy)]
struct Cost {
    /// Nanoseconds until the last correct replica had it.
    time: f64,
    /// Processor nanoseconds of one correct replica.
    work: f64,
    /// Proofs made and verified, and sets of k shares combined, by all correct replicas.
    operations: [u64; 3],
}

fn row(first: &Cost, later: &Cost, unit: f64) -> String {
    let [time, work] = [first.time / unit, first.work / unit];
    let [time_later, work_later] = [later.time / unit, later.work / unit];
    let operations = |cost: &Cost| {
        let [proofs, verifications, combinations] = cost.operations;
        format!("{proofs}, {verifications}, {combinations}")
    };
    format!(
        "{time:.1} | {time_later:.1} | {work:.1} | {work_later:.1} | {} | {}",
        operations(first),
        operations(later)
    )
}

/// Each figure's.
fn median(mut costs: Vec<Cost>) -> Cost {
    let middle = costs.len() / 2;
    let mut by = |of: fn(&Cost) -> f64| {
        costs.sort_by(|a, b| of(a).total_cmp(&of(b)));
        costs[middle]
    };
    let (time, work) = (by(|cost| cost.time).time, by(|cost| cost.work));
    Cost { time, ..work }
}

enum Event {
    Message(ReplicaId, ReplicaId, Message),
    Computed(ReplicaId, Computed),
}

struct Node {
    signing: Signing,
    keys: KeyStore,
    /// When its core is free, and for how long it was not, in nanoseconds.
    free_at: f64,
    busy: f64,
    done_at: Option<f64>,
}

struct Site {
    public: Arc<PublicKey>,
    protocol: Protocol,
    committee: Committee,
    nodes: BTreeMap<ReplicaId, Node>,
    corrupt: BTreeMap<ReplicaId, SecretShare>,
    /// By time and order of making.
    events: BTreeMap<(u64, u64), Event>,
    made: u64,
}

impl Site {
    fn new(bits: usize, n: u8, corrupt: u8, protocol: Protocol) -> Self {
        let committee = Committee::new(n).expect("a committee");
        let dealt = test_keys::dealt(bits, 0, committee.n(), committee.one_correct());
        let public = Arc::new(dealt.public);
        let (mut nodes, mut liars) = (BTreeMap::new(), BTreeMap::new());
        for share in dealt.shares {
            let me = share.index();
            if me.get() <= corrupt {
                liars.insert(me, share);
                continue;
            }
            let keys = KeyStore::new();
            assert!(keys.insert(public.clone(), share), "the share fits");
            let config = Config {
                committee,
                me,
                cluster: ClusterId::default(),
                epoch: Epoch(0),
                protocol,
                keys: BTreeMap::from([(public.key_id(), public.clone())]),
            };
            let signing = Signing::new(config);
            nodes.insert(me, Node { signing, keys, free_at: 0.0, busy: 0.0, done_at: None });
        }
        Self { public, protocol, committee, nodes, corrupt: liars, events: BTreeMap::new(), made: 0 }
    }

    /// One signature from its start at all replicas to its end, and until nothing moves any more.
    fn job(&mut self, number: u8) -> Cost {
        let before = self.operations();
        for node in self.nodes.values_mut() {
            (node.free_at, node.busy, node.done_at) = (0.0, 0.0, None);
        }
        let hash = vec![number; 32];
        let key = self.public.key_id();
        let id = JobId::new(ClusterId::default(), Epoch(0), key, &hash);
        let correct: Vec<ReplicaId> = self.nodes.keys().copied().collect();
        for liar in self.corrupt.keys().copied().collect::<Vec<_>>() {
            let (share, proof) = self.lie(liar);
            let message = match self.protocol {
                Protocol::Basic => Message::Proofs(vec![(id, share, proof)]),
                _ => Message::Shares(vec![(id, share)]),
            };
            correct.iter().for_each(|to| self.push(0.0, Event::Message(liar, *to, message.clone())));
        }
        for who in &correct {
            let node = self.nodes.get_mut(who).expect("a correct replica");
            let step = node.signing.start(JobSpec { id, key, hash: hash.clone() });
            self.absorb(0.0, *who, step);
        }
        while let Some(((now, _), event)) = self.events.pop_first() {
            self.happen(now as f64, id, event);
        }
        let all = self.nodes.values();
        let done = all.clone().map(|node| node.done_at.expect("every correct replica finishes"));
        let after = self.operations();
        Cost {
            time: done.fold(0.0, f64::max),
            work: all.map(|node| node.busy).sum::<f64>() / correct.len() as f64,
            operations: [0, 1, 2].map(|at| after[at] - before[at]),
        }
    }

    fn happen(&mut self, now: f64, job: JobId, event: Event) {
        match event {
            Event::Message(from, to, message) => {
                if let Some(node) = self.nodes.get_mut(&to) {
                    let step = node.signing.message(from, message);
                    self.absorb(now, to, step);
                } else if matches!(message, Message::AskProofs(_)) {
                    let (share, proof) = self.lie(to);
                    self.push(now, Event::Message(to, from, Message::Proofs(vec![(job, share, proof)])));
                }
            }
            Event::Computed(at, computed) => {
                let node = self.nodes.get_mut(&at).expect("a correct replica");
                let step = node.signing.computed(computed);
                self.absorb(now, at, step);
            }
        }
    }

    fn absorb(&mut self, now: f64, at: ReplicaId, step: Step) {
        let node = self.nodes.get_mut(&at).expect("a correct replica");
        if !step.finished.is_empty() {
            node.done_at = Some(now);
        }
        let mut computed = Vec::new();
        for task in step.tasks {
            let start = processor_time();
            let result = task.run(&node.keys, [1; 32]);
            let took = processor_time() - start;
            node.free_at = node.free_at.max(now) + took;
            node.busy += took;
            computed.push((node.free_at, result));
        }
        for (when, result) in computed {
            self.push(when, Event::Computed(at, result));
        }
        for (to, message) in step.send {
            let to: Vec<ReplicaId> = match to {
                To::One(peer) => vec![peer],
                To::Others => self.committee.others(at).collect(),
            };
            for to in to {
                self.push(now, Event::Message(at, to, message.clone()));
            }
        }
    }

    fn push(&mut self, when: f64, event: Event) {
        self.made += 1;
        self.events.insert((when as u64, self.made), event);
    }

    /// A share of another hash, and a proof that holds there.
    fn lie(&self, liar: ReplicaId) -> (SignatureShare, Proof) {
        let x = self.public.encode(&OTHER_HASH).expect("a SHA-256 hash");
        let secret = &self.corrupt[&liar];
        let share = secret.sign(&self.public, &x);
        let proof = secret.prove(&self.public, Epoch(0), &x, &share, [2; 32]);
        (share, proof)
    }

    fn operations(&self) -> [u64; 3] {
        let efforts = self.nodes.values().map(|node| node.signing.effort());
        efforts.fold([0; 3], |[proofs, verifications, combinations], effort| {
            [proofs + effort.proofs, verifications + effort.verifications, combinations + effort.combinations]
        })
    }
}

/// The median, in nanoseconds of processor time.
fn one_exponentiation(bits: usize) -> f64 {
    let dealt = test_keys::dealt(bits, 0, 4, 2);
    let x = dealt.public.encode(&[7; 32]).expect("a SHA-256 hash");
    let mut times: Vec<f64> = (0..31)
        .map(|_| {
            let start = processor_time();
            std::hint::black_box(dealt.shares[0].sign(&dealt.public, &x));
            processor_time() - start
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// This thread's processor time in nanoseconds.
fn processor_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec of this frame.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0, "the thread's clock");
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
