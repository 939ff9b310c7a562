use super::*;
use data_encoding::HEXLOWER;

fn octets<const N: usize>(hex: &str) -> [u8; N] {
    HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

fn secrets(hex: &[&str]) -> Secrets {
    Secrets::new(hex.iter().map(|hex| octets(hex)).collect()).unwrap()
}

fn cookie(hex: &str) -> Cookie {
    Cookie::parse(&HEXLOWER.decode(hex.as_bytes()).unwrap()).unwrap()
}

const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const OLD: &str = "dd3bdf9344b678b185a6f5cb60fca715";
const NEW: &str = "445536bcd2513298075a5d379663c962";

/// RFC 9018 §4.4: the hash is SipHash-2-4 (its authors' reference vectors: key and data 00, 01, 02, …).
#[test]
fn siphash_is_that_of_its_authors() {
    let key = std::array::from_fn(|i| i as u8);
    let data: Vec<u8> = (0..64).collect();
    for (length, expected) in [
        (0, 0x726f_db47_dd0e_0e31),
        (1, 0x74f8_39c5_93dc_67fd),
        (7, 0xab02_00f5_8b01_d137),
        (8, 0x93f5_f579_9a93_2462),
        (15, 0xa129_ca61_49be_45e5),
        (63, 0x958a_324c_eb06_4572_u64),
    ] {
        assert_eq!(siphash24(&key, &data[..length]), expected, "{length} octets");
    }
}

/// RFC 9018 §A, §4.2: the four examples: learning, renewing, reserved octets that are set, IPv6 under a secret rolled over.
#[test]
fn the_examples_of_the_rfc() {
    for (case, keys, address, now, sent, known, answer) in [
        (
            "A.1",
            &[SECRET][..],
            "198.51.100.100",
            1_559_731_985,
            "2464c4abcf10c957",
            false,
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
        ),
        (
            "A.2",
            &[SECRET],
            "198.51.100.100",
            1_559_734_385,
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
            true,
            "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
        ),
        (
            "A.3, some time before: the example answers two hours after",
            &[SECRET],
            "203.0.113.203",
            1_559_727_985 + 1_801,
            "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
            true,
            "",
        ),
        (
            "A.3",
            &[SECRET],
            "203.0.113.203",
            1_559_734_700,
            "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
            false,
            "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
        ),
        (
            "A.4",
            &[NEW, OLD],
            "2001:db8:220:1:59de:d0f4:8769:82b8",
            1_559_741_961,
            "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
            true,
            "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
        ),
    ] {
        let verdict = secrets(keys).judge(&cookie(sent), address.parse().unwrap(), now);
        assert_eq!(verdict.known, known, "{case}");
        let answered = HEXLOWER.encode(&verdict.answer);
        assert!(answer.is_empty() || answered == answer, "{case}: {answered}");
    }
}

/// RFC 7873 §5.2.2: a cookie has 8 octets, or 16 to 40.
#[test]
fn lengths_of_cookies() {
    for length in 0..=48 {
        let cookie = Cookie::parse(&vec![7; length]);
        assert_eq!(cookie.is_some(), length == 8 || (16..=40).contains(&length), "{length} octets");
        assert_eq!(cookie.and_then(|cookie| cookie.server).is_some(), length == 24, "{length} octets");
    }
}

/// RFC 9018 §4.3: a cookie is good for an hour, from five minutes before its time, and across the wrap of the clock.
#[test]
fn cookies_age() {
    let (secrets, address) = (secrets(&[SECRET]), "192.0.2.1".parse().unwrap());
    for made in [1_795_219_200_u32, u32::MAX - 10, 5] {
        let first = secrets.judge(&cookie("0102030405060708"), address, made);
        let held = Cookie::parse(&first.answer).unwrap();
        for (later, known, renewed) in [
            (0, true, false),
            (1_800, true, false),
            (1_801, true, true),
            (3_600, true, true),
            (3_601, false, true),
            (-300, true, true),
            (-301, false, true),
        ] {
            let verdict = secrets.judge(&held, address, made.wrapping_add_signed(later));
            assert_eq!((verdict.known, verdict.answer != first.answer), (known, renewed), "{made} {later} s");
        }
    }
}

/// RFC 7873 §5.2.4: what is not ours, not for this client or not from this address is as no server cookie.
#[test]
fn a_cookie_is_for_one_client_at_one_address() {
    let (ours, address) = (secrets(&[SECRET]), "192.0.2.1".parse().unwrap());
    let first = ours.judge(&cookie("0102030405060708"), address, 1_000);
    assert_eq!(
        first.answer[8..16],
        [1, 0, 0, 0, 0, 0, 3, 232],
        "RFC 9018 §4.1, §4.2 and §4.3: version, zeros, time"
    );
    let held = Cookie::parse(&first.answer).unwrap();
    assert!(ours.judge(&held, address, 1_000).known);
    assert!(!ours.judge(&held, "192.0.2.2".parse().unwrap(), 1_000).known);
    assert!(!ours.judge(&Cookie { client: [9; 8], ..held }, address, 1_000).known);
    assert!(!secrets(&[NEW]).judge(&held, address, 1_000).known);
    for at in 0..SERVER_OCTETS {
        let mut server = held.server.unwrap();
        server[at] ^= 1;
        assert!(!ours.judge(&Cookie { server: Some(server), ..held }, address, 1_000).known, "octet {at}");
    }
}

/// RFC 9018 §5: a secret is first accepted, then makes cookies, then the old one goes; no client is sent away meanwhile.
#[test]
fn secrets_roll_over() {
    let address = "192.0.2.1".parse().unwrap();
    let first = secrets(&[OLD]).judge(&cookie("0102030405060708"), address, 1_000);
    let mut held = Cookie::parse(&first.answer).unwrap();
    for stage in [&[OLD, NEW][..], &[NEW, OLD], &[NEW]] {
        // Replicas that are a stage behind or ahead take each other's cookies.
        let verdict = secrets(stage).judge(&held, address, 1_100);
        assert!(verdict.known, "{stage:?}");
        held = Cookie::parse(&verdict.answer).unwrap();
    }
    assert!(!secrets(&[NEW]).judge(&Cookie::parse(&first.answer).unwrap(), address, 1_100).known);
    assert!(Secrets::new(Vec::new()).is_none());
}
