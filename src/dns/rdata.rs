//! Rdata: stub.
use super::name::{Name, NameError};
use super::rtype::{Class, RrType};
use borsh::{BorshDeserialize, BorshSerialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The data of one record: uncompressed wire octets, at most 65,535, names in the case they came in.
///
/// Equality and order are those of the octets; see [`canonical`] for the order of records in an RRset.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rdata(Arc<[u8]>);

impl Rdata {
    /// Takes octets as they are; that they fit a type is what [`validate`] says.
    pub fn new(octets: &[u8]) -> Self {
        Self(Arc::from(octets))
    }

    /// The octets.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Rdata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl BorshSerialize for Rdata {
    fn serialize<W: borsh::io::Write>(&self, writer: &mut W) -> borsh::io::Result<()> {
        let length = u16::try_from(self.0.len())
            .map_err(|_| borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "rdata over 65,535 octets"))?;
        length.serialize(writer)?;
        writer.write_all(&self.0)
    }
}

impl BorshDeserialize for Rdata {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let length = u16::deserialize_reader(reader)?;
        let mut octets = vec![0u8; usize::from(length)];
        reader.read_exact(&mut octets)?;
        Ok(Self(Arc::from(octets)))
    }
}

/// Why octets or text are not the rdata of a type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RdataError {
    /// An embedded name is wrong.
    Name(NameError),
    /// The octets or words end too early.
    Truncated,
    /// Octets or words are left over.
    Trailing,
    /// A field is not as its type demands.
    Field(&'static str),
    /// A word of the text form is not what is expected here.
    Word {
        /// What is expected.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

impl fmt::Display for RdataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Truncated => f.write_str("too short"),
            Self::Trailing => f.write_str("something is left over"),
            Self::Field(what) => f.write_str(what),
            Self::Word { expected, found } => write!(f, "expected {expected}, found {found:?}"),
        }
    }
}

impl std::error::Error for RdataError {}

impl From<NameError> for RdataError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

/// The canonical form (RFC 4034 §6.2): names in lower case where RFC 6840 §5.1 lists the type.
pub fn canonical(rtype: RrType, rdata: &Rdata) -> Cow<'_, [u8]> {
    let _ = rtype;
    Cow::Borrowed(rdata.wire())
}

/// The rdata of `length` octets at `start` in `message`: decompressed and validated.
pub fn from_message(
    rtype: RrType,
    class: Class,
    message: &[u8],
    start: usize,
    length: usize,
) -> Result<Rdata, RdataError> {
    let _ = (rtype, class, message, start, length);
    todo!()
}

/// Whether the octets are rdata of this type.
pub fn validate(rtype: RrType, octets: &[u8]) -> Result<(), RdataError> {
    let _ = (rtype, octets);
    todo!()
}

/// The text form (RFC 1035 §5.1); of what is not in the table or not valid, that of RFC 3597 §5.
pub fn to_text(rtype: RrType, rdata: &Rdata) -> String {
    let _ = (rtype, rdata);
    todo!()
}

/// Parses the words of the text form, `\#` and so on too (RFC 3597 §5). A word is as it stands in a master file, with
/// its escapes and, if it is quoted, its quotes.
pub fn from_text(rtype: RrType, words: &[&str], origin: &Name) -> Result<Rdata, RdataError> {
    let _ = (rtype, words, origin);
    todo!()
}
