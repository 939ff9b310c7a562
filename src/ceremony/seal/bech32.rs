//! Bech32 (BIP 173) of 32 octets, without its limit of 90 characters: how age writes keys.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Digits of five bits for 32 octets, and of the checksum.
const DIGITS: usize = 52;
const CHECK_DIGITS: usize = 6;

/// In lower case.
pub(super) fn encode(prefix: &str, octets: &[u8; 32]) -> String {
    let digits = digits(octets);
    let check = checksum(prefix, &*digits);
    let mut text = String::with_capacity(prefix.len() + 1 + DIGITS + CHECK_DIGITS);
    text.push_str(prefix);
    text.push('1');
    digits.iter().chain(&check).for_each(|digit| text.push(char::from(ALPHABET[usize::from(*digit)])));
    text
}

/// Of text in one case with this prefix, which says the case.
pub(super) fn decode(prefix: &str, text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let rest = text.strip_prefix(prefix)?.strip_prefix('1')?;
    if rest.len() != DIGITS + CHECK_DIGITS {
        return None;
    }
    let is_upper = prefix.starts_with(|c: char| c.is_ascii_uppercase());
    let mut values = Zeroizing::new([0u8; DIGITS + CHECK_DIGITS]);
    for (value, c) in values.iter_mut().zip(rest.bytes()) {
        if c.is_ascii_alphabetic() && c.is_ascii_uppercase() != is_upper {
            return None;
        }
        let c = c.to_ascii_lowercase();
        *value = ALPHABET.iter().position(|letter| *letter == c)? as u8;
    }
    let mut octets = Zeroizing::new([0; 32]);
    for (index, octet) in octets.iter_mut().enumerate() {
        *octet = (0..8).fold(0, |octet, bit| {
            let at = 8 * index + bit;
            (octet << 1) | ((values[at / 5] >> (4 - at % 5)) & 1)
        });
    }
    // Also refuses padding bits that are not zero, and a wrong checksum.
    let same = encode(&prefix.to_ascii_lowercase(), &octets);
    let same = Zeroizing::new(same);
    same.eq_ignore_ascii_case(text).then_some(octets)
}

fn digits(octets: &[u8; 32]) -> Zeroizing<[u8; DIGITS]> {
    let mut digits = Zeroizing::new([0; DIGITS]);
    for (index, digit) in digits.iter_mut().enumerate() {
        *digit = (0..5).fold(0, |digit, bit| {
            let at = 5 * index + bit;
            let octet = octets.get(at / 8).copied().unwrap_or(0);
            (digit << 1) | ((octet >> (7 - at % 8)) & 1)
        });
    }
    digits
}

fn checksum(prefix: &str, digits: &[u8]) -> [u8; CHECK_DIGITS] {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let high = prefix.bytes().map(|c| c >> 5);
    let low = prefix.bytes().map(|c| c & 31);
    let all = high.chain([0]).chain(low).chain(digits.iter().copied()).chain([0; CHECK_DIGITS]);
    let sum = all.fold(1u32, |sum, value| {
        let top = sum >> 25;
        let shifted = ((sum & 0x01ff_ffff) << 5) ^ u32::from(value);
        (0..5).filter(|bit| (top >> bit) & 1 == 1).fold(shifted, |sum, bit| sum ^ GENERATOR[bit])
    }) ^ 1;
    std::array::from_fn(|index| ((sum >> (5 * (5 - index))) & 31) as u8)
}
