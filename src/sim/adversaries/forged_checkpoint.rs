//! Votes for false states, and certificates that are none. Several corrupt replicas vote alike, for what they say depends on
//! the round alone, and each puts the others' false votes into its certificates.
use super::{Act, Adversary, ReplicaId, Scene, say};
use crate::codec::{self, digest};
use crate::consensus::{Message, Signature, Statement};
use crate::limits::MAX_FRAME_BYTES;
use crate::replica::PeerMessage;
use std::collections::BTreeMap;

/// True votes that are kept to be misused.
const MEMORY: usize = 32;
/// How far ahead a far round is.
const FAR: u64 = 1_000_000;

/// The forger of checkpoints.
#[derive(Default)]
pub(super) struct ForgedCheckpoint {
    /// What others have signed, by round and signer.
    heard: BTreeMap<(u64, ReplicaId), (Statement, Signature)>,
    turn: u64,
}

impl Adversary for ForgedCheckpoint {
    fn outgoing(&mut self, scene: &mut Scene<'_>, _to: ReplicaId, bytes: &[u8]) -> Vec<Vec<u8>> {
        match vote(bytes) {
            Some((statement, _)) => {
                scene.did("voted for a false state");
                vec![say(scene.forge.vote(falsified(statement)))]
            }
            None => vec![bytes.to_vec()],
        }
    }

    /// A certificate for the same round, at once: before it is certified.
    fn incoming(&mut self, scene: &mut Scene<'_>, from: ReplicaId, bytes: &[u8]) -> Vec<Act> {
        let Some((statement, signature)) = vote(bytes) else { return Vec::new() };
        self.heard.insert((statement.round, from), (statement, signature));
        while self.heard.len() > MEMORY {
            self.heard.pop_first();
        }
        scene.did("certified a false state with the votes of all corrupt replicas");
        self.tell(scene, self.certificate(scene, falsified(statement)))
    }

    fn pace_ms(&self) -> Option<u64> {
        Some(300)
    }

    fn spontaneous(&mut self, scene: &mut Scene<'_>) -> Vec<Act> {
        let Some((_, (statement, signature))) = self.heard.last_key_value() else { return Vec::new() };
        let (statement, signature) = (*statement, *signature);
        self.turn += 1;
        let message = match self.turn % 7 {
            0 => {
                scene.did("voted for a far round");
                scene.forge.vote(Statement { round: FAR + self.turn, ..falsified(statement) })
            }
            1 => {
                scene.did("voted with another's signature");
                let round = statement.round + 1 + self.turn % 5;
                Message::Vote(Statement { round, ..statement }, signature)
            }
            2 => {
                scene.did("certified with another previous checkpoint");
                let wrong = Statement { round: statement.round + 64, previous: statement.round, ..statement };
                self.certificate(scene, wrong)
            }
            3 => {
                scene.did("certified a far round");
                let far = Statement { round: FAR + self.turn, previous: FAR, ..falsified(statement) };
                self.certificate(scene, far)
            }
            4 => {
                scene.did("certified with too few signatures");
                self.certificate(scene, Statement { round: statement.round + 64, ..falsified(statement) })
            }
            5 => {
                scene.did("certified with one signature twice");
                let wrong = Statement { round: statement.round + 64, ..falsified(statement) };
                let Some((_, own)) = own(scene, wrong) else { return Vec::new() };
                let twice = vec![(scene.forge.me(), own); scene.forge.committee().one_correct()];
                Message::Certified(scene.forge.certificate(wrong, twice))
            }
            _ => {
                scene.did("certified with others' signatures");
                let wrong = Statement { round: statement.round + 64, ..falsified(statement) };
                let others = scene.forge.committee().members().take(scene.forge.committee().one_correct());
                let stolen = others.map(|other| (other, signature)).collect();
                Message::Certified(scene.forge.certificate(wrong, stolen))
            }
        };
        self.tell(scene, message)
    }
}

impl ForgedCheckpoint {
    fn tell(&self, scene: &Scene<'_>, message: Message) -> Vec<Act> {
        let bytes = say(message);
        scene.others().into_iter().map(|to| Act::Send(to, bytes.clone())).collect()
    }

    /// With all the signatures that corrupt replicas have made for it.
    fn certificate(&self, scene: &Scene<'_>, statement: Statement) -> Message {
        let accomplices = self.heard.iter().filter(|(_, (other, _))| *other == falsified(statement));
        let mut signatures: BTreeMap<ReplicaId, Signature> =
            accomplices.map(|((_, who), (_, signature))| (*who, *signature)).collect();
        signatures.extend(own(scene, statement));
        Message::Certified(scene.forge.certificate(statement, signatures.into_iter().collect()))
    }
}

fn own(scene: &Scene<'_>, statement: Statement) -> Option<(ReplicaId, Signature)> {
    match scene.forge.vote(statement) {
        Message::Vote(_, signature) => Some((scene.forge.me(), signature)),
        _ => None,
    }
}

/// What accomplices say of a round: the same, without a word between them.
fn falsified(statement: Statement) -> Statement {
    let state = digest("conclave/sim/false state", &[&statement.round.to_be_bytes()]);
    Statement { state, ..statement }
}

fn vote(bytes: &[u8]) -> Option<(Statement, Signature)> {
    match codec::decode(bytes, MAX_FRAME_BYTES) {
        Ok(PeerMessage::Consensus(Message::Vote(statement, signature))) => Some((statement, signature)),
        _ => None,
    }
}
