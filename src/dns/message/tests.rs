use super::*;
use crate::dns::writer::{Section, Writer};
use hickory_proto::op::Message as Hickory;
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// An update of example. with these records, each with its section, as raw octets.
fn update(prerequisites: &[&[u8]], updates: &[&[u8]], additionals: &[&[u8]]) -> Vec<u8> {
    let count = |list: &[&[u8]]| (list.len() as u16).to_be_bytes();
    let mut wire = vec![0xab, 0xcd, 0x28, 0, 0, 1];
    for list in [prerequisites, updates, additionals] {
        wire.extend_from_slice(&count(list));
    }
    wire.extend_from_slice(b"\x07example\x00\x00\x06\x00\x01");
    for list in [prerequisites, updates, additionals] {
        wire.extend_from_slice(&list.concat());
    }
    wire
}

/// A record owned by example.
fn raw(rtype: RrType, class: Class, rdata: &[u8]) -> Vec<u8> {
    let mut wire = vec![0xc0, 12];
    wire.extend_from_slice(&rtype.0.to_be_bytes());
    wire.extend_from_slice(&class.0.to_be_bytes());
    wire.extend_from_slice(&[0; 4]);
    wire.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
    wire.extend_from_slice(rdata);
    wire
}

const OPT: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0];

/// RFC 2136 §2.3: the zone section is where the question is.
#[test]
fn rfc2136_2_4_and_2_5_any_and_none_have_rdata_or_not() {
    let exists = raw(RrType::A, Class::ANY, &[]);
    let absent = raw(RrType::MX, Class::NONE, &[]);
    let delete = raw(RrType::MX, Class::NONE, b"\x00\x0a\x01m\xc0\x0c");
    let filled = raw(RrType::A, Class::ANY, &[1]);
    let message = Message::parse(&update(&[&exists, &absent], &[&delete, &filled], &[])).unwrap();
    assert_eq!(message.questions[0].name, name("example"));
    assert!(message.answers.iter().all(|record| record.rdata.wire().is_empty()));
    assert_eq!(message.authorities[0].rdata.wire(), b"\x00\x0a\x01m\x07example\x00", "decompressed");
    assert_eq!(message.authorities[1].rdata.wire(), [1], "left for the zone to refuse");
}

#[test]
fn rfc2136_2_5_4_class_none_is_validated_and_class_in_needs_its_rdata() {
    let refused = |record: &[u8]| {
        matches!(Message::parse(&update(&[], &[record], &[])), Err(ParseError::Rdata(RrType::A, _)))
    };
    assert!(refused(&raw(RrType::A, Class::NONE, &[1, 2, 3])));
    assert!(refused(&raw(RrType::A, Class::IN, &[])));
    assert!(!refused(&raw(RrType::A, Class::IN, &[1, 2, 3, 4])));
    // Not an update: nothing may be missing.
    let mut query = update(&[&raw(RrType::A, Class::ANY, &[])], &[], &[]);
    query[2] = 0;
    assert!(matches!(Message::parse(&query), Err(ParseError::Rdata(RrType::A, _))));
}

#[test]
fn rfc6891_6_1_1_one_opt_at_the_root_among_the_additionals() {
    let message = Message::parse(&update(&[], &[], &[OPT])).unwrap();
    assert_eq!(message.edns.unwrap().udp_size, 1232);
    assert!(message.additionals.is_empty());
    let owned = raw(RrType::OPT, Class(1232), &[]);
    let option_cut = [&OPT[..9], &[0, 3, 0, 3, 0]].concat();
    for additionals in [&[OPT, OPT][..], &[&owned], &[&option_cut]] {
        assert_eq!(Message::parse(&update(&[], &[], additionals)), Err(ParseError::Opt));
    }
    assert_eq!(Message::parse(&update(&[], &[OPT], &[])), Err(ParseError::Opt));
}

/// RFC 6891 §6.1.1 and §7: also where the message is none, as far as it can be read.
#[test]
fn an_opt_record_is_seen_in_what_is_malformed() {
    let bad = raw(RrType::A, Class::IN, &[1, 2, 3]);
    assert!(has_opt(&update(&[], &[&bad], &[OPT])) && has_opt(&update(&[], &[], &[OPT, OPT])));
    assert!(!has_opt(&update(&[], &[&bad], &[])) && !has_opt(OPT) && !has_opt(&[0xff; 40]) && !has_opt(&[]));
}

/// RFC 2931 §3 and RFC 8945 §5.2.
#[test]
fn rfc8945_5_1_and_rfc2931_3_1_a_signature_is_the_last_record() {
    let tsig = raw(RrType::TSIG, Class::ANY, &[0; 17]);
    let sig0 = raw(RrType::SIG, Class::ANY, &[0; 20]);
    for signature in [&tsig, &sig0] {
        let wire = update(&[], &[], &[OPT, signature]);
        let message = Message::parse(&wire).unwrap();
        assert_eq!(message.signature_at, Some(wire.len() - signature.len()));
        for behind in [OPT, &tsig, &sig0] {
            assert_eq!(Message::parse(&update(&[], &[], &[signature, behind])), Err(ParseError::Signature));
        }
        let misplaced = [&signature[..4], &Class::IN.0.to_be_bytes(), &signature[6..]].concat();
        assert_eq!(Message::parse(&update(&[], &[&misplaced], &[])), Err(ParseError::Signature));
    }
}

#[test]
fn every_cut_and_every_addition_is_refused() {
    let delete = raw(RrType::MX, Class::NONE, b"\x00\x0a\x01m\xc0\x0c");
    let wire = update(&[&raw(RrType::A, Class::ANY, &[])], &[&delete], &[OPT]);
    assert!(Message::parse(&wire).is_ok());
    for end in 0..wire.len() {
        assert!(Message::parse(&wire[..end]).is_err(), "cut at {end}");
    }
    assert_eq!(Message::parse(&[&wire[..], &[0]].concat()), Err(ParseError::Trailing));
}

fn names() -> impl Strategy<Value = Name> {
    let label = prop_oneof![Just("a"), Just("B"), Just("ns"), Just("example"), Just(r"x\000\.y")];
    prop::collection::vec(label, 0..5).prop_map(|labels| name(&format!("{}.", labels.join("."))))
}

fn records() -> impl Strategy<Value = Record> {
    let with_name = |rtype: RrType, head: &'static [u8]| {
        names().prop_map(move |target| (rtype, [head, target.wire()].concat()))
    };
    let data = prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| (RrType::A, octets.to_vec())),
        any::<[u8; 16]>().prop_map(|octets| (RrType::AAAA, octets.to_vec())),
        with_name(RrType::NS, &[]),
        with_name(RrType::MX, &[0, 10]),
        with_name(RrType::SRV, &[0, 1, 0, 2, 0, 3]),
        with_name(RrType::SOA, b"\x02mn\x07example\x00")
            .prop_map(|(rtype, head)| (rtype, [head, vec![7; 20]].concat())),
        // hickory takes an unknown type without data for an error.
        prop::collection::vec(any::<u8>(), 1..40).prop_map(|octets| (RrType(65_280), octets)),
    ];
    (names(), data, any::<u32>()).prop_map(|(name, (rtype, octets), ttl)| {
        let rdata = Rdata::new(&octets);
        Record { name, rtype, class: Class::IN, ttl: ttl & 0x7fff_ffff, rdata }
    })
}

fn message_of(sections: [&[Record]; 3], question: Name) -> Vec<u8> {
    let mut writer = Writer::new(65_535);
    writer.header(&Header { qr: true, ..Header::request(1, Opcode::QUERY) });
    writer.question(&Question { name: question, rtype: RrType::A, class: Class::IN }).unwrap();
    for (section, records) in
        [Section::Answer, Section::Authority, Section::Additional].into_iter().zip(sections)
    {
        for record in records {
            writer.record(section, record).unwrap();
        }
    }
    writer.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// RFC 1035 §3.2.1 and RFC 1035 §4.1.3.
    #[test]
    fn what_is_written_is_read_by_us_and_by_hickory_and_hickorys_by_us(
        question in names(),
        answers in prop::collection::vec(records(), 0..8),
        authorities in prop::collection::vec(records(), 0..8),
        additionals in prop::collection::vec(records(), 0..8),
    ) {
        let wire = message_of([&answers, &authorities, &additionals], question);
        let ours = Message::parse(&wire).unwrap();
        // Names compare without case: compression keeps the case that came first.
        prop_assert_eq!(ours.answers.len(), answers.len());
        for (read, written) in ours.answers.iter().chain(&ours.authorities).chain(&ours.additionals)
            .zip(answers.iter().chain(&authorities).chain(&additionals))
        {
            prop_assert_eq!((&read.name, read.rtype, read.ttl), (&written.name, written.rtype, written.ttl));
            let lower = |record: &Record| rdata::canonical(record.rtype, &record.rdata).into_owned();
            prop_assert_eq!(lower(read), lower(written));
        }
        let hickory = Hickory::from_vec(&wire).unwrap();
        let again = Message::parse(&hickory.to_vec().unwrap()).unwrap();
        prop_assert_eq!((&again.answers, &again.authorities), (&ours.answers, &ours.authorities));
        prop_assert_eq!(&again.additionals, &ours.additionals);
    }

    #[test]
    fn mutated_messages_are_refused_or_hold_valid_rdata(
        answers in prop::collection::vec(records(), 0..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut wire = message_of([&answers, &[], &[]], name("example"));
        for (place, octet) in changes {
            let at = place.index(wire.len());
            wire[at] = octet;
        }
        for record in Message::parse(&wire).iter().flat_map(|message| &message.answers) {
            let validated = record.class == Class::IN;
            prop_assert!(!validated || rdata::validate(record.rtype, record.rdata.wire()).is_ok());
        }
    }
}
