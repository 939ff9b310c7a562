//! The house rules that a machine can check: which layer may import which, how large a file and a function may
//! be, what every layer must open with, and what the core must never contain.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Layer → layers it may import, lowest first (the architecture's table; `limits` is open to all).
const LAYERS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("time", &[]),
    ("quorum", &[]),
    ("protocol", &["quorum"]),
    ("codec", &[]),
    ("dns", &["time", "codec"]),
    ("threshold", &["codec", "quorum"]),
    ("storage", &["codec", "quorum"]),
    ("link", &["codec", "quorum", "time", "protocol"]),
    ("consensus", &["protocol", "quorum", "time", "codec", "storage"]),
    ("zone", &["dns", "codec", "time", "quorum", "threshold"]),
    ("answer", &["dns", "zone"]),
    ("signing", &["protocol", "quorum", "codec", "dns", "threshold", "time"]),
    (
        "replica",
        &[
            "quorum",
            "time",
            "protocol",
            "codec",
            "dns",
            "threshold",
            "storage",
            "link",
            "consensus",
            "zone",
            "signing",
        ],
    ),
    ("ceremony", &["threshold", "dns", "codec", "quorum", "time", "consensus", "zone", "signing"]),
    (
        "sim",
        &[
            "quorum",
            "time",
            "protocol",
            "codec",
            "dns",
            "threshold",
            "storage",
            "link",
            "consensus",
            "zone",
            "answer",
            "signing",
            "replica",
            "ceremony",
        ],
    ),
    (
        "runtime",
        &[
            "quorum",
            "time",
            "protocol",
            "codec",
            "dns",
            "threshold",
            "storage",
            "link",
            "consensus",
            "zone",
            "answer",
            "signing",
            "replica",
            "ceremony",
        ],
    ),
    (
        "cli",
        &["quorum", "time", "codec", "dns", "threshold", "zone", "signing", "ceremony", "sim", "runtime"],
    ),
    ("manual", &[]),
];

/// Layers that must be deterministic: no clock, no socket, no thread, no unordered map.
const CORE: &[&str] = &[
    "limits",
    "time",
    "quorum",
    "protocol",
    "codec",
    "dns",
    "threshold",
    "storage",
    "link",
    "consensus",
    "zone",
    "answer",
    "signing",
    "replica",
];

/// What the core must not name, and why (pitfall 27).
const FORBIDDEN_IN_CORE: &[(&str, &str)] = &[
    ("HashMap", "iteration order would reach an output"),
    ("HashSet", "iteration order would reach an output"),
    ("SystemTime", "time is an argument"),
    ("Instant::now", "time is an argument"),
    ("UdpSocket", "sockets belong to the runtime"),
    ("TcpStream", "sockets belong to the runtime"),
    ("TcpListener", "sockets belong to the runtime"),
    ("tokio", "tokio belongs to the runtime"),
    ("std::thread", "threads belong to the runtime"),
    ("SystemRandom", "randomness is an argument"),
];

/// Files that name a forbidden word for a stated reason.
const ALLOWED: &[(&str, &str, &str)] = &[];

const MAX_FILE_LINES: usize = 460;
const MAX_FUNCTION_LINES: usize = 70;

/// Files longer than the limit, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut entries: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        if path.ends_with("fuzz/target") {
            // What a build of the fuzz targets generated.
        } else if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for dir in ["src", "keys-tooling", "tests", "benches"] {
        rust_files(&root().join(dir), &mut files);
    }
    assert!(files.len() > 30, "found only {} source files", files.len());
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn layer_of(file: &str) -> Option<&str> {
    let rest = file.strip_prefix("src/")?;
    let first = rest.split('/').next()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    LAYERS.iter().map(|(l, _)| *l).find(|l| *l == name)
}

/// Test code may reach anywhere: it is cut off at the first `#[cfg(test)]`, and test files are left out.
fn shipped(file: &str, text: &str) -> String {
    if file.ends_with("tests.rs") || file.contains("/tests/") || file.ends_with("oracle.rs") {
        return String::new();
    }
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end].lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The layers that a file's code names as `crate::layer`, braces after `crate::` included.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut word = String::new();
            let mut take = true;
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => {
                        found.push(std::mem::take(&mut word));
                        take = true;
                        continue;
                    }
                    ':' if depth == 1 => take = false,
                    c if take && depth == 1 && (c.is_alphanumeric() || c == '_') => word.push(c),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            found.push(word);
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found.retain(|w| !w.is_empty());
    found
}

#[test]
fn arrows_point_one_way() {
    let table: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(layer) = layer_of(&file) else { continue };
        for import in imports(&shipped(&file, &text)) {
            let known = table.contains_key(import.as_str());
            if known && import != layer && import != "limits" && !table[layer].contains(&import.as_str()) {
                wrong.push(format!("{file}: {layer} must not import {import}"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_core_has_no_clock_no_chance_and_no_map_order() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        if !layer_of(&file).is_some_and(|l| CORE.contains(&l)) {
            continue;
        }
        let code = shipped(&file, &text);
        for (word, why) in FORBIDDEN_IN_CORE {
            let excused = ALLOWED.iter().any(|(f, w, _)| *f == file && w == word);
            if !excused && code.contains(word) {
                wrong.push(format!("{file}: {word}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_stays_where_it_is_explained() {
    const PLACES: &[&str] = &["src/threshold/", "src/runtime/"];
    for (file, text) in sources() {
        let code = shipped(&file, &text);
        if code.contains("unsafe ") && file.starts_with("src/") {
            assert!(PLACES.iter().any(|p| file.starts_with(p)), "{file}: unsafe code has no place here");
            assert!(text.contains("SAFETY:"), "{file}: unsafe without a SAFETY comment");
        }
    }
}

#[test]
fn every_layer_opens_with_its_specification() {
    for (file, text) in sources() {
        assert!(
            text.starts_with("//!") || file.ends_with("tests.rs") || file.contains("/tests/"),
            "{file}: no module documentation at its top"
        );
    }
}

#[test]
fn files_and_functions_are_small() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let lines = text.lines().count();
        if lines > MAX_FILE_LINES && !LONG_FILES.iter().any(|(f, _)| *f == file) {
            wrong.push(format!("{file}: {lines} lines (limit {MAX_FILE_LINES})"));
        }
        wrong.extend(long_functions(&file, &text));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Functions by indentation, which rustfmt guarantees: from the `fn` line to the closing brace at its indent.
fn long_functions(file: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let head =
            ["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "async fn ", "pub async fn ", "const fn "];
        if !head.iter().any(|h| code.starts_with(h)) || line.trim_end().ends_with('}') {
            continue;
        }
        let close = format!("{}}}", &line[..line.len() - code.len()]);
        let Some(length) = lines[start..].iter().position(|l| *l == close) else { continue };
        if length > MAX_FUNCTION_LINES {
            found.push(format!(
                "{file}:{}: a function of {length} lines (limit {MAX_FUNCTION_LINES})",
                start + 1
            ));
        }
    }
    found
}

#[test]
fn top_level_holds_what_was_agreed() {
    const AGREED: &[&str] = &[
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "keys-tooling",
        "zones",
        "tests",
        "benches",
        "deploy",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "target",
        "demo",
    ];
    for entry in fs::read_dir(root()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            name.starts_with('.') || AGREED.contains(&name.as_str()),
            "{name} has no place at the top level"
        );
    }
}

#[test]
fn dependencies_are_licensed_permissively_and_few_are_doubled() {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    const FREE: &[&str] = &[
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unlicense",
        "CC0-1.0",
        "0BSD",
        "Unicode-3.0",
        "BSL-1.0",
        "MIT-0",
        "CDLA-Permissive-2.0",
    ];
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, licence) = (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or(""));
        // A licence expression is fine if each AND part has a permissive alternative.
        let fine = licence.replace(['(', ')'], "").split(" AND ").all(|part| {
            part.split(" OR ")
                .flat_map(|p| p.split('/'))
                .any(|l| FREE.contains(&l.trim().trim_end_matches(" WITH LLVM-exception")))
        });
        if !fine {
            wrong.push(format!("{name}: {licence:?}"));
        }
    }
    // The metadata also lists what is optional and never built: the tree does not.
    let output = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.lines().count() > 50, "{}", String::from_utf8_lossy(&output.stderr));
    for banned in ["ring", "openssl-sys", "bincode", "native-tls"] {
        if tree.lines().any(|l| l.split(' ').next() == Some(banned)) {
            wrong.push(format!("{banned} must not come in"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
