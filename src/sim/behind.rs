//! A replica that is behind, among others that do not help it.
use super::cluster::{Cluster, START};
use super::{Chance, Scenario};
use crate::codec::{self, Digest};
use crate::consensus::{Consensus, Statement};
use crate::limits::MAX_FRAME_BYTES;
use crate::protocol::To;
use crate::quorum::ReplicaId;
use crate::replica::transfer::Message;
use crate::replica::{Effect, Input, Output, Past, PeerMessage, Replica};
use crate::time::UnixMillis;

fn id(index: u8) -> ReplicaId {
    ReplicaId::new(index).unwrap()
}

/// A vote for a checkpoint, as `by` sends it.
fn vote(cluster: &Cluster, by: ReplicaId, round: u64, previous: u64) -> Vec<u8> {
    let config = cluster.config(by, [1; 32], None);
    let mut core = Consensus::new(config.consensus, config.secrets, [1; 32]);
    let statement = Statement { round, previous, state: Digest([3; 32]), history: Digest([4; 32]) };
    let mut step = core.executed(START, statement);
    let (_, vote) = step.send.pop().expect("a vote");
    codec::encode(&PeerMessage::Consensus(vote))
}

fn questions(output: &Output) -> Vec<(ReplicaId, u64)> {
    let sent = output.effects.iter().filter_map(|effect| match effect {
        Effect::Send { to: To::One(peer), bytes } => Some((*peer, codec::decode(bytes, MAX_FRAME_BYTES))),
        _ => None,
    });
    let asked = sent.filter_map(|(peer, message)| match message {
        Ok(PeerMessage::State(Message::AskHead { round, .. })) => Some((peer, round)),
        _ => None,
    });
    asked.collect()
}

#[test]
fn a_silent_replica_and_a_checkpoint_that_is_gone_keep_nobody_from_the_next_one() {
    for silent in [id(1), id(3), id(4)] {
        let cluster = Cluster::deal(&Scenario::new(4, 1), &mut Chance::new(1));
        let config = cluster.config(id(2), [2; 32], None);
        let first = Replica::first_record(&config.consensus);
        let past = Past { records: vec![first], ..Past::default() };
        let (mut replica, _) = Replica::recover(START, config, past).expect("a replica");
        let mut now = START;
        let mut reached = false;
        let mut asked: Vec<(ReplicaId, u64)> = Vec::new();
        for (round, previous) in [(1_000, 900), (1_100, 1_000)] {
            for by in [id(3), id(4)] {
                let bytes = vote(&cluster, by, round, previous);
                asked.extend(questions(&replica.step(now, Input::Peer { from: by, bytes })));
            }
        }
        for _ in 0..120 {
            let questions_now = std::mem::take(&mut asked);
            for (peer, round) in questions_now {
                reached |= round == 1_100;
                if peer != silent {
                    let bytes = codec::encode(&PeerMessage::State(Message::Gone { round }));
                    asked.extend(questions(&replica.step(now, Input::Peer { from: peer, bytes })));
                }
            }
            now = UnixMillis(now.0 + 500);
            asked.extend(questions(&replica.step(now, Input::Tick)));
        }
        assert!(reached, "it asks on for what is gone while {silent:?} is silent");
    }
}
