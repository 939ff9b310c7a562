//! What is around the sections, and what is not answered: header, EDNS, sizes, TSIG, hostile bytes.

use super::*;

/// RFC 1034 §4.3.1, RFC 1035 §4.1.1 and RFC 4035 §3.1.6.
#[test]
fn header_rd_is_copied_and_ra_ad_cd_are_clear() {
    let out = answer_over(Transport::Udp, &query("web A"));
    // The query has RD and CD.
    assert_eq!(out[..4], [0xAB, 0xCD, 0x85, 0x00]);
}

/// RFC 1035 §4.1.2 and RFC 1035 §4.1.3 too.
#[test]
fn rfc1035_4_1_4_the_question_is_copied_and_owners_point_to_it() {
    let out = answer_over(Transport::Udp, &query("wEb A"));
    assert_eq!(&out[12..30], b"\x03wEb\x07example\x04test\x00");
    assert_eq!(out[34..36], [0xC0, 12]);
    assert_eq!(out.len(), 34 + 16);
}

/// Pitfall 30.
#[test]
fn what_is_not_a_request_is_never_answered() {
    let mut out = Vec::new();
    let mut response = query("web A");
    response[2] |= 0x80;
    for wire in [&response[..], &response[..12], &[], &[0; 11]] {
        let request = Request { wire, client: Client::over(Transport::Udp), now_secs: 0 };
        assert_eq!(respond(&catalog(), &Settings::default(), request, &mut out), Reply::Ignore);
    }
}

/// RFC 8906 §3.1.4 and RFC 1035 §6.4.
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
        let request = Request { wire: &wire, client: Client::over(Transport::Udp), now_secs: 0 };
        let reply = respond(&ordered, &Settings::default(), request, &mut Vec::new());
        assert!(matches!(reply, Reply::Forward(_)));
    }
    let (local, mut out) = (query("x.wild A do"), Vec::new());
    let request = Request { wire: &local, client: Client::over(Transport::Udp), now_secs: 0 };
    assert!(matches!(respond_from(&view(), &Settings::default(), request, &mut out), Reply::Send(_)));
    assert_eq!(out, answer_over(Transport::Udp, &local), "an ordered read's answer has the same bytes");
}

#[test]
fn a_zone_without_a_version_yet_gets_servfail_and_no_other() {
    let one = Catalog::new().with(view(), false).awaiting(Name::parse("mail.example.test.").unwrap());
    let ask = |question| {
        let (wire, mut out) = (query(question), Vec::new());
        let request = Request { wire: &wire, client: Client::over(Transport::Udp), now_secs: 0 };
        assert!(matches!(respond(&one, &Settings::default(), request, &mut out), Reply::Send(_)));
        render(&out)
    };
    assert_eq!(ask("mail A"), "SERVFAIL |  |  |");
    assert_eq!(ask("mail DS"), "NOERROR aa |  | @ SOA |", "a DS is the parent side's");
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
        ("RFC 9619 §4: two questions", two),
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
    // RFC 1035 §3.2.5: our class among them. RFC 1035 §6.2: never authoritative.
    assert_eq!(with_class(255), "NOERROR | web A 192.0.2.3 |  |");
}

#[test]
fn edns() {
    let plain = answer_over(Transport::Udp, &query("web A"));
    assert_eq!(plain[10..12], [0, 0], "RFC 6891 §7: no OPT without an OPT");
    let asked = answer_over(Transport::Udp, &query("web A do"));
    let opt = &asked[asked.len() - 11..];
    assert_eq!(
        opt,
        [0, 0, 41, 0x04, 0xD0, 0, 0, 0x80, 0, 0, 0],
        "RFC 3225 §3, RFC 6840 §5.6 and RFC 8906 §3.2.6: DO copied; RFC 6891 §6.2.4: our size"
    );

    let mut version = query("web A do");
    let at = version.len() - 5;
    version[at] = 1;
    let bad = answer_over(Transport::Udp, &version);
    assert_eq!(
        (bad[3] & 15, bad[bad.len() - 6], bad[bad.len() - 5]),
        (0, 1, 0),
        "RFC 6891 §6.1.3 and RFC 8906 §3.2.2: BADVERS, our version"
    );
    assert_eq!(bad[6..8], [0, 0]);

    let mut unknown = query("web A edns");
    let at = unknown.len() - 1;
    unknown[at] = 6;
    unknown.extend_from_slice(&[0xFD, 0xE9, 0, 2, 1, 2]);
    assert_eq!(
        render(&answer_over(Transport::Udp, &unknown)),
        "NOERROR aa | web A 192.0.2.3 |  |",
        "RFC 6891 §6.1.2 and RFC 8906 §3.2.3"
    );
}

#[test]
fn rfc5001_2_2_nsid_is_given_only_when_asked_for_and_set() {
    let mut wire = query("web A edns");
    let at = wire.len() - 1;
    wire[at] = 4;
    wire.extend_from_slice(&[0, 3, 0, 0]);
    let request = Request { wire: &wire, client: Client::over(Transport::Udp), now_secs: 0 };
    let mut out = Vec::new();
    let named = Settings { identity: Some("one".into()), ..Settings::default() };
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
        "RFC 2181 §9, §5.1 and RFC 1035 §4.2.1: all or none"
    );
    assert_eq!(render(&udp("big TXT do", 4096)), "NOERROR aa tc |  |  |", "RFC 9715 §3.1: not above 1232");
    assert!(!render(&answer_over(Transport::Tcp, &query("big TXT do"))).contains(" tc"));

    // Courtesies go first, and silently.
    let many = udp("manymx MX edns", 100);
    assert!(many.len() <= 512 && !render(&many).contains(" tc"), "RFC 6891 §6.2.3: less than 512 is 512");
    assert!(udp("manymx MX do", 1232).len() <= 1232);
    let all = answer_over(Transport::Tcp, &query("manymx MX do"));
    assert_eq!(Message::parse(&all).unwrap().additionals.iter().filter(|r| r.rtype == RrType::A).count(), 7);

    // RFC 9471 §3.1: all in-domain glue, or TC.
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
        let request = Request { wire: &wire, client: Client::over(Transport::Udp), now_secs: NOW };
        assert!(matches!(respond(&catalog(), &settings, request, &mut out), Reply::Send(_)));
        let verdict = tsig::verify_response(&out, key, &mac, NOW);
        (out, verdict)
    };
    for question in ["web A", "web A do", "nothing A do", "big TXT", "manymx MX"] {
        let (out, verdict) = ask(question, &key("known.", 1), NOW);
        assert_eq!(verdict, Ok(Rcode::NOERROR), "{question}");
        assert!(
            out.len() <= if question.ends_with("do") { 1232 } else { 512 },
            "RFC 8945 §5.3: room is left for the TSIG"
        );
    }
    assert!(render(&ask("web A", &key("known.", 1), NOW).0).starts_with("NOERROR aa | web A 192.0.2.3"));
    for (key, at) in [(key("unknown.", 1), NOW), (key("known.", 2), NOW), (key("known.", 1), NOW - 1000)] {
        let (out, _) = ask("web A", &key, at);
        assert_eq!(render(&out), "NOTAUTH |  |  |", "RFC 8945 §5.2.1, §5.2.2, §5.2.3");
        assert!(
            Message::parse(&out).unwrap().signature_at.is_some(),
            "RFC 8945 §5.3.2: the reason is in a TSIG"
        );
    }
    // Names as long as they may be: the reason does not fit 512 octets, so it is to be asked for over TCP.
    let label = "x".repeat(63);
    let (asked, name) = (format!("{label}.{label}.{label}"), format!("{label}.{label}.{label}.{label:.60}."));
    let (out, _) = ask(&format!("{asked} A"), &key(&name, 1), NOW);
    assert!(out.len() <= 512 && render(&out).starts_with("NOTAUTH tc"), "{}", render(&out));
}

/// RFC 2136 §3.8; RFC 8914 §3.
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
    assert!(out.ends_with(b"\x00\x0f\x00\x05\x00\x0ewhy"), "RFC 8914 §2");
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
        let request = Request { wire: &wire, client: Client::over(Transport::Udp), now_secs: 0 };
        if matches!(respond(&catalog, &settings, request, &mut out), Reply::Send(_)) {
            assert!(out.len() <= 1232 && out[2] & 0x80 != 0, "seed {seed:#x} round {round}: {wire:02x?}");
            assert!(
                Message::parse(&out).is_ok(),
                "seed {seed:#x} round {round}: {wire:02x?} gave {out:02x?}"
            );
        }
        failure(&wire, Rcode::SERVFAIL, None, &mut out);
    }
}

/// RFC 9432 §7: a zone that is not for everybody is for whom the rules let in, by address or by key; aliases do not lead there.
#[test]
fn rfc9432_a_closed_zone_is_refused_to_all_but_its_readers() {
    const NOW: u64 = 1_795_219_200;
    let name = |text: &str| Name::parse(text).unwrap();
    let key = |named: &str| TsigKey::new(name(named), TsigAlgorithm::HmacSha256, vec![1; 32]);
    let mut keyring = Keyring::default();
    for named in ["reader.", "other."] {
        keyring.tsig.insert(name(named), key(named));
    }
    let reader = name("reader.");
    let readers: Readers = Arc::new(move |zone, address, key| {
        *zone == *view().origin() && (address.is_loopback() || key == Some(&reader))
    });
    let settings = Settings { keys: Arc::new(keyring), readers, ..Settings::default() };
    let closed = Catalog::new().with_closed(view());
    let ask = |settings: &Settings, address: [u8; 4], signer: Option<&str>| {
        let (mut wire, mut out) = (query("web A"), Vec::new());
        signer.inspect(|named| drop(tsig::sign_request(&mut wire, &key(named), NOW)));
        let client = Client { address: address.into(), ..Client::over(Transport::Udp) };
        respond(&closed, settings, Request { wire: &wire, client, now_secs: NOW }, &mut out);
        render(&out)
    };
    for (address, signer, may) in [
        ([127, 0, 0, 1], None, true),
        ([192, 0, 2, 1], None, false),
        ([192, 0, 2, 1], Some("reader."), true),
        ([192, 0, 2, 1], Some("other."), false),
    ] {
        let said = ask(&settings, address, signer);
        let wanted = if may { "NOERROR aa | web A 192.0.2.3" } else { "REFUSED |" };
        assert!(said.starts_with(wanted), "{address:?} {signer:?}: {said}");
    }
    assert!(ask(&Settings::default(), [127, 0, 0, 1], None).starts_with("REFUSED"), "without rules nobody");
    assert!(closed.without(&name("example.test.")).origins().next().is_none());
}
