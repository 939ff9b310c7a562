//! The payload of an age file: STREAM over chunks of 64 KiB.

use super::super::deal::entropy;
use super::{FILE_KEY_BYTES, TAG_BYTES, chacha, derive, unchacha};
use zeroize::Zeroizing;

const CHUNK_BYTES: usize = 64 * 1024;
const NONCE_BYTES: usize = 16;

pub(super) fn seal(file_key: &[u8; FILE_KEY_BYTES], plain: &[u8], out: &mut Vec<u8>) {
    let mut nonce = [0; NONCE_BYTES];
    entropy(&mut nonce);
    out.extend_from_slice(&nonce);
    let key = derive(file_key, &nonce, b"payload");
    // An empty text is one empty chunk; else the last is not empty.
    let chunks = plain.len().div_ceil(CHUNK_BYTES).max(1);
    for counter in 0..chunks {
        let from = counter * CHUNK_BYTES;
        let chunk = &plain[from..plain.len().min(from + CHUNK_BYTES)];
        out.extend_from_slice(&chacha(&key, chunk_nonce(counter, counter + 1 == chunks), chunk));
    }
}

pub(super) fn open(file_key: &[u8; FILE_KEY_BYTES], payload: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = payload.split_at_checked(NONCE_BYTES)?;
    let key = derive(file_key, nonce, b"payload");
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    let chunks = sealed.len().div_ceil(CHUNK_BYTES + TAG_BYTES);
    for (counter, chunk) in sealed.chunks(CHUNK_BYTES + TAG_BYTES).enumerate() {
        let is_last = counter + 1 == chunks;
        let opened = unchacha(&key, chunk_nonce(counter, is_last), chunk.to_vec())?;
        if opened.is_empty() && counter > 0 {
            return None;
        }
        plain.extend_from_slice(&opened);
    }
    (chunks > 0).then_some(plain)
}

fn chunk_nonce(counter: usize, is_last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&(counter as u64).to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce
}
