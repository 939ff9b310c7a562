//! Sealing for one reader: age files, version 1, for X25519 recipients.
//!
//! Stock `age` and `rage` open what is written here, and this opens what they write for a native recipient; passphrases,
//! plugins, SSH keys and the armoured form are not for this program.
//!
//! ```text
//! age-encryption.org/v1
//! -> X25519 E                     E: ephemeral share, Base64 without padding, as all here
//! W                               file key (16 octets), ChaCha20-Poly1305 under
//!                                 HKDF(ikm = X25519(e, R), salt = E || R, info = "age-encryption.org/v1/X25519"), nonce 0
//! --- M                           HMAC-SHA-256 of the header up to and with "---", key HKDF(file key, info "header")
//! N (16 octets) · chunks          each 64 KiB and its tag, ChaCha20-Poly1305 under HKDF(file key, salt N, "payload"),
//!                                 nonce: counter (11 octets) · 1 in the last chunk, 0 before
//! ```
//!
//! The crate `age` would do it too, and brings 130 others with it, two more elliptic-curve stacks among them; the format is two
//! hundred lines on what is linked anyway, and the tests hold it against stock `age` both ways.
#![forbid(unsafe_code)]

mod bech32;
mod payload;

use super::deal::entropy;
use super::files::{Problem, read_secret};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::hmac;
use curve25519_dalek::montgomery::MontgomeryPoint;
use data_encoding::BASE64_NOPAD;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const VERSION_LINE: &str = "age-encryption.org/v1";
const LABEL: &[u8] = b"age-encryption.org/v1/X25519";
const FILE_KEY_BYTES: usize = 16;
const TAG_BYTES: usize = 16;
/// Bytes of a header that is read: room for some other recipients' stanzas.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Who can open: an X25519 public key, `age1…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipient(pub [u8; 32]);

/// What opens: an X25519 secret key, `AGE-SECRET-KEY-1…`. Wiped on drop.
pub struct SealingKey(Zeroizing<[u8; 32]>);

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32::encode("age", &self.0))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Recipient {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let octets =
            bech32::decode("age", text).ok_or_else(|| format!("`{text}` is not an age recipient (age1…)"))?;
        let key = Self(*octets);
        // A point of small order would make every shared secret zero.
        let shared = MontgomeryPoint(key.0).mul_clamped([1; 32]);
        if shared.0 == [0; 32] { Err(format!("`{text}` is a key that seals nothing")) } else { Ok(key) }
    }
}

impl SealingKey {
    /// A fresh key.
    pub fn generate() -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        entropy(&mut *secret);
        Self(secret)
    }

    /// The key with these secret octets.
    pub fn from_bytes(secret: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*secret))
    }

    /// The secret octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public half.
    pub fn recipient(&self) -> Recipient {
        Recipient(MontgomeryPoint::mul_base_clamped(*self.0).0)
    }

    /// The text of its file: what `age-keygen` writes but for the date.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(256));
        let secret = Zeroizing::new(bech32::encode("age-secret-key-", &self.0));
        text.push_str(&format!("# public key: {}\n", self.recipient()));
        secret.chars().for_each(|c| text.push(c.to_ascii_uppercase()));
        text.push('\n');
        text
    }

    /// Reads a file of one key, which must be its owner's only.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let bytes = read_secret(path)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Problem::new(path, "is not UTF-8 text"))?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let key = lines.next().and_then(|line| bech32::decode("AGE-SECRET-KEY-", line));
        match (key, lines.next()) {
            (Some(secret), None) => Ok(Self(secret)),
            _ => Err(Problem::new(path, "is not a file of one age key (AGE-SECRET-KEY-1…)")),
        }
    }

    /// X25519 of this key and another's public half; `None` if the other is of small order (RFC 7748 §6.1).
    fn agree(&self, other: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
        let shared = Zeroizing::new(MontgomeryPoint(*other).mul_clamped(*self.0).0);
        let is_zero: bool = shared.ct_eq(&[0; 32]).into();
        (!is_zero).then_some(shared)
    }
}

/// Seals `plain` for `reader`.
pub fn seal(reader: &Recipient, plain: &[u8]) -> Vec<u8> {
    let mut file_key = Zeroizing::new([0; FILE_KEY_BYTES]);
    entropy(&mut *file_key);
    let ephemeral = SealingKey::generate();
    let share = ephemeral.recipient().0;
    // Parsing refused points of small order.
    let shared = ephemeral.agree(&reader.0).unwrap_or_default();
    let wrap = wrapping_key(&shared, &share, &reader.0);
    let wrapped = chacha(&wrap, [0; 12], &*file_key);
    let mut out = format!(
        "{VERSION_LINE}\n-> X25519 {}\n{}\n---",
        BASE64_NOPAD.encode(&share),
        BASE64_NOPAD.encode(&wrapped)
    );
    let mac = hmac::sign(&header_key(&file_key), out.as_bytes());
    out.push_str(&format!(" {}\n", BASE64_NOPAD.encode(mac.as_ref())));
    let mut out = out.into_bytes();
    payload::seal(&file_key, plain, &mut out);
    out
}

/// Opens what was sealed for `key`. An error says whether it is for another, or was changed or cut.
pub fn open(key: &SealingKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    const FORM: &str = "is not an age file (version 1, not armoured)";
    let head = &sealed[..sealed.len().min(MAX_HEADER_BYTES)];
    let end = head.windows(5).position(|w| w == b"\n--- ").ok_or(FORM)? + 4;
    let mac_line = sealed.get(end..).ok_or(FORM)?;
    let length = mac_line.iter().take(64).position(|octet| *octet == b'\n').ok_or(FORM)?;
    let mac = BASE64_NOPAD.decode(&mac_line[1..length]).map_err(|_| FORM)?;
    let header = std::str::from_utf8(&sealed[..end]).map_err(|_| FORM)?;
    let mut lines = header.lines();
    if lines.next() != Some(VERSION_LINE) {
        return Err(FORM);
    }
    let lines: Vec<&str> = lines.collect();
    let mine = lines.windows(2).find_map(|pair| unwrap_key(key, pair[0], pair[1]));
    let file_key = mine.ok_or("is sealed for another key")?;
    hmac::verify(&header_key(&file_key), header.as_bytes(), &mac)
        .map_err(|_| "was changed: its header's check fails")?;
    payload::open(&file_key, &sealed[end + length + 1..]).ok_or("was changed or cut short")
}

/// The file key, if these two lines are a stanza for `key`.
fn unwrap_key(key: &SealingKey, line: &str, body: &str) -> Option<Zeroizing<[u8; FILE_KEY_BYTES]>> {
    let share = BASE64_NOPAD.decode(line.strip_prefix("-> X25519 ")?.as_bytes()).ok()?;
    let share: [u8; 32] = share.try_into().ok()?;
    let wrapped = BASE64_NOPAD.decode(body.as_bytes()).ok()?;
    if wrapped.len() != FILE_KEY_BYTES + TAG_BYTES {
        return None;
    }
    let wrap = wrapping_key(&key.agree(&share)?, &share, &key.recipient().0);
    let opened = unchacha(&wrap, [0; 12], wrapped)?;
    Some(Zeroizing::new(opened[..].try_into().ok()?))
}

fn wrapping_key(shared: &Zeroizing<[u8; 32]>, share: &[u8; 32], reader: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    derive(&shared[..], &[&share[..], &reader[..]].concat(), LABEL)
}

fn header_key(file_key: &Zeroizing<[u8; FILE_KEY_BYTES]>) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &*derive(&file_key[..], b"", b"header"))
}

struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

/// HKDF-SHA-256, 32 octets.
fn derive(ikm: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let extracted = Salt::new(HKDF_SHA256, salt).extract(ikm);
    let filled = extracted.expand(&[info], Len32).and_then(|okm| okm.fill(&mut *key));
    filled.expect("32 octets can be derived");
    key
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("a key of 32 octets"))
}

/// ChaCha20-Poly1305 of a short text.
fn chacha(key: &[u8; 32], nonce: [u8; 12], plain: &[u8]) -> Vec<u8> {
    // Reserved at once: growth would leave a copy of the plain text behind.
    let mut text = Vec::with_capacity(plain.len() + TAG_BYTES);
    text.extend_from_slice(plain);
    let nonce = Nonce::assume_unique_for_key(nonce);
    cipher(key).seal_in_place_append_tag(nonce, Aad::empty(), &mut text).expect("a text of some kilobytes");
    text
}

fn unchacha(key: &[u8; 32], nonce: [u8; 12], text: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(text);
    let length =
        cipher(key).open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

#[cfg(test)]
mod tests;
