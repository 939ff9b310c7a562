//! The fast reader of queries against the full parser: what both take, they take for the same.

use conclave::dns::cookie::Cookie;
use conclave::dns::edns::Edns;
use conclave::dns::message::Message;
use conclave::dns::query::{self, Reject};
use conclave::dns::{Opcode, RrType};

pub fn run(data: &[u8]) {
    let (fast, full) = (query::parse(data), Message::parse(data));
    match &fast {
        Err(Reject::Ignore) => assert!(data.len() < 12 || data[2] & 0x80 != 0, "a request was ignored"),
        Err(Reject::Reply { question_end, .. }) => assert!((12..=data.len()).contains(question_end)),
        Err(Reject::CookieOnly(edns)) => assert!(edns.cookie.is_some() && data[4..8] == [0; 4]),
        Ok(query) => assert!((17..=data.len()).contains(&query.question_end)),
    }
    // The full parser reads rdata that the fast one skips, so it refuses more; and it follows pointers, of which a
    // question of one name has none.
    let Ok(full) = full else { return };
    let plain = !full.header.qr && full.header.opcode == Opcode::QUERY;
    let ([question], true) = (full.questions.as_slice(), plain) else {
        assert!(fast.is_err(), "the fast reader takes what is no query: {fast:?}");
        return;
    };
    if !full.answers.is_empty() || data[12..].starts_with(&[0xc0]) {
        return;
    }
    let tsig = full.signature_at.is_some_and(|at| is_tsig(data, at));
    match fast {
        Ok(fast) => {
            assert_eq!((fast.id, fast.rd, fast.cd), (full.header.id, full.header.rd, full.header.cd));
            assert_eq!(fast.qname.wire(), question.name.wire());
            assert_eq!((fast.qtype, fast.qclass), (question.rtype, question.class));
            assert_eq!(fast.has_tsig, tsig);
            let edns = fast.edns.map(|edns| (edns.version, edns.udp_size, edns.do_bit, edns.nsid));
            let nsid = |edns: &Edns| edns.option(3).is_some();
            assert_eq!(edns, full.edns.map(|e| (e.version, e.udp_size, e.do_bit, nsid(&e))));
        }
        Err(_) if full.edns.as_ref().is_some_and(is_bad_cookie) => {}
        Err(refused) => {
            panic!("the full parser takes a query that the fast reader refuses: {refused:?}");
        }
    }
}

/// RFC 7873 §5.2.2: a cookie of a length that none has is malformed, which the full parser does not look at.
fn is_bad_cookie(edns: &Edns) -> bool {
    edns.option(10).is_some_and(|data| Cookie::parse(data).is_none())
}

/// Whether the record at `at` is a TSIG.
fn is_tsig(wire: &[u8], at: usize) -> bool {
    let (_, end) = conclave::dns::Name::from_message(wire, at).expect("it parsed");
    wire[end..].starts_with(&RrType::TSIG.0.to_be_bytes())
}

/// A query for a name and type; with an OPT record if `edns` gives its flags.
pub fn query(name: &str, rtype: RrType, edns: Option<u8>) -> Vec<u8> {
    let mut wire = vec![0xab, 0xcd, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 0];
    wire.extend_from_slice(super::keys::name(name).wire());
    wire.extend_from_slice(&rtype.0.to_be_bytes());
    wire.extend_from_slice(&[0, 1]);
    if let Some(flags) = edns {
        wire[11] = 1;
        // NSID is asked for.
        wire.extend_from_slice(&[0, 0, 41, 0x10, 0, 0, 0, flags, 0, 0, 4, 0, 3, 0, 0]);
    }
    wire
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut signed = query("www.example.test", RrType::A, Some(0x80));
    conclave::dns::tsig::sign_request(&mut signed, &super::keys::updater(), super::keys::NOW);
    let ixfr = {
        let mut wire = query("example.test", RrType::IXFR, None);
        wire[9] = 1;
        wire.extend_from_slice(&[0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
        wire.extend_from_slice(&[0; 20]);
        wire
    };
    vec![
        query("www.example.test", RrType::A, None),
        query("www.example.test", RrType::AAAA, Some(0)),
        query(".", RrType::NS, Some(0x80)),
        signed,
        ixfr,
    ]
}
