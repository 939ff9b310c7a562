use super::*;
use crate::codec::Digest;
use crate::plant::{Plant, Whose, sown};
use std::collections::VecDeque;

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

fn local(me: u8, incarnation: u64) -> Local {
    Local { cluster: ClusterId(Digest([1; 32])), epoch: Epoch(0), me: id(me), incarnation }
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

/// Two ends and what travels between them.
struct World {
    ends: [Link; 2],
    travelling: [VecDeque<Vec<u8>>; 2],
    /// By receiver: messages delivered since its or the other's last new incarnation, and `Linked` events.
    delivered: [Vec<u64>; 2],
    linked: [usize; 2],
    connected: bool,
}

impl World {
    fn new() -> Self {
        Self {
            ends: [Link::new(local(1, 100), id(2)), Link::new(local(2, 200), id(1))],
            travelling: Default::default(),
            delivered: Default::default(),
            linked: [0; 2],
            connected: false,
        }
    }

    fn connect(&mut self) {
        self.travelling = Default::default();
        self.ends.iter_mut().for_each(Link::connected);
        self.connected = true;
    }

    fn cut(&mut self) {
        self.travelling = Default::default();
        self.ends.iter_mut().for_each(Link::disconnected);
        self.connected = false;
    }

    fn send(&mut self, end: usize, number: u64) {
        let event = self.ends[end].send(number.to_le_bytes().into()).unwrap();
        self.linked[end] += usize::from(event.is_some());
    }

    /// One frame written by `end`, if it has one.
    fn write(&mut self, end: usize) -> bool {
        let frame = self.ends[end].next_frame();
        let some = frame.is_some();
        self.travelling[end].extend(frame);
        some
    }

    /// One frame read by `end`, if one travels.
    fn read(&mut self, end: usize) -> bool {
        let Some(frame) = self.travelling[1 - end].pop_front() else { return false };
        for event in self.ends[end].received(&frame).unwrap() {
            match event {
                Event::Linked => self.linked[end] += 1,
                Event::Deliver(bytes) => {
                    self.delivered[end].push(u64::from_le_bytes(bytes.try_into().unwrap()));
                }
            }
        }
        true
    }

    fn settle(&mut self) {
        while self.write(0) | self.write(1) | self.read(0) | self.read(1) {}
    }
}

/// Connections that come and go at random: nothing is lost, nothing comes twice.
fn cut_at_random(seed: u64) {
    let mut chance = Chance(seed);
    let mut world = World::new();
    let mut sent = [0; 2];
    for _ in 0..2000 {
        let end = chance.below(2) as usize;
        match chance.below(40) {
            0 => world.cut(),
            1 | 2 => world.connect(),
            3..=12 => {
                world.send(end, sent[end]);
                sent[end] += 1;
            }
            13..=26 if world.connected => drop(world.write(end)),
            _ if world.connected => drop(world.read(end)),
            _ => {}
        }
    }
    world.connect();
    world.settle();
    for end in 0..2 {
        let all: Vec<u64> = (0..sent[1 - end]).collect();
        assert_eq!(world.delivered[end], all, "seed {seed}, end {end}");
        assert_eq!(world.linked[end], 1, "seed {seed}: one new incarnation, no gap");
        assert_eq!(world.ends[end].waiting(), 0, "seed {seed}: all acknowledged");
    }
}

#[test]
fn whatever_is_cut_nothing_is_lost_or_delivered_twice() {
    (0..400).for_each(cut_at_random);
}

#[test]
fn planted_links_that_drop_at_a_new_connection_are_found() {
    let found = |seed| sown(&[Plant::DropOnReconnect], Whose::All, || cut_at_random(seed)).is_err();
    assert!((0..3).any(found), "not with three seeds");
}

#[test]
fn a_restart_is_told_to_the_other_end_and_the_new_incarnation_is_served_in_order() {
    for seed in 0..200 {
        let mut chance = Chance(seed);
        let mut world = World::new();
        world.connect();
        let mut sent = 0;
        for incarnation in 0..5 {
            for _ in 0..chance.below(60) {
                match chance.below(3) {
                    0 => {
                        world.send(0, sent);
                        sent += 1;
                    }
                    1 => drop(world.write(chance.below(2) as usize)),
                    _ => drop(world.read(chance.below(2) as usize)),
                }
            }
            world.cut();
            let told = world.linked[0];
            world.ends[1] = Link::new(local(2, 1000 + incarnation), id(1));
            world.delivered[1].clear();
            world.connect();
            world.settle();
            assert_eq!(world.linked[0], told + 1, "seed {seed}");
            // From some place on, all: what the former incarnation had is its own affair.
            let expected: Vec<u64> = (sent - world.delivered[1].len() as u64..sent).collect();
            assert_eq!(world.delivered[1], expected, "seed {seed}");
        }
    }
}

#[test]
fn a_full_queue_is_dropped_and_both_ends_are_told_of_the_gap() {
    let mut world = World::new();
    world.connect();
    world.settle();
    assert_eq!(world.linked, [1, 1]);
    world.cut();
    let many = MAX_LINK_QUEUE_FRAMES as u64 + 10;
    (0..many).for_each(|number| world.send(0, number));
    assert!(world.ends[0].waiting() <= MAX_LINK_QUEUE_FRAMES);
    world.connect();
    world.settle();
    assert_eq!(world.linked, [2, 2]);
    assert_eq!(world.delivered[1], (many - 10..many).collect::<Vec<_>>());
}

#[test]
fn a_queue_that_fills_on_a_stuck_connection_is_told_to_both_ends() {
    let mut world = World::new();
    world.connect();
    world.settle();
    let many = MAX_LINK_QUEUE_FRAMES as u64 + 1;
    (0..many).for_each(|number| world.send(0, number));
    assert_eq!(world.linked, [2, 1]);
    world.settle();
    assert_eq!(world.linked, [2, 2]);
    assert_eq!(world.delivered[1], [many - 1]);
}

#[test]
fn a_queue_is_bounded_in_bytes() {
    let mut link = Link::new(local(1, 1), id(2));
    let message: Arc<[u8]> = vec![0; MAX_MESSAGE_BYTES].into();
    for _ in 0..200 {
        link.send(message.clone()).unwrap();
        assert!(link.waiting() * MAX_MESSAGE_BYTES <= MAX_LINK_QUEUE_BYTES);
    }
    assert!(link.send(vec![0; MAX_MESSAGE_BYTES + 1].into()).is_err());
}

#[test]
fn the_greatest_message_makes_the_greatest_frame() {
    let message = vec![7; MAX_MESSAGE_BYTES];
    let frame = Frame::encode_data(3, &message);
    assert_eq!(frame.len(), crate::limits::MAX_FRAME_BYTES);
    assert_eq!(Frame::decode(&frame).unwrap(), Frame::Data(3, message.clone()));
    assert_eq!(Frame::Data(3, message).encode(), frame);
}

fn hello() -> Hello {
    Hello {
        version: VERSION,
        cluster: local(2, 0).cluster,
        epoch: Epoch(0),
        me: id(2),
        incarnation: 5,
        oldest: 1,
        received: None,
    }
}

#[test]
fn a_hello_of_another_version_cluster_epoch_or_sender_is_refused() {
    let refuse = |hello: Hello| {
        let mut link = Link::new(local(1, 1), id(2));
        link.connected();
        let refusal = link.received(&Frame::Hello(hello).encode()).unwrap_err();
        assert!(!link.is_up());
        refusal
    };
    assert_eq!(refuse(Hello { version: 9, ..hello() }), Refusal::Version(9));
    let other = ClusterId(Digest([9; 32]));
    assert_eq!(refuse(Hello { cluster: other, ..hello() }), Refusal::Cluster(other));
    assert_eq!(refuse(Hello { epoch: Epoch(1), ..hello() }), Refusal::Epoch(Epoch(1)));
    assert_eq!(refuse(Hello { me: id(3), ..hello() }), Refusal::Sender(id(3)));
    assert!(matches!(refuse(Hello { oldest: 0, ..hello() }), Refusal::Malformed(_)));
    assert!(matches!(refuse(Hello { oldest: u64::MAX, ..hello() }), Refusal::Malformed(_)));
    assert!(matches!(refuse(Hello { received: Some((1, 7)), ..hello() }), Refusal::Malformed(_)));
}

#[test]
fn frames_out_of_order_or_range_are_refused_and_the_link_stays_good() {
    let mut link = Link::new(local(1, 1), id(2));
    assert!(link.received(&Frame::Ack(1).encode()).is_err(), "no connection");
    link.connected();
    for frame in [Frame::Ack(1), Frame::Data(1, vec![])] {
        assert!(link.received(&frame.encode()).is_err(), "before the hello");
    }
    let hello = Frame::Hello(hello()).encode();
    assert_eq!(link.received(&hello).unwrap(), [Event::Linked]);
    assert!(link.received(&hello).is_err(), "a second hello");
    assert!(link.received(&Frame::Ack(2).encode()).is_err(), "nothing was sent");
    assert!(link.received(&Frame::Data(u64::MAX, vec![]).encode()).is_err());
    let good = Frame::Data(1, b"good".to_vec()).encode();
    assert_eq!(link.received(&good).unwrap(), [Event::Deliver(b"good".to_vec())]);
}

#[test]
fn no_bytes_panic_a_link() {
    for seed in 0..20_000 {
        let mut chance = Chance(seed);
        let mut link = Link::new(local(1, 1), id(2));
        link.connected();
        link.send(Arc::from(*b"message")).unwrap();
        for _ in 0..6 {
            let frame = match chance.below(5) {
                0 => Frame::Hello(Hello {
                    oldest: chance.below(4),
                    received: (chance.below(2) == 0).then(|| (1, chance.below(4))),
                    ..hello()
                }),
                1 => Frame::Ack(chance.below(4)),
                2 => Frame::Data(chance.below(6), vec![]),
                3 => Frame::Ack(u64::MAX),
                _ => Frame::Data(u64::MAX / 2, vec![]),
            };
            let mut bytes = frame.encode();
            if chance.below(3) == 0 {
                let at = chance.below(bytes.len() as u64) as usize;
                bytes[at] ^= chance.below(256) as u8;
            }
            let _ = link.received(&bytes);
            let _ = link.next_frame();
            let _ = link.keep_alive();
        }
    }
}
