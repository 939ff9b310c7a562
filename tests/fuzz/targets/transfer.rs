//! Any octets as a request for a zone: messages that parse and fit, from SOA to SOA, the same each time.

use super::keys::{NOW, keyring};
use super::signed;
use conclave::answer::Catalog;
use conclave::answer::transfer::{Permit, begin, is_asked};
use conclave::dns::message::Message;
use conclave::dns::tsig::Keyring;
use conclave::dns::{Name, RrType};
use std::sync::{Arc, OnceLock};

fn server() -> &'static (Catalog, Arc<Keyring>) {
    static SERVER: OnceLock<(Catalog, Arc<Keyring>)> = OnceLock::new();
    SERVER.get_or_init(|| {
        let view = signed::view("example.test.", signed::EXAMPLE);
        let waiting = Name::parse("waits.test.").expect("a name");
        (Catalog::new().with(view, false).awaiting(waiting), Arc::new(keyring()))
    })
}

pub fn run(data: &[u8]) {
    if !is_asked(data) {
        return;
    }
    let sent = messages(data);
    assert!(sent == messages(data), "asked twice");
    let parsed: Vec<Message> =
        sent.iter().map(|wire| Message::parse(wire).expect("a message that parses")).collect();
    let records: Vec<_> = parsed.iter().flat_map(|message| &message.answers).collect();
    for message in &parsed {
        assert!(message.header.qr && message.header.id.to_be_bytes() == data[..2]);
    }
    if !records.is_empty() {
        assert!(records[0].rtype == RrType::SOA && records.first() == records.last());
        assert!(parsed.iter().all(|message| message.header.aa));
    }
}

fn messages(data: &[u8]) -> Vec<Vec<u8>> {
    let ((catalog, keys), mut refusal) = (server(), Vec::new());
    match begin(catalog, keys, data, NOW, |_, _| Permit::Granted, &mut refusal) {
        Some(mut transfer) => {
            std::iter::from_fn(|| transfer.next(NOW).expect("no record is too long")).collect()
        }
        None => Some(refusal).into_iter().filter(|refusal| !refusal.is_empty()).collect(),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let question = |name: &[u8], rtype: u16| {
        let mut wire = vec![0xAB, 0xCD, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        wire.extend_from_slice(name);
        wire.extend_from_slice(&rtype.to_be_bytes());
        wire.extend_from_slice(&[0, 1]);
        wire
    };
    let zone = b"\x07example\x04test\x00";
    let mut edns = question(zone, 252);
    edns[11] = 1;
    edns.extend_from_slice(&[0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0]);
    let mut ixfr = question(zone, 251);
    ixfr[9] = 1;
    ixfr.extend_from_slice(zone);
    ixfr.extend_from_slice(&[0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0, 0, 1]);
    ixfr.extend_from_slice(&[0; 16]);
    vec![question(zone, 252), question(b"\x05waits\x04test\x00", 252), edns, ixfr]
}
