//! Structure from fuzzed bytes.

/// What is left of an input. Where it has ended, numbers are 0 and octets are none.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    /// At most so many octets.
    pub fn take(&mut self, octets: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(octets.min(self.0.len()));
        self.0 = rest;
        head
    }

    /// Octets preceded by their number in 16 bits.
    pub fn counted(&mut self) -> &'a [u8] {
        let octets = self.u16();
        self.take(usize::from(octets))
    }

    /// The index of one of so many; 0 if there is none.
    pub fn index(&mut self, count: usize) -> usize {
        usize::from(self.u8()) % count.max(1)
    }
}

/// Octets as [`Bytes::counted`] reads them.
pub fn counted(octets: &[u8]) -> Vec<u8> {
    [&(octets.len() as u16).to_le_bytes(), octets].concat()
}
