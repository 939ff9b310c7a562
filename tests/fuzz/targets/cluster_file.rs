//! The text of `cluster.toml`: what is read is written and read as the same cluster; what is not, says where.

use super::dealt;
use conclave::ceremony::cluster_file::{parse, write};
use std::path::Path;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let path = Path::new("cluster.toml");
    match parse(&text, path) {
        Ok(cluster) => {
            let written = write(&cluster);
            let again = parse(&written, path).unwrap_or_else(|e| panic!("{written}\n{e:?}"));
            assert_eq!(again.id(), cluster.id(), "{written}");
            assert_eq!(write(&again), written);
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            for problem in problems {
                let lines = text.matches('\n').count() + 1;
                assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem}");
                assert!(!problem.to_string().contains('\n'), "{problem}");
            }
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    dealt::files("cluster.toml")
}
