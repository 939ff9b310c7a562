//! Types at an asterisk: RFC 4592 §4.

use super::*;

const ZONE: &str = "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.9\nweb A 192.0.2.3\n*.cut NS ns.elsewhere.test.\n\
                    *.srv SRV 0 0 1 web\n*.alias CNAME web\nsub.*.odd TXT odd\n";

#[test]
fn types_with_a_meaning_of_their_own_at_an_asterisk() {
    let zone = Catalog::new().with(signed::view("example.test.", ZONE), false);
    for (clause, question, expected) in [
        ("RFC 4592 §4.2: undefined, and never signed", "x.cut NS", "NOERROR aa |  | @ SOA |"),
        ("RFC 4592 §4.2: no referral", "x.cut A", "NOERROR aa |  | @ SOA |"),
        ("RFC 4592 §4.3", "x.alias A", "NOERROR aa | x.alias CNAME web, web A 192.0.2.3 |  |"),
        ("RFC 4592 §4.5", "x.srv SRV", "NOERROR aa | x.srv SRV 0 0 1 web |  | web A 192.0.2.3"),
        ("RFC 4592 §4.9", "x.odd TXT", "NOERROR aa |  | @ SOA |"),
    ] {
        let (wire, mut out) = (query(question), Vec::new());
        let request = Request { wire: &wire, client: Client::over(Transport::Tcp), now_secs: 0 };
        assert!(matches!(respond(&zone, &Settings::default(), request, &mut out), Reply::Send(_)));
        assert_eq!(render(&out), expected, "{clause}: {question}");
    }
}
