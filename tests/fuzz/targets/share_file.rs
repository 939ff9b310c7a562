//! Share files: what opens is what was sealed, octet for octet; and the secrets in them.
//!
//! If the first octet is odd the checksum is made to fit, as whoever edits a file could.

use super::dealt;
use conclave::ceremony::share_file::{Kind, open, seal};
use conclave::codec::digest;
use conclave::consensus::CoinSecret;
use conclave::threshold::SecretShare;

const CHECKSUM_BYTES: usize = 32;

pub fn run(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let mut bytes = data.to_vec();
    if choice & 1 == 1 && bytes.len() >= CHECKSUM_BYTES {
        bytes.truncate(bytes.len() - CHECKSUM_BYTES);
        let checksum = digest("conclave/share-file", &[&bytes]);
        bytes.extend_from_slice(&checksum.0);
    }
    match open(&bytes) {
        Ok((label, secret)) => {
            assert_eq!(*seal(&label, &secret), bytes, "one file for one secret");
            match label.kind {
                Kind::Identity => {}
                Kind::Coin => drop(CoinSecret::from_bytes(&secret)),
                Kind::Rsa(_) => share(&secret),
            }
        }
        Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{why}"),
    }
}

fn share(secret: &[u8]) {
    if let Ok(share) = SecretShare::from_bytes(secret) {
        assert_eq!(*share.to_bytes(), secret, "one encoding");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let files = dealt::files(".share").into_iter().chain(dealt::files("identity.key"));
    files.flat_map(|file| [[&[0], &file[..]].concat(), [&[1], &file[..]].concat()]).collect()
}
