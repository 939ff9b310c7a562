//! Proofs of absence: by NSEC (RFC 4035 §3.1.3) or NSEC3 (RFC 5155 §7.2), as the zone has them.

use super::solve::Solver;
use crate::dns::{Name, Rcode, RrType};
use crate::zone::{Denial, Node, SignedRrset, View, Walk};

/// What is not there, of a name that was walked to.
pub(super) enum Absent<'w, 'v> {
    /// The type, at a name that exists.
    Type,
    /// The type, at the asterisk that matches the name.
    TypeOfAsterisk(&'w Walk<'v>),
    /// The name, and the asterisk that would match it (none: it would be too long).
    Name(Option<&'w Walk<'v>>),
    /// A closer match than the asterisk whose records are the answer.
    Closer,
}

/// An NSEC or NSEC3 at its owner.
pub(super) type Proof<'v> = Option<(&'v Name, &'v SignedRrset)>;

impl<'v> Solver<'v> {
    /// Puts the proofs into the authority section, each once.
    pub(super) fn deny(&mut self, name: &Name, walk: &Walk<'v>, absent: &Absent<'_, 'v>) {
        if !self.dnssec {
            return;
        }
        let proofs = match self.view.denial() {
            Denial::Nsec => by_nsec(walk, absent),
            Denial::Nsec3 => by_nsec3(self.view, name, walk, absent),
        };
        for proof in proofs {
            match proof {
                Some((owner, set)) => self.authority(owner, set),
                // RFC 5155 §7.2.9: a name that does not exist has the hash of one that does.
                None => self.solution.rcode = Rcode::SERVFAIL,
            }
        }
    }

    /// The DS of a delegation, or the proof that there is none (RFC 4035 §3.1.4, RFC 5155 §7.2.7).
    pub(super) fn secure_or_not(&mut self, cut: &'v Node) {
        let owner = cut.name();
        let absent = || match self.view.denial() {
            Denial::Nsec => cut.get(RrType::NSEC).map(|set| (owner, set)),
            Denial::Nsec3 => self.view.nsec3_matching(owner),
        };
        if let Some((owner, set)) = cut.get(RrType::DS).map(|set| (owner, set)).or_else(absent) {
            self.authority(owner, set);
        }
    }
}

/// The NSEC that matches or covers the name, and that of the asterisk.
fn by_nsec<'v>(walk: &Walk<'v>, absent: &Absent<'_, 'v>) -> Vec<Proof<'v>> {
    let asterisk = match absent {
        Absent::TypeOfAsterisk(asterisk) | Absent::Name(Some(asterisk)) => asterisk.nsec(),
        Absent::Type | Absent::Name(None) | Absent::Closer => None,
    };
    walk.nsec().into_iter().chain(asterisk).map(Some).collect()
}

pub(super) fn by_nsec3<'v>(
    view: &'v View,
    name: &Name,
    walk: &Walk<'v>,
    absent: &Absent<'_, 'v>,
) -> Vec<Proof<'v>> {
    if let Absent::Type = absent {
        // §7.2.3, §7.2.4: without opt-out every name that exists has one.
        return vec![view.nsec3_matching(name)];
    }
    // §7.2.1: the closest encloser matches, the next closer name is covered.
    let encloser = walk.closest_encloser(name);
    let next_closer = view.nsec3_covering(&name.ancestor(encloser.label_count() + 1));
    let asterisk = || encloser.wildcard_child();
    match absent {
        // §7.2.6: the closest encloser shows in the labels field of the answer's RRSIG.
        Absent::Type | Absent::Closer => vec![next_closer],
        // §7.2.5.
        Absent::TypeOfAsterisk(_) => {
            let asterisk = asterisk().and_then(|asterisk| view.nsec3_matching(&asterisk));
            vec![view.nsec3_matching(&encloser), next_closer, asterisk]
        }
        // §7.2.2.
        Absent::Name(_) => {
            let asterisk = asterisk().map(|asterisk| view.nsec3_covering(&asterisk));
            [view.nsec3_matching(&encloser), next_closer].into_iter().chain(asterisk).collect()
        }
    }
}
