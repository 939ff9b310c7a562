//! A fast client in this process: random updates to names of its own, signed by TSIG or SIG(0), over UDP or TCP, at any
//! replica.
//!
//! It knows the right rcode of each from a plain model of its names. Without a reply, or after SERVFAIL, it sends *the same
//! octets* to another replica: if they took effect already, the answer must be the first one. After each answer it reads at
//! the replica that gave it.

use crate::ledger::Ledger;
use crate::site::{ORIGIN, Site};
use crate::tools::DEADLINE;
use crate::wire;
use conclave::dns::message::{Header, Question, Section, Writer};
use conclave::dns::rdata::Rdata;
use conclave::dns::tsig::{self, TsigKey};
use conclave::dns::{Class, Name, Opcode, Rcode, RrType};
use conclave::sim::{Chance, Signer};
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Names that a client plays with.
const LABELS: u64 = 6;
/// How long a client waits before it tries another replica: shorter than many updates take, so that some are sent twice.
const PATIENCE: Duration = Duration::from_millis(1_200);
/// The pause after a try that failed.
const PAUSE: Duration = Duration::from_millis(50);

/// One client.
pub struct Client<'a> {
    site: &'a Site,
    ledger: &'a Ledger,
    index: usize,
    tsig: TsigKey,
    sig0: Signer,
    chance: Chance,
    /// What each of its names holds.
    names: BTreeMap<String, usize>,
}

/// What a client is about to do.
struct Operation {
    name: String,
    /// Its number on the name, 0 if it changes nothing.
    number: usize,
    /// What the name holds after it.
    after: Option<usize>,
    expected: Rcode,
    wire: Vec<u8>,
    /// The request's MAC, if it has a TSIG.
    mac: Option<Vec<u8>>,
}

/// A record of an update: section, class, type, data.
type Part = (Section, Class, RrType, Option<Rdata>);

impl<'a> Client<'a> {
    /// The client of this index and seed.
    pub fn new(site: &'a Site, ledger: &'a Ledger, index: usize, seed: u64) -> Self {
        let (tsig, sig0) = (site.tsig(), site.sig0());
        Self { site, ledger, index, tsig, sig0, chance: Chance::new(seed), names: BTreeMap::new() }
    }

    /// Does one thing after the other until it is told to end.
    pub fn run(mut self) {
        while !self.ledger.is_over() {
            let operation = self.next();
            match self.carry_out(&operation) {
                Ok(()) => match operation.after {
                    Some(number) => drop(self.names.insert(operation.name, number)),
                    None => drop(self.names.remove(&operation.name)),
                },
                Err(why) => {
                    self.ledger.problem(format!("client {}: {} {why}", self.index, operation.name));
                }
            }
        }
    }

    fn next(&mut self) -> Operation {
        let name = format!("c{}-{}.{ORIGIN}", self.index, self.chance.range(1, LABELS));
        let held = self.names.get(&name).copied();
        let absent = (Section::Answer, Class::NONE, RrType::ANY, None);
        let present = (Section::Answer, Class::ANY, RrType::ANY, None);
        let delete = (Section::Authority, Class::ANY, RrType::TXT, None);
        match self.chance.range(0, 9) {
            // RFC 2136 §2.4.5: the name must not be in use.
            0 | 1 => match held {
                None => self.put(name, vec![absent]),
                Some(_) => self.refused(name, held, vec![absent, delete], Rcode::YXDOMAIN),
            },
            // RFC 2136 §2.4.4: the name must be in use.
            2 => match held {
                Some(_) => self.remove(name, vec![present, delete]),
                None => self.refused(name, held, vec![present, delete], Rcode::NXDOMAIN),
            },
            3 => self.remove(name, vec![delete]),
            // RFC 2136 §2.4.2: the RRset must be exactly this.
            4 | 5 => {
                let wanted = held.unwrap_or(0) + usize::from(self.chance.one_in(3));
                let exactly = (Section::Answer, Class::IN, RrType::TXT, Some(wire::number(wanted)));
                if held == Some(wanted) {
                    self.put(name, vec![exactly, delete])
                } else {
                    self.refused(name, held, vec![exactly, delete], Rcode::NXRRSET)
                }
            }
            _ => self.put(name, vec![delete]),
        }
    }

    fn put(&mut self, name: String, mut parts: Vec<Part>) -> Operation {
        let number = self.ledger.issue(&name, |_| true);
        parts.push((Section::Authority, Class::IN, RrType::TXT, Some(wire::number(number))));
        self.operation(name, number, Some(number), Rcode::NOERROR, &parts)
    }

    fn remove(&mut self, name: String, parts: Vec<Part>) -> Operation {
        let number = self.ledger.issue(&name, |_| false);
        self.operation(name, number, None, Rcode::NOERROR, &parts)
    }

    fn refused(&mut self, name: String, held: Option<usize>, parts: Vec<Part>, rcode: Rcode) -> Operation {
        self.operation(name, 0, held, rcode, &parts)
    }

    fn operation(
        &mut self,
        name: String,
        number: usize,
        after: Option<usize>,
        expected: Rcode,
        parts: &[Part],
    ) -> Operation {
        let mut writer = Writer::new(4_096);
        // A random identifier: without it two equal requests of a second would be a replay.
        writer.header(&Header::request(self.chance.bits() as u16, Opcode::UPDATE));
        let zone = Name::parse(ORIGIN).expect("a name");
        writer.question(&Question { name: zone, rtype: RrType::SOA, class: Class::IN }).expect("it fits");
        let owner = Name::parse(&name).expect("a name");
        for (section, class, rtype, data) in parts {
            // A prerequisite has no TTL.
            let ttl = if data.is_some() && matches!(section, Section::Authority) { 60 } else { 0 };
            let data = data.clone().unwrap_or_else(|| Rdata::new(&[]));
            writer.parts(*section, &owner, *rtype, *class, ttl, &data).expect("it fits");
        }
        let mut wire = writer.finish();
        let mac = if self.chance.one_in(2) {
            self.sig0.sign(&mut wire, now_secs());
            None
        } else {
            Some(tsig::sign_request(&mut wire, &self.tsig, now_secs()))
        };
        Operation { name, number, after, expected, wire, mac }
    }

    /// Sends until the right answer comes, and looks at once whether it is true.
    fn carry_out(&mut self, operation: &Operation) -> Result<(), String> {
        let began = Instant::now();
        let mut tries = 0;
        while self.ledger.read(|state| state.problems.is_empty()) {
            let i = self.chance.range(1, u64::from(self.site.n)) as u8;
            let server = self.site.network.dns(i);
            tries += 1;
            let reply = if self.chance.one_in(2) {
                wire::over_udp(server, &operation.wire, PATIENCE)
            } else {
                wire::over_tcp(server, &operation.wire, PATIENCE)
            };
            let Some(reply) = reply else {
                self.try_failed(began)?;
                continue;
            };
            let message = wire::parse(&reply)?;
            // RFC 8945 §5.3: a reply to a request with a TSIG that holds is signed; a replica that is not ready has not looked.
            if message.rcode() == Rcode::SERVFAIL {
                self.try_failed(began)?;
                continue;
            }
            if let Some(mac) = &operation.mac {
                tsig::verify_response(&reply, &self.tsig, mac, now_secs())
                    .map_err(|why| format!("the TSIG of {} from replica {i}: {why:?}", message.rcode()))?;
            }
            if message.rcode() != operation.expected {
                let (got, expected) = (message.rcode(), operation.expected);
                return Err(format!("gets {got} from replica {i} at try {tries}, expected {expected}"));
            }
            self.ledger.answered(i, &operation.name, operation.number);
            return self.look(i, &operation.name);
        }
        Ok(())
    }

    fn try_failed(&self, began: Instant) -> Result<(), String> {
        self.ledger.failed();
        std::thread::sleep(PAUSE);
        if began.elapsed() > DEADLINE { Err("is never answered".into()) } else { Ok(()) }
    }

    /// What was answered is visible at the replica that answered, at once.
    fn look(&self, i: u8, name: &str) -> Result<(), String> {
        let mark = self.ledger.mark(i, name);
        match wire::look(self.site.network.dns(i), name) {
            Some(Ok(seen)) => self.ledger.saw(i, name, mark, seen),
            Some(Err(why)) => return Err(format!("read at replica {i}: {why}")),
            // It has been killed or stopped since.
            None => {}
        }
        Ok(())
    }
}

/// This machine's clock.
fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
