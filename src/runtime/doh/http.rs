//! What of RFC 8484 is about HTTP: which message a request holds, which status and which header fields a response has.

use crate::dns::message::Message;
use crate::dns::rrset::Soa;
use crate::dns::{Opcode, Rcode, RrType};
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};

/// Octets of a message, over any transport (RFC 8484 §6).
pub(super) const MAX_MESSAGE_OCTETS: usize = 65_535;
/// The media type of messages (RFC 8484 §6).
const MEDIA_TYPE: &str = "application/dns-message";
/// What may be done at our path (RFC 8484 §4.1; HEAD: RFC 9110 §9.1).
const ALLOWED: &str = "GET, HEAD, POST";

/// Where the message of a request is.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Asked {
    /// In its URI.
    Message(Vec<u8>),
    /// In its body.
    Body,
}

/// Reads a request's head, of which the path is to be ours.
pub(super) fn asked(head: &Parts, path: &str) -> Result<Asked, StatusCode> {
    if head.uri.path() != path {
        return Err(StatusCode::NOT_FOUND);
    }
    match head.method {
        Method::GET | Method::HEAD => in_query(head.uri.query().unwrap_or_default()),
        Method::POST => in_body(&head.headers),
        // RFC 9110 §15.5.6: known, but of no use here; §15.6.2: not known.
        Method::PUT | Method::DELETE | Method::CONNECT | Method::OPTIONS | Method::TRACE | Method::PATCH => {
            Err(StatusCode::METHOD_NOT_ALLOWED)
        }
        _ => Err(StatusCode::NOT_IMPLEMENTED),
    }
}

/// RFC 8484 §4.1: the variable `dns`, in base64url without padding (§6).
fn in_query(query: &str) -> Result<Asked, StatusCode> {
    let mut values = query.split('&').filter_map(|pair| pair.strip_prefix("dns="));
    let (Some(text), None) = (values.next(), values.next()) else { return Err(StatusCode::BAD_REQUEST) };
    let message = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?;
    if message.len() > MAX_MESSAGE_OCTETS {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    Ok(Asked::Message(message))
}

fn in_body(headers: &HeaderMap) -> Result<Asked, StatusCode> {
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = named.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(MEDIA_TYPE) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_MESSAGE_OCTETS as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    Ok(Asked::Body)
}

/// A DNS response of any rcode (RFC 8484 §4.2.1).
pub(super) fn answered(message: Vec<u8>) -> (Response<()>, Bytes) {
    let mut response = Response::new(());
    let fresh = match freshness(&message) {
        Some(seconds) => HeaderValue::try_from(format!("max-age={seconds}")),
        None => Ok(HeaderValue::from_static("no-store")),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(message.len()));
    if let Ok(fresh) = fresh {
        headers.insert(CACHE_CONTROL, fresh);
    }
    (response, message.into())
}

/// No DNS response.
pub(super) fn refused(status: StatusCode) -> (Response<()>, Bytes) {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(0));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(ALLOWED));
    }
    (response, Bytes::new())
}

/// How many seconds a response may be kept (RFC 8484 §5.1): as the least TTL of its answer says, and as a SOA beside it says of what
/// does not exist (RFC 2308 §5). None: not at all, for it is an error, a referral, signed for one client, or no answer to a question.
fn freshness(answer: &[u8]) -> Option<u32> {
    let message = Message::parse(answer).ok()?;
    let rcode = Rcode(u16::from(message.header.rcode));
    let kept = message.header.opcode == Opcode::QUERY && [Rcode::NOERROR, Rcode::NXDOMAIN].contains(&rcode);
    if !kept || message.signature_at.is_some() {
        return None;
    }
    let answers = message.answers.iter().map(|record| record.ttl);
    let soa = message.authorities.iter().filter(|record| record.rtype == RrType::SOA);
    let denial = soa.map(|record| record.ttl.min(Soa::parse(&record.rdata).map_or(0, |soa| soa.minimum)));
    answers.chain(denial).min()
}
