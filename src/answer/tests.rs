//! Each row says by which clause an answer is as it is.

use super::*;
use crate::dns::message::Message;
use crate::dns::tsig::{self, Keyring, TsigAlgorithm, TsigKey};
use crate::dns::{Name, Rcode, Record, RrType, rdata};
use crate::zone::View;
use std::sync::{Arc, OnceLock};

#[path = "../../tests/support/signed.rs"]
pub(crate) mod signed;

mod asterisks;
mod frame;
mod manners;
mod nsec3;
mod rfc8906;
mod sections;
mod signed_queries;
mod transfer;
mod zones;

fn view() -> Arc<View> {
    static VIEW: OnceLock<Arc<View>> = OnceLock::new();
    VIEW.get_or_init(|| signed::view("example.test.", signed::EXAMPLE)).clone()
}

pub(crate) fn catalog() -> Catalog {
    Catalog::new().with(view(), false)
}

/// The wire form of `name TYPE [do|edns]`, names relative to example.test.
pub(crate) fn query(question: &str) -> Vec<u8> {
    let origin = Name::parse("example.test.").unwrap();
    let mut words = question.split(' ');
    let name = match words.next().unwrap() {
        "@" => origin,
        name => Name::parse_relative(name, &origin).unwrap(),
    };
    let rtype: RrType = RrType::parse(words.next().unwrap()).unwrap();
    let flags = match words.next() {
        Some("do") => Some(0x80),
        Some("edns") => Some(0),
        _ => None,
    };
    let mut wire = vec![0xAB, 0xCD, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 0];
    wire.extend_from_slice(name.wire());
    wire.extend_from_slice(&rtype.0.to_be_bytes());
    wire.extend_from_slice(&[0, 1]);
    if let Some(flags) = flags {
        wire[11] = 1;
        wire.extend_from_slice(&[0, 0, 41, 0x10, 0, 0, 0, flags, 0, 0, 0]);
    }
    wire
}

fn answer_over(transport: Transport, wire: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let request = Request { wire, client: Client::over(transport), now_secs: 0 };
    assert!(matches!(respond(&catalog(), &Settings::default(), request, &mut out), Reply::Send(_)));
    out
}

/// `RCODE flags | answer | authority | additional` without the OPT record; of a DS the tag only.
fn render(wire: &[u8]) -> String {
    let message = Message::parse(wire).expect("a response that parses");
    let mut text = Rcode(u16::from(message.header.rcode)).to_string();
    for (set, flag) in [(message.header.aa, " aa"), (message.header.tc, " tc")] {
        text += if set { flag } else { "" };
    }
    for section in [&message.answers, &message.authorities, &message.additionals] {
        let records: Vec<String> = section.iter().map(render_record).collect();
        text += &format!(" | {}", records.join(", "));
    }
    text.trim_end().to_string()
}

fn render_record(record: &Record) -> String {
    let relative = |text: &str| text.replace(".example.test.", "").replace("example.test.", "@");
    let owner = relative(&record.name.to_string());
    match record.rtype {
        RrType::RRSIG => {
            let covered = u16::from_be_bytes(record.rdata.wire()[..2].try_into().unwrap());
            format!("{owner} RRSIG {}", RrType(covered))
        }
        RrType::SOA | RrType::NSEC | RrType::NSEC3 | RrType::DNSKEY => format!("{owner} {}", record.rtype),
        RrType::DS => {
            let tag = u16::from_be_bytes(record.rdata.wire()[..2].try_into().unwrap());
            format!("{owner} DS {tag}")
        }
        rtype => format!("{owner} {rtype} {}", relative(&rdata::to_text(rtype, &record.rdata))),
    }
}

/// Clause, question (`name TYPE [do|edns]`), and its answer as [`render`] writes it.
type Row<'a> = (&'a str, &'a str, &'a str);

fn check(table: &[Row<'_>]) {
    check_in(&catalog(), table);
}

fn check_in(catalog: &Catalog, table: &[Row<'_>]) {
    for (clause, question, expected) in table {
        assert_eq!(&render(&ask_in(catalog, question)), expected, "{clause}: {question}");
    }
}

/// The answer over TCP.
fn ask_in(catalog: &Catalog, question: &str) -> Vec<u8> {
    let (wire, mut out) = (query(question), Vec::new());
    let request = Request { wire: &wire, client: Client::over(Transport::Tcp), now_secs: 0 };
    assert!(matches!(respond(catalog, &Settings::default(), request, &mut out), Reply::Send(_)));
    out
}
