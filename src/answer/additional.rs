//! The additional section: RFC 1034 §4.3.2 step 6, RFC 9471 for referrals, RFC 9460 §4.1 for services.
//!
//! Only what the zone itself holds at a name goes in, authoritative or glue: no wildcard is expanded and no alias followed, as
//! each would take a proof or a chain besides.

use super::compose::{Data, Item};
use super::solve::Solver;
use crate::dns::{Name, Rdata, RrType};
use crate::zone::{Node, SignedRrset, Walk};

/// Records of an answer whose targets are looked up as a courtesy.
const MAX_COURTESY_TARGETS: usize = 32;

/// Services in alias mode followed for one record (RFC 9460 §3: a bound is the client's too; "no more than 8").
const MAX_SERVICE_ALIASES: usize = 8;

impl<'v> Solver<'v> {
    /// Addresses of the hosts that an answer names.
    pub(super) fn courtesy(&mut self, owner: &Name, set: &'v SignedRrset) {
        let rtype = set.rrset.rtype;
        for rdata in set.rrset.rdatas.iter().take(MAX_COURTESY_TARGETS) {
            if matches!(rtype, RrType::SVCB | RrType::HTTPS) {
                self.service(owner, rtype, rdata);
            } else if let Some(target) = target(rtype, rdata) {
                self.addresses(&target, false);
            }
        }
    }

    /// RFC 9460 §4.1: the addresses of a service's target; in alias mode also its services, and theirs.
    fn service(&mut self, owner: &Name, rtype: RrType, rdata: &Rdata) {
        let Some((mut alias, mut target)) = service_target(owner, rdata) else { return };
        for _ in 0..MAX_SERVICE_ALIASES {
            self.addresses(&target, false);
            let Some(set) = self.held(&target).and_then(|node| node.get(rtype)).filter(|_| alias) else {
                return;
            };
            self.add_courtesy(&target, set);
            // One alias leads on; of services each has a target of its own (§2.4.1: with an alias, the others are ignored).
            let targets: Vec<_> =
                set.rrset.rdatas.iter().filter_map(|rdata| service_target(&target, rdata)).collect();
            match targets.iter().find(|(alias, _)| *alias) {
                Some((_, next)) => (alias, target) = (true, next.clone()),
                None => {
                    let targets = targets.iter().take(MAX_COURTESY_TARGETS);
                    return targets.for_each(|(_, target)| self.addresses(target, false));
                }
            }
        }
    }

    /// The addresses of `target`, authoritative or glue, as far as this zone has them.
    pub(super) fn addresses(&mut self, target: &Name, required: bool) {
        let Some(node) = self.held(target) else { return };
        for set in [RrType::A, RrType::AAAA].into_iter().filter_map(|rtype| node.get(rtype)) {
            if required {
                let item = Item { owner: target.clone(), ttl: set.rrset.ttl, data: Data::Set(set) };
                self.solution.glue.push(item);
            } else {
                self.add_courtesy(target, set);
            }
        }
    }

    fn add_courtesy(&mut self, owner: &Name, set: &'v SignedRrset) {
        let solution = &mut self.solution;
        if !solution.answer.iter().chain(&solution.courtesy).any(|item| item.holds(set)) {
            let item = Item { owner: owner.clone(), ttl: set.rrset.ttl, data: Data::Set(set) };
            solution.courtesy.push(item);
        }
    }

    /// What this zone holds at `name`, if no DNAME hides it: that is nobody's address.
    fn held(&self, name: &Name) -> Option<&'v Node> {
        let view = self.view;
        let Walk { node, dname: None, .. } = name.is_subdomain_of(view.origin()).then(|| view.walk(name))?
        else {
            return None;
        };
        node
    }
}

/// The host that an rdata names and whose addresses are of use.
pub(super) fn target(rtype: RrType, rdata: &Rdata) -> Option<Name> {
    let skip = match rtype {
        RrType::NS => 0,
        // RFC 1035 §3.3.9, RFC 1183 §1 and §3.3, RFC 2230 §3.
        RrType::MX | RrType::AFSDB | RrType::RT | RrType::KX => 2,
        RrType::SRV => 6,
        _ => return None,
    };
    Name::from_wire(rdata.wire().get(skip..)?).ok()
}

/// Whether a service is in alias mode, and its target. RFC 9460 §2.5: the root stands for the owner, and in alias mode for
/// no service at all.
fn service_target(owner: &Name, rdata: &Rdata) -> Option<(bool, Name)> {
    let (priority, rest) = rdata.wire().split_first_chunk::<2>()?;
    let alias = *priority == [0, 0];
    let (target, _) = Name::prefix_of(rest).ok()?;
    match target.is_root() {
        true if alias => None,
        true => Some((alias, owner.clone())),
        false => Some((alias, target)),
    }
}
