//! A replica that alters, invents and repeats clients' requests, in vertices that are valid: what no ingress would take
//! comes to execution, which alone must refuse it.
use super::{Act, Adversary, Chance, ReplicaId, Scene};
use crate::codec;
use crate::dns::message::{Header, Question, Section, Writer};
use crate::dns::{Class, Name, Opcode, Rdata, RrType};
use crate::limits::MAX_REQUEST_BYTES;
use crate::sim::cluster::{START, origin};
use crate::sim::sig0::Signer;
use crate::zone::Request;
use std::collections::VecDeque;

/// Requests that are remembered: those of some seconds.
const MEMORY: usize = 16;

/// The impostor.
pub(super) struct Impostor {
    /// A key with a client's name, and not the client's.
    signer: Signer,
    /// Clients' requests that it heard, the oldest first.
    heard: VecDeque<Vec<u8>>,
}

impl Impostor {
    pub fn new(chance: &mut Chance) -> Self {
        let signer = Signer::new(Name::parse("sig0.client.").expect("a name"), chance.seed());
        Self { signer, heard: VecDeque::new() }
    }

    /// A request heard now, or long ago: who repeats it at once changes nothing that was not just changed.
    fn remember(&mut self, scene: &mut Scene<'_>, wire: Vec<u8>) -> Vec<u8> {
        self.heard.push_back(wire);
        if self.heard.len() > MEMORY {
            self.heard.pop_front();
        }
        let newest = self.heard.len() - 1;
        let at = if scene.chance.one_in(2) { newest } else { scene.chance.range(0, newest as u64) as usize };
        self.heard[at].clone()
    }

    /// One more request made of a client's.
    fn alter(&self, scene: &mut Scene<'_>, mut wire: Vec<u8>) -> Request {
        let last = wire.len() as u64 - 1;
        match scene.chance.range(0, 4) {
            0 => {
                scene.did("altered a request");
                wire[scene.chance.range(0, last) as usize] ^= 1 << scene.chance.range(0, 7);
            }
            1 => {
                scene.did("gave a request another identifier");
                wire[0] ^= 0x80;
            }
            2 => {
                scene.did("cut a request");
                wire.truncate(scene.chance.range(0, last) as usize);
            }
            3 => {
                scene.did("invented a request");
                wire = invented();
                if scene.chance.one_in(2) {
                    self.signer.sign(&mut wire, (START.0 + scene.now) / 1_000);
                }
            }
            _ => scene.did("repeated a request"),
        }
        Request::Update { wire }
    }
}

impl Adversary for Impostor {
    fn incoming(&mut self, scene: &mut Scene<'_>, _from: ReplicaId, bytes: &[u8]) -> Vec<Act> {
        let Some(vertex) = super::vertex(bytes) else { return Vec::new() };
        let mut acts = Vec::new();
        for request in &vertex.body().payload {
            match codec::decode(&request.0, MAX_REQUEST_BYTES) {
                Ok(Request::Update { wire }) if !wire.is_empty() && acts.len() < 8 => {
                    let wire = self.remember(scene, wire);
                    let made = self.alter(scene, wire);
                    acts.push(Act::Propose(codec::encode(&made)));
                }
                _ => {}
            }
        }
        if !acts.is_empty() && scene.chance.one_in(4) {
            scene.did("asked for a refresh");
            let serial = scene.chance.bits() as u32;
            acts.push(Act::Propose(codec::encode(&Request::Refresh { zone: origin(), serial })));
            acts.push(Act::Propose(codec::encode(&Request::Genesis { zone: origin() })));
        }
        acts
    }
}

/// An update that nobody has asked for.
fn invented() -> Vec<u8> {
    let mut writer = Writer::new(512);
    writer.header(&Header::request(7, Opcode::UPDATE));
    writer.question(&Question { name: origin(), rtype: RrType::SOA, class: Class::IN }).expect("it fits");
    let name = origin().child(b"impostor").expect("a short label");
    let rdata = Rdata::new(&[192, 0, 2, 66]);
    writer.parts(Section::Authority, &name, RrType::A, Class::IN, 60, &rdata).expect("it fits");
    writer.finish()
}
