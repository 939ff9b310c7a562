//! Spin searches the models of `tests/model/` to their end: no state breaks what they claim, and every planted mutant and
//! every claim that something cannot happen is refuted. What they mean is in `src/manual/model.md`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// Memory that a search may take, in MiB.
const MAX_MEMORY: &str = "-DMEMLIM=4000";
/// Steps of the longest path that a search follows; a longer one is reported as a truncated search.
const MAX_DEPTH: &str = "-m100000";

/// What Spin says of one search.
struct Search {
    errors: u64,
    whole: bool,
    text: String,
}

/// Whether the model checker is there; says so if it is not (`tests/run` installs it).
fn has_spin() -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    for tool in ["spin", "gcc"] {
        if !path.split(':').any(|d| Path::new(d).join(tool).is_file()) {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIPPED: {tool} is not installed; run tests/run packages\n"),
            );
            return false;
        }
    }
    true
}

fn run(directory: &Path, program: &str, args: &[&str]) -> String {
    let command = Command::new(program).args(args).current_dir(directory).stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = command.unwrap_or_else(|e| panic!("{program}: {e}"));
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{program} {args:?}: {text}");
    text
}

/// Builds the searcher of a model with these switches, and lets it search. A step that blocks in the middle of a choice
/// only rejects the choice, so invalid end states are no error (-E).
fn search(model: &str, switches: &[&str]) -> Search {
    let directory = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/model").join(model);
    std::fs::copy(&source, directory.path().join("model.pml")).unwrap();
    let mut args: Vec<&str> = switches.to_vec();
    args.extend(["-a", "model.pml"]);
    run(directory.path(), "spin", &args);
    run(directory.path(), "gcc", &["-O1", "-w", "-DSAFETY", MAX_MEMORY, "-o", "pan", "pan.c"]);
    let start = Instant::now();
    let text = run(directory.path(), "./pan", &["-E", MAX_DEPTH]);
    let number = |from: &str, before: bool| -> u64 {
        let (head, tail) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?} in {text}"));
        let word = if before { head.split_whitespace().next_back() } else { tail.split_whitespace().next() };
        word.and_then(|w| w.parse::<f64>().ok()).unwrap_or_else(|| panic!("no number at {from:?}: {text}"))
            as u64
    };
    let (errors, states) = (number("errors:", false), number("states, stored", true));
    let whole = !text.contains("Search not completed") && !text.contains("max search depth too small");
    println!("{model} {switches:?}: {states} states, {errors} errors, {:?}", start.elapsed());
    Search { errors, whole, text }
}

fn holds_and_mutants_are_found(model: &str, mutants: &[&str]) {
    if !has_spin() {
        return;
    }
    let shipped = search(model, &[]);
    assert!(shipped.errors == 0 && shipped.whole, "{model}: {}", shipped.text);
    for mutant in mutants {
        let found = search(model, &[mutant]);
        assert!(found.errors > 0, "{model} {mutant}: not found\n{}", found.text);
        assert!(found.text.contains("assertion violated"), "{model} {mutant}: {}", found.text);
    }
}

#[test]
fn no_two_replicas_decide_a_slot_differently_and_every_wrong_rule_is_found() {
    holds_and_mutants_are_found(
        "commit.pml",
        &[
            "-DFEW_BLAMES",
            "-DFEW_VOTES",
            "-DFEW_CERTIFICATES",
            "-DPASS_UNDECIDED",
            "-DEARLY_ANCHOR",
            "-DANY_VOTE",
            "-DFEW_PARENTS",
        ],
    );
}

#[test]
fn every_kind_of_decision_occurs_in_the_model() {
    if !has_spin() {
        return;
    }
    for kind in ["1", "2", "3"] {
        for claim in ["WITNESS", "LATE_WITNESS"] {
            let refuted = search("commit.pml", &[&format!("-D{claim}={kind}")]);
            assert!(refuted.errors > 0, "{claim} {kind}: never occurs\n{}", refuted.text);
        }
    }
}

#[test]
fn the_coin_comes_too_late_to_aim_by_and_every_early_one_is_found() {
    holds_and_mutants_are_found(
        "coin.pml",
        &["-DEARLY_SHARE", "-DFEW_SHARES", "-DFEW_PARENTS", "-DEARLY_AIM", "-DSHORT_WAVE"],
    );
}
