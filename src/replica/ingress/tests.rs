mod clauses;

use super::*;
use crate::codec::{ClusterId, Epoch, KeyId};
use crate::dns::Rdata;
use crate::dns::edns::Edns;
use crate::dns::message::{Header, Question, Section, Writer};
use crate::dns::tsig::{TsigAlgorithm, TsigKey};
use crate::zone::{Denial, KeyInfo, SerialRule, UpdatePolicy, Validity, ZoneRules};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn key(secret: u8) -> TsigKey {
    TsigKey::new(name("key.client."), TsigAlgorithm::HmacSha256, vec![secret; 32])
}

fn ingress(reads: Reads) -> Ingress {
    let mut keys = Keyring::default();
    keys.tsig.insert(name("key.client."), key(1));
    let info = || KeyInfo { id: KeyId::default(), dnskey: Rdata::new(&[]) };
    let rules = ZoneRules {
        origin: name("example.test."),
        policy: UpdatePolicy::default(),
        reads,
        serial: SerialRule::default(),
        validity: Validity::default(),
        dnskey_ttl: 3600,
        denial: Denial::Nsec,
        ksk: info(),
        zsk: info(),
    };
    let zones = vec![(rules, Vec::new())];
    let genesis = Genesis {
        cluster: ClusterId::default(),
        epoch: Epoch(0),
        members: Vec::new(),
        operators: Vec::new(),
        operators_needed: 0,
        zones,
        keys: Arc::new(keys),
    };
    Ingress::new(&genesis, [7; 32])
}

fn request(opcode: Opcode, zone: &str, rtype: RrType) -> Vec<u8> {
    let mut writer = Writer::new(512);
    writer.header(&Header::request(0x1234, opcode));
    writer.question(&Question { name: name(zone), rtype, class: Class::IN }).unwrap();
    if opcode == Opcode::UPDATE {
        let rdata = Rdata::new(&[192, 0, 2, 1]);
        let owner = name("a.example.test.");
        writer.parts(Section::Authority, &owner, RrType::A, Class::IN, 60, &rdata).unwrap();
    }
    writer.finish()
}

fn update() -> Vec<u8> {
    request(Opcode::UPDATE, "example.test.", RrType::SOA)
}

fn signed(secret: u8, secs: u64) -> (Vec<u8>, Vec<u8>) {
    let mut wire = update();
    let mac = tsig::sign_request(&mut wire, &key(secret), secs);
    (wire, mac)
}

/// The reply to what is refused at once.
fn refused(wire: Vec<u8>) -> Vec<u8> {
    match ingress(Reads::Local).admit(NOW, wire, Manners::default()) {
        Admission::Refused { reply, .. } | Admission::Answered(reply) => reply,
        Admission::Ignored => panic!("ignored"),
        Admission::Admitted(_) | Admission::Vouched { .. } => panic!("admitted"),
    }
}

fn rcode(reply: &[u8]) -> Rcode {
    let message = Message::parse(reply).unwrap();
    assert!(message.header.qr && message.header.id == 0x1234);
    message.rcode()
}

/// Pitfall 30.
#[test]
fn what_is_no_request_gets_no_reply() {
    let mut ingress = ingress(Reads::Local);
    for wire in [vec![], vec![0; 11], [vec![0, 1, 0x80 | 5 << 3], vec![0; 20]].concat()] {
        assert!(matches!(ingress.admit(NOW, wire, Manners::default()), Admission::Ignored));
    }
}

/// RFC 7873 §5.2.3 and RFC 8467 §4.1: what the runtime says that the asker is to get is in the reply, which is signed as it is sent; only
/// where there is an OPT record at all (RFC 6891 §7).
#[test]
fn replies_have_the_options_that_are_due_and_their_padding() {
    let manners = Manners { options: vec![(10, vec![7; 24])], block: Some(468) };
    let with_opt = |opcode: Opcode, zone: &str| {
        let mut wire = request(opcode, zone, RrType::SOA);
        Edns::default().write(&mut wire);
        wire[11] += 1;
        wire
    };
    for (zone, secret) in [("other.test.", 1), ("other.test.", 2), ("other.test.", 0)] {
        let mut wire = with_opt(Opcode::UPDATE, zone);
        let mac = (secret > 0).then(|| tsig::sign_request(&mut wire, &key(secret), NOW.secs()));
        let admission = ingress(Reads::Local).admit(NOW, wire, manners.clone());
        let Admission::Refused { reply, .. } = admission else { panic!("not refused") };
        assert_eq!(reply.len() % 468, 0, "{secret}");
        let edns = Message::parse(&reply).unwrap().edns.unwrap();
        assert_eq!((edns.option(10), edns.option(15).is_some()), (Some(&[7; 24][..]), true), "{secret}");
        if secret == 1 {
            assert_eq!(tsig::verify_response(&reply, &key(1), &mac.unwrap(), NOW.secs()), Ok(Rcode::NOERROR));
        }
    }
    let plain = request(Opcode::UPDATE, "other.test.", RrType::SOA);
    let Admission::Refused { reply, .. } = ingress(Reads::Local).admit(NOW, plain, manners) else {
        panic!("not refused")
    };
    assert!(Message::parse(&reply).unwrap().edns.is_none());
}

#[test]
fn no_octets_panic_and_all_get_at_most_a_short_reply() {
    let mut ingress = ingress(Reads::Ordered);
    let (whole, _) = signed(1, NOW.secs());
    for end in 0..whole.len() {
        for flip in [0, 1, 0x80, 0xff] {
            let mut wire = whole[..end].to_vec();
            if let Some(last) = wire.last_mut() {
                *last ^= flip;
            }
            if let Admission::Refused { reply, .. } | Admission::Answered(reply) =
                ingress.admit(NOW, wire, Manners::default())
            {
                assert!(Message::parse(&reply).is_ok(), "cut at {end}, flip {flip}");
            }
        }
    }
}

#[test]
fn a_malformed_update_gets_formerr() {
    let mut wire = update();
    wire.pop();
    assert_eq!(rcode(&refused(wire)), Rcode::FORMERR);
}

/// RFC 6891 §6.1.3.
#[test]
fn a_later_version_of_edns_gets_badvers() {
    let mut writer = Writer::new(512);
    writer.header(&Header::request(0x1234, Opcode::UPDATE));
    writer.question(&Question { name: name("example.test."), rtype: RrType::SOA, class: Class::IN }).unwrap();
    writer.opt(&Edns { version: 1, ..Edns::default() }).unwrap();
    let mut wire = writer.finish();
    let _ = tsig::sign_request(&mut wire, &key(1), NOW.secs());
    let reply = refused(wire);
    assert_eq!(rcode(&reply), Rcode::BADVERS);
    assert_eq!(Message::parse(&reply).unwrap().edns.unwrap().version, 0);
}

#[test]
fn the_zone_section_is_one_soa_of_a_zone_of_ours() {
    // RFC 2136 §2.3 and RFC 2136 §3.1.1.
    let not_soa = request(Opcode::UPDATE, "example.test.", RrType::A);
    assert_eq!(rcode(&refused(not_soa)), Rcode::FORMERR);
    let elsewhere = request(Opcode::UPDATE, "elsewhere.test.", RrType::SOA);
    assert_eq!(rcode(&refused(elsewhere)), Rcode::NOTAUTH);
    let below = request(Opcode::UPDATE, "sub.example.test.", RrType::SOA);
    assert_eq!(rcode(&refused(below)), Rcode::NOTAUTH);
}

/// RFC 3007 §2.
#[test]
fn an_unsigned_update_is_refused_at_once() {
    assert_eq!(rcode(&refused(update())), Rcode::REFUSED);
}

/// RFC 8945 §5.2.2.
#[test]
fn a_bad_tsig_gets_notauth_and_its_error() {
    let (wire, mac) = signed(2, NOW.secs());
    let reply = refused(wire);
    assert_eq!(rcode(&reply), Rcode::NOTAUTH);
    let badsig = tsig::verify_response(&reply, &key(1), &mac, NOW.secs());
    assert!(badsig.is_err() || badsig == Ok(Rcode::BADSIG), "{badsig:?}");

    // RFC 8945 §5.2.3: BADTIME is signed, with the client's time, so that the client can trust it.
    let (wire, mac) = signed(1, NOW.secs() - 1_000);
    let reply = refused(wire);
    assert_eq!(rcode(&reply), Rcode::NOTAUTH);
    let badtime = tsig::verify_response(&reply, &key(1), &mac, NOW.secs() - 1_000);
    assert_eq!(badtime, Ok(Rcode::BADTIME));
}

/// RFC 8906 §3.1.4.
#[test]
fn other_opcodes_are_not_implemented() {
    assert_eq!(rcode(&refused(request(Opcode::NOTIFY, "example.test.", RrType::SOA))), Rcode::NOTIMP);
}

#[test]
fn a_signed_update_is_admitted_and_known_again_under_another_id() {
    let mut ingress = ingress(Reads::Local);
    let (mut wire, _) = signed(1, NOW.secs());
    let Admission::Admitted(first) = ingress.admit(NOW, wire.clone(), Manners::default()) else {
        panic!("refused")
    };
    assert_eq!(first.request, encode(&Request::Update { wire: wire.clone() }));
    wire[0] ^= 0xff;
    let Admission::Admitted(second) = ingress.admit(NOW, wire, Manners::default()) else { panic!("refused") };
    assert_eq!(first.covered, second.covered, "the original ID is what is covered");
}

/// Pitfall 26.
#[test]
fn a_query_goes_through_the_order_only_where_reads_are_ordered() {
    let query = || request(Opcode::QUERY, "www.example.test.", RrType::A);
    assert_eq!(rcode(&refused(query())), Rcode::REFUSED);
    let mut ingress = ingress(Reads::Ordered);
    let Admission::Admitted(first) = ingress.admit(NOW, query(), Manners::default()) else {
        panic!("refused")
    };
    let Admission::Admitted(second) = ingress.admit(NOW, query(), Manners::default()) else {
        panic!("refused")
    };
    assert_ne!(first.request, second.request, "equal queries are different requests");
    let elsewhere = request(Opcode::QUERY, "www.elsewhere.test.", RrType::A);
    assert!(matches!(ingress.admit(NOW, elsewhere, Manners::default()), Admission::Answered(_)));
}

/// Whoever sees an update pass can send it again.
#[test]
fn an_update_is_charged_once_however_often_it_comes() {
    let mut ingress = ingress(Reads::Local);
    let key = name("key.client.");
    let most = ingress.keys().quota(&key).burst;
    for _ in 0..2 * most {
        assert_eq!(ingress.charge(NOW, &key, Digest([1; 32])), Ok(()));
    }
    let other = |n: u32| digest("test", &[&n.to_be_bytes()]);
    for n in 1..most {
        assert_eq!(ingress.charge(NOW, &key, other(n)), Ok(()), "{n}");
    }
    assert!(matches!(ingress.charge(NOW, &key, other(0)), Err(Refusal::TooOften { .. })));
    assert_eq!(ingress.charge(NOW, &key, Digest([1; 32])), Ok(()));
    // As long as a signature lasts, and no longer.
    let later = NOW.plus(REPLAY_WINDOW_MS + 1);
    assert!(!ingress.charged.has(later, &Digest([1; 32])) && ingress.charged.ends.is_empty());
}
