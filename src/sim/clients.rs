//! Clients: each does one thing after the other to names of its own, and knows what must come of it.
//!
//! The model of a client's names is the plainest: a map from label to address. Names of different clients never meet,
//! so that the right rcode does not depend on how clients interleave. A client sends to a replica it picks; without a
//! reply, or after SERVFAIL, it sends *the same octets* to another: what was executed already must be answered as the
//! first time. Each try gets at most one reply. Some clients send each update to two replicas at once; both may answer,
//! the same.
use super::Scenario;
use super::chance::Chance;
use super::checkers::effects::Change;
use super::cluster::{Cluster, origin};
use super::sig0::Signer;
use crate::dns::message::{Header, Message, Question, Section, Writer};
use crate::dns::tsig::{self, TsigKey};
use crate::dns::{Class, Name, Opcode, Rcode, Rdata, RrType};
use crate::zone::View;
use std::collections::{BTreeMap, BTreeSet};

/// Names that a client plays with.
const LABELS: u64 = 4;

/// A type of which nobody knows anything (RFC 6895 §3.1).
const PRIVATE: RrType = RrType(65_280);

/// All clients of a run.
pub struct Clients {
    tsig: TsigKey,
    sig0: Signer,
    guest: Signer,
    padding: usize,
    clients: Vec<Client>,
    /// Try → client, as long as no reply has come to it.
    open: BTreeMap<u64, usize>,
    /// Open tries of operations that have ended by another try, and what they must be told.
    late: BTreeMap<u64, Rcode>,
    tries: u64,
}

struct Client {
    left: usize,
    names: BTreeMap<Name, u8>,
    current: Option<Operation>,
}

/// One thing to do.
struct Operation {
    wire: Vec<u8>,
    /// Octets of it before the signature; 0 if it is no update that a client may make.
    unsigned: usize,
    expected: Expected,
    /// The request's MAC, if the reply must be signed.
    mac: Option<Vec<u8>>,
    /// What it makes of the client's names.
    effect: Option<Change>,
    /// The tries that it waits for.
    tries: BTreeSet<u64>,
}

enum Expected {
    Rcode(Rcode),
    /// An ordered read: this address, or none, at this name.
    Address(Name, Option<u8>),
}

/// What a client does after a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing: the reply was to an earlier try.
    Nothing,
    /// The same again, elsewhere.
    Again,
    /// The operation has ended.
    Ended,
}

impl Clients {
    /// A scenario's clients.
    pub(super) fn new(cluster: &Cluster, scenario: &Scenario) -> Self {
        let client = |_| Client { left: scenario.operations, names: BTreeMap::new(), current: None };
        let clients = (0..scenario.clients).map(client).collect();
        Self {
            tsig: cluster.tsig(),
            sig0: cluster.sig0(),
            guest: cluster.guest(),
            padding: scenario.padding,
            clients,
            open: BTreeMap::new(),
            late: BTreeMap::new(),
            tries: 0,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Tries so far.
    pub fn tries(&self) -> u64 {
        self.tries
    }

    /// Whether all have done everything.
    pub fn done(&self) -> bool {
        self.clients.iter().all(|client| client.left == 0 && client.current.is_none())
    }

    /// How many operations the client has before it.
    pub fn left(&self, client: usize) -> usize {
        self.clients[client].left
    }

    /// Whether nobody waits for anything.
    pub fn rest(&self) -> bool {
        self.clients.iter().all(|client| client.current.is_none())
    }

    /// Gives the client one thing more to do.
    pub fn more(&mut self, client: usize) {
        self.clients[client].left += 1;
    }

    /// Makes the client's next operation, if it has one left.
    pub fn begin(&mut self, client: usize, ordered_reads: bool, now_secs: u64, chance: &mut Chance) -> bool {
        let one = &mut self.clients[client];
        if one.current.is_some() || one.left == 0 {
            return one.current.is_some();
        }
        one.left -= 1;
        let label = format!("c{client}-{}", chance.range(1, LABELS));
        let name = origin().child(label.as_bytes()).expect("a short label");
        let held = one.names.get(&name).copied();
        let (tsig, sig0, guest) = (&self.tsig, &self.sig0, &self.guest);
        let padding = self.padding;
        let maker = Maker { tsig, sig0, guest, now_secs, by_sig0: client % 2 == 1, padding };
        let operation = match (ordered_reads && chance.one_in(2), one.left) {
            (true, _) => maker.read(name, held, chance),
            // The last one must change something, so that idle clusters are seen to wake.
            (_, 0) => maker.put(name, chance),
            _ => maker.any(name, held, chance),
        };
        one.current = Some(operation);
        true
    }

    /// The update that the client has begun, without its signature, and what it makes of a name.
    pub fn update(&self, client: usize) -> Option<(&[u8], Option<Change>)> {
        let operation = self.clients[client].current.as_ref().filter(|operation| operation.unsigned > 0)?;
        Some((&operation.wire[..operation.unsigned], operation.effect.clone()))
    }

    /// The octets of the client's operation and the number of this try, beside others or in the place of all before.
    pub fn send(&mut self, client: usize, beside: bool) -> Option<(u64, Vec<u8>)> {
        let operation = self.clients[client].current.as_mut()?;
        self.tries += 1;
        if !beside {
            operation.tries.clear();
        }
        operation.tries.insert(self.tries);
        self.open.insert(self.tries, client);
        Some((self.tries, operation.wire.clone()))
    }

    /// No reply to this try can come any more; true if none has.
    pub fn lost(&mut self, number: u64) -> bool {
        self.late.remove(&number);
        self.open.remove(&number).is_some()
    }

    /// Whether this try is what its client waits for.
    pub fn waits(&self, client: usize, number: u64) -> bool {
        self.clients[client].current.as_ref().is_some_and(|operation| operation.tries.contains(&number))
    }

    /// A reply to a try, by a replica whose clock shows `now_secs` and which serves this view.
    pub fn reply(
        &mut self,
        number: u64,
        wire: &[u8],
        now_secs: u64,
        view: Option<&View>,
    ) -> Result<(usize, Next), String> {
        let client = self.answered(number)?;
        let reply =
            Message::parse(wire).map_err(|e| format!("client {client}: a reply that is no message: {e}"))?;
        if let Some(first) = self.late.remove(&number) {
            let rcode = reply.rcode();
            let same = rcode == first || rcode == Rcode::SERVFAIL;
            let differs = || format!("replies: try {number} of client {client} got {rcode}, another {first}");
            return same.then_some((client, Next::Nothing)).ok_or_else(differs);
        }
        let current = self.clients[client].current.as_mut();
        let Some(operation) = current.filter(|operation| operation.tries.contains(&number)) else {
            return Ok((client, Next::Nothing));
        };
        if reply.header.id != u16::from_be_bytes([operation.wire[0], operation.wire[1]]) || !reply.header.qr {
            return Err(format!("client {client}: not a reply to its request"));
        }
        if let Some(mac) = &operation.mac {
            tsig::verify_response(wire, &self.tsig, mac, now_secs)
                .map_err(|e| format!("client {client}: the reply's TSIG: {e:?}"))?;
        }
        let rcode = reply.rcode();
        match &operation.expected {
            _ if rcode == Rcode::SERVFAIL => {
                operation.tries.remove(&number);
                let next = if operation.tries.is_empty() { Next::Again } else { Next::Nothing };
                Ok((client, next))
            }
            Expected::Rcode(expected) if *expected == rcode => {
                let changed = operation.effect.is_some();
                let next = self.end(client, number);
                // Who refuses at once may be behind, and speaks of no version.
                let view = view.filter(|_| changed);
                view.map_or(Ok(()), |view| self.check_one(client, view))?;
                Ok((client, next))
            }
            Expected::Rcode(expected) => Err(format!("client {client}: {rcode}, expected {expected}")),
            Expected::Address(name, _) => Err(format!("client {client}: {rcode} to a read of {name}")),
        }
    }

    /// The answer to an ordered read is made from this version.
    pub fn answer(&mut self, number: u64, view: &View) -> Result<(usize, Next), String> {
        let client = self.answered(number)?;
        let Some(operation) = self.clients[client].current.as_ref() else {
            return Ok((client, Next::Nothing));
        };
        match &operation.expected {
            _ if !operation.tries.contains(&number) => Ok((client, Next::Nothing)),
            Expected::Address(name, address) if held(view, name) == *address => {
                Ok((client, self.end(client, number)))
            }
            Expected::Address(name, address) => Err(format!(
                "client {client}: an ordered read of {name} gives {:?}, expected {address:?}",
                held(view, name)
            )),
            Expected::Rcode(_) => Err(format!("client {client}: an answer to an update")),
        }
    }

    /// What every client was answered must be in the final version.
    pub fn check(&self, view: &View) -> Result<(), String> {
        (0..self.clients.len()).try_for_each(|client| self.check_one(client, view))
    }

    fn check_one(&self, client: usize, view: &View) -> Result<(), String> {
        for label in 1..=LABELS {
            let name = origin().child(format!("c{client}-{label}").as_bytes()).expect("a short label");
            let (expected, found) = (self.clients[client].names.get(&name).copied(), held(view, &name));
            if expected != found {
                return Err(format!(
                    "replies: {name} of client {client} holds {found:?}, but the answers say {expected:?}"
                ));
            }
        }
        Ok(())
    }

    fn answered(&mut self, number: u64) -> Result<usize, String> {
        self.open.remove(&number).ok_or(format!("try {number} got a second reply"))
    }

    /// The client's operation has ended by this try's reply; its other tries may still be answered.
    fn end(&mut self, client: usize, number: u64) -> Next {
        let one = &mut self.clients[client];
        let Some(operation) = one.current.take() else { return Next::Nothing };
        if let Expected::Rcode(rcode) = operation.expected {
            let others = operation.tries.into_iter().filter(|other| *other != number);
            self.late.extend(others.map(|other| (other, rcode)));
        }
        match operation.effect {
            Some((name, Some(address))) => drop(one.names.insert(name, address)),
            Some((name, None)) => drop(one.names.remove(&name)),
            None => {}
        }
        Next::Ended
    }
}

/// The last octet of the only address at `name`.
fn held(view: &View, name: &Name) -> Option<u8> {
    let set = view.node(name)?.get(RrType::A)?;
    set.rrset.iter().next().and_then(|rdata| rdata.wire().last().copied())
}

/// Makes operations.
struct Maker<'a> {
    tsig: &'a TsigKey,
    sig0: &'a Signer,
    guest: &'a Signer,
    now_secs: u64,
    by_sig0: bool,
    padding: usize,
}

/// A record of an update: class, type, data; owner and section come with it.
type Part = (Section, Name, Class, RrType, Option<u8>);

impl Maker<'_> {
    fn any(&self, name: Name, held: Option<u8>, chance: &mut Chance) -> Operation {
        match chance.range(0, 9) {
            0..=2 => self.put(name, chance),
            // RFC 2136 §2.4.5: the name must not be in use.
            3 | 4 => {
                let address = chance.range(1, 250) as u8;
                let expected = if held.is_none() { Rcode::NOERROR } else { Rcode::YXDOMAIN };
                let absent = (Section::Answer, name.clone(), Class::NONE, RrType::ANY, None);
                let add = (Section::Authority, name.clone(), Class::IN, RrType::A, Some(address));
                let effect = held.is_none().then_some((name, Some(address)));
                self.update(&[absent, add], expected, effect, chance)
            }
            // RFC 2136 §2.4.4: the name must be in use.
            5 | 6 => {
                let expected = if held.is_some() { Rcode::NOERROR } else { Rcode::NXDOMAIN };
                let present = (Section::Answer, name.clone(), Class::ANY, RrType::ANY, None);
                let delete = (Section::Authority, name.clone(), Class::ANY, RrType::ANY, None);
                self.update(&[present, delete], expected, Some((name, None)), chance)
            }
            7 => self.delete(name, chance),
            8 => self.bad(name, chance),
            _ => {
                // RFC 2136 §3.4.1.3: a name outside the zone.
                let elsewhere = Name::parse("elsewhere.example.").expect("a name");
                let add = (Section::Authority, elsewhere, Class::IN, RrType::A, Some(1));
                self.update(&[add], Rcode::NOTZONE, None, chance)
            }
        }
    }

    /// Sets the name's address, whatever it was.
    fn put(&self, name: Name, chance: &mut Chance) -> Operation {
        let address = chance.range(1, 250) as u8;
        let delete = (Section::Authority, name.clone(), Class::ANY, RrType::A, None);
        let add = (Section::Authority, name.clone(), Class::IN, RrType::A, Some(address));
        self.update(&[delete, add], Rcode::NOERROR, Some((name, Some(address))), chance)
    }

    fn delete(&self, name: Name, chance: &mut Chance) -> Operation {
        let delete = (Section::Authority, name.clone(), Class::ANY, RrType::A, None);
        self.update(&[delete], Rcode::NOERROR, Some((name, None)), chance)
    }

    /// What must be refused: most by the replica that gets it, what a guest signed by all.
    fn bad(&self, name: Name, chance: &mut Chance) -> Operation {
        let add = (Section::Authority, name, Class::IN, RrType::A, Some(1));
        let mut wire = message(&[add], self.padding, chance);
        let refused = |wire, rcode| Operation {
            wire,
            unsigned: 0,
            expected: Expected::Rcode(rcode),
            mac: None,
            effect: None,
            tries: BTreeSet::new(),
        };
        match chance.range(0, 4) {
            0 => refused(wire, Rcode::REFUSED),
            1 => {
                // Another address than what was signed: the last octet before the TSIG.
                let at = wire.len() - 1;
                tsig::sign_request(&mut wire, self.tsig, self.now_secs);
                wire[at] ^= 0xff;
                refused(wire, Rcode::NOTAUTH)
            }
            2 => {
                self.sig0.sign(&mut wire, self.now_secs - 100_000);
                refused(wire, Rcode::NOTAUTH)
            }
            3 => {
                self.guest.sign(&mut wire, self.now_secs);
                refused(wire, Rcode::REFUSED)
            }
            _ => {
                wire.truncate(wire.len() - 3);
                refused(wire, Rcode::FORMERR)
            }
        }
    }

    fn read(&self, name: Name, held: Option<u8>, chance: &mut Chance) -> Operation {
        let mut writer = Writer::new(512);
        writer.header(&Header::request(chance.bits() as u16, Opcode::QUERY));
        let question = Question { name: name.clone(), rtype: RrType::A, class: Class::IN };
        writer.question(&question).expect("it fits");
        let expected = Expected::Address(name, held);
        Operation {
            wire: writer.finish(),
            unsigned: 0,
            expected,
            mac: None,
            effect: None,
            tries: BTreeSet::new(),
        }
    }

    fn update(
        &self,
        parts: &[Part],
        expected: Rcode,
        effect: Option<(Name, Option<u8>)>,
        chance: &mut Chance,
    ) -> Operation {
        let mut wire = message(parts, self.padding, chance);
        let unsigned = wire.len();
        let mac = if self.by_sig0 {
            self.sig0.sign(&mut wire, self.now_secs);
            None
        } else {
            Some(tsig::sign_request(&mut wire, self.tsig, self.now_secs))
        };
        // What is refused by a prerequisite changes nothing.
        let effect = effect.filter(|_| expected == Rcode::NOERROR);
        Operation { wire, unsigned, expected: Expected::Rcode(expected), mac, effect, tries: BTreeSet::new() }
    }
}

/// An unsigned update. Its additional section, which nobody heeds, tells it apart from all others: two equal ones of a
/// second would be a replay.
fn message(parts: &[Part], padding: usize, chance: &mut Chance) -> Vec<u8> {
    let mut writer = Writer::new(4_096 + padding);
    writer.header(&Header::request(chance.bits() as u16, Opcode::UPDATE));
    writer.question(&Question { name: origin(), rtype: RrType::SOA, class: Class::IN }).expect("it fits");
    for (section, name, class, rtype, address) in parts {
        let rdata = address.map_or(Vec::new(), |last| vec![198, 51, 100, last]);
        let ttl = if address.is_some() { 60 } else { 0 };
        writer.parts(*section, name, *rtype, *class, ttl, &Rdata::new(&rdata)).expect("it fits");
    }
    let nonce = Rdata::new(&chance.seed()[..16]);
    writer.parts(Section::Additional, &origin(), RrType::AAAA, Class::IN, 0, &nonce).expect("it fits");
    if padding > 0 {
        let padding = Rdata::new(&vec![0; padding]);
        writer.parts(Section::Additional, &origin(), PRIVATE, Class::IN, 0, &padding).expect("it fits");
    }
    writer.finish()
}
