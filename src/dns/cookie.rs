//! DNS cookies (RFC 7873) with the server cookie that all implementations share (RFC 9018): 16 octets, of which the last
//! eight are SipHash-2-4 of the rest, the client's cookie and its address under a secret.
//!
//! A client that shows a cookie of ours has its address: we sent the cookie there. Servers that clients see as one (anycast,
//! or all of a cluster behind one name) share the secrets; a new one is rolled in by RFC 9018 §5: first it is accepted
//! everywhere, then it makes cookies, then the old one is forgotten. So a list: the first secret makes cookies, any accepts.

use std::net::IpAddr;
use zeroize::Zeroizing;

/// Octets of a secret (RFC 9018 §4.4).
pub const SECRET_OCTETS: usize = 16;
/// Octets of the client's cookie (RFC 7873 §4).
pub const CLIENT_OCTETS: usize = 8;
/// Octets of our server cookies (RFC 9018 §4).
pub const SERVER_OCTETS: usize = 16;
/// Octets of both, which is an option's data in a response.
pub const COOKIE_OCTETS: usize = CLIENT_OCTETS + SERVER_OCTETS;

/// Octets of a server cookie of anybody (RFC 7873 §4).
const ANY_SERVER_OCTETS: std::ops::RangeInclusive<usize> = 8..=32;
/// The version of server cookies that RFC 9018 §4.1 describes.
const VERSION: u8 = 1;
/// RFC 9018 §4.3: a cookie lives for an hour, by a clock that may be five minutes off, and is renewed after half an hour.
const LIFETIME_S: u32 = 3_600;
const CLOCK_SKEW_S: u32 = 300;
const RENEW_AFTER_S: u32 = 1_800;

/// The data of a client's COOKIE option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cookie {
    /// The client's part, to be sent back as it came.
    pub client: [u8; CLIENT_OCTETS],
    /// Whether there is a server's part, whoever made it.
    pub has_server: bool,
    /// The server's part, if it has the length of ours: another's is as none (RFC 7873 §5.2.4).
    pub server: Option<[u8; SERVER_OCTETS]>,
}

impl Cookie {
    /// Reads an option's data; none if its length is none that a cookie has (RFC 7873 §5.2.2).
    pub fn parse(data: &[u8]) -> Option<Self> {
        let (client, server) = data.split_first_chunk()?;
        let has_server = ANY_SERVER_OCTETS.contains(&server.len());
        let is_cookie = has_server || server.is_empty();
        is_cookie.then(|| Self { client: *client, has_server, server: server.try_into().ok() })
    }
}

/// Secrets that make server cookies: the first makes and accepts them, the others accept.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets(Zeroizing<Vec<[u8; SECRET_OCTETS]>>);

/// What is known of a client by its cookie, and what to send it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The client has shown a server cookie of ours.
    pub known: bool,
    /// The data of the option in the response.
    pub answer: [u8; COOKIE_OCTETS],
}

impl Secrets {
    /// None without any secret.
    pub fn new(secrets: Vec<[u8; SECRET_OCTETS]>) -> Option<Self> {
        if secrets.is_empty() { None } else { Some(Self(Zeroizing::new(secrets))) }
    }

    /// Judges a client's cookie; `now_s`: seconds since 1970, modulo 2³² (RFC 9018 §4.3).
    pub fn judge(&self, cookie: &Cookie, address: IpAddr, now_s: u32) -> Verdict {
        let by = cookie.server.and_then(|server| {
            let covered = Covered { client: &cookie.client, head: head(&server), address };
            let age = now_s.wrapping_sub(u32::from_be_bytes([server[4], server[5], server[6], server[7]]));
            // Serial numbers: the age of what comes from the future is near 2³².
            let is_timely = age <= LIFETIME_S || age.wrapping_neg() <= CLOCK_SKEW_S;
            let which = self.0.iter().position(|secret| is_same(&covered.hash(secret), &server[8..]));
            which.filter(|_| server[0] == VERSION && is_timely).map(|which| (which, age))
        });
        let server = match (by, cookie.server) {
            (Some((0, age)), Some(server)) if age <= RENEW_AFTER_S => server,
            _ => self.make(&cookie.client, address, now_s),
        };
        let mut answer = [0; COOKIE_OCTETS];
        answer[..CLIENT_OCTETS].copy_from_slice(&cookie.client);
        answer[CLIENT_OCTETS..].copy_from_slice(&server);
        Verdict { known: by.is_some(), answer }
    }

    fn make(&self, client: &[u8; CLIENT_OCTETS], address: IpAddr, now_s: u32) -> [u8; SERVER_OCTETS] {
        let mut server = [0; SERVER_OCTETS];
        server[0] = VERSION;
        server[4..8].copy_from_slice(&now_s.to_be_bytes());
        let covered = Covered { client, head: head(&server), address };
        server[8..].copy_from_slice(&covered.hash(&self.0[0]));
        server
    }
}

/// What the hash of a server cookie is over (RFC 9018 §4.4).
struct Covered<'a> {
    client: &'a [u8; CLIENT_OCTETS],
    /// Version, reserved octets and time.
    head: [u8; 8],
    address: IpAddr,
}

impl Covered<'_> {
    fn hash(&self, secret: &[u8; SECRET_OCTETS]) -> [u8; 8] {
        let mut octets = [0; CLIENT_OCTETS + 8 + 16];
        octets[..8].copy_from_slice(self.client);
        octets[8..16].copy_from_slice(&self.head);
        let length = match self.address {
            IpAddr::V4(address) => {
                octets[16..20].copy_from_slice(&address.octets());
                20
            }
            IpAddr::V6(address) => {
                octets[16..].copy_from_slice(&address.octets());
                32
            }
        };
        siphash24(secret, &octets[..length]).to_le_bytes()
    }
}

fn head(server: &[u8; SERVER_OCTETS]) -> [u8; 8] {
    std::array::from_fn(|i| server[i])
}

/// Whether two hashes are equal, in a time that does not tell where they differ.
fn is_same(hash: &[u8; 8], other: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(&hash[..], other).into()
}

/// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits for short inputs.
pub fn siphash24(key: &[u8; 16], data: &[u8]) -> u64 {
    let word =
        |octets: &[u8]| octets.iter().take(8).rev().fold(0_u64, |word, octet| word << 8 | u64::from(*octet));
    let (k0, k1) = (word(&key[..8]), word(&key[8..]));
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let mut chunks = data.chunks_exact(8);
    let mut absorb = |m: u64| {
        v[3] ^= m;
        sip_rounds(&mut v, 2);
        v[0] ^= m;
    };
    chunks.by_ref().for_each(|chunk| absorb(word(chunk)));
    // The last word ends with the length modulo 256.
    absorb((data.len() as u64) << 56 | word(chunks.remainder()));
    v[2] ^= 0xff;
    sip_rounds(&mut v, 4);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn sip_rounds(v: &mut [u64; 4], rounds: usize) {
    for _ in 0..rounds {
        v[0] = v[0].wrapping_add(v[1]);
        v[2] = v[2].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[1]);
        v[0] = v[0].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].rotate_left(32);
    }
}

#[cfg(test)]
mod tests;
