use super::*;
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Names of few different labels, so that they share suffixes and differ in case.
fn names() -> impl Strategy<Value = Name> {
    let octet = prop_oneof![Just(b'a'), Just(b'A'), Just(b'b'), Just(0), Just(1), Just(b'Z'), any::<u8>()];
    let label = prop::collection::vec(octet, 1..4);
    prop::collection::vec(label, 0..5).prop_map(|labels| {
        labels.iter().fold(Name::root(), |name, label| name.child(label).unwrap_or_else(Name::root))
    })
}

#[test]
fn rfc4034_6_1_the_example_is_in_order() {
    let sorted = [
        "example",
        "a.example",
        "yljkjljk.a.example",
        "Z.a.example",
        "zABC.a.EXAMPLE",
        "z.example",
        r"\001.z.example",
        "*.z.example",
        r"\200.z.example",
    ];
    for pair in sorted.windows(2) {
        assert!(name(pair[0]) < name(pair[1]), "{pair:?}");
        assert!(name(pair[0]).sort_key() < name(pair[1]).sort_key(), "{pair:?}");
    }
    assert!(Name::root() < name("a") && name("a") < name(r"a\000") && name(r"\000") < name(r"\001"));
}

#[test]
fn rfc1035_2_3_3_and_rfc4343_3_and_4_2_case_is_kept_and_does_not_count() {
    let (upper, lower) = (name("WwW.Example"), name("www.eXAMPLE."));
    assert_eq!(upper, lower);
    assert_eq!(upper.to_string(), "WwW.Example.");
    assert_eq!(upper.to_lowercase().to_string(), "www.example.");
    assert_eq!(upper.sort_key(), lower.sort_key());
}

#[test]
fn rfc1035_2_3_4_labels_have_63_octets_and_names_255() {
    let label = "a".repeat(63);
    assert!(Name::parse(&label).is_ok());
    assert_eq!(Name::parse(&format!("{label}a")), Err(NameError::LabelTooLong));
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(name(&longest).wire().len(), MAX_NAME_OCTETS);
    assert_eq!(Name::parse(&format!("{longest}a")), Err(NameError::NameTooLong));
    assert_eq!(Name::parse_relative("a", &name(&longest)), Err(NameError::NameTooLong));
    assert_eq!(name(&longest).child(b"x"), None);
    assert_eq!(name("a").child(&[b'x'; 64]), None);
    let most = name(&"a.".repeat(127));
    assert_eq!((most.label_count(), most.labels().count()), (MAX_LABELS, 127));
    assert_eq!(Name::parse(&"a.".repeat(128)), Err(NameError::NameTooLong));
}

/// RFC 4343 §2.1; RFC 2181 §11: any octet may stand in a label.
#[test]
fn rfc1035_5_1_text_has_escapes_origin_and_final_dot() {
    let origin = name("example.test");
    let relative = |text| Name::parse_relative(text, &origin).unwrap().to_string();
    assert_eq!(relative("@"), "example.test.");
    assert_eq!(relative("."), ".");
    assert_eq!(relative("www"), "www.example.test.");
    assert_eq!(relative("www."), "www.");
    assert_eq!(relative(r"a\.b"), r"a\.b.example.test.");
    assert_eq!(relative(r"\065\000\@"), r"A\000\@.example.test.");
    assert_eq!(relative(r"a\."), r"a\..example.test.");
    for (bad, error) in [
        ("", NameError::EmptyLabel),
        (".a", NameError::EmptyLabel),
        ("a..b", NameError::EmptyLabel),
        ("..", NameError::EmptyLabel),
        (r"a\", NameError::BadEscape),
        (r"a\25", NameError::BadEscape),
        (r"a\256", NameError::BadEscape),
    ] {
        assert_eq!(Name::parse(bad), Err(error), "{bad}");
    }
}

/// RFC 4592 §2.1.1: an asterisk with company is none.
#[test]
fn relatives_are_found() {
    let deep = name("a.b.C.d");
    assert_eq!(deep.ancestor(2), name("c.d"));
    assert_eq!(
        (deep.ancestor(0), deep.ancestor(4), deep.ancestor(9)),
        (Name::root(), deep.clone(), deep.clone())
    );
    assert_eq!(deep.parent(), Some(name("b.c.d")));
    assert_eq!(Name::root().parent(), None);
    assert!(
        deep.is_subdomain_of(&name("c.D"))
            && deep.is_subdomain_of(&deep)
            && deep.is_subdomain_of(&Name::root())
    );
    // The same octets, not at a label's beginning.
    assert!(!name(r"x\001d").is_subdomain_of(&name("d")));
    assert!(!name("d").is_subdomain_of(&deep));
    assert!(name("*.a").is_wildcard() && !name("*a.a").is_wildcard() && !name("a.*").is_wildcard());
    assert_eq!(name("a").wildcard_child(), Some(name("*.a")));
    assert_eq!(deep.replace_suffix(&name("c.d"), &name("x")), Some(name("a.b.x")));
    assert_eq!(deep.replace_suffix(&name("x"), &name("y")), None);
    assert_eq!(deep.replace_suffix(&name("c.d"), &name(&"a.".repeat(126))), None);
}

#[test]
fn rfc1035_4_1_4_pointers_go_back_only_and_not_for_ever() {
    let message = b"\x01a\x01b\x00\x01c\xc0\x02\xc0\x05";
    assert_eq!(Name::from_message(message, 5).unwrap(), (name("c.b"), 9));
    assert_eq!(Name::from_message(message, 9).unwrap(), (name("c.b"), 11));
    let bad = |wire: &[u8], at| Name::from_message(wire, at).unwrap_err();
    assert_eq!(bad(b"\xc0\x00", 0), NameError::BadPointer, "to itself");
    assert_eq!(bad(b"\x01a\xc0\x00", 0), NameError::BadPointer, "to its own beginning");
    assert_eq!(bad(b"\xc0\x02\x00", 0), NameError::BadPointer, "forward");
    assert_eq!(bad(b"\x01a\xc0", 0), NameError::Truncated);
    assert_eq!(bad(b"\x01a", 0), NameError::Truncated);
    assert_eq!(bad(b"\x40a", 0), NameError::LabelTooLong, "RFC 6891 §5");
    assert_eq!(bad(b"", 7), NameError::Truncated);
    // A chain of pointers to pointers.
    let mut chain = vec![0];
    for hop in 0..200u16 {
        let target = if hop == 0 { 0 } else { 2 * hop - 1 };
        chain.extend_from_slice(&(0xc000 | target).to_be_bytes());
    }
    assert!(Name::from_message(&chain, 1 + 2 * 100).is_ok());
    assert_eq!(bad(&chain, 1 + 2 * 199), NameError::BadPointer);
}

#[test]
fn decoding_takes_exactly_one_name() {
    assert_eq!(Name::from_wire(b"\x01a\x00\x00"), Err(NameError::Trailing));
    assert_eq!(Name::from_wire(b"\x01a"), Err(NameError::Truncated));
    assert_eq!(Name::from_wire(b"\x01a\xc0\x00"), Err(NameError::BadPointer));
    assert!(borsh::from_slice::<Name>(&[2, 1, b'a']).is_err());
    assert!(borsh::from_slice::<Name>(&[]).is_err());
    let encoded = borsh::to_vec(&name("A.b")).unwrap();
    assert_eq!(borsh::from_slice::<Name>(&encoded).unwrap().wire(), name("A.b").wire());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_equality_hash_and_sort_key_agree(a in names(), b in names()) {
        use std::hash::{BuildHasher, RandomState};
        prop_assert_eq!(a.cmp(&b), a.sort_key().cmp(&b.sort_key()));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        let state = RandomState::new();
        prop_assert!(a != b || state.hash_one(&a) == state.hash_one(&b));
        prop_assert_eq!(b.is_subdomain_of(&a), b.sort_key().starts_with(&a.sort_key()));
    }

    /// RFC 4343 §2.1 and RFC 2181 §11.
    #[test]
    fn text_reads_back_octet_for_octet(a in names(), origin in names()) {
        let again = Name::parse_relative(&a.to_string(), &origin).unwrap();
        prop_assert_eq!(again.wire(), a.wire());
    }

    #[test]
    fn hickory_orders_names_alike(a in names(), b in names()) {
        use hickory_proto::rr::Name as Hickory;
        use hickory_proto::serialize::binary::BinDecodable;
        let (x, y) = (Hickory::from_bytes(a.wire()).unwrap(), Hickory::from_bytes(b.wire()).unwrap());
        prop_assert_eq!(a.cmp(&b), x.cmp(&y));
    }

    #[test]
    fn random_octets_give_a_name_or_an_error(octets in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..310) {
        if let Ok((found, end)) = Name::from_message(&octets, at) {
            prop_assert!(end <= octets.len());
            let again = Name::from_wire(found.wire()).unwrap();
            prop_assert_eq!(again.wire(), found.wire());
        }
        let _ = Name::from_wire(&octets);
        let _ = Name::parse(&String::from_utf8_lossy(&octets));
    }
}
