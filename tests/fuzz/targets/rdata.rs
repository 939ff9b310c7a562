//! Rdata of every type: wire to text to wire and back, the canonical form, the encoding, and everything that reads it.
//!
//! The first two octets choose the type; the rest is rdata on the wire, and text.

use super::bytes::Bytes;
use super::message::records;
use conclave::dns::dnssec::{self, RrsigFields};
use conclave::dns::sig0::Sig0Key;
use conclave::dns::{Class, Name, Rdata, Record, RrType, Rrset, Soa, master, rdata};

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let rtype = RrType(bytes.u16());
    let octets = bytes.0;
    if let Ok(read) = rdata::from_message(rtype, Class::IN, octets, 0, octets.len()) {
        assert!(rdata::validate(rtype, read.wire()).is_ok(), "what came from a message is valid");
        valid(rtype, &read);
    }
    let raw = Rdata::new(octets);
    if rdata::validate(rtype, octets).is_ok() {
        valid(rtype, &raw);
        let soa = Soa::parse(&raw).filter(|_| rtype == RrType::SOA);
        assert!(soa.is_none_or(|soa| soa.to_rdata() == raw));
    }
    readers(rtype, &raw);
    // A master file's words, quotes and escapes included.
    let text = String::from_utf8_lossy(octets);
    let line = format!("x.test. 60 IN {rtype} {text}\n");
    for record in master::read_str(&line, &Name::root()).unwrap_or_default() {
        valid(record.rtype, &record.rdata);
    }
}

fn valid(rtype: RrType, data: &Rdata) {
    let text = rdata::to_text(rtype, data);
    // An octet of a type bit map stands for eight types, each of at most ten characters with its space.
    assert!(text.len() <= 80 * data.wire().len() + 64, "{rtype}: {} of {}", text.len(), data.wire().len());
    let record = Record { name: Name::root(), rtype, class: Class::IN, ttl: 1, rdata: data.clone() };
    if !rtype.is_meta() {
        let line = master::write_record(&record);
        let read = master::read_str(&line, &Name::root()).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(read, std::slice::from_ref(&record), "{line}");
    }
    let canonical = Rdata::new(&rdata::canonical(rtype, data));
    assert_eq!(&*rdata::canonical(rtype, &canonical), canonical.wire(), "canonical twice");
    assert!(rdata::validate(rtype, canonical.wire()).is_ok(), "canonical and valid");
    assert_eq!(
        Rrset::of(rtype, 60, [data.clone(), canonical]).len(),
        1,
        "letters' case makes no second record"
    );
    let encoded = borsh::to_vec(&record).expect("in memory");
    assert_eq!(borsh::from_slice::<Record>(&encoded).expect("what was encoded"), record);
}

/// Everything that reads the data of one type gets those of any.
fn readers(rtype: RrType, data: &Rdata) {
    let _ = rdata::to_text(rtype, data);
    let _ = dnssec::key_tag(data.wire());
    let _ = Sig0Key::new(Name::root(), data);
    if let Some((fields, signature)) = RrsigFields::parse(data) {
        // The signer is written in lower case (RFC 4034 §6.2).
        let written = fields.to_rdata(&signature);
        assert!(written.wire().eq_ignore_ascii_case(data.wire()), "{data:?} is written as {written:?}");
    }
    if let Some((next, types)) = dnssec::parse_nsec(data) {
        assert_eq!(dnssec::nsec_rdata(&next, &types), *data);
    }
    let set = Rrset::of(rtype, 60, [data.clone()]);
    let _ = dnssec::verify_rrsig(&Name::root(), &set, data, data);
}

/// Every record of the zones in `tests/data`, one for each type in the table and more.
fn every_type() -> Vec<Record> {
    let zone = include_str!("../../data/signed-every-type.zone");
    master::read_str(zone, &Name::root()).unwrap_or_default()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut all: Vec<Record> = records().into_iter().chain(every_type()).collect();
    all.sort_by_key(|record| record.rtype);
    all.dedup_by_key(|record| record.rtype);
    let typed = |rtype: RrType, octets: &[u8]| [&rtype.0.to_le_bytes(), octets].concat();
    let wire = all.iter().map(|record| typed(record.rtype, record.rdata.wire()));
    let text =
        all.iter().map(|record| typed(record.rtype, rdata::to_text(record.rtype, &record.rdata).as_bytes()));
    wire.chain(text).collect()
}
