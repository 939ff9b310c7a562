//! The text form of LOC (RFC 1876 §3): `d [m [s]] N|S d [m [s]] E|W altitude [size [horizontal [vertical]]]`.
//!
//! On the wire: version 0; size and precisions as mantissa and power of ten of centimetres; latitude and longitude in
//! thousandths of a second around 2³¹; altitude in centimetres above 100 km below the ellipsoid.

use super::RdataError;
use super::text::Words;

const EQUATOR: i64 = 1 << 31;
/// Centimetres.
const ALTITUDE_BASE: i64 = 10_000_000;

fn number(octets: &[u8], at: usize) -> i64 {
    i64::from(u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]))
}

/// Whether sizes are decimal digits with powers of ten, nothing but 0 stands for nothing, and angles are on the globe.
pub(super) fn in_range(octets: &[u8]) -> bool {
    let size = |octet: &u8| *octet == 0 || (1..=9).contains(&(octet >> 4)) && octet & 15 <= 9;
    let angle = |at, limit: i64| (number(octets, at) - EQUATOR).abs() <= limit * 3_600_000;
    octets[1..4].iter().all(size) && angle(4, 90) && angle(8, 180)
}

/// The words of well-formed LOC rdata.
pub(super) fn show(octets: &[u8]) -> String {
    let number = |at| number(octets, at);
    let altitude = number(12) - ALTITUDE_BASE;
    format!(
        "{} {} {}{}m {}m {}m {}m",
        angle(number(4), 'N', 'S'),
        angle(number(8), 'E', 'W'),
        if altitude < 0 { "-" } else { "" },
        metres(altitude.unsigned_abs()),
        metres(size(octets[1])),
        metres(size(octets[2])),
        metres(size(octets[3])),
    )
}

fn angle(wire: i64, positive: char, negative: char) -> String {
    let sign = if wire < EQUATOR { negative } else { positive };
    let all = (wire - EQUATOR).abs();
    let (seconds, thousandths) = (all / 1000, all % 1000);
    format!("{} {} {}.{thousandths:03} {sign}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn metres(centimetres: u64) -> String {
    format!("{}.{:02}", centimetres / 100, centimetres % 100)
}

fn size(octet: u8) -> u64 {
    u64::from(octet >> 4) * 10u64.pow(u32::from(octet & 15).min(9))
}

/// Reads the words of LOC.
pub(super) fn read(words: &mut Words<'_>, out: &mut Vec<u8>) -> Result<(), RdataError> {
    let latitude = read_angle(words, ["N", "S"], 90)?;
    let longitude = read_angle(words, ["E", "W"], 180)?;
    let altitude = u32::try_from(read_metres(words.next()?)? + ALTITUDE_BASE);
    let altitude = altitude.map_err(|_| RdataError::Field("an altitude out of range"))?;
    let mut sizes = [0x12, 0x16, 0x13];
    for size in &mut sizes {
        if words.is_empty() {
            break;
        }
        *size = pack(read_metres(words.next()?)?)?;
    }
    out.push(0);
    out.extend_from_slice(&sizes);
    out.extend_from_slice(&latitude.to_be_bytes());
    out.extend_from_slice(&longitude.to_be_bytes());
    out.extend_from_slice(&altitude.to_be_bytes());
    Ok(())
}

fn read_angle(words: &mut Words<'_>, signs: [&str; 2], limit: i64) -> Result<u32, RdataError> {
    let mut parts = [0i64; 3];
    let scales = [0u32, 0, 3];
    for index in 0..4 {
        let word = words.next()?;
        let side = signs.iter().position(|sign| sign.eq_ignore_ascii_case(word));
        match side {
            Some(side) if index > 0 => {
                let all = parts[0] * 3_600_000 + parts[1] * 60_000 + parts[2];
                if parts[1] >= 60 || parts[2] >= 60_000 || all > limit * 3_600_000 {
                    break;
                }
                let wire = if side == 0 { EQUATOR + all } else { EQUATOR - all };
                return u32::try_from(wire).map_err(|_| RdataError::Field("an angle out of range"));
            }
            _ if index < 3 => parts[index] = fixed(word, scales[index])?,
            _ => break,
        }
    }
    Err(RdataError::Field("a malformed latitude or longitude"))
}

fn read_metres(word: &str) -> Result<i64, RdataError> {
    let word = word.strip_suffix('m').unwrap_or(word);
    match word.strip_prefix('-') {
        Some(rest) => Ok(-fixed(rest, 2)?),
        None => fixed(word, 2),
    }
}

/// A decimal number of at most this many places, in units of the last place.
fn fixed(word: &str, places: u32) -> Result<i64, RdataError> {
    let wrong = || RdataError::Word { expected: "a number", found: word.to_owned() };
    let (whole, part) = word.split_once('.').unwrap_or((word, ""));
    let digits = |text: &str| text.len() <= 10 && text.bytes().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > places as usize {
        return Err(wrong());
    }
    let padded = format!("{whole}{part:0<width$}", width = places as usize);
    padded.parse().map_err(|_| wrong())
}

/// Mantissa and power of ten of a size in centimetres.
fn pack(centimetres: i64) -> Result<u8, RdataError> {
    let mut mantissa = u64::try_from(centimetres).map_err(|_| RdataError::Field("a negative size"))?;
    let mut power = 0u8;
    while mantissa > 9 {
        mantissa /= 10;
        power += 1;
    }
    if power > 9 { Err(RdataError::Field("a size out of range")) } else { Ok((mantissa as u8) << 4 | power) }
}
