//! Committees other than four: the trusted server (n = 1), and seven.

use crate::harness::{Demo, Key, has, quick};

fn updates_and_validates(n: u8) {
    let demo = Demo::start(n);
    demo.update(1, Key::Tsig, "update add size.example.test 60 A 192.0.2.1");
    demo.update(n, Key::Sig0, "update add size2.example.test 60 A 192.0.2.2");
    for i in 1..=n {
        demo.wait_answer(i, "size2.example.test", "A", "192.0.2.2");
    }
    let text = demo.delv(n, "example.test", "size.example.test", "A");
    assert!(text.contains("; fully validated"), "{text}");
    demo.agreed_export(&(1..=n).collect::<Vec<_>>(), "example.test");
}

#[test]
fn one_replica_is_a_legal_cluster() {
    if has("nsupdate") && has("delv") {
        updates_and_validates(1);
    }
}

#[test]
fn seven_replicas_agree() {
    if has("nsupdate") && has("delv") && !quick() {
        updates_and_validates(7);
    }
}
