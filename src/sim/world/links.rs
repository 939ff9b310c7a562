//! The links between machines: what is under way, what is put off, and what comes again.
use super::super::actor::Actor;
use super::super::schedulers::{HOLD_MS, Parcel, Way};
use super::super::witness::News;
use super::{Event, World};
use crate::protocol::To;
use crate::quorum::ReplicaId;
use crate::replica::Input;
use std::collections::VecDeque;
use std::sync::Arc;

/// Messages of a link, the last that arrived and those under way, that may come again after a restart of their receiver.
const UNACKNOWLEDGED: usize = 16;
/// Milliseconds until both ends of a link know that it is new, at most.
const LINKED_MS: u64 = 50;

/// One direction between two machines.
#[derive(Default)]
pub(super) struct Pipe {
    under_way: VecDeque<UnderWay>,
    /// Sent to the present or the last incarnation of the receiver, and not acknowledged: the last of them.
    unacknowledged: VecDeque<Arc<[u8]>>,
    /// Counts what makes events about the message at the head void.
    turn: u64,
}

struct UnderWay {
    bytes: Arc<[u8]>,
    sent: u64,
    due: u64,
}

impl Pipe {
    fn lose(&mut self) {
        self.turn += 1;
        self.under_way.clear();
    }
}

impl World<'_> {
    /// Sends a message, or what the adversary makes of it.
    pub(super) fn transmit(&mut self, from: usize, to: ReplicaId, bytes: &[u8]) {
        let sent = self.twist(from, to, bytes);
        for bytes in sent.iter().filter(|sent| *sent != bytes) {
            self.tell(from, News::Sent { to: To::One(to), bytes });
        }
        if !self.actors[from].is_correct() {
            let links = &mut self.checkers.links[self.actors[from].era];
            sent.iter().for_each(|bytes| links.said(bytes));
        }
        self.carry(from, to, &sent);
    }

    /// Puts messages on the links from a machine to those of a replica.
    pub(super) fn carry(&mut self, from: usize, to: ReplicaId, sent: &[Vec<u8>]) {
        for peer in 0..self.actors.len() {
            if self.actors[peer].id != to
                || peer == from
                || !self.speak(from, peer)
                || self.actors[peer].running.is_none()
            {
                continue;
            }
            for bytes in sent {
                self.report.messages += 1;
                if self.silence.is_some_and(|(from, to)| (from..to).contains(&self.now)) {
                    self.report.messages_in_silence += 1;
                }
                self.put(from, peer, Arc::from(bytes.as_slice()));
            }
        }
    }

    /// Puts a message under way.
    fn put(&mut self, from: usize, to: usize, bytes: Arc<[u8]>) {
        let parcel =
            Parcel { now: self.now, from: self.actors[from].id, to: self.actors[to].id, bytes: &bytes };
        let due = self.now + self.scheduler.delay(&mut self.chance, &parcel);
        let pipe = self.pipes.entry((from, to)).or_default();
        let due = pipe.under_way.back().map_or(due, |last| last.due.max(due));
        pipe.under_way.push_back(UnderWay { bytes, sent: self.now, due });
        if pipe.under_way.len() == 1 {
            let turn = pipe.turn;
            self.at(due, Event::Due { from, to, turn });
        }
    }

    /// The message at the head of a link is due: it arrives, or the scheduler puts it off.
    pub(super) fn due(&mut self, from: usize, to: usize, turn: u64) -> Result<(), String> {
        let (sender, receiver) = (self.actors[from].id, self.actors[to].id);
        let busy = self.busy();
        let Some(pipe) = self.pipes.get_mut(&(from, to)).filter(|pipe| pipe.turn == turn) else {
            return Ok(());
        };
        let Some(head) = pipe.under_way.front() else { return Ok(()) };
        if head.due > self.now {
            // Its connection has ended since.
            let due = head.due;
            self.at(due, Event::Due { from, to, turn });
            return Ok(());
        }
        let parcel = Parcel { now: self.now, from: sender, to: receiver, bytes: &head.bytes };
        let wait = self.scheduler.put_off(&parcel, &busy).min((head.sent + HOLD_MS).saturating_sub(self.now));
        if wait > 0 {
            self.at(self.now + wait, Event::Due { from, to, turn });
            self.tell(to, News::PutOff(sender));
            return Ok(());
        }
        let Some(UnderWay { bytes, .. }) = pipe.under_way.pop_front() else { return Ok(()) };
        if pipe.unacknowledged.len() == UNACKNOWLEDGED {
            pipe.unacknowledged.pop_front();
        }
        pipe.unacknowledged.push_back(bytes.clone());
        if let Some(next) = pipe.under_way.front() {
            let due = next.due.max(self.now);
            self.at(due, Event::Due { from, to, turn });
        }
        if self.falls_at(to, &bytes) {
            return Ok(());
        }
        self.overhear(to, sender, &bytes)?;
        self.step(to, Input::Peer { from: sender, bytes: bytes.to_vec() })
    }

    /// The links with something under way.
    fn busy(&self) -> Vec<Way> {
        let busy = self.pipes.iter().filter(|(_, pipe)| !pipe.under_way.is_empty());
        busy.map(|((from, to), _)| (self.actors[*from].id, self.actors[*to].id)).collect()
    }

    /// A machine ended: what is under way to it does not arrive. Some of it comes again to its next incarnation, if
    /// connections are of that kind.
    pub(super) fn lose_to(&mut self, actor: usize) {
        for (_, pipe) in self.pipes.iter_mut().filter(|((_, to), _)| *to == actor) {
            pipe.unacknowledged.extend(pipe.under_way.iter().map(|under_way| under_way.bytes.clone()));
            let over = pipe.unacknowledged.len().saturating_sub(UNACKNOWLEDGED);
            pipe.unacknowledged.drain(..over);
            pipe.lose();
        }
    }

    /// A replica has ended for good: what it was about to say is not said.
    pub(super) fn lose_from(&mut self, actor: usize) {
        for (_, pipe) in self.pipes.iter_mut().filter(|((from, _), _)| *from == actor) {
            pipe.unacknowledged.clear();
            pipe.lose();
        }
    }

    /// A machine begins anew: its former incarnation's messages are gone, and it is linked with all that run.
    pub(super) fn link(&mut self, actor: usize) {
        self.lose_from(actor);
        for peer in 0..self.actors.len() {
            if self.speak(actor, peer) && self.actors[peer].running.is_some() {
                self.linked(actor, peer);
                self.repeat(peer, actor);
            }
        }
    }

    /// Both ends are told that their link is new.
    pub(super) fn linked(&mut self, a: usize, b: usize) {
        for (at, peer) in [(a, b), (b, a)] {
            let (incarnation, peer) = (self.actors[at].incarnation, self.actors[peer].id);
            self.soon(1, LINKED_MS, Event::Linked { at, incarnation, peer });
        }
    }

    /// What was not acknowledged comes again, or the last of it.
    fn repeat(&mut self, from: usize, to: usize) {
        let Some(pipe) = self.pipes.get_mut(&(from, to)) else { return };
        let again = std::mem::take(&mut pipe.unacknowledged);
        if self.scheduler.cuts().is_none() || again.is_empty() {
            return;
        }
        let lost = self.chance.range(0, again.len() as u64) as usize;
        for bytes in again.into_iter().skip(lost) {
            let id = self.actors[from].id;
            self.tell(to, News::Again(id));
            self.put(from, to, bytes);
        }
    }

    /// When a connection ends next, if they do.
    pub(super) fn plan_cut(&mut self) {
        if let Some(between) = self.scheduler.cuts() {
            self.soon(*between.start(), *between.end(), Event::Cut);
        }
    }

    /// Some connection ends. What is under way comes late, over the next one; or a full queue was dropped, on one side or on
    /// both, and the ends are told.
    pub(super) fn cut(&mut self) {
        self.plan_cut();
        let runs = |actor: &Actor| actor.running.is_some();
        let all = (0..self.actors.len()).flat_map(|a| (a + 1..self.actors.len()).map(move |b| (a, b)));
        let linked =
            |(a, b): &(usize, usize)| self.speak(*a, *b) && runs(&self.actors[*a]) && runs(&self.actors[*b]);
        let ends: Vec<(usize, usize)> = all.filter(linked).collect();
        if ends.is_empty() {
            return;
        }
        let (a, b) = self.chance.pick(&ends);
        let away = self.chance.range(20, 1_500);
        let lost = self.chance.range(0, 3);
        for (from, to, loses) in [(a, b, lost & 1 != 0), (b, a, lost & 2 != 0)] {
            let pipe = self.pipes.entry((from, to)).or_default();
            if loses {
                pipe.unacknowledged.clear();
                pipe.lose();
            }
            pipe.under_way.iter_mut().for_each(|under_way| under_way.due += away);
        }
        let peer = self.actors[b].id;
        self.tell(a, News::Cut { peer, lossy: lost > 0 });
        if lost > 0 {
            self.linked(a, b);
        }
    }
}
