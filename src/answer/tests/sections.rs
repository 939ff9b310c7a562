//! What stands in the sections: RFC 1034 §4.3.2 and its heirs.

use super::*;

#[test]
fn names_that_exist() {
    check(&[
        Row { clause: "RFC 1034 §4.3.2 3a", ask: "web A", sees: "NOERROR aa | web A 192.0.2.3 |  |" },
        Row {
            clause: "RFC 1034 §4.3.2 3a, any case",
            ask: "WEB A",
            sees: "NOERROR aa | WEB A 192.0.2.3 |  |",
        },
        Row {
            clause: "RFC 4343 §4: every other name as the zone has it",
            ask: "WWW A",
            sees: "NOERROR aa | WWW CNAME web, web A 192.0.2.3 |  |",
        },
        Row {
            clause: "RFC 4035 §3.1.1",
            ask: "web A do",
            sees: "NOERROR aa | web A 192.0.2.3, web RRSIG A |  |",
        },
        Row {
            clause: "RFC 3597 §3",
            ask: "strange TYPE65280",
            sees: "NOERROR aa | strange TYPE65280 \\# 4 00010203 |  |",
        },
        Row {
            clause: "RFC 1034 §3.6.2",
            ask: "www A",
            sees: "NOERROR aa | www CNAME web, web A 192.0.2.3 |  |",
        },
        Row {
            clause: "RFC 1034 §3.6.2: a query for the alias itself",
            ask: "www CNAME",
            sees: "NOERROR aa | www CNAME web |  |",
        },
        Row {
            clause: "RFC 1034 §4.3.2 3a: an alias of an alias",
            ask: "hop1 A",
            sees: "NOERROR aa | hop1 CNAME hop2, hop2 CNAME hop3, hop3 CNAME web, web A 192.0.2.3 |  |",
        },
        Row {
            clause: "RFC 1034 §5.2.2: a loop ends",
            ask: "loop1 A",
            sees: "NOERROR aa | loop1 CNAME loop2, loop2 CNAME loop1 |  |",
        },
        Row {
            clause: "RFC 1034 §5.2.2: a loop of one",
            ask: "self A",
            sees: "NOERROR aa | self CNAME self |  |",
        },
        Row {
            clause: "RFC 1034 §4.3.2 3a: out of the zone",
            ask: "out A",
            sees: "NOERROR aa | out CNAME www.elsewhere.test. |  |",
        },
        Row {
            clause: "RFC 6604 §3: the last name's rcode",
            ask: "dangling A",
            sees: "NXDOMAIN aa | dangling CNAME nothing | @ SOA |",
        },
        Row {
            clause: "RFC 2308 §2.2: an alias to nothing of the type",
            ask: "toent A",
            sees: "NOERROR aa | toent CNAME ent | @ SOA |",
        },
        Row {
            clause: "RFC 1034 §4.3.2 3b after 3a",
            ask: "todeleg A",
            sees: "NOERROR aa | todeleg CNAME host.deleg | deleg NS ns.sibling, deleg NS ns.elsewhere.test., deleg NS ns1.deleg | \
          ns1.deleg A 192.0.2.10, ns1.deleg AAAA 2001:db8::10, ns.sibling A 192.0.2.13",
        },
        Row {
            clause: "RFC 4592 §3.3.1 after an alias",
            ask: "towild A do",
            sees: "NOERROR aa | towild CNAME x.wild, towild RRSIG CNAME, x.wild A 192.0.2.4, x.wild RRSIG A | \
          below.here.wild NSEC, below.here.wild RRSIG NSEC |",
        },
    ]);
}

#[test]
fn names_that_do_not_exist_and_types_that_are_not_there() {
    check(&[
        Row { clause: "RFC 2308 §2.1", ask: "nothing A", sees: "NXDOMAIN aa |  | @ SOA |" },
        Row {
            clause: "RFC 4035 §3.1.3.2",
            ask: "nothing A do",
            sees: "NXDOMAIN aa |  | @ SOA, @ RRSIG SOA, a.new NSEC, \
          a.new RRSIG NSEC, @ NSEC, @ RRSIG NSEC |",
        },
        Row { clause: "RFC 2308 §2.2", ask: "web TXT", sees: "NOERROR aa |  | @ SOA |" },
        Row {
            clause: "RFC 4035 §3.1.3.1",
            ask: "web TXT do",
            sees: "NOERROR aa |  | @ SOA, @ RRSIG SOA, web NSEC, web RRSIG NSEC |",
        },
        Row {
            clause: "RFC 8020 §2: an empty non-terminal exists",
            ask: "ent A",
            sees: "NOERROR aa |  | @ SOA |",
        },
        Row {
            clause: "RFC 8020 §2: and so does one under it",
            ask: "under.ent A do",
            sees: "NOERROR aa |  | @ SOA, @ RRSIG SOA, deleg NSEC, deleg RRSIG NSEC |",
        },
        Row {
            clause: "RFC 8020 §2: below a name that does not exist",
            ask: "a.b.nothing A",
            sees: "NXDOMAIN aa |  | @ SOA |",
        },
    ]);
}

#[test]
fn wildcards() {
    check(&[
        Row { clause: "RFC 4592 §3.3.1", ask: "x.wild A", sees: "NOERROR aa | x.wild A 192.0.2.4 |  |" },
        Row {
            clause: "RFC 4592 §2.2.1: any depth",
            ask: "x.y.wild A",
            sees: "NOERROR aa | x.y.wild A 192.0.2.4 |  |",
        },
        Row {
            clause: "RFC 4035 §3.1.3.3",
            ask: "x.wild A do",
            sees: "NOERROR aa | x.wild A 192.0.2.4, x.wild RRSIG A | below.here.wild NSEC, below.here.wild RRSIG NSEC |",
        },
        Row { clause: "RFC 4592 §3.3.3: no data", ask: "x.wild MX", sees: "NOERROR aa |  | @ SOA |" },
        Row {
            clause: "RFC 4035 §3.1.3.4",
            ask: "x.wild MX do",
            sees: "NOERROR aa |  | @ SOA, @ RRSIG SOA, below.here.wild NSEC, below.here.wild RRSIG NSEC, *.wild NSEC, \
          *.wild RRSIG NSEC |",
        },
        Row {
            clause: "RFC 4592 §2.3: asked for itself",
            ask: "*.wild A do",
            sees: "NOERROR aa | *.wild A 192.0.2.4, *.wild RRSIG A |  |",
        },
        Row {
            clause: "RFC 4592 §2.2.1: a closer name hides it",
            ask: "here.wild TXT",
            sees: "NOERROR aa |  | @ SOA |",
        },
        Row {
            clause: "RFC 4592 §2.2.1: and what is under that name",
            ask: "x.here.wild A",
            sees: "NXDOMAIN aa |  | @ SOA |",
        },
        Row {
            clause: "RFC 4592 §3.3.1: the owner of the wildcard's parent",
            ask: "wild A",
            sees: "NOERROR aa |  | @ SOA |",
        },
        Row {
            clause: "RFC 4592 §3.3.2: a wildcard alias",
            ask: "x.wildalias A",
            sees: "NOERROR aa | x.wildalias CNAME web, web A 192.0.2.3 |  |",
        },
        Row {
            clause: "RFC 4592 §3.3.2: to itself",
            ask: "y.wildloop A",
            sees: "NOERROR aa | y.wildloop CNAME x.wildloop, x.wildloop CNAME x.wildloop |  |",
        },
        Row {
            clause: "RFC 4592 §2.2.2: an asterisk that owns nothing",
            ask: "x.odd TXT",
            sees: "NOERROR aa |  | @ SOA |",
        },
        Row {
            clause: "RFC 4592 §2.2.1: an asterisk inside a name is a label",
            ask: "sub.*.odd TXT",
            sees: "NOERROR aa | sub.*.odd TXT \"under an asterisk\" |  |",
        },
    ]);
}

#[test]
fn cuts() {
    let referral = "NOERROR |  | deleg NS ns.sibling, deleg NS ns.elsewhere.test., deleg NS ns1.deleg | \
                    ns1.deleg A 192.0.2.10, ns1.deleg AAAA 2001:db8::10, ns.sibling A 192.0.2.13";
    check(&[
        Row { clause: "RFC 1034 §4.3.2 3b", ask: "host.deleg A", sees: referral },
        Row { clause: "RFC 1034 §4.3.2 3b: the cut itself", ask: "deleg A", sees: referral },
        Row { clause: "RFC 1034 §4.3.2 3b: even its NS are the child's", ask: "deleg NS", sees: referral },
        Row { clause: "RFC 1034 §4.3.2 3b: glue is not an answer", ask: "ns1.deleg A", sees: referral },
        Row { clause: "RFC 8482 §4.1: not at cuts", ask: "deleg ANY", sees: referral },
        Row {
            clause: "RFC 4035 §3.1.4: no DS, and the proof",
            ask: "host.lame A do",
            sees: "NOERROR |  | lame NS ns.elsewhere.test., lame NSEC, lame RRSIG NSEC |",
        },
        Row {
            clause: "RFC 4035 §3.1.4: with DS",
            ask: "host.secure A do",
            sees: "NOERROR |  | secure NS ns.secure, \
          secure DS 4711 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF, secure RRSIG DS | \
          ns.secure A 192.0.2.12",
        },
        Row {
            clause: "RFC 4035 §3.1.4.1",
            ask: "secure DS",
            sees: "NOERROR aa | secure DS 4711 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF |  |",
        },
        Row {
            clause: "RFC 4035 §3.1.4.1: no DS",
            ask: "lame DS do",
            sees: "NOERROR aa |  | @ SOA, @ RRSIG SOA, lame NSEC, lame RRSIG NSEC |",
        },
        Row {
            clause: "RFC 4035 §3.1.4.1: below the cut",
            ask: "x.secure DS",
            sees: "NOERROR |  | secure NS ns.secure | ns.secure A 192.0.2.12",
        },
        Row {
            clause: "RFC 4035 §3.1.4.1: the apex without its parent",
            ask: "@ DS",
            sees: "NOERROR aa |  | @ SOA |",
        },
    ]);
}

#[test]
fn dnames() {
    let long = "a-label-that-is-as-long-as-a-label-can-be-so-that-it-overflows";
    check(&[
        Row {
            clause: "RFC 6672 §3.2",
            ask: "a.old A",
            sees: "NOERROR aa | old DNAME new, a.old CNAME a.new, a.new A 192.0.2.20 |  |",
        },
        Row {
            clause: "RFC 6672 §5.3.1: the CNAME is not signed",
            ask: "a.old A do",
            sees: "NOERROR aa | old DNAME new, old RRSIG DNAME, a.old CNAME a.new, a.new A 192.0.2.20, a.new RRSIG A |  |",
        },
        Row {
            clause: "RFC 6672 §2.3: the owner is not redirected",
            ask: "old TXT",
            sees: "NOERROR aa | old TXT \"old itself\" |  |",
        },
        Row {
            clause: "RFC 6672 §3.2: asked for itself",
            ask: "old DNAME",
            sees: "NOERROR aa | old DNAME new |  |",
        },
        Row {
            clause: "RFC 6672 §3.2: into a wildcard",
            ask: "x.old TXT",
            sees: "NOERROR aa | old DNAME new, x.old CNAME x.new, x.new TXT \"any new\" |  |",
        },
        Row {
            clause: "RFC 6672 §3.2: out of the zone",
            ask: "x.far A",
            sees: "NOERROR aa | far DNAME elsewhere.test., x.far CNAME x.elsewhere.test. |  |",
        },
        Row {
            clause: "RFC 6672 §3.2: asked for the CNAME",
            ask: "x.far CNAME",
            sees: "NOERROR aa | far DNAME elsewhere.test., x.far CNAME x.elsewhere.test. |  |",
        },
        Row {
            clause: "RFC 6672 §2.2: too long",
            ask: &format!("{long}.long A"),
            sees: &format!("YXDOMAIN aa | long DNAME {long}1.{long}2.{long}3.new |  |"),
        },
    ]);
}

#[test]
fn additional_addresses() {
    check(&[
        Row {
            clause: "RFC 1035 §3.3.9",
            ask: "@ MX",
            sees: "NOERROR aa | @ MX 10 mail, @ MX 20 mx.deleg |  | mail A 192.0.2.2, mx.deleg A 192.0.2.11",
        },
        Row {
            clause: "RFC 4035 §3.1.1: signed if authoritative",
            ask: "@ NS do",
            sees: "NOERROR aa | @ NS ns.elsewhere.test., @ NS ns1, @ RRSIG NS |  | ns1 A 192.0.2.1, ns1 RRSIG A, \
          ns1 AAAA 2001:db8::1, ns1 RRSIG AAAA",
        },
        Row {
            clause: "RFC 2782 §Target",
            ask: "_sip._tcp SRV",
            sees: "NOERROR aa | _sip._tcp SRV 0 5 5060 web, _sip._tcp SRV 1 5 5060 ns.sibling |  | web A 192.0.2.3, \
          ns.sibling A 192.0.2.13",
        },
    ]);
}

#[test]
fn apex_and_meta_types() {
    check(&[
        Row { clause: "RFC 1034 §4.3.2 3a", ask: "@ SOA", sees: "NOERROR aa | @ SOA |  |" },
        Row {
            clause: "RFC 4035 §3.1.1",
            ask: "@ DNSKEY do",
            sees: "NOERROR aa | @ DNSKEY, @ DNSKEY, @ RRSIG DNSKEY |  |",
        },
        Row {
            clause: "RFC 8482 §4.1: one RRset",
            ask: "mail ANY",
            sees: "NOERROR aa | mail A 192.0.2.2 |  |",
        },
        Row {
            clause: "RFC 8482 §4.1: an alias is all there is",
            ask: "www ANY",
            sees: "NOERROR aa | www CNAME web |  |",
        },
        Row { clause: "RFC 8482 §7", ask: "mail RRSIG", sees: "NOERROR aa | mail RRSIG A |  |" },
        Row {
            clause: "RFC 4035 §3.1.3.1 for ANY at an empty non-terminal",
            ask: "ent ANY",
            sees: "NOERROR aa |  | @ SOA |",
        },
        Row { clause: "RFC 4034 §4", ask: "web NSEC", sees: "NOERROR aa | web NSEC |  |" },
        Row { clause: "RFC 5936 §2.2.1: not offered yet", ask: "@ AXFR", sees: "REFUSED |  |  |" },
        Row { clause: "RFC 1995 §4: not offered yet", ask: "@ IXFR", sees: "REFUSED |  |  |" },
        Row { clause: "RFC 8945 §4.2", ask: "@ TSIG", sees: "FORMERR |  |  |" },
        Row { clause: "RFC 6891 §6.1.1", ask: "@ OPT", sees: "FORMERR |  |  |" },
        Row {
            clause: "RFC 8906 §3.1.4: off our zones",
            ask: "www.elsewhere.test. A",
            sees: "REFUSED |  |  |",
        },
        Row { clause: "RFC 8906 §3.1.4: above our zones", ask: ". SOA", sees: "REFUSED |  |  |" },
    ]);
}

/// RFC 2308 §3: a denial lives for the lesser of the SOA's TTL and MINIMUM; RFC 9077 §3: its NSECs too.
#[test]
fn rfc2308_a_denial_lives_for_the_lesser_of_the_soas_ttl_and_minimum() {
    let message = Message::parse(&answer_over(Transport::Udp, &query("nothing A do"))).unwrap();
    for record in &message.authorities {
        assert_eq!(record.ttl, 300, "{}", render_record(record));
    }
}

/// RFC 6672 §3.1: the synthesised CNAME has the DNAME's TTL.
#[test]
fn rfc6672_the_synthesised_cname_has_the_dnames_ttl() {
    let message = Message::parse(&answer_over(Transport::Udp, &query("a.far A"))).unwrap();
    assert_eq!(message.answers[1].ttl, message.answers[0].ttl);
}
