//! One end of a link, whose other end does anything: no panic, bounded memory, each message delivered once and in order.
//!
//! Each step begins with an octet that says what happens. What the honest other end would send can be interleaved with
//! any octets; then, if there were only honest frames, what arrives is what was sent.

use super::bytes::Bytes;
use conclave::codec::{ClusterId, Digest, Epoch};
use conclave::limits::MAX_FRAME_BYTES;
use conclave::link::{Event, Link, Local};
use conclave::quorum::ReplicaId;
use std::sync::Arc;

/// Steps of one run.
const MAX_STEPS: usize = 512;

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).expect("an index")
}

fn end(me: u8, incarnation: u64) -> Link {
    let local = Local { cluster: ClusterId(Digest([7; 32])), epoch: Epoch(0), me: id(me), incarnation };
    Link::new(local, id(3 - me))
}

struct Pair {
    ours: Link,
    theirs: Link,
    /// On its way to us.
    wire: Vec<Vec<u8>>,
    sent: u64,
    got: u64,
    honest: bool,
}

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut pair =
        Pair { ours: end(1, 1), theirs: end(2, 2), wire: Vec::new(), sent: 0, got: 0, honest: true };
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        pair.step(&mut bytes);
        assert!(pair.ours.waiting() <= MAX_STEPS, "more waits than was sent");
    }
    if pair.honest {
        pair.settle();
        assert_eq!(pair.got, pair.sent, "messages lost without a word");
    }
}

impl Pair {
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        match bytes.u8() % 9 {
            0 => self.connect(),
            1 => self.theirs_to_ours(),
            2 => drop(self.ours_to_theirs()),
            3 => {
                self.sent += 1;
                let message = Arc::from(self.sent.to_le_bytes());
                let _ = self.theirs.send(message).expect("it is short");
            }
            4 => drop(self.ours.send(Arc::from(bytes.counted())).expect("it is short")),
            5 => {
                self.honest = false;
                let frame = bytes.counted();
                self.receive(frame);
            }
            6 => {
                // One octet of what is under way is changed.
                let (at, change) = (usize::from(bytes.u16()), bytes.u8());
                if let Some(frame) = self.wire.first_mut().filter(|frame| !frame.is_empty()) {
                    let at = at % frame.len();
                    frame[at] ^= change;
                    self.honest &= change == 0;
                }
            }
            7 => self.disconnect(),
            _ => drop(self.ours.keep_alive()),
        }
    }

    fn connect(&mut self) {
        self.wire.clear();
        self.ours.connected();
        self.theirs.connected();
    }

    fn disconnect(&mut self) {
        self.wire.clear();
        self.ours.disconnected();
        self.theirs.disconnected();
    }

    fn theirs_to_ours(&mut self) {
        self.wire.extend(self.theirs.next_frame());
        if !self.wire.is_empty() {
            let frame = self.wire.remove(0);
            self.receive(&frame);
        }
    }

    fn ours_to_theirs(&mut self) -> bool {
        let Some(frame) = self.ours.next_frame() else { return false };
        assert!(frame.len() <= MAX_FRAME_BYTES);
        if self.theirs.received(&frame).is_err() {
            assert!(!self.honest, "an honest frame is refused");
            self.disconnect();
        }
        true
    }

    fn receive(&mut self, frame: &[u8]) {
        match self.ours.received(frame) {
            Err(why) => {
                assert!(!self.honest, "an honest frame is refused: {why}");
                self.disconnect();
            }
            Ok(events) => {
                assert!(events.len() <= 2);
                for event in events {
                    if let (Event::Deliver(message), true) = (event, self.honest) {
                        self.got += 1;
                        assert_eq!(message, self.got.to_le_bytes(), "in order, and once");
                    }
                }
            }
        }
    }

    /// A good connection at last.
    fn settle(&mut self) {
        self.connect();
        loop {
            let before = self.got;
            let moved = self.ours_to_theirs();
            self.wire.extend(self.theirs.next_frame());
            let idle = self.wire.is_empty();
            self.theirs_to_ours();
            if idle && !moved && before == self.got {
                return;
            }
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let greeted = [0, 1, 2, 3, 3, 1, 1, 2];
    let cut = [&greeted[..], &[7, 3, 0, 2, 1, 1, 1, 8, 2]].concat();
    let mut theirs = end(2, 2);
    theirs.connected();
    let hello = theirs.next_frame().expect("a hello");
    let forged =
        [&[0, 5], &super::bytes::counted(&hello)[..], &[2, 5], &super::bytes::counted(&[2; 9])].concat();
    let spoilt = [&greeted[..], &[3, 6, 9, 0, 1, 1, 2]].concat();
    vec![greeted.to_vec(), cut, forged, spoilt]
}
