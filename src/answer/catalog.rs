//! The zones a server answers for.

use crate::dns::{Name, RrType};
use crate::zone::View;
use std::sync::Arc;

/// The zones that are served, each in its last published version, or none yet. Immutable: a new version makes a new
/// catalog.
#[derive(Clone, Default)]
pub struct Catalog {
    /// In canonical order of the origins, so that the zones under a zone follow it.
    zones: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    origin: Name,
    view: Option<Arc<View>>,
    way: Way,
    /// The index of the nearest zone that encloses this one.
    parent: Option<usize>,
}

/// Whose queries for a zone are answered, and from where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// Everybody's, from the view.
    Open,
    /// Everybody's, through the broadcast.
    Ordered,
    /// Only theirs whom [`super::Settings::readers`] lets in: a catalog zone (RFC 9432 §7).
    Closed,
}

/// A zone of the catalog, found for a name.
#[derive(Clone, Copy)]
pub(super) struct Found<'c> {
    pub(super) view: Option<&'c Arc<View>>,
    pub(super) way: Way,
    index: usize,
}

impl Catalog {
    /// A catalog without zones: everything is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// This catalog with `view` in the place of the same zone's version, if it had one. `ordered`: queries for this
    /// zone are to go through the broadcast.
    pub fn with(&self, view: Arc<View>, ordered: bool) -> Self {
        let way = if ordered { Way::Ordered } else { Way::Open };
        self.put(view.origin().clone(), Some(view), way)
    }

    /// The same with a zone that only [`super::Settings::readers`] may read.
    pub fn with_closed(&self, view: Arc<View>) -> Self {
        self.put(view.origin().clone(), Some(view), Way::Closed)
    }

    /// This catalog with a zone that has no version to serve yet: SERVFAIL until it has.
    pub fn awaiting(&self, origin: Name) -> Self {
        self.put(origin, None, Way::Open)
    }

    /// This catalog without a zone: what is asked of it is refused, or the zone above answers.
    pub fn without(&self, origin: &Name) -> Self {
        Self::of(self.zones.iter().filter(|entry| entry.origin != *origin).cloned().collect())
    }

    fn put(&self, origin: Name, view: Option<Arc<View>>, way: Way) -> Self {
        let mut zones: Vec<Entry> = self.zones.iter().filter(|e| e.origin != origin).cloned().collect();
        let at = zones.partition_point(|entry| entry.origin < origin);
        zones.insert(at, Entry { origin, view, way, parent: None });
        Self::of(zones)
    }

    fn of(mut zones: Vec<Entry>) -> Self {
        for index in 0..zones.len() {
            // The nearest encloser comes before, with only zones under it in between.
            zones[index].parent =
                (0..index).rev().find(|&above| zones[index].origin.is_subdomain_of(&zones[above].origin));
        }
        Self { zones }
    }

    /// The view of exactly this zone, if it has one.
    pub fn view(&self, origin: &Name) -> Option<&Arc<View>> {
        let at = self.zones.binary_search_by(|entry| entry.origin.cmp(origin)).ok()?;
        self.zones[at].view.as_ref()
    }

    /// Whether exactly this zone is served, if not yet.
    pub fn has(&self, origin: &Name) -> bool {
        self.zones.binary_search_by(|entry| entry.origin.cmp(origin)).is_ok()
    }

    /// The origins, in canonical order.
    pub fn origins(&self) -> impl Iterator<Item = &Name> {
        self.zones.iter().map(|entry| &entry.origin)
    }

    /// The views, in canonical order of their origins.
    pub fn views(&self) -> impl Iterator<Item = &Arc<View>> {
        self.zones.iter().filter_map(|entry| entry.view.as_ref())
    }

    /// The zone that answers for `name` and `rtype`: the deepest that encloses the name (RFC 1034 §4.3.2 step 2), or of a DS
    /// at its apex the one above, whether that delegates here or not: the DS is the parent side's, and if what is
    /// above here is not the parent, its answer leads there (RFC 4035 §3.1.4.1).
    pub(super) fn answering(&self, name: &Name, rtype: RrType) -> Option<Found<'_>> {
        let found = self.enclosing(name)?;
        let entry = &self.zones[found.index];
        let above = entry.parent.filter(|_| rtype == RrType::DS && entry.origin == *name);
        Some(above.map_or(found, |index| self.found(index)))
    }

    /// The deepest zone that encloses `name`.
    fn enclosing(&self, name: &Name) -> Option<Found<'_>> {
        // Every zone that encloses the name is its predecessor in canonical order or encloses that.
        let mut index = self.zones.partition_point(|entry| entry.origin <= *name).checked_sub(1)?;
        while !name.is_subdomain_of(&self.zones[index].origin) {
            index = self.zones[index].parent?;
        }
        Some(self.found(index))
    }

    fn found(&self, index: usize) -> Found<'_> {
        let entry = &self.zones[index];
        Found { view: entry.view.as_ref(), way: entry.way, index }
    }
}
