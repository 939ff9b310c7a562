//! The OPT record of a response (RFC 6891): what its options are, how long it is, its bytes.

use super::request::{Client, Request, Settings};
use crate::dns::cookie::{COOKIE_OCTETS, Cookie, Verdict};
use crate::dns::edns::{Manners, OPTION_COOKIE, OPTION_EDE, OPTION_KEEPALIVE, OPTION_NSID, OPTION_PADDING};
use crate::dns::message::Message;
use crate::dns::query::EdnsIn;
use crate::dns::{Rcode, RrType};
use crate::limits::MAX_UDP_ANSWER_OCTETS;

/// Octets of an OPT record without options, and of the fixed part of an option.
const OPT: usize = 11;
const OPTION: usize = 4;
const DO: u16 = 0x8000;

/// RFC 8467 §4.1: padded responses have a multiple of so many octets.
const PADDED_BLOCK: usize = 468;

/// An extended error (RFC 8914): code and text.
pub(super) type Extended<'t> = (u16, &'t str);

/// Octets of an extended error without text.
pub(super) const BARE_EXTENDED: usize = OPTION + 2;

/// What is known of a client by its cookie; none if it sent none, or none are taken.
pub(super) fn judge(settings: &Settings, request: Request<'_>, edns: &EdnsIn) -> Option<Verdict> {
    let (cookies, cookie) = (settings.cookies.as_ref()?, edns.cookie.as_ref()?);
    Some(cookies.secrets.judge(cookie, request.client.address, request.now_secs as u32))
}

/// The options of a response, as its client asked for them.
#[derive(Clone, Copy)]
pub(super) struct Options<'s> {
    udp_octets: u16,
    dnssec: bool,
    nsid: Option<&'s str>,
    cookie: Option<[u8; COOKIE_OCTETS]>,
    idle_ds: Option<u16>,
    pad: bool,
}

impl<'s> Options<'s> {
    /// None at all.
    pub(super) fn none() -> Self {
        let udp_octets = MAX_UDP_ANSWER_OCTETS as u16;
        Self { udp_octets, dnssec: false, nsid: None, cookie: None, idle_ds: None, pad: false }
    }

    /// What a client that sent `edns` gets.
    pub(super) fn of(
        settings: &'s Settings,
        client: Client,
        edns: &EdnsIn,
        verdict: Option<Verdict>,
    ) -> Self {
        Self {
            udp_octets: settings.udp_octets,
            dnssec: edns.do_bit,
            nsid: settings.identity.as_deref().filter(|_| edns.nsid),
            cookie: verdict.map(|verdict| verdict.answer),
            // RFC 7828 §3.3.2: only on connections, and only to who knows the option.
            idle_ds: client.idle_ds.filter(|_| edns.keepalive),
            // RFC 7830 §4 and §6: only to who pads, and where it hides something.
            pad: edns.padding && client.transport.is_encrypted(),
        }
    }

    /// What a client gets for a message that is not a query.
    pub(super) fn of_message(settings: &'s Settings, request: Request<'_>) -> Option<Self> {
        let edns = Message::parse(request.wire).ok()?.edns?;
        let has = |code| edns.option(code).is_some();
        let edns = EdnsIn {
            version: edns.version,
            udp_size: edns.udp_size,
            do_bit: edns.do_bit,
            nsid: has(OPTION_NSID),
            cookie: edns.option(OPTION_COOKIE).and_then(Cookie::parse),
            keepalive: has(OPTION_KEEPALIVE),
            padding: has(OPTION_PADDING),
        };
        Some(Self::of(settings, request.client, &edns, judge(settings, request, &edns)))
    }

    /// The same for who writes the record elsewhere.
    pub(super) fn manners(&self) -> Manners {
        let nsid = self.nsid.map(|nsid| (OPTION_NSID, nsid.into()));
        let cookie = self.cookie.map(|cookie| (OPTION_COOKIE, cookie.into()));
        let idle = self.idle_ds.map(|idle_ds| (OPTION_KEEPALIVE, idle_ds.to_be_bytes().into()));
        let options = nsid.into_iter().chain(cookie).chain(idle).collect();
        Manners { options, block: self.pad.then_some(PADDED_BLOCK) }
    }

    /// Octets of the record, without an extended error and without padding to come.
    pub(super) fn octets(&self) -> usize {
        let option = |length: Option<usize>| length.map_or(0, |length| OPTION + length);
        OPT + option(self.nsid.map(str::len))
            + option(self.cookie.map(|cookie| cookie.len()))
            + option(self.idle_ds.map(|_| 2))
            + option(self.pad.then_some(0))
    }

    /// Appends the record; `reserved`: octets that will follow it.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        rcode: Rcode,
        extended: Option<Extended<'_>>,
        reserved: usize,
    ) {
        out.push(0);
        out.extend_from_slice(&RrType::OPT.0.to_be_bytes());
        out.extend_from_slice(&self.udp_octets.to_be_bytes());
        out.extend_from_slice(&[(rcode.0 >> 4) as u8, 0]);
        out.extend_from_slice(&(if self.dnssec { DO } else { 0 }).to_be_bytes());
        let length_at = out.len();
        out.extend_from_slice(&[0, 0]);
        let mut option = |code: u16, parts: [&[u8]; 2]| {
            out.extend_from_slice(&code.to_be_bytes());
            out.extend_from_slice(&((parts[0].len() + parts[1].len()) as u16).to_be_bytes());
            parts.iter().for_each(|part| out.extend_from_slice(part));
        };
        if let Some(nsid) = self.nsid {
            option(OPTION_NSID, [nsid.as_bytes(), &[]]);
        }
        if let Some(cookie) = &self.cookie {
            option(OPTION_COOKIE, [cookie, &[]]);
        }
        if let Some(idle_ds) = self.idle_ds {
            option(OPTION_KEEPALIVE, [&idle_ds.to_be_bytes(), &[]]);
        }
        if let Some((code, text)) = extended {
            option(OPTION_EDE, [&code.to_be_bytes(), text.as_bytes()]);
        }
        if self.pad {
            let length = out.len() + OPTION + reserved;
            let padding = length.next_multiple_of(PADDED_BLOCK).min(usize::from(u16::MAX)) - length;
            out.extend_from_slice(&OPTION_PADDING.to_be_bytes());
            out.extend_from_slice(&(padding as u16).to_be_bytes());
            out.resize(out.len() + padding, 0);
        }
        let length = (out.len() - length_at - 2) as u16;
        out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        let total = u16::from_be_bytes([out[10], out[11]]).saturating_add(1);
        out[10..12].copy_from_slice(&total.to_be_bytes());
    }
}
