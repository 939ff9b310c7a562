//! Two corrupt replicas of seven that help one another: r1 signs ever more vertices of each slot, and r2, which looks like
//! a correct replica, links them.

use super::super::coin::Toss;
use super::super::vertex::{Body, Domain, Vertex, VertexRef};
use super::sim::*;
use crate::codec::Digest;
use crate::consensus::alert::{Alert, Listed, Subject};
use crate::consensus::{Message, Record, Signature};
use crate::limits::most_vertices;
use crate::plant::{Plant, Whose, sown};
use crate::protocol::Misbehaviour;
use crate::quorum::ReplicaId;
use crate::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};

/// Rounds below its own of which a vertex of r2 links one more of r1's each.
const REACH: u64 = 16;
/// The round after which r2 lists some of r1's vertices, and others, in two alerts.
const TESTIFIES: u64 = 10;

/// r1 and r2.
struct Pair {
    domain: Domain,
    correct: Vec<ReplicaId>,
    /// The correct replicas' vertices, by round.
    rounds: BTreeMap<u64, BTreeMap<ReplicaId, VertexRef>>,
    made: BTreeMap<VertexRef, Vertex>,
    done: u64,
    alert: Option<(Alert, BTreeMap<ReplicaId, Signature>)>,
    /// What each correct replica is told five rounds later.
    second: Vec<(ReplicaId, Alert)>,
}

impl Pair {
    fn vertex(
        &mut self,
        sim: &mut Sim,
        author: usize,
        round: u64,
        weak: Vec<VertexRef>,
    ) -> Option<(VertexRef, Vertex)> {
        let below = self.rounds.get(&(round - 1)).filter(|below| below.len() == self.correct.len());
        let parents = if round == 1 {
            self.correct.iter().map(|who| (*who, self.domain.genesis(*who).digest)).collect()
        } else {
            below?.values().map(|id| (id.author, id.digest)).collect()
        };
        let secrets = sim.keys.secrets(id(author));
        let share = |tossed| Toss::new(&self.domain, tossed).share(id(author), &secrets.coin, &[0; 32]);
        let body = Body {
            epoch: self.domain.epoch,
            author: id(author),
            round,
            prev: None,
            parents,
            weak,
            time: UnixMillis(sim.now + sim.random.below(1_000_000)),
            payload: vec![],
            coin_share: (round >= 5).then(|| share(round - 4)),
        };
        assert_eq!(body.check(sim.keys.committee, &self.domain), Ok(()));
        let vertex = Vertex::sign(body, &self.domain, &secrets.identity);
        let id = vertex.id(&self.domain);
        self.made.insert(id, vertex.clone());
        Some((id, vertex))
    }

    /// r1 shows each correct replica a vertex of its own of the first rounds.
    fn show(&mut self, sim: &mut Sim, round: u64) {
        for to in self.correct.clone() {
            if let Some((_, vertex)) = self.vertex(sim, 1, round, vec![]) {
                sim.send(id(1), to, Message::Vertex(vertex));
            }
        }
    }

    /// r2 makes its vertex of a round, which links one more of r1's of each of many rounds below.
    fn link(&mut self, sim: &mut Sim, round: u64) {
        let slots = round.saturating_sub(REACH).max(1)..round;
        let mut weak: Vec<VertexRef> =
            slots.filter_map(|slot| self.vertex(sim, 1, slot, vec![])).map(|(id, _)| id).collect();
        weak.sort_unstable();
        let Some((_, vertex)) = self.vertex(sim, 2, round, weak) else { return };
        for to in self.correct.clone() {
            sim.send(id(2), to, Message::Vertex(vertex.clone()));
        }
    }

    /// r2 tells some of one vertex of each of r1's slots, and the others of another.
    fn testify(&mut self, sim: &mut Sim) {
        let subject = Subject { by: id(2), resumed: false, accused: id(1) };
        let of = |slots: &mut dyn Iterator<Item = &VertexRef>| {
            let slots: BTreeMap<u64, Digest> =
                slots.filter(|v| v.author == id(1)).map(|v| (v.round, v.digest)).collect();
            Alert { subject, accepted: slots.into_iter().collect() }
        };
        let (one, other) = (of(&mut self.made.keys()), of(&mut self.made.keys().rev()));
        assert_ne!(one, other);
        for (at, to) in self.correct.clone().into_iter().enumerate() {
            let (first, second) = if at < 3 { (&one, &other) } else { (&other, &one) };
            sim.send(id(2), to, Message::Alert(first.clone()));
            self.second.push((to, second.clone()));
        }
        let digest = one.digest(&self.domain);
        let own = [1, 2].map(|who| (id(who), sim.keys.secrets(id(who)).identity.sign(&digest)));
        self.alert = Some((one, BTreeMap::from(own)));
    }

    fn hear(&mut self, sim: &mut Sim, from: ReplicaId, to: ReplicaId, message: Message) {
        match message {
            Message::Vertex(vertex) => {
                let name = vertex.id(&self.domain);
                self.rounds.entry(name.round).or_default().insert(name.author, name);
            }
            Message::Fetch(ids) => {
                let held = ids.iter().filter_map(|id| self.made.get(id)).cloned().collect();
                sim.send(to, from, Message::Vertices(held));
            }
            Message::Signed(digest, signature) => {
                let Some((alert, signatures)) = &mut self.alert else { return };
                if digest == alert.digest(&self.domain) {
                    signatures.insert(from, signature);
                }
                if signatures.len() == 5 {
                    let signatures = signatures.clone().into_iter().collect();
                    let listed = Listed { alert: alert.clone(), signatures };
                    sim.send(id(2), id(3), Message::Listed(listed));
                }
            }
            _ => {}
        }
        while self.rounds.get(&(self.done + 1)).is_some_and(|all| all.len() == self.correct.len()) {
            self.done += 1;
            self.link(sim, self.done + 1);
            if self.done == TESTIFIES {
                self.testify(sim);
            }
            if self.done == TESTIFIES + 5 {
                for (to, alert) in std::mem::take(&mut self.second) {
                    sim.send(id(2), to, Message::Alert(alert));
                }
            }
        }
    }
}

/// What the correct ones hold in the end of r1's: the most of a slot, and of all slots.
fn run(seed: u64) -> (usize, usize, Sim) {
    let mut sim = Sim::new(7, seed, Net::Random(20));
    let config = sim.keys.config(id(1));
    let domain = Domain { cluster: config.cluster, epoch: config.epoch };
    let correct: Vec<ReplicaId> = (3..=7).map(id).collect();
    for corrupt in [1, 2] {
        sim.hosts.remove(&id(corrupt));
    }
    let (rounds, made) = (BTreeMap::new(), BTreeMap::new());
    let mut pair =
        Pair { domain, correct: correct.clone(), rounds, made, done: 0, alert: None, second: vec![] };
    pair.show(&mut sim, 1);
    let mut requests = BTreeSet::new();
    for i in 0..60 {
        let request = format!("request {i}").into_bytes();
        let me = correct[sim.random.below(5) as usize];
        sim.submit(me, &request);
        requests.insert(request);
        play(&mut sim, &mut pair, 40);
        if i % 20 == 19 && seed % 2 == 1 {
            correct.iter().for_each(|me| sim.crash(*me, 3));
            correct.iter().for_each(|me| sim.restart(*me));
        }
    }
    for request in &requests {
        sim.submit(correct[0], request);
    }
    play(&mut sim, &mut pair, 60_000);
    sim.check_prefixes();
    sim.check_delivered(correct.into_iter(), &requests, false);
    let (mut most, mut all) = (0, 0);
    for host in sim.hosts.values() {
        let mut slots: BTreeMap<u64, usize> = BTreeMap::new();
        let core = host.core.as_ref().unwrap();
        core.dag.of(id(1)).for_each(|vertex| *slots.entry(vertex.round).or_default() += 1);
        most = most.max(slots.values().copied().max().unwrap_or(0));
        all = all.max(slots.values().sum());
    }
    (most, all, sim)
}

fn play(sim: &mut Sim, pair: &mut Pair, millis: u64) {
    let until = sim.now + millis;
    while sim.step(until) {
        while let Some((from, to, message)) = sim.adversary_inbox.pop_front() {
            pair.hear(sim, from, to, message);
        }
    }
}

#[test]
fn corrupt_replicas_that_link_each_others_twins_make_nobody_accept_more_than_two_n_of_a_slot() {
    for seed in 0..6 {
        let (most, all, sim) = run(seed);
        let top = sim.statuses().iter().map(|status| status.round).max().unwrap();
        println!("seed {seed}: {top} rounds, at most {most} of a slot of r1, {all} in all");
        assert!(top > 3 * TESTIFIES, "seed {seed}: {top} rounds");
        assert!(
            (2..=6).contains(&most),
            "seed {seed}: what five replicas and one alert of r2 list, not {most}"
        );
        for status in sim.statuses() {
            assert!(
                status.accepted <= most_vertices(7, 2) * status.round as usize,
                "seed {seed}: {status:?}"
            );
            assert_eq!(status.excluded, vec![id(1)], "seed {seed}");
        }
        let second = (id(6), id(2), Misbehaviour::Flood);
        assert!(sim.faults.contains(&second), "seed {seed}: a second alert is refused");
        let listed =
            |record: &Record| matches!(record, Record::Listed(listed) if listed.alert.subject.by == id(2));
        for (me, host) in &sim.hosts {
            assert!(host.log.iter().any(listed), "seed {seed}: {me:?} lacks what r3 goes by");
        }
    }
}

/// The rule before: whatever an unproven author's vertex needs is accepted.
#[test]
fn without_alerts_the_twins_grow_with_each_vertex_that_links_them() {
    let Ok((most, all, sim)) = sown(&[Plant::UnlistedAccepted], Whose::All, || run(0)) else {
        panic!("it breaks nothing else")
    };
    let top = sim.statuses().iter().map(|status| status.round).max().unwrap();
    println!("{top} rounds, {most} of a slot of r1, {all} in all");
    assert!(most >= REACH as usize, "{most} of a slot");
}
