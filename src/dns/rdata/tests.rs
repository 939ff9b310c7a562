use super::*;
use crate::dns::master;
use hickory_proto::rr::{Record as HickoryRecord, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder, NameEncoding};
use proptest::prelude::*;

/// Of every type in the table, texts as this layer writes them; `named-compilezone` writes and reads the same data.
const SAMPLES: &[(&str, &str)] = &[
    ("A", "192.0.2.1"),
    ("NS", "ns1.Example."),
    ("MD", "madname.example."),
    ("MF", "madname.example."),
    ("CNAME", "cname-target.example."),
    // RFC 1035 §3.3.13
    ("SOA", "dns1.example. hostmaster.example. 4294967295 7200 3600 604800 300"),
    ("MB", "madname.example."),
    ("MG", "mgmname.example."),
    ("MR", "mrname.example."),
    ("PTR", "."),
    ("HINFO", r#""Generic PC clone" "NetBSD-1.4""#),
    ("MINFO", "rmailbx.example. emailbx.example."),
    ("MX", "10 mail.example."),
    // RFC 1035 §3.3.14
    ("TXT", r#""foo" "b;a\"r" "" "\000\255\\""#),
    ("SPF", r#""v=spf1 -all""#),
    ("RP", r"mbox\.dname.example. txt-dname.example."),
    ("AFSDB", "0 hostname.example."),
    ("RT", "0 intermediate-host.example."),
    ("KX", "10 kdc.example."),
    ("X25", r#""123456789""#),
    ("PX", "65535 foo. bar."),
    ("AAAA", "fd92:7065:b8e:ffff::5"),
    ("LOC", "60 9 1.234 S 24 39 0.000 W -10.25m 20.00m 2000.00m 20.00m"),
    // RFC 2782
    ("SRV", "65535 65535 65535 old-slow-box.example."),
    ("NAPTR", r#"100 10 "U" "E2U+sip" "!^.*$!sip:x@example!" ."#),
    ("CERT", "1 65535 8 MxFcby9k/yvedMfQgKzhH5er0Mu/vILz45IkskceFGg="),
    ("DNAME", "dname-target.example."),
    // RFC 4034 §5.3
    ("DS", "12892 5 2 26584835CA80C81C91999F31CFAF2A0E89D4FF1C8FAFD0DDB31A85C719277C13"),
    ("SSHFP", "4 2 C76D8329954DA2835751E371544E963EFDA099080D6C58DD2BFD9A31D6E162C8"),
    ("IPSECKEY", "10 0 2 . AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
    ("IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
    ("IPSECKEY", "10 2 2 2001:db8::2000:1 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
    ("IPSECKEY", "10 3 2 mygateway.example.com. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="),
    // RFC 4034 §3.2
    (
        "RRSIG",
        "NSEC 1 3 3600 20000102030405 19961211100908 2143 foo.example. \
         MxFcby9k/yvedMfQgKzhH5er0Mu/vILz45IkskceFGgiWCn/GxHhai6VAuHAoNUz4YoU1tVfSCSqQYn6//11U6Nld80jEeC8aTrO+KKmCaY=",
    ),
    ("SIG", "A 15 2 3600 20260102030405 20251211100908 2143 foo.example. MxFcby9k"),
    // RFC 4034 §4.2
    ("NSEC", "a.example. A NS SOA MX TXT AAAA RRSIG NSEC DNSKEY CAA TYPE65281"),
    // RFC 4034 §2.1, §2.2
    (
        "DNSKEY",
        "512 3 8 AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aRyzWZriO6i2odGWWQVucZqKVsENW91IOW4vqudngPZsY3GvQ/xVA8/7pyFj6b7Esga60zyGW6LFe9r8n6paHrlG5ojqf0BaqHT+8=",
    ),
    // RFC 8078 §4
    ("CDNSKEY", "0 3 0 AA=="),
    ("CDS", "0 0 0 00"),
    ("KEY", "512 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="),
    ("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="),
    ("NSEC3", "1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG"),
    ("NSEC3", "1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR"),
    ("NSEC3PARAM", "1 0 0 -"),
    ("TLSA", "1 1 2 92003BA34942DC74152E2F2C408D29ECA5A520E7F2E06BB944F4DCA346BAF63C"),
    ("SMIMEA", "1 1 2 92003BA34942DC74152E2F2C408D29ECA5A520E7F2E06BB944F4DCA346BAF63C"),
    (
        "HIP",
        "2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p rvs1.example. rvs2.example.",
    ),
    ("OPENPGPKEY", "mQINBFUIXh0BEADNPlL6NpWEaR2KJx6p19scIVpsBIo7UqzCIzeFbRJa"),
    ("CSYNC", "66 3 A NS AAAA"),
    (
        "ZONEMD",
        "2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE7EB1A7B641A47BA7FED2DD5B97AE499FAFA4F22C6BD647DE",
    ),
    // RFC 9460 §2.1, §2.2, §7.1, §7.2, §7.3, §8, §A.1
    ("SVCB", r#"16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1"#),
    (
        "HTTPS",
        r#"1 . alpn="f\\\\oo\\,bar,h2" no-default-alpn port=53 ipv6hint=2001:db8::1,2001:db8::53:1 key667="hello\210qoo""#,
    ),
    ("HTTPS", "0 foo.example.com."),
    ("NID", "10 14:4fff:ff20:ee64"),
    ("L32", "10 10.1.2.0"),
    ("L64", "10 2001:db8:1140:1000"),
    ("LP", "10 l64-subnet1.example.com."),
    ("EUI48", "00-00-5e-00-53-2a"),
    ("EUI64", "00-00-5e-ef-10-00-00-2a"),
    ("URI", r#"10 20 "https://www.isc.org/""#),
    ("CAA", r#"128 tbs "Unknown""#),
    ("WKS", "192.0.2.1 6 25 80"),
    ("ISDN", r#""150862028003217" "004""#),
    ("ISDN", r#""150862028003217""#),
    ("NSAP", "0x47000580005a0000000001e133ffffff00016100"),
    ("NSAP-PTR", "host.Example."),
    ("GPOS", r#""-32.6882" "116.8652" "10.0""#),
    ("NXT", "next.example. A MX NXT"),
    ("EID", "ABCD12"),
    ("NIMLOC", "32251A030067"),
    ("ATMA", "+61200123"),
    ("ATMA", "39246f000e7c9c0312000100010000123456789a00"),
    ("A6", "0 2001:db8::1"),
    ("A6", "61 ::7:0:0:0:1 prefix.example."),
    ("A6", "128 prefix.example."),
    ("SINK", "1 2 3 abcd"),
    ("APL", "1:192.0.2.0/24 !2:2001:db8::/32 1:10.1.2.3/8 !1:0.0.0.0/0"),
    ("APL", ""),
    ("NINFO", r#""a" "b c""#),
    ("RKEY", "0 3 8 AQAB"),
    ("TALINK", "a.example. b.example."),
    ("AVC", r#""app:1""#),
    ("RESINFO", r#""qnamemin" "exterr=15-17""#),
    ("WALLET", r#""BTC" "x""#),
    ("DOA", r#"1 2 3 "text/plain" YWJj"#),
    ("DOA", r#"4294967295 0 0 "" -"#),
    ("AMTRELAY", "10 0 1 203.0.113.15"),
    ("AMTRELAY", "10 0 2 2001:db8::15"),
    ("AMTRELAY", "128 1 3 relays.example."),
    ("AMTRELAY", "10 1 0 ."),
    ("TA", "1 8 1 26584835CA80C81C91999F31CFAF2A0E89D4FF1C"),
    ("DLV", "1 8 1 26584835CA80C81C91999F31CFAF2A0E89D4FF1C"),
    ("NULL", r"\# 2 ABCD"),
    ("AMTRELAY", r"\# 3 0A09FF"),
    ("APL", r"\# 5 0003080101"),
    ("TYPE65533", r"\# 3 616263"),
    ("TYPE65534", r"\# 0"),
];

/// Texts that must be refused, and a part of what is said.
const REFUSED: &[(&str, &str, &str)] = &[
    ("A", "192.0.2", "an IPv4 address"),
    ("A", "192.0.2.1 x", "left over"),
    ("A", "", "too short"),
    ("AAAA", "::1::", "an IPv6 address"),
    ("MX", "65536 m.", "up to 65535"),
    ("MX", "+1 m.", "up to 65535"),
    ("MX", "10 a..b.", "empty label"),
    ("TXT", "", "too short"),
    ("TXT", r"\999", "a string"),
    ("DS", "1 8 2 00", "digest"),
    ("DS", "1 8 2 0", "hexadecimal"),
    ("DNSKEY", "256 3 8 A", "base64"),
    ("DNSKEY", "256 3 NOSUCH AA==", "an algorithm"),
    ("RRSIG", "A 8 1 3600 20250230000000 20250101000000 1 a. AA==", "a time"),
    ("NSEC", "a. A NOSUCHTYPE", "a type"),
    ("NSEC3", "1 0 0 - - A", "base32"),
    ("LOC", "91 N 0 E 0m", "latitude"),
    ("LOC", "1 N 181 E 0m", "longitude"),
    // RFC 9460 §2.1, §7.1, §8
    ("SVCB", "1 . alpn=h2 alpn=h3", "twice"),
    ("SVCB", "1 . no-default-alpn", "malformed"),
    ("SVCB", "1 . mandatory=port", "malformed"),
    ("SVCB", "1 . key01=x", "a service parameter"),
    ("CAA", r#"0 "" "x""#, "tag"),
    ("EUI48", "00-00-5e-00-53", "EUI"),
    ("L64", "10 2001:db8:1140", "groups"),
    ("IPSECKEY", "10 4 2 x AQ==", "gateway"),
    ("MX", "10 \"m\"", "without quotes"),
    ("TLSA", "3 1 1", "no octets"),
    ("ZONEMD", "1 1 1 FEBE3D4C", "wrong length"),
    ("ZONEMD", "1 1 240 FEBE3D4C", "below 12"),
    ("SVCB", "1 . key3=x", "malformed"),
    ("WKS", "192.0.2.1 6 65536", "a port or a service"),
    ("APL", "1:192.0.2.0/33", "address prefixes"),
    ("A6", "129 x.", "up to 128"),
    ("NXT", "x. TYPE128", "below 128"),
    ("NSAP", "47", "0x and"),
    ("ATMA", "+12a", "digits"),
    ("AMTRELAY", "1 0 4 x", "up to 3"),
    ("ISDN", "a b c", "left over"),
    ("TYPE65280", "abc", "for a type without"),
    ("TYPE65280", r"\# 2 616263", "length and number"),
    ("A", r"\# 3 616263", "too short"),
];

fn read(rtype: &str, text: &str) -> Result<(RrType, Rdata), String> {
    let line = format!("x. 60 IN {rtype} {text}");
    let records = master::read_str(&line, &Name::root()).map_err(|error| error.to_string())?;
    Ok((records[0].rtype, records[0].rdata.clone()))
}

#[test]
fn each_type_is_written_as_it_is_read() {
    for (rtype, text) in SAMPLES {
        let (code, rdata) = read(rtype, text).unwrap();
        assert_eq!(to_text(code, &rdata), *text, "{rtype}");
        assert_eq!(validate(code, rdata.wire()), Ok(()), "{rtype} {text}");
    }
}

#[test]
fn rfc3597_5_each_type_is_also_read_in_the_generic_form() {
    for (rtype, text) in SAMPLES {
        let (code, rdata) = read(rtype, text).unwrap();
        let hex = data_encoding::HEXLOWER.encode(rdata.wire());
        let generic = format!("\\# {} {hex}", rdata.wire().len());
        assert_eq!(read(rtype, &generic).unwrap(), (code, rdata.clone()), "{rtype}");
        assert_eq!(read(&format!("TYPE{}", code.0), text).unwrap().1, rdata, "{rtype}");
    }
}

/// RFC 4034 §A.1.
#[test]
fn algorithms_have_names() {
    for (name, number) in [("RSASHA256", 8), ("RSASHA512", 10), ("ECDSAP256SHA256", 13), ("ED25519", 15)] {
        let named = read("DNSKEY", &format!("256 3 {name} AQID")).unwrap();
        assert_eq!(named, read("DNSKEY", &format!("256 3 {number} AQID")).unwrap());
    }
}

#[test]
fn wrong_text_is_refused_with_its_reason() {
    for (rtype, text, reason) in REFUSED {
        let error = read(rtype, text).expect_err(text);
        assert!(error.contains(reason), "{rtype} {text}: {error}");
    }
}

#[test]
fn every_cut_of_a_sample_is_invalid_or_means_something_else() {
    for (rtype, text) in SAMPLES {
        let (code, rdata) = read(rtype, text).unwrap();
        for end in 0..rdata.wire().len() {
            let cut = Rdata::new(&rdata.wire()[..end]);
            assert_ne!(to_text(code, &cut), *text);
        }
    }
}

#[test]
fn rfc6840_5_1_names_are_canonically_lower_case_but_not_in_nsec() {
    let lower = |rtype: &str, text: &str| {
        let (code, rdata) = read(rtype, text).unwrap();
        to_text(code, &Rdata::new(&canonical(code, &rdata)))
    };
    assert_eq!(lower("MX", "10 MAIL.Example."), "10 mail.example.");
    assert_eq!(lower("SRV", "1 2 3 A.B."), "1 2 3 a.b.");
    assert_eq!(lower("DNAME", "A.B."), "a.b.");
    assert_eq!(
        lower("RRSIG", "A 8 1 1 1 1 1 A.B. QUJD"),
        "A 8 1 1 19700101000001 19700101000001 1 a.b. QUJD"
    );
    assert_eq!(lower("NAPTR", r#"1 2 "U" "X" "Y" Z."#), r#"1 2 "U" "X" "Y" z."#);
    for (rtype, text) in
        [("NSEC", "A.B. A"), ("TXT", "\"AB\""), ("SVCB", "1 A.B."), ("TYPE65280", r"\# 1 41")]
    {
        assert_eq!(lower(rtype, text), text, "RFC 3597 §7");
    }
}

/// RFC 1035 §3.3.
#[test]
fn rfc3597_4_compression_is_undone_for_old_types_and_refused_in_new_ones() {
    let mut message = b"\x07example\x00".to_vec();
    let start = message.len();
    message.extend_from_slice(&[0, 10, 1, b'm', 0xc0, 0]);
    let parse = |rtype| from_message(rtype, Class::IN, &message, start, 6);
    assert_eq!(parse(RrType::MX).unwrap().wire(), b"\x00\x0a\x01m\x07example\x00");
    assert_eq!(parse(RrType::KX).unwrap().wire(), b"\x00\x0a\x01m\x07example\x00");
    assert_eq!(parse(RrType::LP), Err(RdataError::Name(NameError::BadPointer)));
    assert_eq!(parse(RrType(65_280)).unwrap().wire(), &message[start..]);
    // The name may not reach beyond the rdata.
    assert_eq!(from_message(RrType::MX, Class::IN, &message, start, 5), Err(RdataError::Truncated));
    assert!(from_message(RrType::MX, Class::IN, &message, start, 7).is_err());
    assert!(from_message(RrType::MX, Class::IN, &message, usize::MAX, 7).is_err());
}

/// What hickory makes of our rdata in a record, written again.
fn through_hickory(code: RrType, rdata: &Rdata, canonical: bool) -> Option<Vec<u8>> {
    let mut wire = vec![0];
    wire.extend_from_slice(&code.0.to_be_bytes());
    wire.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    wire.extend_from_slice(&(rdata.wire().len() as u16).to_be_bytes());
    wire.extend_from_slice(rdata.wire());
    let record = HickoryRecord::read(&mut BinDecoder::new(&wire)).ok()?;
    let mut out = Vec::new();
    let mut encoder = BinEncoder::new(&mut out);
    encoder.set_canonical_form(canonical);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    record.emit(&mut encoder).ok()?;
    Some(out.split_off(11))
}

#[test]
fn hickory_reads_our_rdata_and_writes_the_same() {
    let mut known = 0;
    for (rtype, text) in SAMPLES {
        let (code, rdata) = read(rtype, text).unwrap();
        if RecordType::from(code.0).to_string().starts_with("Unknown") {
            continue;
        }
        known += 1;
        assert_eq!(through_hickory(code, &rdata, false).as_deref(), Some(rdata.wire()), "{rtype} {text}");
        let lower = canonical(code, &rdata);
        assert_eq!(through_hickory(code, &rdata, true).as_deref(), Some(&*lower), "{rtype} {text}");
    }
    assert!(known > 20, "{known}");
}

fn sample() -> impl Strategy<Value = (RrType, Vec<u8>)> {
    (0..SAMPLES.len()).prop_map(|index| {
        let (rtype, text) = SAMPLES[index];
        let (code, rdata) = read(rtype, text).unwrap();
        (code, rdata.wire().to_vec())
    })
}

fn check_octets(code: RrType, octets: &[u8]) -> Result<(), TestCaseError> {
    let rdata = Rdata::new(octets);
    let lower = Rdata::new(&canonical(code, &rdata));
    prop_assert!(canonical(code, &lower).as_ref() == lower.wire());
    let text = to_text(code, &rdata);
    let again = read(&format!("TYPE{}", code.0), &text);
    match validate(code, octets) {
        Ok(()) => prop_assert_eq!(again, Ok((code, rdata)), "{}", text),
        Err(_) => prop_assert!(again.is_err(), "{}", text),
    }
    let _ = from_message(code, Class::IN, octets, 0, octets.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_octets_are_refused_or_read_back_from_their_text(
        code in prop_oneof![0u16..36, 36u16..128, 250u16..260],
        octets in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..8, 0x60u8..0x68], 0..80),
    ) {
        if !RrType(code).is_meta() {
            check_octets(RrType(code), &octets)?;
        }
    }

    #[test]
    fn mutated_samples_are_refused_or_read_back_from_their_text(
        (code, mut octets) in sample(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..4),
    ) {
        for (place, octet, kind) in changes {
            match (kind, octets.len()) {
                (0, length) if length > 0 => octets[place.index(length)] = octet,
                (1, length) if length > 0 => { octets.remove(place.index(length)); }
                (_, length) => octets.insert(place.index(length + 1), octet),
            }
        }
        check_octets(code, &octets)?;
    }
}

/// RFC 9460 §2.2: parameters are in order and none is there twice; RFC 9460 §8: what is mandatory is there, in order, and
/// `mandatory` is none of it.
#[test]
fn services_whose_parameters_are_out_of_order_are_malformed() {
    let (alpn, port) = ([0, 1, 0, 3, 2, b'h', b'2'], [0, 3, 0, 2, 0, 53]);
    let valid = |parameters: &[&[u8]]| {
        validate(RrType::SVCB, &[&[0, 1, 0][..], &parameters.concat()].concat()).is_ok()
    };
    assert!(valid(&[&alpn, &port]) && !valid(&[&port, &alpn]) && !valid(&[&port, &port]));
    for (keys, is_valid) in
        [([1, 3], true), ([3, 1], false), ([1, 1], false), ([0, 1], false), ([1, 4], false)]
    {
        let mandatory = [0, 0, 0, 4, 0, keys[0], 0, keys[1]];
        assert_eq!(valid(&[&mandatory, &alpn, &port]), is_valid, "{keys:?}");
    }
}
