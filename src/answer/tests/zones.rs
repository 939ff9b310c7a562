//! Many zones on one server: parents with their children, chains from one into another, and additional data of services.

use super::*;

fn zone(origin: &str, text: &str) -> Arc<View> {
    signed::view(origin, &format!("@ SOA ns h 1 2 3 4 5\n{text}"))
}

/// example.test; under it `secure`, which it delegates, and `mail`, which it does not; `other` beside them.
fn family() -> Catalog {
    let secure =
        zone("secure.example.test.", "@ NS ns\nns A 192.0.2.9\nback CNAME web.example.test.\n*.w TXT wild\n");
    let mail = zone("mail.example.test.", "@ NS ns.elsewhere.test.\nx A 192.0.2.7\n");
    let other = zone(
        "other.test.",
        "@ NS ns.elsewhere.test.\nin CNAME www.example.test.\ncut CNAME x.secure.example.test.\n\
         wild CNAME a.w.secure.example.test.\nlame CNAME x.lame.example.test.\nround CNAME back.round2\n\
         round2 DNAME secure.example.test.\nnone CNAME x.nothing.test.\nds CNAME secure.example.test.\n",
    );
    [secure, mail, other].into_iter().fold(catalog(), |catalog, view| catalog.with(view, false))
}

#[test]
fn aliases_lead_into_the_servers_other_zones() {
    check_in(
        &family(),
        &[
            (
                "RFC 1034 §4.3.2 3a: back to step 1, where the zone is chosen",
                "in.other.test. A",
                "NOERROR aa | in.other.test. CNAME www, www CNAME web, web A 192.0.2.3 |  |",
            ),
            (
                "RFC 1034 §4.3.2: the deepest zone, not the delegation",
                "cut.other.test. A",
                "NXDOMAIN aa | cut.other.test. CNAME x.secure | secure SOA |",
            ),
            (
                "RFC 6604 §3: the last name's rcode, in whatever zone",
                "cut.other.test. TXT",
                "NXDOMAIN aa | cut.other.test. CNAME x.secure | secure SOA |",
            ),
            (
                "RFC 4592 §3.3.1: a wildcard there",
                "wild.other.test. TXT",
                "NOERROR aa | wild.other.test. CNAME a.w.secure, a.w.secure TXT \"wild\" |  |",
            ),
            (
                "RFC 1034 §4.3.2 3b: a delegation there",
                "lame.other.test. A",
                "NOERROR aa | lame.other.test. CNAME x.lame | lame NS ns.elsewhere.test. |",
            ),
            (
                "RFC 6672 §3.2: through a DNAME, and on to a third zone",
                "round.other.test. A",
                "NOERROR aa | round.other.test. CNAME back.round2.other.test., \
                       round2.other.test. DNAME secure, back.round2.other.test. CNAME back.secure, \
                       back.secure CNAME web, web A 192.0.2.3 |  |",
            ),
            (
                "RFC 1034 §4.3.2 3a: where no zone is ours the chain ends",
                "none.other.test. A",
                "NOERROR aa | none.other.test. CNAME x.nothing.test. |  |",
            ),
            (
                "RFC 4035 §3.1.4.1: a DS at the end of a chain is the parent's too",
                "ds.other.test. DS",
                "NOERROR aa | ds.other.test. CNAME secure, \
                       secure DS 4711 |  |",
            ),
        ],
    );
}

#[test]
fn parents_and_children_on_one_server() {
    check_in(
        &family(),
        &[
            (
                "RFC 4035 §3.1.4.1: the parent side answers DS",
                "secure DS",
                "NOERROR aa | secure DS 4711 |  |",
            ),
            (
                "RFC 4035 §3.1.4.1: also where it does not delegate",
                "mail DS do",
                "NOERROR aa |  | @ SOA, @ RRSIG SOA, mail NSEC, mail RRSIG NSEC |",
            ),
            (
                "RFC 4035 §3.1.4.1: the apex of the topmost has only itself",
                "other.test. DS",
                "NOERROR aa |  | other.test. SOA |",
            ),
            (
                "RFC 1034 §4.3.2: all else is the child's",
                "ns.secure A",
                "NOERROR aa | ns.secure A 192.0.2.9 |  |",
            ),
            ("RFC 1034 §4.3.2: its apex too", "mail A", "NOERROR aa |  | mail SOA |"),
            ("RFC 2308 §2.1: denied by the child", "x.secure DS", "NXDOMAIN aa |  | secure SOA |"),
            ("RFC 1034 §4.3.2: the parent", "web A", "NOERROR aa | web A 192.0.2.3 |  |"),
        ],
    );
}

/// RFC 1034 §4.3.2: what is not there to be read cannot be followed: zones without a version, zones with ordered reads.
#[test]
fn chains_end_before_zones_that_are_not_ready_or_read_in_order() {
    let other = zone("other.test.", "@ NS ns\nin CNAME www.example.test.\n");
    let sees = "NOERROR aa | in.other.test. CNAME www |  |";
    for catalog in [
        Catalog::new().with(other.clone(), false).with(view(), true),
        Catalog::new().with(other.clone(), false).awaiting(view().origin().clone()),
    ] {
        check_in(&catalog, &[("RFC 1034 §4.3.2", "in.other.test. A", sees)]);
    }
    let wire = query("in.other.test. A");
    let (request, mut out) =
        (Request { wire: &wire, client: Client::over(Transport::Tcp), now_secs: 0 }, Vec::new());
    assert!(matches!(respond_from(&other, &Settings::default(), request, &mut out), Reply::Send(_)));
    assert_eq!(render(&out), sees, "an ordered read is of one zone's version");
}

/// Zone svc.test: services, and records that name hosts.
fn services() -> Catalog {
    let view = zone(
        "svc.test.",
        "@ NS ns.elsewhere.test.\n@ HTTPS 0 pool\npool HTTPS 1 . alpn=h2\npool HTTPS 2 back port=8443\n\
         pool A 192.0.2.1\nback AAAA 2001:db8::2\nnone SVCB 0 .\nfar SVCB 1 x.elsewhere.test.\n\
         l0 SVCB 0 l1\nl1 SVCB 0 l0\nself HTTPS 1 .\nself A 192.0.2.3\n*.w HTTPS 1 .\n*.w A 192.0.2.4\n\
         _a SRV 0 0 1 pool\nafs AFSDB 1 pool\nkx KX 1 pool\nrt RT 1 pool\n\
         mx MX 1 pool\nmx MX 2 pool\np PTR a.test.\np PTR b.test.\n\
         cut NS ns.elsewhere.test.\ncut DNAME pool\n",
    );
    Catalog::new().with(view, false)
}

#[test]
fn services_come_with_what_their_clients_ask_next() {
    let rows = [
        (
            "RFC 9460 §4.1: an alias with the services it leads to and their addresses",
            "svc.test. HTTPS",
            "NOERROR aa | svc.test. HTTPS 0 pool.svc.test. |  | pool.svc.test. A 192.0.2.1, \
                   pool.svc.test. HTTPS 1 . alpn=\"h2\", pool.svc.test. HTTPS 2 back.svc.test. port=8443, \
                   back.svc.test. AAAA 2001:db8::2",
        ),
        (
            "RFC 9460 §4.1: signed as an answer would be",
            "self.svc.test. HTTPS do",
            "NOERROR aa | self.svc.test. HTTPS 1 ., self.svc.test. RRSIG HTTPS |  | self.svc.test. A 192.0.2.3, \
                   self.svc.test. RRSIG A",
        ),
        (
            "RFC 9460 §2.5.1: an alias to the root is no service",
            "none.svc.test. SVCB",
            "NOERROR aa | none.svc.test. SVCB 0 . |  |",
        ),
        (
            "RFC 9460 §4.1: aliases of one another end",
            "l0.svc.test. SVCB",
            "NOERROR aa | l0.svc.test. SVCB 0 l1.svc.test. |  | l1.svc.test. SVCB 0 l0.svc.test.",
        ),
        (
            "RFC 9460 §4.1: what the zone does not have is left to the client",
            "far.svc.test. SVCB",
            "NOERROR aa | far.svc.test. SVCB 1 x.elsewhere.test. |  |",
        ),
    ];
    check_in(&services(), &rows);
}

#[test]
fn hosts_come_with_their_addresses() {
    for (clause, owner, record) in [
        ("RFC 2782", "_a", "SRV 0 0 1"),
        ("RFC 1183 §1", "afs", "AFSDB 1"),
        ("RFC 2230 §3", "kx", "KX 1"),
        ("RFC 1183 §3.3", "rt", "RT 1"),
    ] {
        let question = format!("{owner}.svc.test. {}", record.split(' ').next().unwrap());
        let answer = format!("{owner}.svc.test. {record} pool.svc.test. |  | pool.svc.test. A 192.0.2.1");
        check_in(&services(), &[(clause, &question, &format!("NOERROR aa | {answer}"))]);
    }
    let rows = [
        (
            "RFC 2181 §5.5: a set once",
            "mx.svc.test. MX",
            "NOERROR aa | mx.svc.test. MX 1 pool.svc.test., mx.svc.test. MX 2 pool.svc.test. |  | \
             pool.svc.test. A 192.0.2.1",
        ),
        (
            "RFC 2181 §10.2: as many as there are",
            "p.svc.test. PTR",
            "NOERROR aa | p.svc.test. PTR a.test., p.svc.test. PTR b.test. |  |",
        ),
        (
            "RFC 6672 §2.3: at a cut it is the child's",
            "x.cut.svc.test. A",
            "NOERROR |  | cut.svc.test. NS ns.elsewhere.test. |",
        ),
    ];
    check_in(&services(), &rows);
}
