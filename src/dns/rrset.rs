//! Records, RRsets and the SOA.
//!
//! An RRset (RFC 2181 §5) is the records of one owner, class and type: they have one TTL, no two are equal in canonical
//! form (RFC 4034 §6.3), and they stand in canonical order, so that equal sets have equal bytes.

use super::name::Name;
use super::rdata::{self, Rdata};
use super::rtype::{Class, RrType};
use borsh::{BorshDeserialize, BorshSerialize};

/// One resource record.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// The owner.
    pub name: Name,
    /// The type.
    pub rtype: RrType,
    /// The class; ANY and NONE have their meanings in updates (RFC 2136 §2.4, §2.5).
    pub class: Class,
    /// Seconds that caches may keep it.
    pub ttl: u32,
    /// The data.
    pub rdata: Rdata,
}

/// Records of one owner, class IN and type. Invariant: `rdatas` is in canonical order, no two canonically equal.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize)]
pub struct Rrset {
    /// The type of all.
    pub rtype: RrType,
    /// The TTL of all (RFC 2181 §5.2).
    pub ttl: u32,
    /// The data; changed by [`Rrset::insert`] and [`Rrset::remove`], which keep the order.
    pub rdatas: Vec<Rdata>,
}

impl Rrset {
    /// An empty set.
    pub fn new(rtype: RrType, ttl: u32) -> Self {
        Self { rtype, ttl, rdatas: Vec::new() }
    }

    /// The set of these data.
    pub fn of(rtype: RrType, ttl: u32, rdatas: impl IntoIterator<Item = Rdata>) -> Self {
        let mut set = Self::new(rtype, ttl);
        for rdata in rdatas {
            set.insert(rdata);
        }
        set
    }

    fn find(&self, rdata: &Rdata) -> Result<usize, usize> {
        let wanted = rdata::canonical(self.rtype, rdata);
        self.rdatas.binary_search_by(|held| rdata::canonical(self.rtype, held).as_ref().cmp(&wanted))
    }

    /// Adds a datum; false if one that is canonically equal is there (which stays, with its case).
    pub fn insert(&mut self, rdata: Rdata) -> bool {
        match self.find(&rdata) {
            Ok(_) => false,
            Err(at) => {
                self.rdatas.insert(at, rdata);
                true
            }
        }
    }

    /// Removes the datum that is canonically equal; false if there is none.
    pub fn remove(&mut self, rdata: &Rdata) -> bool {
        self.find(rdata).map(|at| self.rdatas.remove(at)).is_ok()
    }

    /// Whether a datum that is canonically equal is there.
    pub fn contains(&self, rdata: &Rdata) -> bool {
        self.find(rdata).is_ok()
    }

    /// Whether both have canonically equal data; TTLs do not count (RFC 2136 §3.2.3).
    pub fn same_data(&self, other: &Self) -> bool {
        self.rtype == other.rtype
            && self.rdatas.len() == other.rdatas.len()
            && self.rdatas.iter().all(|rdata| other.contains(rdata))
    }

    /// The data in canonical order.
    pub fn iter(&self) -> std::slice::Iter<'_, Rdata> {
        self.rdatas.iter()
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.rdatas.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rdatas.is_empty()
    }

    /// The records of this set at `owner`.
    pub fn records<'a>(&'a self, owner: &'a Name) -> impl Iterator<Item = Record> + 'a {
        self.rdatas.iter().map(|rdata| Record {
            name: owner.clone(),
            rtype: self.rtype,
            class: Class::IN,
            ttl: self.ttl,
            rdata: rdata.clone(),
        })
    }
}

impl BorshDeserialize for Rrset {
    fn deserialize_reader<R: borsh::io::Read>(reader: &mut R) -> borsh::io::Result<Self> {
        let (rtype, ttl, rdatas) = <(RrType, u32, Vec<Rdata>)>::deserialize_reader(reader)?;
        let canonical = |rdata| rdata::canonical(rtype, rdata);
        if rdatas.is_sorted_by(|a, b| canonical(a) < canonical(b)) {
            Ok(Self { rtype, ttl, rdatas })
        } else {
            Err(borsh::io::Error::new(borsh::io::ErrorKind::InvalidData, "an RRset out of order"))
        }
    }
}

/// The fields of a SOA (RFC 1035 §3.3.13).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Soa {
    /// The primary server.
    pub mname: Name,
    /// The mailbox of who is responsible.
    pub rname: Name,
    /// The version, in RFC 1982 arithmetic.
    pub serial: u32,
    /// Seconds between a secondary's checks.
    pub refresh: u32,
    /// Seconds before a secondary tries again.
    pub retry: u32,
    /// Seconds after which a secondary gives up.
    pub expire: u32,
    /// Seconds that denials may be kept (RFC 2308 §4).
    pub minimum: u32,
}

impl Soa {
    /// Reads SOA rdata; none if it is not.
    pub fn parse(rdata: &Rdata) -> Option<Self> {
        let (mname, first) = Name::prefix_of(rdata.wire()).ok()?;
        let (rname, second) = Name::prefix_of(&rdata.wire()[first..]).ok()?;
        let numbers: &[u8; 20] = rdata.wire()[first + second..].try_into().ok()?;
        let number =
            |i: usize| u32::from_be_bytes([numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]]);
        Some(Self {
            mname,
            rname,
            serial: number(0),
            refresh: number(4),
            retry: number(8),
            expire: number(12),
            minimum: number(16),
        })
    }

    /// The rdata.
    pub fn to_rdata(&self) -> Rdata {
        let mut wire = [self.mname.wire(), self.rname.wire()].concat();
        for number in [self.serial, self.refresh, self.retry, self.expire, self.minimum] {
            wire.extend_from_slice(&number.to_be_bytes());
        }
        Rdata::new(&wire)
    }
}

/// Whether serial `a` is greater than `b` (RFC 1982 §3.2); false where the order is undefined.
pub fn serial_gt(a: u32, b: u32) -> bool {
    let distance = a.wrapping_sub(b);
    distance != 0 && distance < 0x8000_0000
}
