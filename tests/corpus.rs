//! The corpus of the fuzz targets, replayed: what was once found to matter keeps every promise that its target states.
//!
//! `tests/fuzz/targets/mod.rs` says what a target is; `tests/run fuzz` looks for more.

use std::fs;
use std::path::PathBuf;

#[path = "fuzz/targets/mod.rs"]
mod targets;

/// Bytes of all corpus files: they are part of the repository.
const MAX_CORPUS_BYTES: u64 = 1024 * 1024;

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(fuzz().join("corpus").join(target)).unwrap_or_else(|e| panic!("{target}: {e}"));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[test]
fn every_file_of_the_corpus_keeps_the_promises_of_its_target() {
    for target in targets::ALL {
        let files = corpus(target.name);
        assert!(!files.is_empty(), "the corpus of {} is empty", target.name);
        for file in &files {
            let bytes = fs::read(file).unwrap();
            let outcome = std::panic::catch_unwind(|| (target.run)(&bytes));
            assert!(outcome.is_ok(), "{} breaks a promise", file.display());
        }
        println!("{}: {} files", target.name, files.len());
    }
}

#[test]
fn every_target_can_be_fuzzed_and_the_corpus_is_small() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let mut bytes = 0;
    for target in targets::ALL {
        let program = format!("name = \"{0}\"\npath = \"fuzz_targets/{0}.rs\"", target.name);
        assert!(manifest.contains(&program), "tests/fuzz/Cargo.toml has no [[bin]] {}", target.name);
        bytes += corpus(target.name).iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    }
    assert_eq!(manifest.matches("[[bin]]").count(), targets::ALL.len(), "a [[bin]] without a target");
    assert!(bytes < MAX_CORPUS_BYTES, "{bytes} bytes: minimise the corpus (cargo fuzz cmin)");
}

/// Run by hand when a format or a target has changed: `cargo test --release --test corpus -- --ignored`.
#[test]
#[ignore = "writes into the corpus"]
fn seeds_are_written() {
    for target in targets::ALL {
        let directory = fuzz().join("corpus").join(target.name);
        fs::create_dir_all(&directory).unwrap();
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(directory.join(format!("seed-{number:02}")), seed).unwrap();
        }
    }
}
