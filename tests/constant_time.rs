//! What signs and what proves takes the same number of instructions whatever the secret exponent is, and they are the same
//! instructions. `src/threshold/mod.rs` says by what means; `tests/programs/exponents.rs` is what is counted.
//!
//! Callgrind counts whole calls of `SecretShare::sign`, `sign_all` and `prove`, allocator included, over a hundred exponents: random,
//! short, of few bits and of many, 0, 1, 2^(|N|-1), 2^|N|-1. It knows neither AVX-512 nor ADX, and says so to programs, so that this is
//! not the code that aws-lc runs on a newer processor: with AVX2 (1024 bits) `rsaz_1024_*_avx2`, otherwise `bn_power5`;
//! `OPENSSL_ia32cap=:~0x20` hides AVX2 too. What the processor here really runs is stepped through by a test that takes
//! minutes (`-- --ignored`), and the addresses of all instructions are compared.
//!
//! A count says nothing of memory accesses or of instructions whose time depends on their operands.

#[path = "support/tools.rs"]
mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tools::{all_output, has, run, search_path, skipped};

const SEED: &str = "20261126";
const EXPONENTS: usize = 100;

fn program() -> String {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_conclave")).with_file_name("examples").join("exponents");
    if !path.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--example", "exponents"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success());
    }
    path.to_str().unwrap().to_owned()
}

/// The instructions of each call, in order. `capabilities` is what aws-lc shall think of the processor.
fn counts(work: &str, bits: &str, exponents: usize, capabilities: Option<&str>) -> Vec<u64> {
    let dir = tempfile::tempdir().unwrap();
    let out = format!("--callgrind-out-file={}/%p", dir.path().display());
    let mut command = Command::new("valgrind");
    command.env("PATH", search_path()).args(["--tool=callgrind", "--collect-atstart=no"]);
    command.args(["--toggle-collect=exponents::counted", &out]);
    command.args([program().as_str(), work, bits, SEED, &exponents.to_string()]);
    if let Some(capabilities) = capabilities {
        command.env("OPENSSL_ia32cap", capabilities);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", all_output(&output));
    let of = |pid: &str| {
        let text = fs::read_to_string(dir.path().join(pid)).unwrap();
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
        total.parse::<u64>().unwrap()
    };
    let counts: Vec<u64> = tools::stdout(&output).lines().skip(1).map(of).collect();
    assert_eq!(counts.len(), exponents);
    // Something was counted: one multiplication modulo N alone takes more than a hundred.
    assert!(counts.iter().all(|count| *count > 10_000), "{counts:?}");
    counts
}

fn assert_equal(work: &str, bits: &str, exponents: usize, capabilities: Option<&str>) {
    let counts = counts(work, bits, exponents, capabilities);
    let distinct: BTreeSet<_> = counts.iter().collect();
    assert_eq!(distinct.len(), 1, "{work}, {bits} bits, {capabilities:?}, seed {SEED}: {counts:?}");
    println!("{work}, {bits} bits, {capabilities:?}: {exponents} times {} instructions", counts[0]);
}

#[test]
fn a_hundred_exponents_take_the_same_number_of_instructions() {
    if !has("valgrind") {
        return;
    }
    for (work, bits, exponents, capabilities) in [
        ("share", "1024", EXPONENTS, None),
        ("share", "1024", EXPONENTS, Some(":~0x20")),
        // The same code as the last, at seven times its price.
        ("share", "2048", EXPONENTS / 5, None),
        ("pair", "1024", EXPONENTS, None),
        ("prove", "1024", EXPONENTS, None),
    ] {
        assert_equal(work, bits, exponents, capabilities);
    }
}

#[test]
fn a_library_that_promises_nothing_is_seen_to_vary() {
    if !has("valgrind") {
        return;
    }
    let distinct: BTreeSet<_> = counts("variable", "1024", EXPONENTS, None).into_iter().collect();
    assert!(distinct.len() > EXPONENTS / 2, "{distinct:?}");
}

/// On the bare processor, with whatever aws-lc chooses there: steps and the hash of their addresses, one line each.
fn steps(work: &str, exponents: usize) -> BTreeSet<String> {
    let output = run(&program(), &[work, "1024", SEED, &exponents.to_string(), "stepped"]);
    assert!(output.status.success(), "{}", all_output(&output));
    let lines: Vec<String> = tools::stdout(&output).lines().skip(1).map(str::to_owned).collect();
    assert_eq!(lines.len(), exponents);
    lines.into_iter().collect()
}

#[test]
#[ignore = "three million steps for each exponent take a minute or two"]
fn on_this_processor_the_same_instructions_run_for_every_exponent() {
    if cfg!(not(target_arch = "x86_64")) {
        return skipped("only x86-64 is stepped through");
    }
    // The first four are 0, 1, 2^1023 and 2^1024-1.
    let found = steps("pair", 6);
    assert_eq!(found.len(), 1, "seed {SEED}: {found:?}");
    println!("pair, 1024 bits: steps and trace {found:?}");
}
