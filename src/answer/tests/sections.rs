//! What stands in the sections: RFC 1034 §4.3.2 and its heirs.

use super::*;

#[test]
fn names_that_exist() {
    check(&[
        ("RFC 1034 §4.3.2 3a", "web A", "NOERROR aa | web A 192.0.2.3 |  |"),
        (
            "RFC 1034 §4.3.2 3a, RFC 1034 §3.1 and RFC 4343 §3: any case",
            "WEB A",
            "NOERROR aa | WEB A 192.0.2.3 |  |",
        ),
        (
            "RFC 4343 §4.1: every other name as the zone has it",
            "WWW A",
            "NOERROR aa | WWW CNAME web, web A 192.0.2.3 |  |",
        ),
        ("RFC 4035 §3.1.1", "web A do", "NOERROR aa | web A 192.0.2.3, web RRSIG A |  |"),
        ("RFC 3597 §3, §8", "strange TYPE65280", "NOERROR aa | strange TYPE65280 \\# 4 00010203 |  |"),
        ("RFC 1034 §3.6.2", "www A", "NOERROR aa | www CNAME web, web A 192.0.2.3 |  |"),
        ("RFC 1034 §3.6.2: a query for the alias itself", "www CNAME", "NOERROR aa | www CNAME web |  |"),
        (
            "RFC 1034 §4.3.2 3a: an alias of an alias",
            "hop1 A",
            "NOERROR aa | hop1 CNAME hop2, hop2 CNAME hop3, hop3 CNAME web, web A 192.0.2.3 |  |",
        ),
        ("RFC 1034 §5.2.2: a loop ends", "loop1 A", "NOERROR aa | loop1 CNAME loop2, loop2 CNAME loop1 |  |"),
        ("RFC 1034 §5.2.2: a loop of one", "self A", "NOERROR aa | self CNAME self |  |"),
        (
            "RFC 6604 §2 and RFC 1034 §4.3.2 3a: out of the zone",
            "out A",
            "NOERROR aa | out CNAME www.elsewhere.test. |  |",
        ),
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
            "NOERROR aa | todeleg CNAME host.deleg | deleg NS ns.sibling, deleg NS ns.elsewhere.test., deleg NS ns1.deleg | \
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
        ("RFC 2308 §2.1, RFC 1034 §4.3.4 and RFC 2181 §7.1", "nothing A", "NXDOMAIN aa |  | @ SOA |"),
        (
            "RFC 4035 §3.1.3.2",
            "nothing A do",
            "NXDOMAIN aa |  | @ SOA, @ RRSIG SOA, a.new NSEC, \
          a.new RRSIG NSEC, @ NSEC, @ RRSIG NSEC |",
        ),
        ("RFC 2308 §2.2", "web TXT", "NOERROR aa |  | @ SOA |"),
        ("RFC 4035 §3.1.3.1", "web TXT do", "NOERROR aa |  | @ SOA, @ RRSIG SOA, web NSEC, web RRSIG NSEC |"),
        ("RFC 8020 §2: an empty non-terminal exists", "ent A", "NOERROR aa |  | @ SOA |"),
        (
            "RFC 8020 §2: and so does one under it",
            "under.ent A do",
            "NOERROR aa |  | @ SOA, @ RRSIG SOA, deleg NSEC, deleg RRSIG NSEC |",
        ),
        ("RFC 8020 §2: below a name that does not exist", "a.b.nothing A", "NXDOMAIN aa |  | @ SOA |"),
    ]);
}

#[test]
fn wildcards() {
    check(&[
        ("RFC 4592 §3.3.1 and RFC 1034 §4.3.2 3c", "x.wild A", "NOERROR aa | x.wild A 192.0.2.4 |  |"),
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
            "RFC 4592 §4.3: a wildcard alias",
            "x.wildalias A",
            "NOERROR aa | x.wildalias CNAME web, web A 192.0.2.3 |  |",
        ),
        (
            "RFC 4592 §4.3: to itself",
            "y.wildloop A",
            "NOERROR aa | y.wildloop CNAME x.wildloop, x.wildloop CNAME x.wildloop |  |",
        ),
        ("RFC 4592 §2.2.2, §4.9: an asterisk that owns nothing", "x.odd TXT", "NOERROR aa |  | @ SOA |"),
        (
            "RFC 4592 §2.2.1: an asterisk inside a name is a label",
            "sub.*.odd TXT",
            "NOERROR aa | sub.*.odd TXT \"under an asterisk\" |  |",
        ),
    ]);
}

#[test]
fn cuts() {
    let referral = "NOERROR |  | deleg NS ns.sibling, deleg NS ns.elsewhere.test., deleg NS ns1.deleg | \
                    ns1.deleg A 192.0.2.10, ns1.deleg AAAA 2001:db8::10, ns.sibling A 192.0.2.13";
    check(&[
        ("RFC 1034 §4.3.2 3b, RFC 9471 §3.1, §3.2", "host.deleg A", referral),
        ("RFC 1034 §4.3.2 3b: the cut itself", "deleg A", referral),
        ("RFC 1034 §4.3.2 3b: even its NS are the child's", "deleg NS", referral),
        ("RFC 1034 §4.3.2 3b, RFC 2181 §6.1: glue is not an answer", "ns1.deleg A", referral),
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
          secure DS 4711, secure RRSIG DS | \
          ns.secure A 192.0.2.12",
        ),
        ("RFC 4035 §3.1.4.1", "secure DS", "NOERROR aa | secure DS 4711 |  |"),
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
            "RFC 4035 §3.1.1 and RFC 1035 §3.3.11: signed if authoritative",
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
        ("RFC 1034 §4.3.2 3a, RFC 1034 §4.2.1", "@ SOA", "NOERROR aa | @ SOA |  |"),
        ("RFC 4035 §3.1.1, §2.1", "@ DNSKEY do", "NOERROR aa | @ DNSKEY, @ DNSKEY, @ RRSIG DNSKEY |  |"),
        ("RFC 8482 §4.1: one RRset", "mail ANY", "NOERROR aa | mail A 192.0.2.2 |  |"),
        (
            "RFC 8482 §4.1: with its signature",
            "mail ANY do",
            "NOERROR aa | mail A 192.0.2.2, mail RRSIG A |  |",
        ),
        ("RFC 8482 §4.1: an alias is all there is", "www ANY", "NOERROR aa | www CNAME web |  |"),
        ("RFC 8482 §7", "mail RRSIG", "NOERROR aa | mail RRSIG A |  |"),
        ("RFC 4035 §3.1.3.1 for ANY at an empty non-terminal", "ent ANY", "NOERROR aa |  | @ SOA |"),
        ("RFC 4034 §4 and RFC 4035 §3: asked for without DO", "web NSEC", "NOERROR aa | web NSEC |  |"),
        ("RFC 5936 §4.2: a transfer is more than one response", "@ AXFR", "REFUSED |  |  |"),
        ("RFC 1995 §4: not offered yet", "@ IXFR", "REFUSED |  |  |"),
        ("RFC 8945 §4.2", "@ TSIG", "FORMERR |  |  |"),
        ("RFC 6891 §6.1.1", "@ OPT", "FORMERR |  |  |"),
        ("RFC 8906 §3.1.1: off our zones", "www.elsewhere.test. A", "REFUSED |  |  |"),
        ("RFC 8906 §3.1.1: above our zones", ". SOA", "REFUSED |  |  |"),
    ]);
}

/// RFC 4034 §3: signatures too; RFC 2181 §7.2: not zero.
#[test]
fn rfc2308_3_a_denial_lives_for_the_lesser_of_the_soas_ttl_and_minimum() {
    let message = Message::parse(&answer_over(Transport::Udp, &query("nothing A do"))).unwrap();
    for record in &message.authorities {
        assert_eq!(record.ttl, 300, "{}", render_record(record));
    }
}

#[test]
fn rfc6672_3_1_the_synthesised_cname_has_the_dnames_ttl() {
    let message = Message::parse(&answer_over(Transport::Udp, &query("a.far A"))).unwrap();
    assert_eq!(message.answers[1].ttl, message.answers[0].ttl);
}

/// RFC 1034 §4.3.2: of several zones the nearest answers, but for DS.
#[test]
fn rfc4035_3_1_4_1_the_parent_side_answers_ds_when_both_zones_are_ours() {
    let child = signed::view("secure.example.test.", "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.9\n");
    check_in(
        &catalog().with(child, false),
        &[
            ("RFC 4035 §3.1.4.1", "secure DS", "NOERROR aa | secure DS 4711 |  |"),
            ("RFC 1034 §4.3.2", "ns.secure A", "NOERROR aa | ns.secure A 192.0.2.9 |  |"),
            ("RFC 1034 §4.3.2", "x.secure DS", "NXDOMAIN aa |  | secure SOA |"),
            ("RFC 1034 §4.3.2", "web A", "NOERROR aa | web A 192.0.2.3 |  |"),
        ],
    );
}
