//! Each row says by which clause an answer is as it is.

use super::*;
use crate::dns::message::Message;
use crate::dns::tsig::{self, Keyring, TsigAlgorithm, TsigKey};
use crate::dns::{Name, Rcode, Record, RrType, rdata};
use crate::zone::View;
use std::sync::{Arc, OnceLock};

#[path = "../../tests/support/signed.rs"]
mod signed;

fn view() -> Arc<View> {
    static VIEW: OnceLock<Arc<View>> = OnceLock::new();
    VIEW.get_or_init(|| signed::view("example.test.", signed::EXAMPLE)).clone()
}

fn catalog() -> Catalog {
    Catalog::new().with(view(), false)
}

/// The wire form of `name TYPE [do|edns]`, names relative to example.test.
fn query(question: &str) -> Vec<u8> {
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
    let request = Request { wire, transport, now_secs: 0 };
    assert_eq!(respond(&catalog(), &Settings::default(), request, &mut out), Reply::Send);
    out
}

/// `RCODE flags | answer | authority | additional` without the OPT record.
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
        RrType::SOA | RrType::NSEC | RrType::DNSKEY => format!("{owner} {}", record.rtype),
        rtype => format!("{owner} {rtype} {}", relative(&rdata::to_text(rtype, &record.rdata))),
    }
}

fn check(table: &[(&str, &str, &str)]) {
    for (clause, question, expected) in table {
        let seen = render(&answer_over(Transport::Tcp, &query(question)));
        assert_eq!(&seen, expected, "{clause}: {question}");
    }
}

#[test]
fn names_that_exist() {
    check(&[
        ("RFC 1034 §4.3.2 3a", "web A", "NOERROR aa | web A 192.0.2.3 |  |"),
        ("RFC 1034 §4.3.2 3a, any case", "WEB A", "NOERROR aa | WEB A 192.0.2.3 |  |"),
        ("RFC 4035 §3.1.1", "web A do", "NOERROR aa | web A 192.0.2.3, web RRSIG A |  |"),
        ("RFC 3597 §3", "strange TYPE65280", "NOERROR aa | strange TYPE65280 \\# 4 00010203 |  |"),
        ("RFC 1034 §3.6.2", "www A", "NOERROR aa | www CNAME web, web A 192.0.2.3 |  |"),
        ("RFC 1034 §3.6.2: a query for the alias itself", "www CNAME", "NOERROR aa | www CNAME web |  |"),
        (
            "RFC 1034 §4.3.2 3a: an alias of an alias",
            "hop1 A",
            "NOERROR aa | hop1 CNAME hop2, hop2 CNAME hop3, hop3 CNAME web, web A 192.0.2.3 |  |",
        ),
        ("RFC 1034 §5.2.2: a loop ends", "loop1 A", "NOERROR aa | loop1 CNAME loop2, loop2 CNAME loop1 |  |"),
        ("RFC 1034 §5.2.2: a loop of one", "self A", "NOERROR aa | self CNAME self |  |"),
        ("RFC 1034 §4.3.2 3a: out of the zone", "out A", "NOERROR aa | out CNAME www.elsewhere.test. |  |"),
        (
            "RFC 6604 §3: the last name's rcode",
            "dangling A",
            "NXDOMAIN aa | dangling CNAME nothing | @ SOA |",
        ),
        (
            "RFC 2308 §2.2: an alias to nothing of the type",
            "toent A",
            "NOERROR aa | toent CNAME ent | @ SOA |",
        ),
        (
            "RFC 1034 §4.3.2 3b after 3a",
            "todeleg A",
            "NOERROR aa | todeleg CNAME host.deleg | deleg NS ns.elsewhere.test., deleg NS ns.sibling, deleg NS ns1.deleg | \
          ns1.deleg A 192.0.2.10, ns1.deleg AAAA 2001:db8::10, ns.sibling A 192.0.2.13",
        ),
        (
            "RFC 4592 §3.3.1 after an alias",
            "towild A do",
            "NOERROR aa | towild CNAME x.wild, towild RRSIG CNAME, x.wild A 192.0.2.4, x.wild RRSIG A | \
          below.here.wild NSEC, below.here.wild RRSIG NSEC |",
        ),
    ]);
}

#[test]
fn names_that_do_not_exist_and_types_that_are_not_there() {
    check(&[
        ("RFC 2308 §2.1", "nothing A", "NXDOMAIN aa |  | @ SOA |"),
        (
            "RFC 4035 §3.1.3.2",
            "nothing A do",
            "NXDOMAIN aa |  | @ SOA, @ RRSIG SOA, mail-exchanger-number-12-with-a-long-name.mx NSEC, \
          mail-exchanger-number-12-with-a-long-name.mx RRSIG NSEC, @ NSEC, @ RRSIG NSEC |",
        ),
        ("RFC 2308 §2.2", "web TXT", "NOERROR aa |  | @ SOA |"),
        ("RFC 4035 §3.1.3.1", "web TXT do", "NOERROR aa |  | @ SOA, @ RRSIG SOA, web NSEC, web RRSIG NSEC |"),
        ("RFC 8020 §2: an empty non-terminal exists", "ent A", "NOERROR aa |  | @ SOA |"),
        (
            "RFC 8020 §2: and so does one under it",
            "under.ent A do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, self NSEC, self RRSIG NSEC |",
        ),
        ("RFC 8020 §2: below a name that does not exist", "a.b.nothing A", "NXDOMAIN aa |  | @ SOA |"),
    ]);
}

#[test]
fn wildcards() {
    check(&[
        ("RFC 4592 §3.3.1", "x.wild A", "NOERROR aa | x.wild A 192.0.2.4 |  |"),
        ("RFC 4592 §2.2.1: any depth", "x.y.wild A", "NOERROR aa | x.y.wild A 192.0.2.4 |  |"),
        (
            "RFC 4035 §3.1.3.3",
            "x.wild A do",
            "NOERROR aa | x.wild A 192.0.2.4, x.wild RRSIG A | below.here.wild NSEC, below.here.wild RRSIG NSEC |",
        ),
        ("RFC 4592 §3.3.3: no data", "x.wild MX", "NOERROR aa |  | @ SOA |"),
        (
            "RFC 4035 §3.1.3.4",
            "x.wild MX do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, below.here.wild NSEC, below.here.wild RRSIG NSEC, *.wild NSEC, \
          *.wild RRSIG NSEC |",
        ),
        (
            "RFC 4592 §2.3: asked for itself",
            "*.wild A do",
            "NOERROR aa | *.wild A 192.0.2.4, *.wild RRSIG A |  |",
        ),
        ("RFC 4592 §2.2.1: a closer name hides it", "here.wild TXT", "NOERROR aa |  | @ SOA |"),
        ("RFC 4592 §2.2.1: and what is under that name", "x.here.wild A", "NXDOMAIN aa |  | @ SOA |"),
        ("RFC 4592 §3.3.1: the owner of the wildcard's parent", "wild A", "NOERROR aa |  | @ SOA |"),
        (
            "RFC 4592 §3.3.2: a wildcard alias",
            "x.wildalias A",
            "NOERROR aa | x.wildalias CNAME web, web A 192.0.2.3 |  |",
        ),
        (
            "RFC 4592 §3.3.2: to itself",
            "y.wildloop A",
            "NOERROR aa | y.wildloop CNAME x.wildloop, x.wildloop CNAME x.wildloop |  |",
        ),
        ("RFC 4592 §2.2.2: an asterisk that owns nothing", "x.odd TXT", "NOERROR aa |  | @ SOA |"),
        (
            "RFC 4592 §2.2.1: an asterisk inside a name is a label",
            "sub.*.odd TXT",
            "NOERROR aa | sub.*.odd TXT \"under an asterisk\" |  |",
        ),
    ]);
}

#[test]
fn cuts() {
    let referral = "NOERROR |  | deleg NS ns.elsewhere.test., deleg NS ns.sibling, deleg NS ns1.deleg | \
                    ns1.deleg A 192.0.2.10, ns1.deleg AAAA 2001:db8::10, ns.sibling A 192.0.2.13";
    check(&[
        ("RFC 1034 §4.3.2 3b", "host.deleg A", referral),
        ("RFC 1034 §4.3.2 3b: the cut itself", "deleg A", referral),
        ("RFC 1034 §4.3.2 3b: even its NS are the child's", "deleg NS", referral),
        ("RFC 1034 §4.3.2 3b: glue is not an answer", "ns1.deleg A", referral),
        ("RFC 8482 is not for cuts", "deleg ANY", referral),
        (
            "RFC 4035 §3.1.4: no DS, and the proof",
            "host.lame A do",
            "NOERROR |  | lame NS ns.elsewhere.test., lame NSEC, lame RRSIG NSEC |",
        ),
        (
            "RFC 4035 §3.1.4: with DS",
            "host.secure A do",
            "NOERROR |  | secure NS ns.secure, \
          secure DS 4711 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF, secure RRSIG DS | \
          ns.secure A 192.0.2.12",
        ),
        (
            "RFC 4035 §3.1.4.1",
            "secure DS",
            "NOERROR aa | secure DS 4711 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF |  |",
        ),
        (
            "RFC 4035 §3.1.4.1: no DS",
            "lame DS do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, lame NSEC, lame RRSIG NSEC |",
        ),
        (
            "RFC 4035 §3.1.4.1: below the cut",
            "x.secure DS",
            "NOERROR |  | secure NS ns.secure | ns.secure A 192.0.2.12",
        ),
        ("RFC 4035 §3.1.4.1: the apex without its parent", "@ DS", "NOERROR aa |  | @ SOA |"),
    ]);
}

#[test]
fn dnames() {
    let long = "a-label-that-is-as-long-as-a-label-can-be-so-that-it-overflows";
    check(&[
        (
            "RFC 6672 §3.2",
            "a.old A",
            "NOERROR aa | old DNAME new, a.old CNAME a.new, a.new A 192.0.2.20 |  |",
        ),
        (
            "RFC 6672 §5.3.1: the CNAME is not signed",
            "a.old A do",
            "NOERROR aa | old DNAME new, old RRSIG DNAME, a.old CNAME a.new, a.new A 192.0.2.20, a.new RRSIG A |  |",
        ),
        ("RFC 6672 §2.3: the owner is not redirected", "old TXT", "NOERROR aa | old TXT \"old itself\" |  |"),
        ("RFC 6672 §3.2: asked for itself", "old DNAME", "NOERROR aa | old DNAME new |  |"),
        (
            "RFC 6672 §3.2: into a wildcard",
            "x.old TXT",
            "NOERROR aa | old DNAME new, x.old CNAME x.new, x.new TXT \"any new\" |  |",
        ),
        (
            "RFC 6672 §3.2: out of the zone",
            "x.far A",
            "NOERROR aa | far DNAME elsewhere.test., x.far CNAME x.elsewhere.test. |  |",
        ),
        (
            "RFC 6672 §3.2: asked for the CNAME",
            "x.far CNAME",
            "NOERROR aa | far DNAME elsewhere.test., x.far CNAME x.elsewhere.test. |  |",
        ),
        (
            "RFC 6672 §2.2: too long",
            &format!("{long}.long A"),
            &format!("YXDOMAIN aa | long DNAME {long}1.{long}2.{long}3.new |  |"),
        ),
    ]);
}

#[test]
fn additional_addresses() {
    check(&[
        (
            "RFC 1035 §3.3.9",
            "@ MX",
            "NOERROR aa | @ MX 10 mail, @ MX 20 mx.deleg |  | mail A 192.0.2.2, mx.deleg A 192.0.2.11",
        ),
        (
            "RFC 4035 §3.1.1: signed if authoritative",
            "@ NS do",
            "NOERROR aa | @ NS ns.elsewhere.test., @ NS ns1, @ RRSIG NS |  | ns1 A 192.0.2.1, ns1 RRSIG A, \
          ns1 AAAA 2001:db8::1, ns1 RRSIG AAAA",
        ),
        (
            "RFC 2782",
            "_sip._tcp SRV",
            "NOERROR aa | _sip._tcp SRV 0 5 5060 web, _sip._tcp SRV 1 5 5060 ns.sibling |  | web A 192.0.2.3, \
          ns.sibling A 192.0.2.13",
        ),
    ]);
}

#[test]
fn apex_and_meta_types() {
    check(&[
        ("RFC 1034 §4.3.2 3a", "@ SOA", "NOERROR aa | @ SOA |  |"),
        ("RFC 4035 §3.1.1", "@ DNSKEY do", "NOERROR aa | @ DNSKEY, @ DNSKEY, @ RRSIG DNSKEY |  |"),
        ("RFC 8482 §4.1: one RRset", "mail ANY", "NOERROR aa | mail A 192.0.2.2 |  |"),
        ("RFC 8482 §4.1: an alias is all there is", "www ANY", "NOERROR aa | www CNAME web |  |"),
        ("RFC 8482 §7", "mail RRSIG", "NOERROR aa | mail RRSIG A |  |"),
        ("RFC 4035 §3.1.3.1 for ANY at an empty non-terminal", "ent ANY", "NOERROR aa |  | @ SOA |"),
        ("RFC 4034 §4", "web NSEC", "NOERROR aa | web NSEC |  |"),
        ("RFC 5936 §2.2.1: not offered yet", "@ AXFR", "REFUSED |  |  |"),
        ("RFC 1995 §4: not offered yet", "@ IXFR", "REFUSED |  |  |"),
        ("RFC 8945 §4.2", "@ TSIG", "FORMERR |  |  |"),
        ("RFC 6891 §6.1.1", "@ OPT", "FORMERR |  |  |"),
        ("RFC 8906 §3.1.4: off our zones", "www.elsewhere.test. A", "REFUSED |  |  |"),
        ("RFC 8906 §3.1.4: above our zones", ". SOA", "REFUSED |  |  |"),
    ]);
}

#[test]
fn rfc2308_a_denial_lives_for_the_lesser_of_the_soas_ttl_and_minimum() {
    let message = Message::parse(&answer_over(Transport::Udp, &query("nothing A do"))).unwrap();
    for record in &message.authorities {
        assert_eq!(record.ttl, 300, "{}", render_record(record));
    }
}

#[test]
fn rfc6672_the_synthesised_cname_has_the_dnames_ttl() {
    let message = Message::parse(&answer_over(Transport::Udp, &query("a.far A"))).unwrap();
    assert_eq!(message.answers[1].ttl, message.answers[0].ttl);
}

#[test]
fn rfc4035_3_1_4_1_the_parent_side_answers_ds_when_both_zones_are_ours() {
    let child = signed::view("secure.example.test.", "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.9\n");
    let both = catalog().with(child, false);
    let ask = |question| {
        let mut out = Vec::new();
        let wire = query(question);
        let request = Request { wire: &wire, transport: Transport::Tcp, now_secs: 0 };
        assert_eq!(respond(&both, &Settings::default(), request, &mut out), Reply::Send);
        render(&out)
    };
    assert!(ask("secure DS").starts_with("NOERROR aa | secure DS 4711"));
    assert_eq!(ask("ns.secure A"), "NOERROR aa | ns.secure A 192.0.2.9 |  |");
    assert_eq!(ask("x.secure DS"), "NXDOMAIN aa |  | secure SOA |");
    assert_eq!(ask("web A"), "NOERROR aa | web A 192.0.2.3 |  |");
}

#[test]
fn header_rd_is_copied_and_ra_ad_cd_are_clear() {
    let out = answer_over(Transport::Udp, &query("web A"));
    // The query has RD and CD.
    assert_eq!(out[..4], [0xAB, 0xCD, 0x85, 0x00]);
}

#[test]
fn rfc1035_4_1_4_the_question_is_copied_and_owners_point_to_it() {
    let out = answer_over(Transport::Udp, &query("wEb A"));
    assert_eq!(&out[12..30], b"\x03wEb\x07example\x04test\x00");
    assert_eq!(out[34..36], [0xC0, 12]);
    assert_eq!(out.len(), 34 + 16);
}

#[test]
fn what_is_not_a_request_is_never_answered() {
    let mut out = Vec::new();
    let mut response = query("web A");
    response[2] |= 0x80;
    for wire in [&response[..], &response[..12], &[], &[0; 11]] {
        let request = Request { wire, transport: Transport::Udp, now_secs: 0 };
        assert_eq!(respond(&catalog(), &Settings::default(), request, &mut out), Reply::Ignore);
    }
}

#[test]
fn opcodes_other_than_query_and_update_are_not_implemented() {
    for opcode in [1, 2, 3, 4, 6, 15] {
        let mut wire = query("web A");
        wire[2] |= opcode << 3;
        let out = answer_over(Transport::Udp, &wire);
        assert_eq!((out[2] >> 3 & 15, out[3] & 15), (opcode, 4), "opcode {opcode}");
    }
}

#[test]
fn updates_and_ordered_reads_go_to_the_replica() {
    let mut update = query("web A");
    update[2] |= 5 << 3;
    let ordered = Catalog::new().with(view(), true);
    for wire in [update, query("web A"), query("nothing TXT do")] {
        let request = Request { wire: &wire, transport: Transport::Udp, now_secs: 0 };
        assert_eq!(respond(&ordered, &Settings::default(), request, &mut Vec::new()), Reply::Forward);
    }
    let (local, mut out) = (query("x.wild A do"), Vec::new());
    let request = Request { wire: &local, transport: Transport::Udp, now_secs: 0 };
    assert_eq!(respond_from(&view(), &Settings::default(), request, &mut out), Reply::Send);
    assert_eq!(out, answer_over(Transport::Udp, &local), "an ordered read's answer has the same bytes");
}

#[test]
fn a_zone_without_a_version_yet_gets_servfail_and_no_other() {
    let one = Catalog::new().with(view(), false).awaiting(Name::parse("mail.example.test.").unwrap());
    let ask = |question| {
        let (wire, mut out) = (query(question), Vec::new());
        let request = Request { wire: &wire, transport: Transport::Udp, now_secs: 0 };
        assert_eq!(respond(&one, &Settings::default(), request, &mut out), Reply::Send);
        render(&out)
    };
    assert_eq!(ask("mail A"), "SERVFAIL |  |  |");
    assert_eq!(ask("mail DS"), "SERVFAIL |  |  |");
    assert_eq!(ask("web A"), "NOERROR aa | web A 192.0.2.3 |  |");
}

#[test]
fn malformed_queries_get_formerr() {
    let good = query("web A");
    let mut two = good.clone();
    two[5] = 2;
    two.extend_from_slice(&good[12..]);
    let mut none = good[..12].to_vec();
    none[5] = 0;
    let cut = good[..good.len() - 1].to_vec();
    let trailing = [&good[..], &[0]].concat();
    let mut two_opts = query("web A edns");
    two_opts[11] = 2;
    two_opts.extend_from_within(two_opts.len() - 11..);
    for (what, wire) in [
        ("RFC 9619: two questions", two),
        ("RFC 9619: none", none),
        ("cut short", cut),
        ("RFC 6891 §6.1.1", two_opts),
    ] {
        assert_eq!(answer_over(Transport::Udp, &wire)[3] & 15, 1, "{what}");
    }
    let _ = trailing; // Whether octets behind the message matter is the parser's choice; it must only not panic.
    answer_over(Transport::Udp, &trailing);
}

#[test]
fn classes() {
    let with_class = |class: u16| {
        let mut wire = query("web A");
        let at = wire.len() - 2;
        wire[at..].copy_from_slice(&class.to_be_bytes());
        render(&answer_over(Transport::Udp, &wire))
    };
    assert_eq!(with_class(3), "REFUSED |  |  |");
    // RFC 1035 §6.2: never authoritative.
    assert_eq!(with_class(255), "NOERROR | web A 192.0.2.3 |  |");
}

#[test]
fn edns() {
    let plain = answer_over(Transport::Udp, &query("web A"));
    assert_eq!(plain[10..12], [0, 0], "RFC 6891 §7: no OPT without an OPT");
    let asked = answer_over(Transport::Udp, &query("web A do"));
    let opt = &asked[asked.len() - 11..];
    assert_eq!(opt, [0, 0, 41, 0x04, 0xD0, 0, 0, 0x80, 0, 0, 0], "RFC 3225 §3: DO copied; our size");

    let mut version = query("web A do");
    let at = version.len() - 5;
    version[at] = 1;
    let bad = answer_over(Transport::Udp, &version);
    assert_eq!(
        (bad[3] & 15, bad[bad.len() - 6], bad[bad.len() - 5]),
        (0, 1, 0),
        "RFC 6891 §6.1.3: BADVERS, our version"
    );
    assert_eq!(bad[6..8], [0, 0]);

    let mut unknown = query("web A edns");
    let at = unknown.len() - 1;
    unknown[at] = 6;
    unknown.extend_from_slice(&[0xFD, 0xE9, 0, 2, 1, 2]);
    assert_eq!(
        render(&answer_over(Transport::Udp, &unknown)),
        "NOERROR aa | web A 192.0.2.3 |  |",
        "RFC 6891 §6.1.2"
    );
}

#[test]
fn rfc5001_nsid_is_given_only_when_asked_for_and_set() {
    let mut wire = query("web A edns");
    let at = wire.len() - 1;
    wire[at] = 4;
    wire.extend_from_slice(&[0, 3, 0, 0]);
    let request = Request { wire: &wire, transport: Transport::Udp, now_secs: 0 };
    let mut out = Vec::new();
    let named = Settings { nsid: Some(b"one".to_vec()), ..Settings::default() };
    respond(&catalog(), &named, request, &mut out);
    assert!(out.ends_with(b"\x00\x07\x00\x03\x00\x03one"));
    respond(&catalog(), &Settings::default(), request, &mut out);
    assert!(out.ends_with(&[0, 0]));
    let unasked = query("web A edns");
    respond(&catalog(), &named, Request { wire: &unasked, ..request }, &mut out);
    assert!(out.ends_with(&[0, 0]));
}

#[test]
fn sizes() {
    let udp = |question: &str, size: u16| {
        let mut wire = query(question);
        if wire[11] == 1 {
            let at = wire.len() - 8;
            wire[at..at + 2].copy_from_slice(&size.to_be_bytes());
        }
        answer_over(Transport::Udp, &wire)
    };
    let big = udp("big TXT", 0);
    assert_eq!(
        (render(&big).as_str(), big[10..12] == [0, 0]),
        ("NOERROR aa tc |  |  |", true),
        "RFC 2181 §9: all or none"
    );
    assert_eq!(render(&udp("big TXT do", 4096)), "NOERROR aa tc |  |  |", "RFC 9715: not above 1232");
    assert!(!render(&answer_over(Transport::Tcp, &query("big TXT do"))).contains(" tc"));

    // Courtesies go first, and silently.
    let many = udp("manymx MX edns", 100);
    assert!(many.len() <= 512 && !render(&many).contains(" tc"), "RFC 6891 §6.2.3: less than 512 is 512");
    assert!(udp("manymx MX do", 1232).len() <= 1232);
    let all = answer_over(Transport::Tcp, &query("manymx MX do"));
    assert_eq!(Message::parse(&all).unwrap().additionals.iter().filter(|r| r.rtype == RrType::A).count(), 12);

    // RFC 9471 §2.1: all in-domain glue, or TC.
    let referral = udp("x.bigdeleg A edns", 1232);
    assert!(referral.len() <= 1232 && render(&referral).contains(" tc"));
    let whole = render(&answer_over(Transport::Tcp, &query("x.bigdeleg A")));
    assert!(!whole.contains(" tc") && whole.matches(" AAAA ").count() == 26);
}

#[test]
fn rfc8945_a_query_with_a_known_key_gets_a_signed_answer_and_another_notauth() {
    const NOW: u64 = 1_795_219_200;
    let key = |name: &str, secret: u8| {
        TsigKey::new(Name::parse(name).unwrap(), TsigAlgorithm::HmacSha256, vec![secret; 32])
    };
    let mut keyring = Keyring::default();
    keyring.tsig.insert(Name::parse("known.").unwrap(), key("known.", 1));
    let settings = Settings { keys: Arc::new(keyring), ..Settings::default() };
    let ask = |question: &str, key: &TsigKey, at: u64| {
        let (mut wire, mut out) = (query(question), Vec::new());
        let mac = tsig::sign_request(&mut wire, key, at);
        let request = Request { wire: &wire, transport: Transport::Udp, now_secs: NOW };
        assert_eq!(respond(&catalog(), &settings, request, &mut out), Reply::Send);
        let verdict = tsig::verify_response(&out, key, &mac, NOW);
        (out, verdict)
    };
    for question in ["web A", "web A do", "nothing A do", "big TXT", "manymx MX"] {
        let (out, verdict) = ask(question, &key("known.", 1), NOW);
        assert_eq!(verdict, Ok(Rcode::NOERROR), "{question}");
        assert!(
            out.len() <= if question.ends_with("do") { 1232 } else { 512 },
            "§5.3: room is left for the TSIG"
        );
    }
    assert!(render(&ask("web A", &key("known.", 1), NOW).0).starts_with("NOERROR aa | web A 192.0.2.3"));
    for (key, at) in [(key("unknown.", 1), NOW), (key("known.", 2), NOW), (key("known.", 1), NOW - 1000)] {
        let (out, _) = ask("web A", &key, at);
        assert_eq!(render(&out), "NOTAUTH |  |  |", "§5.2");
        assert!(Message::parse(&out).unwrap().signature_at.is_some(), "§5.2: the reason is in a TSIG");
    }
}

#[test]
fn failures_echo_the_question() {
    let mut out = Vec::new();
    let mut update = query("@ SOA edns");
    update[2] |= 5 << 3;
    failure(&update, Rcode::SERVFAIL, Some((14, "why")), &mut out);
    let message = Message::parse(&out).unwrap();
    assert_eq!(
        (message.header.id, message.header.opcode, message.header.rcode),
        (0xABCD, crate::dns::Opcode::UPDATE, 2)
    );
    assert!(out.ends_with(b"\x00\x0f\x00\x05\x00\x0ewhy"), "RFC 8914");
    failure(&query("web A"), Rcode::REFUSED, Some((14, "why")), &mut out);
    assert_eq!(render(&out), "REFUSED |  |  |");
    failure(&[0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0], Rcode::SERVFAIL, None, &mut out);
    assert!(out.is_empty());
    failure(&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63], Rcode::SERVFAIL, None, &mut out);
    assert_eq!(out, [0, 1, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
}

/// Whatever comes, no panic, no answer longer than allowed, none that does not parse.
#[test]
fn random_and_mutated_bytes_get_a_wellformed_answer_or_none() {
    let seed: u64 = 0x5EED_2026;
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let questions =
        ["web A do", "x.wild MX do", "host.deleg A do", "a.old A", "big TXT", "@ ANY edns", "manymx MX do"];
    let (catalog, settings, mut out) = (catalog(), Settings::default(), Vec::new());
    for round in 0..200_000 {
        let mut wire = if round % 4 == 0 {
            (0..random() % 80).map(|_| random() as u8).collect()
        } else {
            query(questions[random() % questions.len()])
        };
        for _ in 0..random() % 4 {
            if !wire.is_empty() {
                let at = random() % wire.len();
                wire[at] = random() as u8;
            }
        }
        wire.truncate(wire.len() - (random() % 8 / 7).min(wire.len()));
        let request = Request { wire: &wire, transport: Transport::Udp, now_secs: 0 };
        if respond(&catalog, &settings, request, &mut out) == Reply::Send {
            assert!(out.len() <= 1232 && out[2] & 0x80 != 0, "seed {seed:#x} round {round}: {wire:02x?}");
            assert!(
                Message::parse(&out).is_ok(),
                "seed {seed:#x} round {round}: {wire:02x?} gave {out:02x?}"
            );
        }
        failure(&wire, Rcode::SERVFAIL, None, &mut out);
    }
}
