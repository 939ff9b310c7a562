//! Shares of keys are replaced while the cluster runs, one replica being away, and across restarts.

use crate::harness::{Demo, Key, all_output, has, stdout, wait_for};
use serde_json::Value;

/// The tag of the key that signs RRsets of this type at the apex.
fn tag(demo: &Demo, rtype: &str) -> String {
    let zone = demo.export(1, "example.test");
    let signs = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = words.windows(2).position(|pair| pair == ["RRSIG", rtype])?;
        words.get(place + 7).map(|tag| (*tag).to_owned())
    };
    zone.lines().filter(|line| line.starts_with("example.test.")).find_map(signs).expect("it is signed")
}

fn vote(demo: &Demo, voters: [u8; 3], tag: &str) {
    for i in voters {
        let output = demo.ctl(i, &["vote", "refresh", "example.test", tag]);
        assert!(output.status.success(), "{}", all_output(&output));
    }
}

/// Waits until these replicas have their shares of the `refreshed`th sharing of the one key, all but `away` have said so,
/// and nothing more is under way.
fn wait_refreshed(demo: &Demo, members: &[u8], refreshed: u64, away: &[u8]) {
    for i in members {
        wait_for(&format!("replica {i} has its share; {}", demo.logs()), || {
            let status: Value = serde_json::from_str(&stdout(&demo.ctl(*i, &["status", "--json"]))).ok()?;
            let key = &status["refreshes"][0];
            let is_through = key["refreshed"] == refreshed && key["here"] == true && key["stage"] == "rest";
            (is_through && key["untaken"] == serde_json::json!(away)).then_some(())
        });
    }
}

#[test]
fn shares_are_replaced_while_updates_go_on_and_who_was_away_gets_its_own() {
    if !has("nsupdate") {
        return;
    }
    let mut demo = Demo::start(4);
    let dealt = demo.dir().join("replica-3/example.test.zsk.share");
    assert!(dealt.exists());
    let zsk = tag(&demo, "SOA");
    vote(&demo, [1, 2, 3], &zsk);
    demo.update(1, Key::Tsig, "update add during.example.test 60 A 192.0.2.1");
    wait_refreshed(&demo, &[1, 2, 3, 4], 1, &[]);
    wait_for("the dealt share is wiped", || (!dealt.exists()).then_some(()));

    demo.kill(3);
    vote(&demo, [1, 2, 4], &zsk);
    wait_refreshed(&demo, &[1, 2, 4], 2, &[3]);
    demo.update(2, Key::Sig0, "update add without3.example.test 60 A 192.0.2.2");
    demo.revive(3);
    wait_refreshed(&demo, &[1, 2, 3, 4], 2, &[]);
    wait_for("one share a key, and one key to be dealt by", || {
        let files = std::fs::read_dir(demo.dir().join("replica-3/shares")).unwrap().flatten();
        (files.count() == 2).then_some(())
    });

    demo.kill_all();
    demo.restart();
    demo.update(3, Key::Tsig, "update add after.example.test 60 A 192.0.2.3");
    for name in ["during", "without3", "after"] {
        let answer = demo.delv(4, "example.test", &format!("{name}.example.test"), "A");
        assert!(answer.contains("fully validated"), "{name}: {answer}");
    }
    demo.agreed_export(&[1, 2, 3, 4], "example.test");
}
