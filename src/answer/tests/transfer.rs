//! Zone transfers, message by message.

use super::*;
use crate::answer::transfer::{Permit, Transfer, begin, is_asked};
use crate::dns::rrset::Soa;
use crate::limits::MAX_TRANSFER_MESSAGE_OCTETS;
use std::fmt::Write;

fn key_name() -> Name {
    Name::parse("secondary").unwrap()
}

fn keys() -> Arc<Keyring> {
    let mut keys = Keyring::default();
    let key = TsigKey::new(key_name(), TsigAlgorithm::HmacSha256, vec![7; 32]);
    keys.tsig.insert(key_name(), key);
    Arc::new(keys)
}

/// A zone that takes several messages.
fn large() -> Arc<View> {
    static VIEW: OnceLock<Arc<View>> = OnceLock::new();
    let make = || {
        let mut text =
            "$TTL 60\n@ SOA ns host 7 1 1 1 1\n@ NS ns\nns A 192.0.2.1\ncut NS ns.cut\nns.cut A 192.0.2.2\n"
                .to_owned();
        for i in 0..300 {
            _ = writeln!(text, "n{i} TXT \"{i} of many\"");
        }
        text.push_str("MiXed MX 1 Ns\nlong TXT");
        for _ in 0..80 {
            _ = write!(text, " \"{}\"", "x".repeat(250));
        }
        signed::view("example.test.", &(text + "\n"))
    };
    VIEW.get_or_init(make).clone()
}

fn messages(mut transfer: Transfer) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| transfer.next(5_000).expect("no record is too long")).collect()
}

fn transfer(view: Arc<View>, wire: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let (catalog, mut out) = (Catalog::new().with(view, false), Vec::new());
    match begin(&catalog, &keys(), wire, 5_000, |_, _| Permit::Granted, &mut out) {
        Some(transfer) => Ok(messages(transfer)),
        None => Err(render(&out)),
    }
}

fn records(messages: &[Vec<u8>]) -> Vec<Record> {
    messages.iter().flat_map(|wire| Message::parse(wire).unwrap().answers).collect()
}

/// RFC 1034 §4.3.5 and RFC 5936 §2.2, §2.2.3, §3.1, §3.2, §3.3, §3.5: the SOA first, then every other record once, delegations, glue
/// and occluded names among them, then the SOA again. RFC 4035 §3.1.5: so are signatures, DS and denials.
#[test]
fn a_transfer_is_the_zone_between_two_soas() {
    for view in [view(), large()] {
        let sent = records(&transfer(view.clone(), &query("@ AXFR")).unwrap());
        let soa = |record: &Record| record.rtype == RrType::SOA;
        assert!(soa(&sent[0]) && sent.last() == sent.first() && sent.iter().filter(|r| soa(r)).count() == 2);
        let zone: Vec<Record> = view.iter().flat_map(|node| node.records()).filter(|r| !soa(r)).collect();
        assert_eq!(sent[1..sent.len() - 1], zone, "in canonical order, signatures and glue included");
        let octets = |records: &[Record]| -> Vec<_> {
            records.iter().map(|record| (record.name.wire().to_vec(), record.rdata.clone())).collect()
        };
        assert_eq!(octets(&sent[1..sent.len() - 1]), octets(&zone), "RFC 5936 §3.4: in the zone's case");
    }
}

/// RFC 5936 §2.2.1: each message has the request's ID and AA, and no TC; RFC 5936 §2.2.2: the first one has the question; RFC 5936
/// §2.2.4: no authority section.
#[test]
fn every_message_is_authoritative_and_small() {
    let messages = transfer(large(), &query("@ AXFR do")).unwrap();
    assert!(messages.len() > 3, "{}", messages.len());
    for (index, wire) in messages.iter().enumerate() {
        let message = Message::parse(wire).unwrap();
        assert_eq!(wire[..4], [0xAB, 0xCD, 0x85, 0x00], "message {index}");
        assert_eq!(message.questions.len(), usize::from(index == 0), "message {index}");
        assert_eq!(message.authorities.len(), 0, "message {index}");
        assert_eq!(message.edns.is_some(), index == 0, "RFC 5936 §2.2.5: message {index}");
        let one = message.answers.len() == 1;
        assert!(one || wire.len() <= MAX_TRANSFER_MESSAGE_OCTETS, "message {index} of {} octets", wire.len());
    }
}

/// RFC 5936 §3.4: owners are compressed.
#[test]
fn names_are_compressed() {
    let messages = transfer(large(), &query("@ AXFR")).unwrap();
    let plain: usize =
        records(&messages).iter().map(|r| r.name.wire().len() + 10 + r.rdata.wire().len()).sum();
    let sent: usize = messages.iter().map(Vec::len).sum();
    assert!(sent + 10 * records(&messages).len() < plain, "{sent} octets of {plain}");
}

/// RFC 5936 §2.1.1: what a query's flags mean for other queries means nothing here.
#[test]
fn flags_are_ignored() {
    let mut flags = query("@ AXFR");
    flags[2] |= 0x06;
    flags[3] |= 0xf0;
    assert_eq!(transfer(view(), &flags), transfer(view(), &query("@ AXFR")));
}

/// RFC 5936 §3.1 and pitfall 24: equal requests for one version get equal bytes, from any replica.
#[test]
fn a_version_is_sent_in_the_same_bytes() {
    assert_eq!(transfer(large(), &query("@ AXFR do")), transfer(large(), &query("@ AXFR do")));
}

/// RFC 5936 §2.2.1: what is refused, and how; RFC 5936 §2.2.2: with the question.
#[test]
fn refusals_say_why() {
    let catalog = catalog().awaiting(Name::parse("later.test.").unwrap());
    let ask = |question: &str, permit: Permit| {
        let mut out = Vec::new();
        assert!(begin(&catalog, &keys(), &query(question), 5_000, |_, _| permit, &mut out).is_none());
        assert_eq!(out[12..], query(question)[12..]);
        render(&out)
    };
    assert_eq!(ask("@ AXFR", Permit::Refused), "REFUSED |  |  |");
    assert_eq!(ask("@ AXFR", Permit::Later), "SERVFAIL |  |  |");
    assert_eq!(ask("web AXFR", Permit::Granted), "NOTAUTH |  |  |");
    assert_eq!(ask("elsewhere.org. AXFR", Permit::Granted), "NOTAUTH |  |  |");
    assert_eq!(ask("later.test. AXFR", Permit::Granted), "SERVFAIL |  |  |");
    assert_eq!(ask("later.test. AXFR", Permit::Refused), "REFUSED |  |  |");
    let (mut out, wire) = (Vec::new(), query("@ AXFR edns"));
    assert!(begin(&catalog, &keys(), &wire, 5_000, |_, _| Permit::Later, &mut out).is_none());
    let told = Message::parse(&out).unwrap().edns.unwrap().options;
    assert_eq!(
        told,
        [(15, b"\0\0too many transfers now".to_vec())],
        "RFC 8914 §4.1: another error says which"
    );
    let mut malformed = query("@ AXFR");
    malformed.push(0);
    assert_eq!(transfer(view(), &malformed), Err("FORMERR |  |  |".into()));
    assert!(is_asked(&query("@ AXFR")) && is_asked(&query("@ IXFR do")) && !is_asked(&query("@ SOA")));
    assert!(!is_asked(&[]) && !is_asked(&query("@ AXFR")[..20]));
}

/// RFC 1995 §4 and pitfall 23: who asks for the changes since a version gets the zone; who has it already, the SOA alone.
#[test]
fn ixfr_is_answered_by_the_zone_or_its_soa() {
    let serial = view().serial();
    for (held, whole) in [(serial.wrapping_sub(1), true), (serial, false), (serial.wrapping_add(1), false)] {
        let mut wire = query("@ IXFR");
        let mut soa = Soa::parse(&view().soa().rrset.rdatas[0]).unwrap();
        soa.serial = held;
        let rdata = soa.to_rdata();
        wire[9] = 1;
        wire.extend_from_slice(view().origin().wire());
        wire.extend_from_slice(&[0, 6, 0, 1, 0, 0, 0, 0]);
        wire.extend_from_slice(&(rdata.wire().len() as u16).to_be_bytes());
        wire.extend_from_slice(rdata.wire());
        let sent = records(&transfer(view(), &wire).unwrap());
        assert_eq!(sent.len() > 1, whole, "with serial {held} of {serial}");
        assert_eq!(sent[0].rtype, RrType::SOA);
    }
    assert!(records(&transfer(view(), &query("@ IXFR")).unwrap()).len() > 1, "without a serial: all");
}

/// RFC 8945 §5.3.1, RFC 5936 §2.2.5 and RFC 5936 §6: every message has a TSIG; the caller hears whose key signed the request.
#[test]
fn a_signed_request_gets_signed_messages_and_a_wrong_key_none() {
    let keys = keys();
    let key = &keys.tsig[&key_name()];
    let mut wire = query("@ AXFR");
    let mac = tsig::sign_request(&mut wire, key, 5_000);
    let (catalog, mut out) = (Catalog::new().with(large(), false), Vec::new());
    let by_key =
        |zone: &Name, signer: Option<&Name>| match zone == large().origin() && signer == Some(&key_name()) {
            true => Permit::Granted,
            false => Permit::Refused,
        };
    let sent = messages(begin(&catalog, &keys, &wire, 5_000, by_key, &mut out).expect("a transfer"));
    assert_eq!(tsig::verify_response(&sent[0], key, &mac, 5_000), Ok(Rcode::NOERROR));
    for message in &sent {
        assert!(tsig::verify_response(message, key, &mac, 5_000) != Err(tsig::AuthFailure::Unsigned));
    }
    assert!(begin(&catalog, &keys, &wire, 5_000, |_, _| Permit::Refused, &mut out).is_none());
    assert_eq!(tsig::verify_response(&out, key, &mac, 5_000), Ok(Rcode::NOERROR), "also a refusal is signed");
    let last = wire.len() - 8;
    wire[last] ^= 1;
    assert!(begin(&catalog, &keys, &wire, 5_000, |_, _| Permit::Granted, &mut out).is_none());
    assert!(render(&out).starts_with("NOTAUTH"), "{}", render(&out));
}
