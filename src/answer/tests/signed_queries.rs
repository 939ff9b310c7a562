//! Signed queries: whatever is said to them is signed (RFC 8945 §5.3), and a SIG(0), which no query needs, changes nothing.

use super::*;
use crate::dns::cookie::Secrets;

const NOW: u64 = 1_795_219_200;

fn key() -> TsigKey {
    TsigKey::new(Name::parse("known.").unwrap(), TsigAlgorithm::HmacSha256, vec![1; 32])
}

fn settings() -> Settings {
    let mut keyring = Keyring::default();
    keyring.tsig.insert(key().name.clone(), key());
    let cookies = Secrets::new(vec![[7; 16]]).map(|secrets| Cookies { secrets, required: true });
    Settings { keys: Arc::new(keyring), cookies, ..Settings::default() }
}

/// The response over UDP to `wire`, signed, and what its client makes of it.
fn ask(mut wire: Vec<u8>) -> (Vec<u8>, Result<Rcode, tsig::AuthFailure>) {
    let (mac, mut out) = (tsig::sign_request(&mut wire, &key(), NOW), Vec::new());
    let request = Request { wire: &wire, client: Client::over(Transport::Udp), now_secs: NOW };
    assert!(matches!(respond(&catalog(), &settings(), request, &mut out), Reply::Send(_)));
    let verdict = tsig::verify_response(&out, &key(), &mac, NOW);
    (out, verdict)
}

/// RFC 8945 §5.3 and §5.3.2: what is no error of the TSIG is told signed.
#[test]
fn a_signed_query_is_refused_signed() {
    let mut later = query("web A edns");
    let version = later.len() - 5;
    later[version] = 1;
    let mut status = query("web A edns");
    status[2] |= 2 << 3;
    let mut cookie = query("web A edns");
    *cookie.last_mut().unwrap() = 12;
    cookie.extend([0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (what, wire, rcode) in [
        ("an answer", query("web A"), Rcode::NOERROR),
        ("not ours", query("www.example.org. A edns"), Rcode::REFUSED),
        ("a transfer over UDP", query("@ AXFR edns"), Rcode::REFUSED),
        ("a type that is no question", query("@ TYPE250"), Rcode::FORMERR),
        ("a type of long ago", query("@ TYPE253"), Rcode::NOTIMP),
        ("another version of EDNS", later, Rcode::BADVERS),
        ("another opcode", status, Rcode::NOTIMP),
        ("a cookie that is not ours yet", cookie, Rcode::BADCOOKIE),
    ] {
        let (out, verdict) = ask(wire);
        assert_eq!((Message::parse(&out).unwrap().rcode(), verdict), (rcode, Ok(Rcode::NOERROR)), "{what}");
    }
}

/// RFC 8945 §5.3: where there is no room beside the TSIG, the question alone, with TC, and signed.
#[test]
fn a_signed_answer_that_does_not_fit_is_truncated_and_signed() {
    let (out, verdict) = ask(query("big TXT"));
    assert_eq!((render(&out).as_str(), verdict), ("NOERROR aa tc |  |  |", Ok(Rcode::NOERROR)));
}

/// RFC 2931 §3.2: a signature that is not asked for is ignored, and the answer has none.
#[test]
fn a_query_with_a_sig0_is_answered_as_without() {
    let mut wire = query("web A");
    wire[11] = 1;
    wire.extend([0, 0, 24, 0, 255, 0, 0, 0, 0, 0, 83, 0, 0, 15]);
    wire.extend([1; 80]);
    assert_eq!(answer_over(Transport::Udp, &wire), answer_over(Transport::Udp, &query("web A")));
}
