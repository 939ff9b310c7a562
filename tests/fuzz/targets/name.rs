//! Names: wire and text say the same, order and ancestry agree with the labels, compression is followed and bounded.

use super::bytes::Bytes;
use conclave::dns::Name;

pub fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let at = usize::from(bytes.u8());
    if let Ok((name, end)) = Name::from_message(bytes.0, at) {
        assert!(end > at && end <= bytes.0.len(), "a name at {at} that ends at {end}");
        check(&name);
    }
    if let Ok((name, end)) = Name::prefix_of(bytes.0) {
        assert_eq!(Name::from_wire(&bytes.0[..end]).as_ref(), Ok(&name));
        let uncompressed = Name::from_message(bytes.0, 0).map(|(same, at)| (same == name, at));
        assert_eq!(uncompressed, Ok((true, end)));
        pair(&name, &Name::prefix_of(&bytes.0[end..]).map_or(Name::root(), |(other, _)| other));
    }
    let text = String::from_utf8_lossy(bytes.0);
    if let Ok(name) = Name::parse(&text) {
        check(&name);
    }
    if let Ok(relative) = Name::parse_relative(&text, &Name::parse("Origin.test").expect("a name")) {
        check(&relative);
    }
}

fn check(name: &Name) {
    assert!((1..=255).contains(&name.wire().len()));
    let written = name.to_string();
    let read = Name::parse(&written).unwrap_or_else(|e| panic!("{written}: {e}"));
    assert_eq!(read.wire(), name.wire(), "{written}");
    assert_eq!(Name::from_wire(name.wire()).map(|same| same.wire() == name.wire()), Ok(true));
    assert_eq!(&name.to_lowercase(), name, "letters' case does not matter");
    assert_eq!(name.labels().count(), name.label_count());
    let rebuilt = name.labels().rev().fold(Name::root(), |name, label| name.child(label).expect("it fits"));
    assert_eq!(rebuilt.wire(), name.wire());
    let encoded = borsh::to_vec(name).expect("in memory");
    let decoded: Name = borsh::from_slice(&encoded).expect("what was encoded");
    assert_eq!(decoded.wire(), name.wire());
    pair(name, &name.parent().unwrap_or(Name::root()));
}

/// Two names: the canonical order is that of the sort keys, and ancestry is a matter of labels.
fn pair(a: &Name, b: &Name) {
    assert_eq!(a.cmp(b), b.cmp(a).reverse());
    assert_eq!(a.cmp(b), a.sort_key().cmp(&b.sort_key()), "{a} and {b}");
    let lower = |name: &Name| name.to_lowercase().wire().to_vec();
    assert_eq!(a == b, lower(a) == lower(b));
    let below = a.label_count() >= b.label_count() && a.ancestor(b.label_count()) == *b;
    assert_eq!(a.is_subdomain_of(b), below, "{a} under {b}");
    if below {
        assert_eq!(a.replace_suffix(b, b).as_ref(), Some(a));
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![
        b"\x00\x03www\x07example\x04test\x00\x07example\x04TEST\x00".to_vec(),
        b"\x05\x04test\x00\x03www\xc0\x00".to_vec(),
        b"\xffa\\.b.ex\\032ample.\\255.test.".to_vec(),
        b"\xff@".to_vec(),
        b"\xff*.example.test".to_vec(),
    ]
}
