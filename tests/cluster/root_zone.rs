//! Real input: the root zone of 2018, signed by four replicas, and the 27 changes that followed.
//!
//! The data is read from `CONCLAVE_ROOT_DATA`, by default `../shared/data/root-2018` beside the repository.

use crate::harness::{Demo, Key, all_output, has, quick, run};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn data() -> Option<PathBuf> {
    let path = std::env::var_os("CONCLAVE_ROOT_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/root-2018"),
        PathBuf::from,
    );
    if path.join("root.zone").is_file() {
        return Some(path);
    }
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("SKIPPED: no root zone data at {} (set CONCLAVE_ROOT_DATA)\n", path.display()),
    );
    None
}

/// A zone's records as (owner, TTL, type, rdata), lower case and single-spaced; DNSSEC records and SOA aside.
fn plain_records(text: &str) -> BTreeSet<String> {
    const ASIDE: &[&str] =
        &["SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "ZONEMD"];
    let records = text.lines().filter(|l| !l.is_empty() && !l.starts_with(';')).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (!ASIDE.contains(&words[3])).then(|| words.join(" ").to_lowercase())
    });
    records.collect()
}

#[test]
fn the_root_zone_is_signed_and_follows_its_real_changes() {
    let Some(data) = data() else { return };
    if quick() || !has("nsupdate") {
        return;
    }
    let demo = Demo::start_with(4, 2048, &[(".", &data.join("root.zone"))]);
    let mut scripts: Vec<PathBuf> =
        fs::read_dir(data.join("updates")).unwrap().flatten().map(|e| e.path()).collect();
    scripts.sort();
    assert_eq!(scripts.len(), 27);
    for (k, script) in scripts.iter().enumerate() {
        let i = (k % 4 + 1) as u8;
        let key = if k % 2 == 0 { Key::Tsig } else { Key::Sig0 };
        let output = demo.nsupdate(i, key, &fs::read_to_string(script).unwrap());
        assert!(
            output.status.success(),
            "{} at replica {i}: {}\n{}",
            script.display(),
            all_output(&output),
            demo.logs()
        );
    }
    let export = demo.agreed_export(&[1, 2, 3, 4], ".");
    let wanted = plain_records(&fs::read_to_string(data.join("root-final.zone")).unwrap());
    let got = plain_records(&export);
    let missing: Vec<_> = wanted.difference(&got).take(5).collect();
    let extra: Vec<_> = got.difference(&wanted).take(5).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}, extra {extra:#?}");
    verify(&demo, &export);
}

/// The independent verifiers, with the cluster's own anchor.
fn verify(demo: &Demo, export: &str) {
    let file = demo.dir().join("root.signed");
    fs::write(&file, export).unwrap();
    let file = file.to_string_lossy().into_owned();
    if has("ldns-verify-zone") {
        let anchor = demo.dir().join("anchors/root.ds").to_string_lossy().into_owned();
        let output = run("ldns-verify-zone", &["-k", &anchor, &file]);
        assert!(output.status.success(), "ldns-verify-zone: {}", all_output(&output));
    }
    if has("dnssec-verify") {
        let output = run("dnssec-verify", &["-z", "-o", ".", &file]);
        let output = if output.status.success() { output } else { run("dnssec-verify", &["-o", ".", &file]) };
        assert!(output.status.success(), "dnssec-verify: {}", all_output(&output));
    }
}
