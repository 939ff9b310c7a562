//! `$GENERATE` (BIND's reference manual, "Zone File"): `range owner [TTL] [class] type data`, a record for each number.
//!
//! A range is `start-stop` or `start-stop/step`. In owner and data `$` stands for the number, `${offset,width,form}` for the
//! number and the offset, with zeros up to the width, in decimal (`d`), octal (`o`), hexadecimal (`x`, `X`) or as the
//! labels of nibbles in reverse (`n`, `N`, for ip6.arpa; the width counts their dots). `$$` is a dollar sign, and so
//! is `\$`. Data of several words stand in one pair of quotes, as BIND wants it, or without.

use std::ops::RangeInclusive;

/// The greatest number, in a range and as a result: BIND's.
const MAX_NUMBER: u32 = i32::MAX as u32;
/// The greatest width: no name or string is longer.
const MAX_WIDTH: usize = 255;
/// Octets that one template may become: rdata of the greatest length, all escaped.
const MAX_EXPANDED_OCTETS: usize = 4 * 65_535;

/// The numbers of a range, by its steps.
pub(super) struct Range(RangeInclusive<u32>, u32);

impl Range {
    /// Reads `start-stop` or `start-stop/step`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
            digits.then(|| text.parse().ok().filter(|n| *n <= MAX_NUMBER))?
        };
        let (range, step) =
            text.split_once('/').map_or((text, Some(1)), |(range, step)| (range, number(step)));
        let (start, stop) = range.split_once('-')?;
        let (start, stop, step) = (number(start)?, number(stop)?, step?);
        (start <= stop && step > 0).then_some(Self(start..=stop, step))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        ((self.0.end() - self.0.start()) / self.1) as usize + 1
    }

    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.0.clone().step_by(self.1 as usize)
    }
}

/// Text with places for the number.
pub(super) struct Template(Vec<Part>);

enum Part {
    Text(String),
    Number { offset: i64, width: usize, form: Form },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Decimal,
    Octal,
    Hex { upper: bool },
    Nibbles { upper: bool },
}

impl Template {
    /// Reads a template; what is wrong with it, if so.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['$', '\\']) {
            plain.push_str(&rest[..at]);
            let special = &rest[at..];
            rest = if special.starts_with('\\') {
                // An escape stays one: what it stands for is read with the record.
                let length = special.char_indices().nth(2).map_or(special.len(), |(end, _)| end);
                plain.push_str(&special[..length]);
                &special[length..]
            } else if let Some(rest) = special.strip_prefix("$$") {
                plain.push('$');
                rest
            } else {
                parts.push(Part::Text(std::mem::take(&mut plain)));
                match special.strip_prefix("${") {
                    Some(inner) => {
                        let (modifier, rest) = inner.split_once('}').ok_or("${ without a }")?;
                        parts.push(modifier_of(modifier).ok_or(MODIFIER)?);
                        rest
                    }
                    None => {
                        parts.push(Part::Number { offset: 0, width: 0, form: Form::Decimal });
                        &special[1..]
                    }
                }
            };
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(Self(parts))
    }

    /// The text for this number.
    pub fn expand(&self, number: u32) -> Result<String, &'static str> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Number { offset, width, form } => {
                    let value = i32::try_from(i64::from(number) + offset);
                    write(
                        value.map_err(|_| "number and offset are beyond 2147483647")?,
                        *width,
                        *form,
                        &mut out,
                    );
                }
            }
            if out.len() > MAX_EXPANDED_OCTETS {
                return Err("what it makes is too long for a record");
            }
        }
        Ok(out)
    }
}

const MODIFIER: &str = "wants ${offset}, ${offset,width} or ${offset,width,form}: a number, digits up to 255, one of d o x X n N";

fn modifier_of(text: &str) -> Option<Part> {
    let mut words = text.split(',');
    let offset: i32 = words.next()?.parse().ok()?;
    let width = words.next().map_or(Some(0), |width| width.parse().ok().filter(|w| *w <= MAX_WIDTH))?;
    let form = match words.next().unwrap_or("d") {
        "d" => Form::Decimal,
        "o" => Form::Octal,
        "x" => Form::Hex { upper: false },
        "X" => Form::Hex { upper: true },
        "n" => Form::Nibbles { upper: false },
        "N" => Form::Nibbles { upper: true },
        _ => return None,
    };
    words.next().is_none().then_some(Part::Number { offset: offset.into(), width, form })
}

/// Below zero, decimal has a sign, and the others show the two's complement of 32 bits.
fn write(value: i32, width: usize, form: Form, out: &mut String) {
    let bits = value as u32;
    match form {
        Form::Decimal => out.push_str(&format!("{value:0width$}")),
        Form::Octal => out.push_str(&format!("{bits:0width$o}")),
        Form::Hex { upper: false } => out.push_str(&format!("{bits:0width$x}")),
        Form::Hex { upper: true } => out.push_str(&format!("{bits:0width$X}")),
        Form::Nibbles { upper } => nibbles(bits, width, upper, out),
    }
}

/// A width that ends behind a nibble ends with its dot.
fn nibbles(mut bits: u32, width: usize, upper: bool, out: &mut String) {
    let mut written = 0;
    loop {
        let nibble = char::from_digit(bits & 15, 16).unwrap_or('0');
        out.push(if upper { nibble.to_ascii_uppercase() } else { nibble });
        bits >>= 4;
        written += 1;
        if bits == 0 && written >= width {
            return;
        }
        out.push('.');
        written += 1;
        if bits == 0 && written >= width {
            return;
        }
    }
}

/// What stands inside a pair of quotes, to be read as words of its own.
pub(super) fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.replace("\\\"", "\""))
}
