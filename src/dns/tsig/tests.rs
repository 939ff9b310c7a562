//! TSIG, by RFC 8945.

use super::*;

const NOW: u64 = 1_800_000_000;

/// An UPDATE of example.test with no records.
fn request() -> Vec<u8> {
    let mut wire = vec![0xab, 0xcd, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    wire.extend_from_slice(b"\x07example\x04test\x00\x00\x06\x00\x01");
    wire
}

fn keyring(algorithm: TsigAlgorithm) -> Keyring {
    let name = Name::parse("Client.Example").unwrap();
    let mut keys = Keyring::default();
    keys.tsig.insert(name.clone(), TsigKey::new(name, algorithm, vec![7; 32]));
    keys
}

fn key(keys: &Keyring) -> &TsigKey {
    keys.tsig.values().next().unwrap()
}

#[test]
fn rfc8945_5_2_a_signed_request_is_authentic_whatever_id_a_forwarder_gave_it() {
    for algorithm in TsigAlgorithm::ALL {
        let keys = keyring(algorithm);
        let mut wire = request();
        sign_request(&mut wire, key(&keys), NOW);
        let first = authenticate(&wire, &keys, NOW + 10).unwrap();
        wire[0] ^= 0xff;
        let second = authenticate(&wire, &keys, NOW).unwrap();
        assert_eq!(first.covered, second.covered, "the replay table knows both as one");
        assert_eq!(first.expires_secs, NOW + MAX_FUDGE_SECS);
    }
}

#[test]
fn rfc8945_5_2_any_changed_octet_is_refused() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let mut good = request();
    sign_request(&mut good, key(&keys), NOW);
    for at in 2..good.len() {
        let mut wire = good.clone();
        wire[at] ^= 1;
        // The case of the key's name is not covered: it is folded first. Nothing else is left out.
        if let Ok(verified) = authenticate(&wire, &keys, NOW) {
            panic!("octet {at} changed and still {verified:?}");
        }
    }
}

#[test]
fn rfc8945_5_2_3_a_window_counts_five_minutes_at_most() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let mut wire = request();
    sign_request(&mut wire, key(&keys), NOW);
    assert!(authenticate(&wire, &keys, NOW + 300).is_ok() && authenticate(&wire, &keys, NOW - 300).is_ok());
    for now in [NOW + 301, NOW - 301] {
        assert_eq!(authenticate(&wire, &keys, now), Err(AuthFailure::BadTime));
    }
}

#[test]
fn rfc8945_5_3_replies_verify_and_failures_say_what_they_must() {
    let keys = keyring(TsigAlgorithm::HmacSha512);
    let mut wire = request();
    let mac = sign_request(&mut wire, key(&keys), NOW);
    let mut reply = request();
    reply[2] |= 0x80;
    let plain = reply.len();
    sign_response(&mut reply, key(&keys), &mac, NOW + 1);
    assert_eq!(reply.len() - plain, response_overhead(key(&keys)));
    assert_eq!(verify_response(&reply, key(&keys), &mac, NOW), Ok(Rcode::NOERROR));
    assert_eq!(verify_response(&reply, key(&keys), &mac[1..], NOW), Err(AuthFailure::BadSig));

    let mut late = request();
    sign_failure(&mut late, &wire, &keys, AuthFailure::BadTime, NOW + 9_999);
    assert_eq!(verify_response(&late, key(&keys), &mac, NOW), Ok(Rcode::BADTIME));
    assert_eq!(late[late.len() - 6..], (NOW + 9_999).to_be_bytes()[2..], "other data is the server's time");

    let mut unsigned = request();
    sign_failure(&mut unsigned, &wire, &keys, AuthFailure::BadSig, NOW);
    assert_eq!(verify_response(&unsigned, key(&keys), &mac, NOW), Err(AuthFailure::BadSig));
    assert_eq!(unsigned[unsigned.len() - 4..], [0, 16, 0, 0], "error 16, no other data");
}

#[test]
fn a_key_of_another_name_or_algorithm_is_badkey_and_none_is_unsigned() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let mut wire = request();
    assert_eq!(authenticate(&wire, &keys, NOW), Err(AuthFailure::Unsigned));
    sign_request(&mut wire, key(&keys), NOW);
    assert_eq!(authenticate(&wire, &Keyring::default(), NOW), Err(AuthFailure::BadKey));
    assert_eq!(authenticate(&wire, &keyring(TsigAlgorithm::HmacSha384), NOW), Err(AuthFailure::BadKey));
}

#[test]
fn a_truncated_message_is_formerr_at_every_length() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let mut wire = request();
    sign_request(&mut wire, key(&keys), NOW);
    for length in 0..wire.len() {
        assert_eq!(authenticate(&wire[..length], &keys, NOW), Err(AuthFailure::FormErr), "{length} octets");
    }
}
