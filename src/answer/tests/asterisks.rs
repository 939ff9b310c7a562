//! Types at an asterisk: RFC 4592 §4.

use super::*;

const ZONE: &str = "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.9\nweb A 192.0.2.3\n*.cut NS ns.elsewhere.test.\n\
                    *.srv SRV 0 0 1 web\n*.alias CNAME web\nsub.*.odd TXT odd\n*.rule DNAME elsewhere.test.\n\
                    *.ds DS 1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\n";

#[test]
fn types_with_a_meaning_of_their_own_at_an_asterisk() {
    check_in(
        &Catalog::new().with(signed::view("example.test.", ZONE), false),
        &[
            ("RFC 4592 §4.2: undefined, and never signed", "x.cut NS", "NOERROR aa |  | @ SOA |"),
            ("RFC 4592 §4.2: no referral", "x.cut A", "NOERROR aa |  | @ SOA |"),
            ("RFC 4592 §4.3", "x.alias A", "NOERROR aa | x.alias CNAME web, web A 192.0.2.3 |  |"),
            ("RFC 4592 §4.4: no rule for what is below", "y.x.rule A", "NOERROR aa |  | @ SOA |"),
            ("RFC 4592 §4.5", "x.srv SRV", "NOERROR aa | x.srv SRV 0 0 1 web |  | web A 192.0.2.3"),
            ("RFC 4592 §4.6: harmless", "x.ds DS", "NOERROR aa | x.ds DS 1 |  |"),
            (
                "RFC 4592 §4.7: asked for by its name",
                "*.srv NSEC do",
                "NOERROR aa | *.srv NSEC, *.srv RRSIG NSEC |  |",
            ),
            (
                "RFC 4592 §4.8: synthesized with what it signs",
                "x.srv SRV do",
                "NOERROR aa | x.srv SRV 0 0 1 web, x.srv RRSIG SRV | *.srv NSEC, *.srv RRSIG NSEC | \
                 web A 192.0.2.3, web RRSIG A",
            ),
            ("RFC 4592 §4.9", "x.odd TXT", "NOERROR aa |  | @ SOA |"),
        ],
    );
}
