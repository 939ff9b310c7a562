//! RFC 8906: whatever is asked gets an answer, and what is not known is ignored.

use super::*;

#[test]
fn zones_and_types_that_are_not_known() {
    check(&[
        ("RFC 8906 §3.1.1", "@ SOA", "NOERROR aa | @ SOA |  |"),
        ("RFC 8906 §3.1.1: not ours", "www.elsewhere.test. A", "REFUSED |  |  |"),
        ("RFC 8906 §3.1.2", "web TYPE1000", "NOERROR aa |  | @ SOA |"),
        ("RFC 8906 §3.1.2: not even the name", "nothing TYPE1000", "NXDOMAIN aa |  | @ SOA |"),
    ]);
}

/// RFC 8906 §3.1.3, RFC 1035 §4.1.1 and RFC 4035 §3.1.6: CD, AD and the reserved bit change nothing.
#[test]
fn flags_of_the_header_are_ignored_and_clear() {
    let plain = answer_over(Transport::Udp, &query("web A do"));
    assert_eq!(plain[3] & 0x70, 0);
    for bits in [0x10, 0x20, 0x40, 0x70] {
        let mut wire = query("web A do");
        wire[3] ^= bits;
        assert_eq!(answer_over(Transport::Udp, &wire), plain, "{bits:#x}");
    }
}

/// RFC 8906 §3.2.1 and RFC 8906 §3.2.4: and so do the fifteen flags of EDNS but DO (RFC 6891 §6.1.4).
#[test]
fn flags_of_edns_are_ignored_and_clear() {
    let mut wire = query("web A do");
    let flags = wire.len() - 4;
    wire[flags] = 0xFF;
    wire[flags + 1] = 0xFF;
    assert_eq!(answer_over(Transport::Udp, &wire), answer_over(Transport::Udp, &query("web A do")));
}

#[test]
fn rfc8906_3_2_5_a_truncated_answer_has_its_opt() {
    let out = answer_over(Transport::Udp, &query("big TXT do"));
    let message = Message::parse(&out).unwrap();
    assert!(message.header.tc && message.edns.is_some_and(|edns| edns.do_bit));
}

#[test]
fn rfc8906_3_1_5_and_3_2_7_over_tcp_it_is_the_same() {
    for question in ["web A", "web A do", "nothing A edns", ". SOA edns"] {
        let wire = query(question);
        assert_eq!(answer_over(Transport::Tcp, &wire), answer_over(Transport::Udp, &wire), "{question}");
    }
}

/// RFC 8914 §3: in an OPT record, so only to who sent one; RFC 8914 §2: a code of two octets and a text.
#[test]
fn extended_errors_say_why() {
    let awaiting = || Catalog::new().awaiting(Name::parse("example.test.").unwrap());
    let error = |catalog: &Catalog, question: &str| {
        let (wire, mut out) = (query(question), Vec::new());
        let request = Request { wire: &wire, client: Client::over(Transport::Udp), now_secs: 0 };
        assert!(matches!(respond(catalog, &Settings::default(), request, &mut out), Reply::Send(_)));
        let options = Message::parse(&out).unwrap().edns.map(|edns| edns.options);
        options.map(|options| options.into_iter().map(|(code, data)| (code, data[1])).collect::<Vec<_>>())
    };
    assert_eq!(error(&awaiting(), "web A edns"), Some(vec![(15, 14)]), "RFC 8914 §4.15: not ready");
    assert_eq!(error(&catalog(), ". SOA edns"), Some(vec![(15, 20)]), "RFC 8914 §4.21: not authoritative");
    assert_eq!(error(&catalog(), "@ IXFR edns"), Some(vec![(15, 21)]), "RFC 8914 §4.22: not supported");
    assert_eq!(error(&catalog(), "web A edns"), Some(vec![]));
    assert_eq!(error(&awaiting(), "web A"), None);
}
