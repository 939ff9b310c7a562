//! The zones a server answers for.

use crate::dns::Name;
use crate::zone::View;
use std::sync::Arc;

/// The zones that are served, each in its last published version. Immutable: a new version makes a new catalog.
#[derive(Clone, Default)]
pub struct Catalog {
    /// In canonical order of the origins, so that the zones under a zone follow it.
    zones: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    origin: Name,
    view: Arc<View>,
    ordered: bool,
    /// The index of the nearest zone that encloses this one.
    parent: Option<usize>,
}

/// A zone of the catalog, found for a name.
#[derive(Clone, Copy)]
pub(super) struct Found<'c> {
    pub(super) view: &'c Arc<View>,
    pub(super) ordered: bool,
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
        let origin = view.origin().clone();
        let mut zones: Vec<Entry> = self.zones.iter().filter(|e| e.origin != origin).cloned().collect();
        let at = zones.partition_point(|entry| entry.origin < origin);
        zones.insert(at, Entry { origin, view, ordered, parent: None });
        for index in 0..zones.len() {
            // The nearest encloser comes before, with only zones under it in between.
            zones[index].parent =
                (0..index).rev().find(|&above| zones[index].origin.is_subdomain_of(&zones[above].origin));
        }
        Self { zones }
    }

    /// The view of exactly this zone.
    pub fn view(&self, origin: &Name) -> Option<&Arc<View>> {
        let at = self.zones.binary_search_by(|entry| entry.origin.cmp(origin)).ok()?;
        Some(&self.zones[at].view)
    }

    /// The deepest zone that encloses `name`.
    pub fn find(&self, name: &Name) -> Option<&Arc<View>> {
        self.enclosing(name).map(|found| found.view)
    }

    /// The zones' views, in canonical order of their origins.
    pub fn views(&self) -> impl Iterator<Item = &Arc<View>> {
        self.zones.iter().map(|entry| &entry.view)
    }

    pub(super) fn enclosing(&self, name: &Name) -> Option<Found<'_>> {
        // Every zone that encloses the name is its predecessor in canonical order or encloses that.
        let mut index = self.zones.partition_point(|entry| entry.origin <= *name).checked_sub(1)?;
        while !name.is_subdomain_of(&self.zones[index].origin) {
            index = self.zones[index].parent?;
        }
        Some(self.found(index))
    }

    /// The nearest zone above a found one.
    pub(super) fn above(&self, found: Found<'_>) -> Option<Found<'_>> {
        self.zones[found.index].parent.map(|index| self.found(index))
    }

    fn found(&self, index: usize) -> Found<'_> {
        let entry = &self.zones[index];
        Found { view: &entry.view, ordered: entry.ordered, index }
    }
}
