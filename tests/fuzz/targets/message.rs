//! Whole DNS messages: what parses is bounded, and what is written of it parses to the same.

use super::keys;
use conclave::dns::message::{Header, Message, Question, Section, Writer};
use conclave::dns::{Class, Opcode, Record, RrType, master};

/// Octets of the smallest record: a root owner, type, class, TTL, length.
const SMALLEST_RECORD: usize = 11;

pub fn run(data: &[u8]) {
    let Ok(message) = Message::parse(data) else { return };
    let records = message.answers.len() + message.authorities.len() + message.additionals.len();
    assert!(records * SMALLEST_RECORD <= data.len(), "{records} records of {} octets", data.len());
    if let Some(start) = message.signature_at {
        assert!((12..data.len()).contains(&start), "a signature at {start}");
    }
    // What class ANY carries in an update is left unparsed, so it cannot be written elsewhere.
    let raw = |record: &Record| record.class == Class::ANY && !record.rdata.wire().is_empty();
    let all = [&message.answers, &message.authorities, &message.additionals];
    if message.header.opcode == Opcode::UPDATE && all.into_iter().flatten().any(raw) {
        return;
    }
    let Some(written) = write(&message) else { return };
    let again = Message::parse(&written).unwrap_or_else(|e| panic!("what was written does not parse: {e}"));
    // The signature covers the octets as they came: it is never written again.
    assert_eq!(again, Message { signature_at: None, ..message }, "parsed, written, parsed");
    assert_eq!(write(&again), Some(written), "written twice");
}

/// The message without its signature; none if it does not fit (what came compressed in other places may be shorter).
fn write(message: &Message) -> Option<Vec<u8>> {
    let mut writer = Writer::new(usize::from(u16::MAX));
    writer.header(&message.header);
    for question in &message.questions {
        writer.question(question).ok()?;
    }
    let sections = [
        (Section::Answer, &message.answers),
        (Section::Authority, &message.authorities),
        (Section::Additional, &message.additionals),
    ];
    for (section, records) in sections {
        for record in records {
            writer.record(section, record).ok()?;
        }
    }
    if let Some(edns) = &message.edns {
        writer.opt(edns).ok()?;
    }
    Some(writer.finish())
}

/// A record of most field kinds.
pub const RECORDS: &str = r#"
a.test. 60 IN NS ns.a.test.
a.test. 60 IN SOA ns.a.test. host.a.test. 1 2 3 4 5
a.test. 60 IN MX 10 mx.a.test.
a.test. 60 IN TXT "one" "two\000"
a.test. 60 IN SRV 1 2 3 srv.a.test.
a.test. 60 IN NAPTR 100 10 "U" "E2U+sip" "!^.*$!sip:x@example!" .
a.test. 60 IN LOC 60 9 0.000 N 24 39 0.000 E 10.00m 20.00m 2000.00m 20.00m
a.test. 60 IN RRSIG NSEC 8 3 3600 20260102030405 19961211100908 2143 a.test. MxFcby9k
a.test. 60 IN NSEC b.test. A NS CAA TYPE65281
a.test. 60 IN NSEC3 1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG
a.test. 60 IN HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p r.test.
a.test. 60 IN IPSECKEY 10 3 2 gateway.test. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
a.test. 60 IN HTTPS 1 . mandatory=alpn alpn="h2,h3" port=53 ipv6hint=2001:db8::1
a.test. 60 IN CAA 128 tbs "Unknown"
a.test. 60 IN TYPE65533 \# 3 616263
"#;

/// Those, parsed.
pub fn records() -> Vec<Record> {
    master::read_str(RECORDS, &conclave::dns::Name::root()).expect("records")
}

/// An answer or an update that holds these records.
pub fn holding(opcode: Opcode, records: &[Record]) -> Vec<u8> {
    let mut writer = Writer::new(usize::from(u16::MAX));
    writer.header(&Header::request(1, opcode));
    let question = Question { name: keys::name("test"), rtype: RrType::SOA, class: Class::IN };
    writer.question(&question).expect("room");
    for record in records {
        writer.record(Section::Authority, record).expect("room");
    }
    writer.finish()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let one_each = records().into_iter().map(|record| holding(Opcode::QUERY, &[record]));
    one_each.chain([holding(Opcode::UPDATE, &records()), keys::nsupdate()]).collect()
}
