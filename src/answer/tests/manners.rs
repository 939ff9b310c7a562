//! What clients may expect of a server whatever they ask: EDNS, cookies, its name, keepalive, padding, extended errors.

use super::*;
use crate::dns::cookie::{Cookie, Secrets};
use crate::dns::edns::{Edns, ede};
use crate::dns::{Class, Opcode};

const NOW: u64 = 1_795_219_200;
const NSID: u16 = 3;
const COOKIE: u16 = 10;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;
const EDE: u16 = 15;

/// `question` with an OPT record of these options.
fn with(question: &str, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut wire = query(&format!("{question} edns"));
    let at = wire.len() - 2;
    for (code, data) in options {
        wire.extend_from_slice(&code.to_be_bytes());
        wire.extend_from_slice(&(data.len() as u16).to_be_bytes());
        wire.extend_from_slice(data);
    }
    let length = (wire.len() - at - 2) as u16;
    wire[at..at + 2].copy_from_slice(&length.to_be_bytes());
    wire
}

/// `wire` with another class of its question.
fn of_class(mut wire: Vec<u8>, class: Class, qname_octets: usize) -> Vec<u8> {
    wire[12 + qname_octets + 2..][..2].copy_from_slice(&class.0.to_be_bytes());
    wire
}

fn settings() -> Settings {
    Settings {
        identity: Some("ns1.fra".into()),
        version: Some("7".into()),
        cookies: Secrets::new(vec![[7; 16]]).map(|secrets| Cookies { secrets, required: false }),
        ..Settings::default()
    }
}

fn client(transport: Transport) -> Client {
    let idle_ds = (transport != Transport::Udp).then_some(300);
    Client { address: "192.0.2.1".parse().unwrap(), transport, idle_ds }
}

/// The response over `transport`, parsed, and its octets.
fn told(settings: &Settings, transport: Transport, wire: &[u8]) -> (Message, Vec<u8>) {
    let mut out = Vec::new();
    let request = Request { wire, client: client(transport), now_secs: NOW };
    assert!(matches!(respond(&catalog(), settings, request, &mut out), Reply::Send(_)));
    (Message::parse(&out).expect("a response that parses"), out)
}

fn edns(settings: &Settings, transport: Transport, wire: &[u8]) -> Edns {
    told(settings, transport, wire).0.edns.expect("an OPT record")
}

/// RFC 6891 §7: whatever is wrong, who speaks EDNS gets an OPT record, and nobody else does.
#[test]
fn every_response_to_edns_has_an_opt_record_and_no_other() {
    let opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    let two = |mut wire: Vec<u8>| {
        wire[11] = 2;
        wire.extend_from_slice(&opt);
        wire
    };
    let owned = {
        let mut wire = query("web A");
        wire[11] = 1;
        [wire, vec![1, b'x'], opt.to_vec()].concat()
    };
    let in_authority = {
        let mut wire = query("web A");
        wire[9] = 1;
        [wire, opt.to_vec()].concat()
    };
    let cut_option = {
        let mut wire = with("web A", &[(65_001, b"abc")]);
        let at = wire.len() - 4;
        wire[at] = 9;
        wire
    };
    let trailing = [with("web A", &[]), vec![0]].concat();
    let mut status = with("web A", &[]);
    status[2] |= Opcode(2).0 << 3;
    let mut plain_status = query("web A");
    plain_status[2] |= Opcode(2).0 << 3;
    for (clause, wire, rcode, has_opt) in [
        ("RFC 6891 §6.1.1: one OPT record", two(with("web A", &[])), Rcode::FORMERR, true),
        ("RFC 6891 §6.1.2: its owner is the root", owned, Rcode::FORMERR, true),
        ("RFC 6891 §6.1.1: it is in the additional section", in_authority, Rcode::FORMERR, true),
        ("RFC 6891 §7: options that are cut", cut_option, Rcode::FORMERR, true),
        ("RFC 6891 §7: octets behind", trailing, Rcode::FORMERR, true),
        ("RFC 6891 §7: another opcode", status, Rcode::NOTIMP, true),
        ("RFC 6891 §7: another opcode", plain_status, Rcode::NOTIMP, false),
        ("RFC 6891 §7: an answer", with("web A", &[]), Rcode::NOERROR, true),
        ("RFC 6891 §7: an answer", query("web A"), Rcode::NOERROR, false),
        ("RFC 6891 §7: no name", with("nothing A", &[]), Rcode::NXDOMAIN, true),
        ("RFC 6891 §7: truncation", with("big TXT", &[]), Rcode::NOERROR, true),
    ] {
        let (message, _) = told(&Settings::default(), Transport::Udp, &wire);
        assert_eq!((message.rcode(), message.edns.is_some()), (rcode, has_opt), "{clause}");
    }
}

/// RFC 6891 §6.1.2: options that are not known are ignored; RFC 6891 §6.1.4: so are flags, which leave us clear.
#[test]
fn unknown_options_and_flags_are_ignored() {
    let plain = told(&settings(), Transport::Udp, &with("web A", &[])).1;
    let subnet: &[u8] = &[0, 1, 24, 0, 192, 0, 2];
    for options in [&[(65_001, b"abc" as &[u8])][..], &[(8, subnet)], &[(0, b""), (65_535, b"x"), (14, b"")]]
    {
        assert_eq!(told(&settings(), Transport::Udp, &with("web A", options)).1, plain, "{options:?}");
    }
    let mut flags = with("web A", &[]);
    let at = flags.len() - 4;
    flags[at] = 0x7F;
    flags[at + 1] = 0xFF;
    assert_eq!(told(&settings(), Transport::Udp, &flags).1, plain);
}

/// RFC 6891 §6.1.3: a later version gets BADVERS and ours, whatever its options look like, and no answer.
#[test]
fn later_versions_get_badvers() {
    for (version, rdata) in [(1, &[][..]), (255, &[]), (1, &[0, 10, 0, 200, 1])] {
        let mut wire = query("web A edns");
        let at = wire.len() - 5;
        wire[at] = version;
        wire[at + 4] = rdata.len() as u8;
        wire.extend_from_slice(rdata);
        let (message, _) = told(&settings(), Transport::Udp, &wire);
        assert_eq!((message.rcode(), message.answers.len()), (Rcode::BADVERS, 0), "version {version}");
        assert_eq!(message.edns.unwrap().version, 0);
    }
}

/// RFC 6891 §6.2.3: less than 512 is 512; RFC 6891 §6.2.5: no more than the client takes, nor than we send.
#[test]
fn udp_responses_keep_to_both_sizes() {
    let sized = |udp_octets: u16, size: u16| {
        let mut wire = with("x.bigdeleg A", &[]);
        let at = wire.len() - 8;
        wire[at..at + 2].copy_from_slice(&size.to_be_bytes());
        let settings = Settings { udp_octets, ..settings() };
        let (message, out) = told(&settings, Transport::Udp, &wire);
        assert_eq!(message.edns.unwrap().udp_size, udp_octets, "RFC 6891 §6.2.3: what we take");
        out.len()
    };
    let whole = told(&settings(), Transport::Tcp, &with("x.bigdeleg A", &[])).1.len();
    assert!(whole > 1_232);
    for (ours, theirs, most) in [(1_232, 0, 512), (1_232, 511, 512), (1_232, 600, 600), (512, 4_096, 512)] {
        assert!(sized(ours, theirs) <= most, "{ours} and {theirs}");
    }
    assert_eq!(sized(4_096, 4_096), whole);
}

/// RFC 7873 §5.2: what a server says to each state of a client's cookie, clause by clause.
#[test]
fn cookies() {
    let fresh =
        edns(&settings(), Transport::Udp, &with("web A", &[(COOKIE, b"\x01\x02\x03\x04\x05\x06\x07\x08")]));
    let good = fresh.option(COOKIE).expect("a cookie").to_vec();
    assert_eq!((good.len(), &good[..8]), (24, &b"\x01\x02\x03\x04\x05\x06\x07\x08"[..]));
    let (mut bad, foreign) = (good.clone(), [&good[..8], &[9; 32]].concat());
    bad[23] ^= 1;
    let (client, ok, formerr) = (&good[..8], Rcode::NOERROR, Rcode::FORMERR);
    let bad_cookie = Rcode::BADCOOKIE;
    for (clause, data, rcode, demanded) in [
        ("RFC 7873 §5.2.1: none", None, ok, ok),
        ("RFC 7873 §5.2.2: too short", Some(&good[..7]), formerr, formerr),
        ("RFC 7873 §5.2.2: between", Some(&good[..15]), formerr, formerr),
        ("RFC 7873 §5.2.2: too long", Some(&[9; 41]), formerr, formerr),
        ("RFC 7873 §5.2.3: only the client's", Some(client), ok, bad_cookie),
        ("RFC 7873 §5.2.4: not ours", Some(&bad), ok, bad_cookie),
        ("RFC 7873 §5.2.4: another server's", Some(&foreign), ok, bad_cookie),
        ("RFC 7873 §5.2.5: ours", Some(&good), ok, ok),
    ] {
        let options: Vec<(u16, &[u8])> = data.into_iter().map(|data| (COOKIE, data)).collect();
        let wire = with("web A", &options);
        let mut demanding = settings();
        demanding.cookies.as_mut().unwrap().required = true;
        for (settings, transport, rcode) in [
            (&settings(), Transport::Udp, rcode),
            (&settings(), Transport::Tcp, rcode),
            (&demanding, Transport::Udp, demanded),
            (&demanding, Transport::Tcp, rcode),
        ] {
            let (message, _) = told(settings, transport, &wire);
            assert_eq!(message.rcode(), rcode, "{clause}");
            assert_eq!(message.answers.is_empty(), rcode != ok, "{clause}");
            let given = message.edns.unwrap().option(COOKIE).map(<[u8]>::to_vec);
            let expected = (rcode != formerr && data.is_some()).then(|| good.clone());
            assert_eq!(given, expected, "{clause}: the cookie that is ours");
        }
    }
    let off = edns(&Settings::default(), Transport::Udp, &with("web A", &[(COOKIE, client)]));
    assert_eq!(off.options, [], "a server without cookies ignores them");
}

/// RFC 7873 §5.2: of several cookies the first counts.
#[test]
fn the_first_cookie_counts() {
    let given = edns(&settings(), Transport::Udp, &with("web A", &[(COOKIE, &[1; 8]), (COOKIE, &[2; 7])]));
    assert_eq!(given.option(COOKIE).unwrap()[..8], [1; 8]);
}

/// RFC 7873 §5.4: a query without a question asks for a cookie, or whether one is good.
#[test]
fn a_query_without_a_question_gets_a_cookie() {
    let bare = |options: &[(u16, &[u8])]| {
        let mut wire = with("web A", options);
        wire[5] = 0;
        let question = b"\x03web\x07example\x04test\x00".len() + 4;
        wire.drain(12..12 + question);
        wire
    };
    let (message, _) = told(&settings(), Transport::Udp, &bare(&[(COOKIE, &[1; 8])]));
    assert_eq!((message.rcode(), message.questions.len(), message.answers.len()), (Rcode::NOERROR, 0, 0));
    let good = message.edns.unwrap().option(COOKIE).unwrap().to_vec();
    for (data, rcode) in
        [(&good[..], Rcode::NOERROR), (&[9; 24], Rcode::BADCOOKIE), (&[9; 16], Rcode::BADCOOKIE)]
    {
        let (message, _) = told(&settings(), Transport::Udp, &bare(&[(COOKIE, data)]));
        assert_eq!(message.rcode(), rcode, "{data:?}");
        assert_eq!(message.edns.unwrap().option(COOKIE).unwrap().len(), 24);
    }
    assert_eq!(told(&settings(), Transport::Udp, &bare(&[])).0.rcode(), Rcode::FORMERR, "RFC 9619 §4");
    let off = told(&Settings::default(), Transport::Udp, &bare(&[(COOKIE, &[1; 8])])).0;
    assert_eq!(off.rcode(), Rcode::FORMERR);
}

/// RFC 4892 §2: the server's name and version, for who asks in class CHAOS; what is not set is refused.
#[test]
fn chaos_tells_name_and_version_or_nothing() {
    let ask = |settings: &Settings, name: &str, rtype: &str| {
        let name = Name::parse(name).unwrap();
        let wire = of_class(query(&format!("{name} {rtype} edns")), Class::CH, name.wire().len());
        told(settings, Transport::Udp, &wire).0
    };
    for (name, text) in [
        ("version.bind.", "7"),
        ("VERSION.server.", "7"),
        ("hostname.bind.", "ns1.fra"),
        ("id.server.", "ns1.fra"),
    ] {
        let message = ask(&settings(), name, "TXT");
        let [answer] = &message.answers[..] else { panic!("{name}: {message:?}") };
        assert_eq!((message.rcode(), message.header.aa), (Rcode::NOERROR, true));
        assert_eq!((answer.ttl, answer.class, answer.rtype), (0, Class::CH, RrType::TXT), "{name}");
        assert_eq!(answer.rdata.wire()[1..], *text.as_bytes(), "{name}");
        assert_eq!(ask(&Settings::default(), name, "TXT").rcode(), Rcode::REFUSED, "{name}");
        assert_eq!(ask(&settings(), name, "A").rcode(), Rcode::REFUSED, "{name}");
    }
    for name in ["authors.bind.", "version.", "x.version.bind.", "example.test."] {
        let message = ask(&settings(), name, "TXT");
        assert_eq!((message.rcode(), message.answers.len()), (Rcode::REFUSED, 0), "{name}");
    }
    // Names and versions of the greatest length, signed by a key of the longest name, fit.
    let long = "x".repeat(crate::limits::MAX_IDENTITY_OCTETS);
    let all = Settings { identity: Some(long.clone()), version: Some(long), ..settings() };
    assert_eq!(ask(&all, "id.server.", "TXT").rcode(), Rcode::NOERROR);
}

/// RFC 5001 §2.2: the identity as NSID, for who asks.
#[test]
fn nsid_is_the_identity() {
    let ask = |settings: &Settings, question| {
        edns(settings, Transport::Udp, &with(question, &[(NSID, b"")])).options
    };
    for question in ["web A", "nothing A", "big TXT"] {
        assert_eq!(ask(&settings(), question), [(NSID, b"ns1.fra".to_vec())], "{question}");
        assert_eq!(ask(&Settings::default(), question), [], "{question}");
    }
}

/// RFC 7828 §3.3.1 and §3.3.2: who asks over a connection hears how long it may be idle, in tenths of a second; over UDP nobody does.
#[test]
fn keepalive() {
    for (transport, expected) in
        [(Transport::Udp, None), (Transport::Tcp, Some(300_u16)), (Transport::Tls, Some(300))]
    {
        let asked = edns(&settings(), transport, &with("web A", &[(KEEPALIVE, b"")]));
        let expected = expected.map(|ds| ds.to_be_bytes().to_vec());
        assert_eq!(asked.option(KEEPALIVE).map(<[u8]>::to_vec), expected, "{transport:?}");
        assert_eq!(edns(&settings(), transport, &with("web A", &[])).option(KEEPALIVE), None);
    }
}

/// RFC 8467 §4.1: under TLS, who pads gets multiples of 468 octets, of zeros (RFC 7830 §3); RFC 7830 §4 and RFC 7830 §6: nobody
/// else does.
#[test]
fn padding() {
    for question in ["web A", "nothing A", "manymx MX", "big TXT"] {
        let plain = told(&settings(), Transport::Tls, &with(question, &[])).1;
        let (message, padded) = told(&settings(), Transport::Tls, &with(question, &[(PADDING, &[7; 40])]));
        assert!(message.edns.unwrap().option(PADDING).unwrap().iter().all(|octet| *octet == 0));
        assert!(
            padded.len().is_multiple_of(468) && padded.len() - plain.len() < 468 + 4,
            "{question}: {}",
            padded.len()
        );
        assert!(!plain.len().is_multiple_of(468), "{question}");
        let open = told(&settings(), Transport::Tcp, &with(question, &[(PADDING, &[0; 40])])).1;
        assert_eq!(open, plain, "{question}");
    }
    let refused =
        told(&settings(), Transport::Tls, &of_class(with("web A", &[(PADDING, b"")]), Class(9), 18)).1;
    assert_eq!(refused.len(), 468, "errors too");
}

/// RFC 8467 §4.1: a signature is counted, so that it hides nothing less.
#[test]
fn signed_responses_are_padded_with_their_signature() {
    let name = Name::parse("known.").unwrap();
    let key = || TsigKey::new(name.clone(), TsigAlgorithm::HmacSha256, vec![1; 32]);
    let mut keyring = Keyring::default();
    keyring.tsig.insert(name.clone(), key());
    let key = key();
    let settings = Settings { keys: Arc::new(keyring), ..settings() };
    for question in ["web A", "manymx MX"] {
        let mut wire = with(question, &[(PADDING, b"")]);
        let mac = tsig::sign_request(&mut wire, &key, NOW);
        let (_, out) = told(&settings, Transport::Tls, &wire);
        assert_eq!(tsig::verify_response(&out, &key, &mac, NOW), Ok(Rcode::NOERROR));
        assert_eq!(out.len() % 468, 0, "{question}");
    }
}

/// RFC 8914 §4.19, §4.21 and §4.22: a refusal says why.
#[test]
fn extended_errors() {
    let off_zone = query("www.example.org. A edns");
    let chaos = of_class(query("web A edns"), Class::CH, 18);
    for (clause, wire, code) in [
        ("RFC 8914 §4.21: not authoritative", off_zone, ede::NOT_AUTHORITATIVE),
        ("RFC 8914 §4.19: not told", chaos, ede::PROHIBITED),
        ("RFC 8914 §4.22: not supported", query("@ AXFR edns"), ede::NOT_SUPPORTED),
    ] {
        let given = edns(&settings(), Transport::Udp, &wire);
        assert_eq!(
            given.option(EDE).map(|data| data[..2].to_vec()),
            Some(code.to_be_bytes().to_vec()),
            "{clause}"
        );
    }
}

/// RFC 8914 §4.4, §4.20: who may be behind says so in what it answers from its zones, within the size that was asked for.
#[test]
fn answers_that_may_be_stale_say_so() {
    let stale = Settings { stale: true, ..settings() };
    for (question, code) in [
        ("web A edns", Some(ede::STALE)),
        ("no.such A do", Some(ede::STALE_NXDOMAIN)),
        ("x.bigdeleg A do", Some(ede::STALE)),
        ("web A", None),
    ] {
        let (message, out) = told(&stale, Transport::Udp, &query(question));
        let given = message.edns.and_then(|edns| edns.option(EDE).map(<[u8]>::to_vec));
        assert_eq!(given, code.map(|code: u16| code.to_be_bytes().to_vec()), "{question}");
        assert!(out.len() <= usize::from(stale.udp_octets), "{question}");
        assert!(edns_of(&settings(), &query(question)).is_none_or(|edns| edns.option(EDE).is_none()));
    }
}

fn edns_of(settings: &Settings, wire: &[u8]) -> Option<Edns> {
    told(settings, Transport::Udp, wire).0.edns
}

/// RFC 7873 §5.2.3, RFC 5001 §2.2 and RFC 8467 §4.1: what is no query gets what it asks for beside its reply, too.
#[test]
fn updates_and_other_opcodes_get_their_options() {
    let mut wire = with("web A", &[(NSID, b""), (COOKIE, &[9; 8]), (PADDING, b"")]);
    wire[2] |= Opcode::UPDATE.0 << 3;
    for (transport, block) in
        [(Transport::Udp, None), (Transport::Tls, Some(468)), (Transport::Quic, Some(468))]
    {
        let request = Request { wire: &wire, client: client(transport), now_secs: NOW };
        let given = manners(&settings(), request);
        assert_eq!(given.block, block, "{transport:?}");
        let codes: Vec<u16> = given.options.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [NSID, COOKIE], "{transport:?}");
        let mut out = Vec::new();
        failure_to(&settings(), request, Rcode::SERVFAIL, Some((ede::NOT_READY, "busy")), &mut out);
        let edns = Message::parse(&out).unwrap().edns.unwrap();
        assert!(edns.option(COOKIE).is_some_and(|cookie| cookie.len() == 24) && edns.option(EDE).is_some());
        assert!(block.is_none_or(|block| out.len() % block == 0));
    }
    let mut notify = with("web A", &[(COOKIE, &[9; 8])]);
    notify[2] |= 4 << 3;
    let (message, _) = told(&settings(), Transport::Udp, &notify);
    assert_eq!(message.rcode(), Rcode::NOTIMP);
    assert!(message.edns.is_some_and(|edns| edns.option(COOKIE).is_some()));
    assert_eq!(
        manners(&settings(), Request { wire: &[0; 12], client: client(Transport::Udp), now_secs: NOW }),
        Default::default()
    );
}

/// RFC 7873 §5.2.3: in place of an answer that may be a forger's, BADCOOKIE and a cookie, or TC.
#[test]
fn what_is_sent_instead_makes_a_true_client_ask_on() {
    let mut out = Vec::new();
    let mut of = |wire: &[u8]| {
        let request = Request { wire, client: client(Transport::Udp), now_secs: NOW };
        instead(&settings(), request, &mut out);
        assert!(out.len() < 100, "nothing to amplify");
        (Message::parse(&out).ok(), out.len())
    };
    let (Some(plain), _) = of(&query("web A")) else { panic!("nothing") };
    assert!(plain.header.tc && plain.answers.is_empty() && plain.rcode() == Rcode::NOERROR);
    let (Some(aware), _) = of(&with("web A", &[(COOKIE, &[1; 8])])) else { panic!("nothing") };
    assert!(!aware.header.tc && aware.rcode() == Rcode::BADCOOKIE);
    let given = aware.edns.unwrap().option(COOKIE).map(Cookie::parse);
    assert!(given.flatten().is_some_and(|cookie| cookie.server.is_some()));
    assert_eq!(of(b"no query at all").1, 0);
}

/// What is limited together is what comes from one place of a zone, whatever random names are asked.
#[test]
fn responses_are_about_the_suffix_that_they_come_from() {
    let of = |question: &str| {
        let wire = query(question);
        let request = Request { wire: &wire, client: client(Transport::Udp), now_secs: NOW };
        match respond(&catalog(), &settings(), request, &mut Vec::new()) {
            Reply::Send(subject) => (subject.kind, wire[subject.about].to_vec()),
            other => panic!("{question}: {other:?}"),
        }
    };
    let whole = |question: &str| query(question)[12..].to_vec();
    let name = |name: &str| Name::parse(name).unwrap().wire().to_vec();
    assert_eq!(of("web A"), (Kind::Answer, whole("web A")));
    assert_ne!(of("web A"), of("web AAAA"));
    assert_eq!(of("@ LOC"), (Kind::NoData, name("example.test.")));
    assert_eq!(of("no.such A"), (Kind::NxDomain, name("example.test.")));
    assert_eq!(of("no.such A"), of("other MX"));
    assert_eq!(of("a.b.deleg A"), (Kind::Referral, name("deleg.example.test.")));
    let (kind, about) = of("x.y.wild A");
    assert_eq!((kind, &about[..about.len() - 4]), (Kind::Answer, &name("wild.example.test.")[..]));
    assert_eq!(of("x.y.wild A"), of("z.wild A"));
    assert_eq!(of("a.old A").1, of("b.old A").1);
    assert_eq!(of("www.example.org. A"), (Kind::Error, vec![]));
}
