//! The whole key ceremony with the real programs, as its people would go through it: keys made by each replica and custodian,
//! a plan and its words, a deal, imports and receipts, a zone that is served signed, a lost replica and a second deal.
//! And that on all the way no secret stands in the clear where it does not belong.

mod people;
mod rolling;
mod rollover;
mod secondaries;
mod secrets;
mod zones;
mod zoning;

#[path = "../support/tools.rs"]
mod tools;

use people::{Ceremony, ORIGIN};
use secrets::Secrets;
use std::fs;
use tools::{run, stdout, wait_for};

#[test]
fn from_keygen_to_a_signed_zone_and_on_to_a_second_deal_without_a_secret_in_the_clear() {
    let mut ceremony = Ceremony::prepare();
    let words = ceremony.words("ceremony.toml");
    ceremony.refuses_other_words();
    ceremony.deal(&words);
    ceremony.refused(
        &["conclave-dealer", "ds", "deal"],
        "the deal is not complete: receipts are lacking from 1, 2, 3, 4",
    );
    for index in 1..=4 {
        ceremony.import(index, "deal", &words, None);
        ceremony.done(&["conclave-dealer", "verify", &format!("replica-{index}")]);
    }
    let said = ceremony.done(&["conclave-dealer", "verify", "deal"]);
    assert!(said.contains("receipts of all 4 replicas: the deal is complete"), "{said}");
    let said = ceremony.done(&["conclave-dealer", "inspect", "deal/cluster.toml"]);
    assert!(said.contains("operator oscar key ") && said.contains("t+1 must sign"), "{said}");
    let ds = ceremony.done(&["conclave-dealer", "ds", "deal"]);
    assert_eq!(ds.lines().count(), 2, "{ds}");
    let keys = ceremony.done(&["conclave-dealer", "dnskey", "deal"]);
    assert_eq!(keys.lines().count(), 2, "{keys}");

    for index in 1..=4 {
        ceremony.start(index);
    }
    for index in 1..=4 {
        let port = ceremony.port(index).to_string();
        wait_for("a signed answer", || {
            let answer = run(
                "dig",
                &["@127.0.0.1", "-p", &port, "+dnssec", "+tries=1", "+time=1", "www.example.test"],
            );
            let answer = stdout(&answer);
            (answer.contains("192.0.2.1") && answer.contains("RRSIG")).then_some(())
        });
    }
    let port = ceremony.port(2).to_string();
    let anchor = ceremony.path("deal/anchors/example.test.conf").display().to_string();
    let root = format!("+root={ORIGIN}");
    let name = format!("www.{ORIGIN}");
    let judged = run("delv", &["@127.0.0.1", "-p", &port, "-a", &anchor, &root, &name]);
    assert!(stdout(&judged).contains("; fully validated"), "{}", tools::all_output(&judged));
    let plan = ["--plan", "deal/plan.toml", "--cluster", "deal/cluster.toml", "--words", &words];
    a_new_key_comes_in(&ceremony, &plan);
    ceremony.stop_all();

    // Replica 1's machine is gone. Two custodians and a fresh machine bring its place back, for a second epoch.
    let before = Secrets::of(&ceremony, "deal", "");
    let second = ceremony.second_plan();
    ceremony.redeal(&second);
    ceremony.import(1, "redeal", &second, Some("new-1"));
    for index in 2..=4 {
        ceremony.import(index, "redeal", &second, Some("epoch-1"));
    }
    let said = ceremony.done(&["conclave-dealer", "verify", "redeal"]);
    assert!(said.contains("receipts of all 4 replicas: the deal is complete"), "{said}");
    assert_eq!(ceremony.done(&["conclave-dealer", "ds", "redeal"]), ds, "the keys are the same");
    let after = Secrets::of(&ceremony, "redeal", "epoch-1");
    before.share_nothing_with(&after);

    // Fresh shares of the keys that are there, for the first cluster.
    ceremony.fresh_shares(&plan);

    for secrets in [&before, &after] {
        ceremony.search(secrets);
    }
}

/// A new key for the cluster that runs: every replica gives its receipt, and `ctl` tells whose are lacking.
fn a_new_key_comes_in(ceremony: &Ceremony, plan: &[&str]) {
    let new =
        ["conclave-dealer", "keys", "--zone", ORIGIN, "--role", "zsk", "--bits", "1024", "--out", "new-zsk"];
    let said = ceremony.done(&[&new[..], plan].concat());
    assert!(said.contains("example.test. ZSK tag"), "{said}");
    let bundle = ceremony.bundle("new-zsk");
    for index in [3, 1, 4, 2] {
        ceremony.done(&["conclave", "ctl", "import", &bundle, "--socket", &ceremony.socket(index)]);
        let keys = ["conclave", "ctl", "keys", "--socket", &ceremony.socket(index)];
        let lacking = match index {
            3 => "receipts of 1 of 4 replicas, lacking from 1, 2, 4",
            1 => "receipts of 2 of 4 replicas, lacking from 2, 4",
            4 => "receipts of 3 of 4 replicas, lacking from 2",
            _ => "receipts of 4 of 4 replicas\n",
        };
        wait_for("a receipt", || ceremony.done(&keys).contains(lacking).then_some(()));
    }
}

#[test]
fn a_rehearsal_takes_the_sizes_of_the_plan() {
    let ceremony = Ceremony::prepare();
    let said = ceremony.done(&[
        "conclave-dealer",
        "init",
        "--from",
        "ceremony.toml",
        "--rehearsal",
        "--out",
        "rehearsal",
    ]);
    for step in
        ["4 replicas made their keys", "2 custodians opened the backup", "the deal is complete", "remove it"]
    {
        assert!(said.contains(step), "no `{step}` in {said}");
    }
    assert!(!ceremony.path("deal").exists());
}

#[test]
fn a_plan_that_is_asked_for_is_the_plan_that_is_dealt() {
    let ceremony = Ceremony::prepare();
    let mut answers = vec!["4".to_owned(), "1024".into()];
    for index in 1..=4 {
        answers.extend([format!("replica-{index}/replica.pub.toml"), format!("192.0.2.{index}:53")]);
        answers.push(format!("192.0.2.{index}:5400"));
    }
    answers.extend([ORIGIN.into(), "example.zone".into(), "grant ops zonesub ANY".into(), String::new()]);
    // No more zones; one TSIG key, written for its client; no more; no operator; no custodian.
    answers.extend(["", "ops", "", "", "", ""].map(str::to_owned));
    // Agreed on no terminal: the plan is written, and nothing is dealt without the words.
    let refused =
        ceremony.run_with_answers(&["conclave-dealer", "init", "--ask", "--out", "asked"], &answers);
    assert_eq!(refused.status.code(), Some(1), "{}", tools::all_output(&refused));
    assert!(tools::all_output(&refused).contains("say the words"), "{}", tools::all_output(&refused));
    let words = ceremony.words("asked.plan.toml");
    ceremony.done(&[
        "conclave-dealer",
        "init",
        "--from",
        "asked.plan.toml",
        "--words",
        &words,
        "--out",
        "asked",
    ]);
    let text = fs::read_to_string(ceremony.path("asked/transcript.txt")).unwrap();
    assert!(text.contains("4 replicas, of which 1 may be corrupt") && text.contains("No backup"), "{text}");
    ceremony.import(3, "asked", &words, None);
}
