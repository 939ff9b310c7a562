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

/// RFC 8945 §6: by every algorithm. Pitfall 7.
#[test]
fn rfc8945_5_5_a_signed_request_is_authentic_whatever_id_a_forwarder_gave_it() {
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

/// RFC 8945 §4.3, §5.2.2.
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
fn rfc8945_5_3_and_5_3_2_replies_verify_and_failures_say_what_they_must() {
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

/// RFC 8945 §5.2.3: BADTIME has the client's time and fudge, so that the client can check it, and our time; RFC 8945 §5.3.2:
/// BADKEY and BADSIG have no MAC. Pitfall 7.
#[test]
fn errors_have_what_the_client_needs() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let mut wire = request();
    let mut tsig = Tsig::of(key(&keys), NOW, id(&wire));
    tsig.fudge = 77;
    tsig.mac = key(&keys).mac(&tsig.covered(None, &wire));
    tsig.append(&mut wire);
    assert!(authenticate(&wire, &keys, NOW + 77).is_ok());
    assert_eq!(authenticate(&wire, &keys, NOW + 78), Err(AuthFailure::BadTime), "the client's fudge counts");
    let told = |failure| {
        let mut reply = request();
        sign_failure(&mut reply, &wire, &keys, failure, NOW + 999);
        Tsig::parse(&last_additional(&reply).unwrap().unwrap()).unwrap()
    };
    let late = told(AuthFailure::BadTime);
    assert_eq!((late.time_signed, late.fudge, late.error, late.mac.len()), (NOW, 77, Rcode::BADTIME, 32));
    assert_eq!(late.other, (NOW + 999).to_be_bytes()[2..]);
    for failure in [AuthFailure::BadKey, AuthFailure::BadSig] {
        let told = told(failure);
        assert_eq!((told.error, told.mac.len(), told.other.len()), (failure.tsig_error(), 0, 0));
    }
}

/// RFC 8945 §5.3.1: of a series each message covers the MAC before it, itself and the timers.
#[test]
fn each_message_of_a_series_covers_the_one_before() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let mut mac = vec![9; 32];
    for at in 0..3 {
        let (plain, before) = (request(), mac);
        let mut message = plain.clone();
        mac = sign_next(&mut message, key(&keys), &before, at == 0, NOW + at);
        match at {
            0 => assert_eq!(verify_response(&message, key(&keys), &before, NOW), Ok(Rcode::NOERROR)),
            _ => {
                let timers = [&(NOW + at).to_be_bytes()[2..], &300_u16.to_be_bytes()].concat();
                assert_eq!(mac, key(&keys).mac(&[&[0, 32], &before[..], &plain, &timers].concat()));
            }
        }
        assert_eq!(Tsig::parse(&last_additional(&message).unwrap().unwrap()).unwrap().mac, mac);
    }
}

/// RFC 8945 §5.2.1.
#[test]
fn a_key_of_another_name_or_algorithm_is_badkey_and_none_is_unsigned() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let mut wire = request();
    assert_eq!(authenticate(&wire, &keys, NOW), Err(AuthFailure::Unsigned));
    sign_request(&mut wire, key(&keys), NOW);
    assert_eq!(authenticate(&wire, &Keyring::default(), NOW), Err(AuthFailure::BadKey));
    assert_eq!(authenticate(&wire, &keyring(TsigAlgorithm::HmacSha384), NOW), Err(AuthFailure::BadKey));
}

/// RFC 8945 §5.2.
#[test]
fn a_truncated_message_is_formerr_at_every_length() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let mut wire = request();
    sign_request(&mut wire, key(&keys), NOW);
    for length in 0..wire.len() {
        assert_eq!(authenticate(&wire[..length], &keys, NOW), Err(AuthFailure::FormErr), "{length} octets");
    }
}

/// RFC 8945 §5.2.4 and RFC 8945 §7: the policy is that nothing is cut. RFC 8945 §5.2.2.1: nor may it be anyhow.
#[test]
fn a_mac_cut_short_is_badtrunc_or_formerr() {
    let keys = keyring(TsigAlgorithm::HmacSha256);
    let cut = |octets: usize| {
        let mut wire = request();
        let mut tsig = Tsig::of(key(&keys), NOW, id(&wire));
        tsig.mac = key(&keys).mac(&tsig.covered(None, &wire));
        tsig.mac.resize(octets, 0);
        tsig.append(&mut wire);
        (authenticate(&wire, &keys, NOW).map(drop), wire, tsig.mac)
    };
    assert_eq!(cut(32).0, Ok(()));
    for octets in [0, 9, 10, 15, 33] {
        assert_eq!(cut(octets).0, Err(AuthFailure::FormErr), "{octets}");
    }
    for octets in [16, 31] {
        let (verdict, wire, mac) = cut(octets);
        assert_eq!(verdict, Err(AuthFailure::BadTrunc), "{octets}");
        let mut reply = request();
        sign_failure(&mut reply, &wire, &keys, AuthFailure::BadTrunc, NOW);
        assert_eq!(verify_response(&reply, key(&keys), &mac, NOW), Ok(Rcode::BADTRUNC));
    }
}

/// Requests as `nsupdate` of BIND 9.18 made them at this time: secret, ID, what all share, TSIG.
const NSUPDATE_TIME: u64 = 1_795_239_021;
const NSUPDATE_BODY: &str = "28000001000100010001076578616d706c6504746573740000060001036e6577c00c00ff00fe000000000000c01e0010\
     00010000012c00020178";
const NSUPDATE: &[(TsigAlgorithm, &str, &str, &str)] = &[
    (
        TsigAlgorithm::HmacSha256,
        "oHy6HCw+wdQ2x9sJONQcQbB2cD+lsU1QtRISKtmof/A=",
        "c7bb",
        "06636c69656e74076578616d706c650000fa00ff00000000003d0b686d61632d7368613235360000006b012c6d012c00\
         20e4e7ca0eead55ddf2fa07dfa375966ac0139c82e6d94ebfeb3e2c9b68916663fc7bb00000000",
    ),
    (
        TsigAlgorithm::HmacSha384,
        "HHeeTM/ADkUj2jhIVfL4fs195+XTfRvsK32F4MaV/5yDYYgvKo9DLPfgVeT8CQg9",
        "1eb8",
        "06636c69656e74076578616d706c650000fa00ff00000000004d0b686d61632d7368613338340000006b012c6d012c00\
         30dde90d9564aa3ebb815cb1aab1360ad6212a597713a1155fabdff72e51733a7c3ec51997b0aa18434b027c109b837b\
         511eb800000000",
    ),
    (
        TsigAlgorithm::HmacSha512,
        "m25abcYaFTXooBCbwgPFzMvIGKtR5Re376p5QliZgfW+0Yszgv3cK+LcTcUPOBUGyQVNNOCx8AE8g6LX1L2OcQ==",
        "62b7",
        "06636c69656e74076578616d706c650000fa00ff00000000005d0b686d61632d7368613531320000006b012c6d012c00\
         406e846cf45e277ea97ec1801e0cb919011fdcb0d1206ff6ea2adc5b3b434efb5528c7f53cbd9f913fe14e53d30b4d07\
         15d2afdb003bfe84a7a18655da7e3cb62e62b700000000",
    ),
];

/// RFC 8945 §4.2, §4.3, §6.
#[test]
fn requests_of_nsupdate_are_authentic() {
    for (algorithm, secret, id, tsig) in NSUPDATE {
        let name = Name::parse("CLIENT.example").unwrap();
        let secret = data_encoding::BASE64.decode(secret.as_bytes()).unwrap();
        let mut keys = Keyring::default();
        keys.tsig.insert(name.clone(), TsigKey::new(name.clone(), *algorithm, secret));
        let hex = [*id, NSUPDATE_BODY, tsig].concat();
        let wire = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let verified = authenticate(&wire, &keys, NSUPDATE_TIME + 300).unwrap();
        assert_eq!(verified.signer, Signer::Tsig(name));
        assert_eq!(authenticate(&wire, &keys, NSUPDATE_TIME + 301), Err(AuthFailure::BadTime));
    }
}

/// RFC 8945 §5.2.2.1: a MAC shorter than half or than ten octets, or longer than whole, is malformed.
/// RFC 8945 §5.2.4: one cut less than that is BADTRUNC by our policy, which is judged after key, MAC and time.
#[test]
fn rfc8945_5_2_truncated_macs() {
    for algorithm in TsigAlgorithm::ALL {
        let keys = keyring(algorithm);
        let full = algorithm.mac_octets();
        let cut = |octets: usize, time: u64, flip: u8| {
            let mut wire = request();
            let mut tsig = Tsig::of(key(&keys), time, id(&wire));
            tsig.mac = key(&keys).mac(&tsig.covered(None, &wire));
            tsig.mac.resize(octets, 0);
            tsig.mac[0] ^= flip;
            tsig.append(&mut wire);
            authenticate(&wire, &keys, NOW).err()
        };
        assert_eq!(cut(full, NOW, 0), None);
        let least = (full / 2).max(10);
        assert_eq!(cut(full - 1, NOW, 0), Some(AuthFailure::BadTrunc));
        assert_eq!(cut(least, NOW, 0), Some(AuthFailure::BadTrunc));
        assert_eq!(cut(least - 1, NOW, 0), Some(AuthFailure::FormErr));
        assert_eq!(cut(full + 1, NOW, 0), Some(AuthFailure::FormErr));
        assert_eq!(cut(least, NOW - 1_000, 0), Some(AuthFailure::BadTime));
        assert_eq!(cut(least, NOW - 1_000, 1), Some(AuthFailure::BadSig));
    }
}
