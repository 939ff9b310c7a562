//! The text of `replica.toml`: a file or problems of one line each.

use super::dealt;
use conclave::quorum::ReplicaId;
use conclave::runtime::config::{MAX_SOCKET_PATH_BYTES, ReplicaFile};
use std::path::Path;

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match ReplicaFile::parse(&text, Path::new("replica.toml")) {
        Ok(file) => {
            assert_eq!(ReplicaId::new(file.me.get()), Some(file.me));
            assert!(file.admin.as_os_str().len() < MAX_SOCKET_PATH_BYTES && !file.dns.is_empty());
            assert!(file.peers.values().all(|address| address.contains(':')));
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
    dealt::files("replica.toml")
}
