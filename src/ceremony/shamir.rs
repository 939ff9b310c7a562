//! Shamir's scheme over GF(256): 32 octets split so that any k of m parts give them back, and fewer say nothing.
//!
//! Each octet is the constant term of a random polynomial of degree k-1; part x holds its value at x, x = 1…m. The field is
//! that of AES (x⁸+x⁴+x³+x+1). Products are computed bit by bit without branches or tables, so that neither time nor cache
//! shows an operand. Fifty lines: the crates for it are either left alone with open advisories or bring a field tower.
//!
//! Parts do not authenticate one another: what is put together from wrong ones opens nothing ([`super::backup`] says so).
#![forbid(unsafe_code)]

use zeroize::Zeroizing;

/// Octets of the secret.
pub const SECRET_BYTES: usize = 32;

/// One part: x and the 32 values at x.
pub struct Part {
    /// x, from 1.
    pub index: u8,
    /// The values.
    pub values: Zeroizing<[u8; SECRET_BYTES]>,
}

/// Splits `secret` into `m` parts, any `k` of which give it back; 1 ≤ k ≤ m ≤ 255.
pub fn split(secret: &[u8; SECRET_BYTES], k: u8, m: u8, entropy: &mut dyn FnMut(&mut [u8])) -> Vec<Part> {
    assert!((1..=m).contains(&k), "a threshold of 1 to the number of parts");
    // Coefficients of x¹ … x^{k-1}, for all octets.
    let mut random = Zeroizing::new(vec![0; usize::from(k - 1) * SECRET_BYTES]);
    entropy(&mut random);
    let value = |x: u8, octet: usize| {
        let higher = random.chunks(SECRET_BYTES).rev().fold(0, |sum, row| product(sum, x) ^ row[octet]);
        product(higher, x) ^ secret[octet]
    };
    (1..=m)
        .map(|x| {
            let mut values = Zeroizing::new([0; SECRET_BYTES]);
            values.iter_mut().enumerate().for_each(|(octet, out)| *out = value(x, octet));
            Part { index: x, values }
        })
        .collect()
}

/// The secret of `parts`, as many as its k, with distinct indices: f(0) by Lagrange. `None` if two indices are equal or one is 0.
pub fn join(parts: &[Part]) -> Option<Zeroizing<[u8; SECRET_BYTES]>> {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    for (at, part) in parts.iter().enumerate() {
        let others = parts.iter().enumerate().filter(|(other, _)| *other != at);
        let mut weight = 1;
        for (_, other) in others {
            if other.index == part.index || part.index == 0 {
                return None;
            }
            weight = product(weight, product(other.index, inverse(other.index ^ part.index)));
        }
        secret.iter_mut().zip(part.values.iter()).for_each(|(sum, value)| *sum ^= product(weight, *value));
    }
    (!parts.is_empty()).then_some(secret)
}

/// a·b.
fn product(a: u8, b: u8) -> u8 {
    let (mut a, mut sum) = (a, 0);
    for bit in 0..8 {
        sum ^= a & (((b >> bit) & 1).wrapping_neg());
        a = (a << 1) ^ ((a >> 7).wrapping_neg() & 0x1b);
    }
    sum
}

/// a⁻¹ = a²⁵⁴; 0 for 0.
fn inverse(a: u8) -> u8 {
    // 254 = 2 + 4 + … + 128.
    let mut power = a;
    (0..7).fold(1, |inverse, _| {
        power = product(power, power);
        product(inverse, power)
    })
}

#[cfg(test)]
mod tests;
