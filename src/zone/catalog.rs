//! The catalog zone (RFC 9432, producer): secondaries learn from it which zones the cluster has.
//!
//! The state holds its origin, its serial and the number of the batch that changed it last; its members are the zones. Whenever
//! the set of zones or the origin changes, the serial moves, once in that batch: it is the agreed time in seconds, or one more
//! than before, also when there was no catalog for a while. A member's label is a digest of its origin and of the batch
//! that added it ([`super::Charter::born`]), so that a zone that was removed and comes again is another member (§5.4).
//!
//! The catalog is published like a zone's version, but it is none: it is not signed, so it is there at once; nobody
//! updates it; and nobody but secondaries is to see it ([`View::is_catalog`]).

use super::draft::Draft;
use super::machine::Machine;
use super::register::{Entry, Label};
use super::request::{Published, ZoneNews};
use super::rules::SerialRule;
use super::view::View;
use crate::codec;
use crate::dns::{Name, Rdata, RrType, Rrset, Soa};
use crate::time::{DAY, HOUR, SECOND};
use borsh::{BorshDeserialize, BorshSerialize};
use std::sync::Arc;

/// Octets of a member's label: hexadecimal of a digest's first half.
const LABEL_OCTETS: usize = 32;
/// The TTL of all its records; it says nothing (§4).
const TTL: u32 = 0;

/// What the state has of the catalog.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub(super) struct Catalog {
    /// In lower case; none while there is no catalog.
    origin: Option<Name>,
    serial: u32,
    /// The batch that changed it last.
    batch: u64,
}

impl Catalog {
    /// What must hold of a restored one.
    pub(super) fn check(&self) -> Result<(), String> {
        self.origin.as_ref().map_or(Ok(()), |origin| member(origin, origin, 0).map(|_| ()))
    }
}

impl View {
    /// Whether it is the catalog, which is not signed: only secondaries are to see it.
    pub fn is_catalog(&self) -> bool {
        self.dnskeys().is_none()
    }
}

impl Machine {
    /// The catalog zone's newest version, if there is a catalog.
    pub fn catalog(&self) -> Option<&Published> {
        self.catalog.as_ref()
    }

    pub(super) fn catalog_origin(&self) -> Option<&Name> {
        match self.register.get(&Label::Catalog) {
            Some(Entry::Catalog(catalog)) => catalog.origin.as_ref(),
            _ => None,
        }
    }

    fn catalog_entry(&self) -> Catalog {
        match self.register.get(&Label::Catalog) {
            Some(Entry::Catalog(catalog)) => catalog.clone(),
            _ => Catalog::default(),
        }
    }

    /// The zones are listed under this origin from now on, or nowhere.
    pub(super) fn catalog_command(&mut self, origin: Option<&Name>) -> Result<(), String> {
        let mut catalog = self.catalog_entry();
        if catalog.origin.as_ref() == origin {
            return Err("it is so already".into());
        }
        if let Some(origin) = origin {
            if self.zones.contains_key(origin) {
                return Err(format!("{origin} is one of the cluster's zones"));
            }
            member(origin, origin, 0)?;
        }
        self.catalog = None;
        self.lists_anew = true;
        self.news.extend(catalog.origin.take().map(ZoneNews::Removed));
        catalog.origin = origin.map(Name::to_lowercase);
        self.register.put(Entry::Catalog(catalog), &mut self.tally);
        Ok(())
    }

    /// What this batch did to the zones shows in the catalog.
    pub(super) fn follow_catalog(&mut self) -> Vec<Published> {
        if !std::mem::take(&mut self.lists_anew) || self.catalog_origin().is_none() {
            return Vec::new();
        }
        let mut catalog = self.catalog_entry();
        catalog.serial = SerialRule::UnixTime.next(catalog.serial, self.time);
        catalog.batch = self.batches;
        self.register.put(Entry::Catalog(catalog), &mut self.tally);
        let built = self.build_catalog();
        debug_assert!(built.is_ok(), "its names fit since the command");
        self.catalog.iter().cloned().collect()
    }

    /// Lists the zones as the state has them.
    pub(super) fn check_catalog(&self) -> Result<(), String> {
        match self.catalog_origin().filter(|origin| self.zones.contains_key(*origin)) {
            Some(origin) => Err(format!("{origin} is the catalog zone")),
            None => Ok(()),
        }
    }

    pub(super) fn build_catalog(&mut self) -> Result<(), String> {
        let Catalog { origin, serial, batch } = self.catalog_entry();
        let Some(origin) = origin else { return Ok(()) };
        let members = self.zones.values().map(|ledger| (&ledger.rules.origin, ledger.born));
        let view = Arc::new(view(&origin, serial, members)?);
        self.catalog = Some(Published { zone: origin, version: batch, view });
        Ok(())
    }
}

fn view<'a>(
    origin: &Name,
    serial: u32,
    members: impl Iterator<Item = (&'a Name, u64)>,
) -> Result<View, String> {
    let invalid = below("invalid", &Name::root())?;
    let seconds = |ms: u64| (ms / SECOND) as u32;
    let soa = Soa {
        mname: invalid.clone(),
        rname: invalid.clone(),
        serial,
        refresh: seconds(HOUR),
        retry: seconds(HOUR / 6),
        expire: seconds(14 * DAY),
        minimum: TTL,
    };
    let mut sets = vec![
        (origin.clone(), RrType::SOA, soa.to_rdata()),
        (origin.clone(), RrType::NS, Rdata::new(invalid.wire())),
        (below("version", origin)?, RrType::TXT, Rdata::new(b"\x012")),
    ];
    for (zone, born) in members {
        sets.push((member(origin, zone, born)?, RrType::PTR, Rdata::new(zone.to_lowercase().wire())));
    }
    let mut draft = Draft::new(View::empty(origin.clone()));
    for (name, rtype, rdata) in sets {
        draft.put(&name, Rrset::of(rtype, TTL, [rdata])).map_err(|why| why.to_string())?;
    }
    Ok(draft.view)
}

/// The owner of a member's PTR (§4.2).
fn member(origin: &Name, zone: &Name, born: u64) -> Result<Name, String> {
    let digest = codec::digest("conclave/catalog", &[zone.to_lowercase().wire(), &born.to_be_bytes()]);
    below(&digest.to_hex()[..LABEL_OCTETS], &below("zones", origin)?)
}

fn below(label: &str, name: &Name) -> Result<Name, String> {
    let wire = [&[label.len() as u8], label.as_bytes(), name.wire()].concat();
    Name::from_wire(&wire).map_err(|_| format!("too long for names under it: {name}"))
}
