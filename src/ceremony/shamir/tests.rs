use super::*;
use crate::threshold::test_keys::counting;

#[test]
fn the_field_is_that_of_aes() {
    // FIPS 197 §4.2: {57}·{83} = {c1}, {57}·{13} = {fe}.
    assert_eq!((product(0x57, 0x83), product(0x57, 0x13)), (0xc1, 0xfe));
    for a in 1..=255 {
        assert_eq!(product(a, inverse(a)), 1, "{a}");
    }
}

#[test]
fn any_k_parts_give_the_secret_back() {
    let secret: [u8; SECRET_BYTES] = std::array::from_fn(|at| at as u8 * 7 + 1);
    for (k, m) in [(1, 1), (2, 3), (3, 5), (5, 5)] {
        let parts = split(&secret, k, m, &mut counting());
        for set in 0u32..1 << m {
            if set.count_ones() != u32::from(k) {
                continue;
            }
            let chosen = parts.iter().filter(|part| set >> (part.index - 1) & 1 == 1);
            let chosen: Vec<Part> =
                chosen.rev().map(|part| Part { index: part.index, values: part.values.clone() }).collect();
            assert_eq!(join(&chosen).as_deref(), Some(&secret), "{k} of {m}, set {set:b}");
        }
    }
}

#[test]
fn fewer_parts_say_nothing() {
    // For any one part of two, each secret octet is explained by exactly one line through it.
    let secret = [0x42; SECRET_BYTES];
    let part = &split(&secret, 2, 3, &mut counting())[1];
    for guess in 0..=255u8 {
        let slope = product(part.values[0] ^ guess, inverse(part.index));
        assert_eq!(product(slope, part.index) ^ guess, part.values[0]);
    }
    let three = split(&secret, 3, 4, &mut counting());
    assert_ne!(join(&three[..2]).as_deref(), Some(&secret));
}

#[test]
fn parts_that_cannot_be_joined_are_refused() {
    let part = |index| Part { index, values: Zeroizing::new([1; SECRET_BYTES]) };
    assert!(join(&[]).is_none());
    assert!(join(&[part(3), part(3)]).is_none());
    assert!(join(&[part(0), part(3)]).is_none());
}
