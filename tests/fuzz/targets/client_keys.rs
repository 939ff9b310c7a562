//! Files of TSIG keys: what is read is written and read as the same, and no problem repeats a secret.

use conclave::ceremony::client_keys::{parse_tsig, tsig_text};
use std::path::Path;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match parse_tsig(&text, Path::new("tsig.keys")) {
        Ok(keys) => {
            let written = tsig_text(&keys);
            let again = match parse_tsig(&written, Path::new("tsig.keys")) {
                Ok(again) => again,
                Err(why) => panic!("{}: {why}", *written),
            };
            assert_eq!(again.len(), keys.len());
            for (a, b) in again.iter().zip(&keys) {
                assert_eq!((&a.name, &a.algorithm, &*a.secret), (&b.name, &b.algorithm, &*b.secret));
            }
        }
        Err(problem) => {
            let lines = text.matches('\n').count() + 1;
            assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem}");
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "// by hand\nkey ops { secret \"AQID\"; /* first */ algorithm HMAC-SHA512; };\n# more\nkey \"b.\" {\n\talgorithm hmac-sha384;\n\tsecret AQID;\n};",
        "key \"ops.example.test\" {\n\talgorithm hmac-sha256;\n\tsecret \"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\";\n};\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
