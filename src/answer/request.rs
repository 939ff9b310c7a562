//! What comes in, from whom, what the operator chose, and what is to be done with it.

use crate::dns::Name;
use crate::dns::cookie::Secrets;
use crate::dns::tsig::Keyring;
use crate::limits::MAX_UDP_ANSWER_OCTETS;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;

/// What the operator chose for answers.
#[derive(Clone)]
pub struct Settings {
    /// The name of this server for those who ask (RFC 5001, RFC 4892), at most 255 octets. Without it all replicas answer in
    /// the same bytes.
    pub identity: Option<String>,
    /// What `version.bind` gives (RFC 4892 §2), at most 255 octets.
    pub version: Option<String>,
    /// Octets of a UDP response at most, which is also what we tell that we take (RFC 6891 §6.2.3).
    pub udp_octets: u16,
    /// How clients' cookies are judged; none: they are ignored.
    pub cookies: Option<Cookies>,
    /// Keys by which queries may be signed (RFC 8945).
    pub keys: Arc<Keyring>,
    /// Newer versions than those here may be out: answers say so.
    pub stale: bool,
    /// Who may read zones that are not for everybody.
    pub readers: Readers,
}

/// Whether a zone that is not for everybody is for who asks from this address, having signed with this key or not at all.
pub type Readers = Arc<dyn Fn(&Name, IpAddr, Option<&Name>) -> bool + Send + Sync>;

/// DNS cookies (RFC 7873).
#[derive(Clone)]
pub struct Cookies {
    /// What makes and accepts server cookies.
    pub secrets: Secrets,
    /// Over UDP, who sends a cookie is answered only when it is a server cookie of ours (RFC 7873 §5.2.3).
    pub required: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let udp_octets = MAX_UDP_ANSWER_OCTETS as u16;
        let readers: Readers = Arc::new(|_, _, _| false);
        let (keys, stale) = (Arc::default(), false);
        Self { identity: None, version: None, udp_octets, cookies: None, keys, stale, readers }
    }
}

/// How a request came, which bounds its response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// At most 1232 octets or what the operator chose, 512 without EDNS; TC if that is too little.
    Udp,
    /// At most 65,535 octets.
    Tcp,
    /// TCP under TLS (RFC 7858): responses are padded for those who pad (RFC 8467).
    Tls,
    /// HTTP/2 under TLS (RFC 8484); padded likewise.
    Https,
    /// QUIC (RFC 9250); padded likewise.
    Quic,
}

impl Transport {
    /// Whether addresses may be forged and messages are bounded.
    pub fn is_datagram(self) -> bool {
        self == Self::Udp
    }

    /// Whether nobody on the way can read what is sent, so that its length is worth hiding.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::Https | Self::Quic)
    }
}

/// Who asks, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    /// From where.
    pub address: IpAddr,
    /// How.
    pub transport: Transport,
    /// Tenths of a second that this connection may be idle (RFC 7828), if it is one.
    pub idle_ds: Option<u16>,
}

impl Client {
    /// Somebody of whom only the transport matters.
    pub fn over(transport: Transport) -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), transport, idle_ds: None }
    }
}

/// A message from a client.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The message as it came.
    pub wire: &'a [u8],
    /// Whence it came.
    pub client: Client,
    /// Seconds since 1970; only a TSIG and a cookie depend on it.
    pub now_secs: u64,
}

/// What to do with a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// Send what is in `out`; this is what it is about.
    Send(Subject),
    /// Say nothing: the message was no request (RFC 8906 and common sense: an answer to an answer makes a loop).
    Ignore,
    /// An update, or a query whose zone has ordered reads: hand it to the replica. Of a query, what its answer will be about.
    Forward(Option<Subject>),
}

/// What a response says, as far as it matters for how often it is sent to one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Its category.
    pub kind: Kind,
    /// Octets of the request that all responses like this one share: the name asked with type and class, or that name's
    /// suffix from which the response comes (a zone, a delegation, a wildcard); empty for an error.
    pub about: Range<usize>,
    /// Whether the client has shown a cookie of ours: then its address is its own.
    pub known: bool,
}

/// A category of responses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Records that were asked for.
    Answer,
    /// A delegation.
    Referral,
    /// The name exists, the type does not.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// Anything else.
    Error,
}

impl Subject {
    /// Nothing that is worth telling apart.
    pub fn error(known: bool) -> Self {
        Self { kind: Kind::Error, about: 0..0, known }
    }
}
