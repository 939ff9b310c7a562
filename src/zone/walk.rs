//! All that an answer asks of a name, found on one way from the apex down to it: one key is made, each name above is
//! looked up once.

use super::view::{Node, SignedRrset, View, prefixes};
use crate::dns::{Name, RrType};

/// A name in a view, and what is on the way to it.
pub struct Walk<'v> {
    view: &'v View,
    key: Vec<u8>,
    /// The topmost delegation at the name or above it, below the apex.
    pub cut: Option<&'v Node>,
    /// The topmost DNAME strictly above the name, the apex included.
    pub dname: Option<&'v Node>,
    /// The node of exactly this name: authoritative, delegation, glue or occluded.
    pub node: Option<&'v Node>,
}

impl View {
    /// Walks to `name`, which the zone encloses.
    pub fn walk(&self, name: &Name) -> Walk<'_> {
        let (key, apex) = (name.sort_key(), self.apex_key().octets());
        let (mut cut, mut dname, mut last) = (None, None, None);
        for prefix in prefixes(&key, apex) {
            last = self.nodes.get(prefix);
            let Some(node) = last else { continue };
            if cut.is_none() && prefix.len() > apex && node.get(RrType::NS).is_some() {
                cut = last;
            }
            if dname.is_none() && prefix.len() < key.len() && node.get(RrType::DNAME).is_some() {
                dname = last;
            }
        }
        // RFC 5155 §7.2.8: the owner of an NSEC3 does not exist by it.
        Walk { view: self, key, cut, dname, node: last.filter(|node| node.has_data()) }
    }
}

impl<'v> Walk<'v> {
    /// Whether some name strictly below owns records.
    pub fn has_below(&self) -> bool {
        self.view.has_below_key(&self.key)
    }

    /// The closest encloser of `name`, the one that was walked to (RFC 4592 §3.3.1).
    pub fn closest_encloser(&self, name: &Name) -> Name {
        self.view.closest_encloser_key(&self.key, name)
    }

    /// The owner and the NSEC that matches the name or covers it.
    pub fn nsec(&self) -> Option<(&'v Name, &'v SignedRrset)> {
        self.view.nsec_covering_key(&self.key)
    }
}
