//! What resolvers and people with dig see.

use crate::harness::{Demo, has};

#[test]
fn answers_are_authoritative_signed_and_stay_within_the_zone() {
    if !has("dig") {
        return;
    }
    let demo = Demo::start(1);
    let soa = demo.dig(1, &["example.test", "SOA", "+dnssec"]);
    assert!(soa.contains("status: NOERROR") && soa.contains(" aa") && soa.contains("RRSIG"), "{soa}");

    let off_zone = demo.dig(1, &["www.example.org", "A"]);
    assert!(off_zone.contains("status: REFUSED"), "{off_zone}");

    let nothing = demo.dig(1, &["no.such.name.example.test", "A", "+dnssec"]);
    assert!(nothing.contains("status: NXDOMAIN") && nothing.contains("NSEC"), "{nothing}");

    let nodata = demo.dig(1, &["example.test", "LOC", "+dnssec"]);
    assert!(
        nodata.contains("status: NOERROR") && nodata.contains("ANSWER: 0") && nodata.contains("NSEC"),
        "{nodata}"
    );

    let dnskey = demo.dig(1, &["example.test", "DNSKEY", "+dnssec", "+multi"]);
    assert!(dnskey.contains("KSK") && dnskey.contains("ZSK"), "{dnskey}");

    let tcp = demo.dig(1, &["+tcp", "example.test", "NS"]);
    assert!(tcp.contains("status: NOERROR") && tcp.contains("(TCP)"), "{tcp}");

    let badvers = demo.dig(1, &["+edns=1", "+noednsneg", "example.test", "SOA"]);
    assert!(badvers.contains("BADVERS"), "{badvers}");

    let notimp = demo.dig(1, &["+opcode=STATUS", "example.test"]);
    assert!(notimp.contains("status: NOTIMP"), "{notimp}");

    let tiny =
        demo.dig(1, &["+notcp", "+ignore", "+bufsize=512", "no.such.name.example.test", "A", "+dnssec"]);
    assert!(tiny.contains(" tc"), "{tiny}");
}
