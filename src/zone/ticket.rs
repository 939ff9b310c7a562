//! The name of an update, by which its sender and an operator can talk of it.

use crate::codec::{Digest, digest};
use std::fmt;

/// The letters of tickets: digits and lower-case letters without those that are read as others.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Names an update: ten letters (50 bits) of a digest over what its signature covers, or over the message if that holds none.
/// So the same message, to whichever replica, has the same ticket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ticket(u64);

impl Ticket {
    /// Letters of its text.
    pub const LETTERS: usize = 10;

    /// Of an update whose signature covers octets of this digest.
    pub fn of_covered(covered: &Digest) -> Self {
        Self::of(digest("conclave/ticket", &[&covered.0]))
    }

    /// Of a message without a signature that holds.
    pub fn of_wire(wire: &[u8]) -> Self {
        Self::of(digest("conclave/ticket/unsigned", &[wire]))
    }

    fn of(digest: Digest) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = digest.0;
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 14)
    }

    /// From its text, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::LETTERS {
            return None;
        }
        text.bytes()
            .try_fold(0, |number, letter| {
                let value = LETTERS.iter().position(|held| *held == letter.to_ascii_lowercase())?;
                Some(number << 5 | value as u64)
            })
            .map(Self)
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..Self::LETTERS).rev().try_for_each(|place| {
            fmt::Write::write_char(f, LETTERS[(self.0 >> (5 * place)) as usize & 31].into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_read_as_it_is_written_and_nothing_else_is_one() {
        for wire in [b"a".as_slice(), b"b", b""] {
            let ticket = Ticket::of_wire(wire);
            assert_eq!(ticket.to_string().len(), Ticket::LETTERS);
            assert_eq!(Ticket::parse(&ticket.to_string()), Some(ticket));
            assert_eq!(Ticket::parse(&ticket.to_string().to_uppercase()), Some(ticket));
        }
        for text in ["", "0123", "ilouilouil", "0123456789a", "ümlaut___"] {
            assert_eq!(Ticket::parse(text), None, "{text}");
        }
    }
}
