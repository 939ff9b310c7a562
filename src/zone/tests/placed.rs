//! Records that belong elsewhere.

use super::*;

/// RFC 4035 §2.4: a DS is never at the apex, whether an update or a file brings it.
#[test]
fn a_ds_at_the_apex_is_ignored_and_makes_a_file_no_zone() {
    let ds = format!("60 DS 1 8 2 {}", "ab".repeat(32));
    let view = bench().publish(&format!("add example. {ds}"));
    assert_eq!((view.serial(), data(&view, "example.", RrType::DS)), (5, vec![]));
    let zone = format!("{ZONE}\nexample. {ds}");
    let why = Bench::of("example.", &zone, &[], |_| {}).err().expect("no zone").to_string();
    assert!(why.contains("at the apex"), "{why}");
}

/// RFC 6672 §2.3: at a cut a DNAME is the child's: it is not signed, and no type of the parent's.
#[test]
fn a_dname_at_a_cut_does_not_show() {
    let mut bench = bench();
    let view = bench.publish("add sub.example. 60 DNAME elsewhere.");
    assert_eq!(nsec(&view, "sub.example.").unwrap().1, types(&[RrType::NS]));
    assert!(!is_signed(&view, "sub.example.", RrType::DNAME));
    let view = bench.publish("del sub.example. NS");
    assert_eq!(nsec(&view, "sub.example.").unwrap().1, types(&[RrType::DNAME]));
    assert!(is_signed(&view, "sub.example.", RrType::DNAME));
}
