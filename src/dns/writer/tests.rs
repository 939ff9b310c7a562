use super::*;
use crate::dns::message::Message;
use crate::dns::rtype::Opcode;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn record(owner: &str, rtype: RrType, target: &str) -> Record {
    Record { name: name(owner), rtype, class: Class::IN, ttl: 60, rdata: Rdata::new(name(target).wire()) }
}

fn writer(limit: usize) -> Writer {
    let mut writer = Writer::new(limit);
    writer.header(&Header { qr: true, aa: true, ..Header::request(7, Opcode::QUERY) });
    let question = Question { name: name("www.Example.test"), rtype: RrType::NS, class: Class::IN };
    writer.question(&question).unwrap();
    writer
}

/// RFC 3597 §4; RFC 6672 §2.5: the target of a DNAME is written out.
#[test]
fn rfc1035_4_1_4_owners_and_old_rdata_are_compressed_and_newer_rdata_is_not() {
    let mut writer = writer(512);
    let start = writer.len();
    writer.record(Section::Answer, &record("www.Example.test", RrType::NS, "a.Example.test")).unwrap();
    assert_eq!(writer.len() - start, 2 + 10 + 4);
    writer.record(Section::Answer, &record("Example.test", RrType::DNAME, "a.Example.test")).unwrap();
    assert_eq!(writer.len() - start, 16 + 2 + 10 + 16);
    let message = Message::parse(&writer.finish()).unwrap();
    assert_eq!(message.answers[0], record("www.Example.test", RrType::NS, "a.Example.test"));
    assert_eq!(message.answers[1], record("Example.test", RrType::DNAME, "a.Example.test"));
}

/// RFC 1035 §2.3.3.
#[test]
fn rfc4343_4_1_compression_keeps_the_case_of_every_name() {
    let records = [
        record("WWW.example.test", RrType::NS, "a.example.TEST"),
        record("www.example.test", RrType::NS, "A.example.test"),
    ];
    let mut writer = writer(512);
    for record in &records {
        writer.record(Section::Answer, record).unwrap();
    }
    assert_eq!(Message::parse(&writer.finish()).unwrap().answers, records);
}

#[test]
fn what_does_not_fit_leaves_no_trace() {
    let mut writer = writer(80);
    writer.record(Section::Answer, &record("x.test", RrType::NS, "y.test")).unwrap();
    let before = writer.len();
    let long = record("z.test", RrType::NS, "abcdefghijklmnopqrstuvwxyz.other");
    assert_eq!(writer.record(Section::Answer, &long), Err(Full));
    assert_eq!(writer.len(), before);
    // A name first seen in what was taken back must not be pointed at.
    writer.record(Section::Answer, &record("z.test", RrType::NS, "z.test")).unwrap();
    writer.truncated();
    let message = Message::parse(&writer.finish()).unwrap();
    assert!(message.header.tc && message.header.aa);
    assert_eq!(
        message.answers,
        [record("x.test", RrType::NS, "y.test"), record("z.test", RrType::NS, "z.test")]
    );
}

#[test]
fn a_mark_takes_back_records_and_their_counts() {
    let mut writer = writer(512);
    writer.record(Section::Answer, &record("x.test", RrType::NS, "y.test")).unwrap();
    let mark = writer.mark();
    writer.record(Section::Answer, &record("new.name", RrType::NS, "q.new.name")).unwrap();
    writer.record(Section::Authority, &record("new.name", RrType::NS, "r.new.name")).unwrap();
    writer.rollback(mark);
    writer.record(Section::Additional, &record("q.new.name", RrType::NS, "new.name")).unwrap();
    let message = Message::parse(&writer.finish()).unwrap();
    assert_eq!((message.answers.len(), message.authorities.len()), (1, 0));
    assert_eq!(message.additionals, [record("q.new.name", RrType::NS, "new.name")]);
}

#[test]
fn names_beyond_the_reach_of_pointers_are_written_out() {
    let mut writer = writer(65_535);
    for number in 0..700 {
        writer.record(Section::Answer, &record(&format!("n{number}.far"), RrType::TXT, "deep.down")).unwrap();
    }
    for number in 0..700 {
        writer.record(Section::Answer, &record(&format!("n{number}.far"), RrType::NS, "deep.down")).unwrap();
    }
    let wire = writer.finish();
    assert!(wire.len() > 0x4000);
    let message = Message::parse(&wire).unwrap();
    assert_eq!(message.answers[1_399], record("n699.far", RrType::NS, "deep.down"));
}

/// RFC 6891 §6.1.2 and RFC 6891 §6.1.3.
#[test]
fn an_opt_record_reads_back() {
    let mut writer = writer(512);
    let edns = Edns {
        udp_size: 1232,
        extended_rcode: 1,
        version: 0,
        do_bit: true,
        options: vec![(3, vec![]), (15, vec![0, 20])],
    };
    writer.opt(&edns).unwrap();
    let message = Message::parse(&writer.finish()).unwrap();
    assert_eq!(message.rcode().0, 16);
    assert_eq!(message.edns, Some(edns));
}
