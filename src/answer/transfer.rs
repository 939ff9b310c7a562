//! Zone transfers out (RFC 5936), as a sequence of messages that is made while it is read.
//!
//! - One version for the whole transfer (§3.1): the [`View`] that was served when it began, whatever is published meanwhile.
//! - SOA, all records in canonical order with their signatures, glue and occluded names too (§3.5), SOA again (§2.2).
//! - Every message has AA (§2.2.1) and, if the request was signed, a TSIG (RFC 8945 §5.3.1); the first one has the question
//!   and, if the request had one, an OPT record (§2.2.5).
//! - A message holds as many records as fit into [`MAX_TRANSFER_MESSAGE_OCTETS`], or one that is longer itself. So every
//!   replica that serves a version sends the same bytes, TSIGs aside.
//! - IXFR (RFC 1995 §4) is answered with the whole zone, or with the SOA alone to who has this version or a newer one.
//!
//! Who may have a zone is the caller's to say. A transfer holds a version and a place in it, and never more than a message.

use super::catalog::Catalog;
use super::options::Extended;
use super::respond::failure;
use crate::dns::edns::{Edns, ede};
use crate::dns::message::{Header, Message, Question, Section, Writer};
use crate::dns::rrset::{Soa, serial_gt};
use crate::dns::tsig::{self, AuthFailure, Keyring, Signer, TsigKey};
use crate::dns::{Class, Name, Opcode, Rcode, Record, RrType};
use crate::limits::{MAX_TRANSFER_MESSAGE_OCTETS, MAX_UDP_ANSWER_OCTETS};
use crate::zone::View;
use std::collections::VecDeque;
use std::sync::Arc;

/// Octets of the fixed header.
const HEADER: usize = 12;
/// Octets of an OPT record without options.
const OPT: usize = 11;

/// Whether a message asks for a transfer.
pub fn is_asked(wire: &[u8]) -> bool {
    let is_query = wire.len() >= HEADER && wire[2] & 0xf8 == 0 && wire[4..6] == [0, 1];
    let name = wire.get(HEADER..).and_then(|rest| Name::prefix_of(rest).ok());
    let qtype = name.and_then(|(_, length)| wire.get(HEADER + length..)?.first_chunk::<2>().copied());
    let qtype = qtype.map(|octets| RrType(u16::from_be_bytes(octets)));
    is_query && qtype.is_some_and(|qtype| qtype == RrType::AXFR || qtype == RrType::IXFR)
}

/// A transfer on its way: an iterator over its messages.
pub struct Transfer {
    view: Arc<View>,
    header: Header,
    question: Question,
    /// Of the first message.
    edns: Option<Edns>,
    signer: Option<Stream>,
    is_first: bool,
    /// Records that come next.
    queue: VecDeque<Record>,
    /// The node whose records were put there last.
    node: Option<Name>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Body,
    /// The last SOA is in the queue, or gone.
    End,
}

/// The key of a signed transfer, and the MAC that the next message covers.
struct Stream {
    keys: Arc<Keyring>,
    key: Name,
    mac: Vec<u8>,
}

impl Stream {
    fn key(&self) -> &TsigKey {
        self.keys.tsig.get(&self.key).expect("the key was found there, and a keyring does not change")
    }
}

/// Whether somebody may have a zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Permit {
    /// Yes.
    Granted,
    /// Yes, but there are too many transfers now: SERVFAIL.
    Later,
    /// No.
    Refused,
}

/// A record that no message of 65,535 octets holds with all that belongs into one: the transfer has to be broken off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// Begins what a message asks for that [`is_asked`]; none: `out` has the refusal. `permit`: whether a zone may go to who signed
/// with this key, or did not sign.
pub fn begin(
    catalog: &Catalog,
    keys: &Arc<Keyring>,
    wire: &[u8],
    now_secs: u64,
    permit: impl FnOnce(&Name, Option<&Name>) -> Permit,
    out: &mut Vec<u8>,
) -> Option<Transfer> {
    let Ok(message) = Message::parse(wire) else {
        failure(wire, Rcode::FORMERR, None, out);
        return None;
    };
    let signer = match tsig::authenticate(wire, keys, now_secs) {
        Ok(verified) => match (verified.signer, verified.tsig_mac) {
            (Signer::Tsig(key), Some(mac)) => Some(Stream { keys: keys.clone(), key, mac }),
            // A SIG(0) names nobody who may have a zone.
            _ => None,
        },
        Err(AuthFailure::Unsigned) => None,
        Err(wrong) => {
            failure(wire, wrong.rcode(), None, out);
            tsig::sign_failure(out, wire, keys, wrong, now_secs);
            return None;
        }
    };
    match choose(catalog, &message, signer.as_ref().map(|stream| &stream.key), permit) {
        Ok(view) => Some(Transfer::new(view.clone(), &message, signer)),
        Err((rcode, ede)) => {
            failure(wire, rcode, ede, out);
            if let Some(stream) = signer {
                tsig::sign_response(out, stream.key(), &stream.mac, now_secs);
            }
            None
        }
    }
}

/// The version to send, or the rcode and the extended error (RFC 8914 §4.1: one that has no code of its own says what it is).
fn choose<'c>(
    catalog: &'c Catalog,
    message: &Message,
    key: Option<&Name>,
    permit: impl FnOnce(&Name, Option<&Name>) -> Permit,
) -> Result<&'c Arc<View>, (Rcode, Option<Extended<'static>>)> {
    if message.edns.as_ref().is_some_and(|edns| edns.version > 0) {
        return Err((Rcode::BADVERS, None));
    }
    let [Question { name, class: Class::IN, .. }] = message.questions.as_slice() else {
        return Err((Rcode::NOTAUTH, Some((ede::NOT_AUTHORITATIVE, ""))));
    };
    // RFC 5936 §2.2.1: of a zone that is not served here.
    let is_served = catalog.has(name);
    if !is_served {
        return Err((Rcode::NOTAUTH, Some((ede::NOT_AUTHORITATIVE, ""))));
    }
    match permit(name, key) {
        Permit::Granted => {}
        Permit::Later => return Err((Rcode::SERVFAIL, Some((ede::OTHER, "too many transfers now")))),
        Permit::Refused => return Err((Rcode::REFUSED, Some((ede::PROHIBITED, "")))),
    }
    catalog.view(name).ok_or((Rcode::SERVFAIL, Some((ede::NOT_READY, ""))))
}

impl Transfer {
    fn new(view: Arc<View>, request: &Message, signer: Option<Stream>) -> Self {
        let question = request.questions[0].clone();
        // RFC 1995 §4: who has this version, or a newer one, gets the SOA alone.
        let held = request.authorities.iter().find(|record| record.rtype == RrType::SOA);
        let held = held.and_then(|record| Soa::parse(&record.rdata)).map(|soa| soa.serial);
        let is_current =
            question.rtype == RrType::IXFR && held.is_some_and(|serial| !serial_gt(view.serial(), serial));
        let edns = request.edns.as_ref().map(|edns| Edns {
            udp_size: MAX_UDP_ANSWER_OCTETS as u16,
            do_bit: edns.do_bit,
            ..Edns::default()
        });
        let mut header = Header::request(request.header.id, Opcode::QUERY);
        (header.qr, header.aa, header.rd) = (true, true, request.header.rd);
        let queue = soa(&view).into_iter().collect();
        let stage = if is_current { Stage::End } else { Stage::Body };
        Self { view, header, question, edns, signer, is_first: true, queue, node: None, stage }
    }

    /// The version that is sent.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The key that asked.
    pub fn key(&self) -> Option<&Name> {
        self.signer.as_ref().map(|stream| &stream.key)
    }

    /// The next message; none: that was all.
    pub fn next(&mut self, now_secs: u64) -> Result<Option<Vec<u8>>, TooLong> {
        if !self.fill() {
            return Ok(None);
        }
        let of_tsig = self.signer.as_ref().map_or(0, |stream| tsig::response_overhead(stream.key()));
        let of_opt = if self.is_first && self.edns.is_some() { OPT } else { 0 };
        for (limit, most) in [(MAX_TRANSFER_MESSAGE_OCTETS, usize::MAX), (usize::from(u16::MAX), 1)] {
            let Some(mut message) = self.write(limit.saturating_sub(of_tsig + of_opt), most) else {
                continue;
            };
            if let Some(edns) = self.edns.take() {
                edns.write(&mut message);
                message[11] += 1;
            }
            if let Some(stream) = &mut self.signer {
                let mac = tsig::sign_next(&mut message, stream.key(), &stream.mac, self.is_first, now_secs);
                stream.mac = mac;
            }
            self.is_first = false;
            return Ok(Some(message));
        }
        Err(TooLong)
    }

    /// A message of what is next, at most so many records, without OPT and TSIG; none: not even one fits.
    fn write(&mut self, limit: usize, most: usize) -> Option<Vec<u8>> {
        let mut writer = Writer::new(limit);
        writer.header(&self.header);
        if self.is_first {
            writer.question(&self.question).ok()?;
        }
        let mut count = 0;
        while count < most && self.fill() {
            let Some(record) = self.queue.front() else { break };
            if writer.record(Section::Answer, record).is_err() {
                break;
            }
            self.queue.pop_front();
            count += 1;
        }
        (count > 0).then(|| writer.finish())
    }

    /// Sees to it that the next record is in the queue; false: there is none.
    fn fill(&mut self) -> bool {
        while self.queue.is_empty() && self.stage == Stage::Body {
            match self.view.node_after(self.node.as_ref()) {
                Some(node) => {
                    self.node = Some(node.name().clone());
                    self.queue
                        .extend(node.records().into_iter().filter(|record| record.rtype != RrType::SOA));
                }
                None => {
                    self.stage = Stage::End;
                    self.queue.extend(soa(&self.view));
                }
            }
        }
        !self.queue.is_empty()
    }
}

fn soa(view: &View) -> Option<Record> {
    view.soa().rrset.records(view.origin()).next()
}
