//! Replies to updates, and failures of ordered reads, as octets.
//!
//! A reply repeats the request's identifier, opcode and question or zone section (RFC 2136 §3.8), and a query's RD bit, which
//! is none of an update's (RFC 2136 §2.2). It has an OPT record if the request had one, even a malformed one (RFC 6891 §6.1.1
//! and §7), which alone can carry an extended error (RFC 8914 §2 and §3), with the ticket of a refused update in its text;
//! besides it has what the runtime says that the asker is to get: a cookie, padding. Replies to requests
//! with TSIG are signed at this replica's own time, not at agreed time: it is the client's clock that checks them (RFC 8945
//! §5.3). Replies to requests with SIG(0) are unsigned, as RFC 2931 §3.2 allows.
use crate::codec::Digest;
use crate::dns::edns::{Edns, Manners, OPTION_PADDING, ede_option};
use crate::dns::message::{Header, Question, Writer, has_opt};
use crate::dns::tsig::{self, Keyring, Verified};
use crate::dns::{Class, Name, Opcode, Rcode, RrType};
use crate::limits::MAX_UDP_ANSWER_OCTETS;
use crate::time::UnixMillis;
use crate::zone::{Refusal, Ticket};

/// The shortest thing that can be answered: a header (RFC 1035 §4.1.1).
const HEADER_OCTETS: usize = 12;
/// Octets of an option without data (RFC 6891 §6.1.2).
const OPTION_OCTETS: usize = 4;

/// What a reply must know of its request.
pub(super) struct Asker {
    header: Header,
    question: Option<Question>,
    edns: bool,
    manners: Manners,
    /// The digest of what its signature covers, if that holds.
    covered: Option<Digest>,
    signer: Option<Name>,
    /// Of an update that this replica vouches for.
    change: Option<Digest>,
    /// The request as received: the TSIG of a failure is made from it, and an ordered query is answered from it.
    wire: Vec<u8>,
    authentic: Option<(Name, Vec<u8>)>,
}

impl Asker {
    /// The sender of `wire`, if that is a request at all: at least a header, with QR clear.
    pub fn of(wire: Vec<u8>, manners: Manners) -> Option<Self> {
        let head: &[u8; HEADER_OCTETS] = wire.first_chunk()?;
        if head[2] & 0x80 != 0 {
            return None;
        }
        let mut header = Header::request(u16::from_be_bytes([head[0], head[1]]), Opcode(head[2] >> 3 & 0x0f));
        header.rd = header.opcode == Opcode::QUERY && head[2] & 1 != 0;
        let (question, edns) = (question_of(&wire), has_opt(&wire));
        let (covered, signer, change, authentic) = (None, None, None, None);
        Some(Self { header, question, edns, manners, covered, signer, change, wire, authentic })
    }

    /// The request's signature holds: replies to TSIG are signed.
    pub fn authentic(&mut self, verified: &Verified) {
        let signer = verified.signer.name().clone();
        self.authentic = verified.tsig_mac.clone().map(|mac| (signer.clone(), mac));
        (self.covered, self.signer) = (Some(verified.covered), Some(signer));
    }

    /// This replica vouches for the change, whose ticket is the same at all replicas.
    pub fn vouched(&mut self, change: Digest) {
        (self.covered, self.change) = (Some(change), Some(change));
    }

    /// The change that this replica vouches for.
    pub fn change(&self) -> Option<Digest> {
        self.change
    }

    /// Whose it is, if its signature holds.
    pub fn signer(&self) -> Option<&Name> {
        self.signer.as_ref()
    }

    /// What names it to operators.
    pub fn ticket(&self) -> Ticket {
        self.covered.as_ref().map_or_else(|| Ticket::of_wire(&self.wire), Ticket::of_covered)
    }

    /// The request's opcode.
    pub fn opcode(&self) -> Opcode {
        self.header.opcode
    }

    /// The request's only question, or zone.
    pub fn question(&self) -> Option<&Question> {
        self.question.as_ref()
    }

    /// The request as received.
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The request as received, for who answers it.
    pub fn into_wire(self) -> Vec<u8> {
        self.wire
    }

    /// The reply that it is done.
    pub fn done(&self, keys: &Keyring, now: UnixMillis) -> Vec<u8> {
        self.bare(keys, now, Rcode::NOERROR)
    }

    /// The reply that it is refused; of an update, with its ticket.
    pub fn refused(&self, keys: &Keyring, now: UnixMillis, refusal: &Refusal) -> Vec<u8> {
        let ticket = match refusal {
            // Execution did not get as far as what the signature covers.
            Refusal::NotAuthentic { .. } => Ticket::of_wire(&self.wire),
            _ => self.ticket(),
        };
        let text = match self.opcode() {
            Opcode::UPDATE => format!("{} [{ticket}]", refusal.brief()),
            _ => refusal.brief().to_owned(),
        };
        let extended = Some(ede_option(refusal.ede(), &text));
        self.padded(refusal.rcode(), extended, |reply| match refusal {
            // RFC 8945 §5.2.
            Refusal::NotAuthentic { failure, .. } => {
                tsig::sign_failure(reply, &self.wire, keys, *failure, now.secs());
            }
            _ => self.sign(keys, now, reply),
        })
    }

    /// The reply that says no more than an rcode.
    pub fn bare(&self, keys: &Keyring, now: UnixMillis, rcode: Rcode) -> Vec<u8> {
        self.padded(rcode, None, |reply| self.sign(keys, now, reply))
    }

    fn sign(&self, keys: &Keyring, now: UnixMillis, reply: &mut Vec<u8>) {
        if let Some((name, mac)) = &self.authentic
            && let Some(key) = keys.tsig.get(name)
        {
            tsig::sign_response(reply, key, mac, now.secs());
        }
    }

    /// The signed reply, of a length that says nothing where it is to be padded (RFC 8467 §4.1).
    fn padded(&self, rcode: Rcode, extended: Option<(u16, Vec<u8>)>, sign: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let signed = |padding| {
            let mut reply = self.unsigned(rcode, extended.clone(), padding);
            sign(&mut reply);
            reply
        };
        let bare = signed(None);
        match self.manners.block.filter(|_| self.edns) {
            // A signature is as long again.
            Some(block) => {
                let length = bare.len() + OPTION_OCTETS;
                signed(Some(length.next_multiple_of(block) - length))
            }
            None => bare,
        }
    }

    fn unsigned(&self, rcode: Rcode, extended: Option<(u16, Vec<u8>)>, padding: Option<usize>) -> Vec<u8> {
        // What is padded does not go over UDP.
        let limit = padding.map_or(MAX_UDP_ANSWER_OCTETS, |_| usize::from(u16::MAX));
        let mut writer = Writer::new(limit);
        writer.header(&Header { qr: true, rcode: (rcode.0 & 0x0f) as u8, ..self.header });
        // A question is at most 255 + 4 octets, an OPT with a short text, a cookie and a name less than 400: both fit.
        if let Some(question) = &self.question {
            let _ = writer.question(question);
        }
        if self.edns {
            let padding = padding.map(|octets| (OPTION_PADDING, vec![0; octets]));
            let options = self.manners.options.iter().cloned().chain(extended).chain(padding).collect();
            let udp_size = MAX_UDP_ANSWER_OCTETS as u16;
            let extended_rcode = (rcode.0 >> 4) as u8;
            let _ = writer.opt(&Edns { udp_size, extended_rcode, version: 0, do_bit: false, options });
        }
        writer.finish()
    }
}

/// The question, if there is exactly one and it can be read, whatever follows it.
fn question_of(wire: &[u8]) -> Option<Question> {
    if wire[4..6] != [0, 1] {
        return None;
    }
    let (name, end) = Name::from_message(wire, HEADER_OCTETS).ok()?;
    let fixed: &[u8; 4] = wire.get(end..)?.first_chunk()?;
    let rtype = RrType(u16::from_be_bytes([fixed[0], fixed[1]]));
    let class = Class(u16::from_be_bytes([fixed[2], fixed[3]]));
    Some(Question { name, rtype, class })
}
