//! Which RRsets answer a question: RFC 1034 §4.3.2 steps 3 to 6.
//!
//! Assumes complete views: every authoritative RRset signed, every authoritative name and cut with its NSEC.
//! Guarantees: at most [`MAX_CHAIN`] aliases are followed, all of them in zones of this server; with `dnssec` each denial
//! and each wildcard expansion comes with its proof.

use super::additional::target;
use super::catalog::{Catalog, Way};
use super::compose::{Data, Item};
use super::deny::Absent;
use crate::dns::{Name, Rcode, RrType, Rrset};
use crate::zone::{Node, SignedRrset, View, Walk};

/// Aliases (CNAME, DNAME) followed for one question. A resolver asks on from there.
const MAX_CHAIN: usize = 12;

/// What a response holds, before it is written.
pub(super) struct Solution<'v> {
    pub(super) rcode: Rcode,
    /// AA: we are an authority for the first owner name in the answer, or for the name asked (RFC 1035 §4.1.1).
    pub(super) authoritative: bool,
    pub(super) answer: Vec<Item<'v>>,
    pub(super) authority: Vec<Item<'v>>,
    /// Addresses without which a referral is of no use: if they do not fit, TC (RFC 9471 §3.1).
    pub(super) glue: Vec<Item<'v>>,
    /// Addresses that may be left out (RFC 2181 §9).
    pub(super) courtesy: Vec<Item<'v>>,
    /// Octets of the suffix of the name asked whose every name gets a response like this: of a delegation, of what is above
    /// an asterisk, of a DNAME, of the zone if the name does not exist; otherwise of the whole name.
    pub(super) scope: usize,
}

impl Solution<'_> {
    /// `scope`: that of the whole name asked.
    fn new(rcode: Rcode, authoritative: bool, scope: usize) -> Self {
        Self {
            rcode,
            authoritative,
            answer: Vec::with_capacity(4),
            authority: Vec::with_capacity(4),
            glue: Vec::new(),
            courtesy: Vec::new(),
            scope,
        }
    }
}

/// Where answers come from.
#[derive(Clone, Copy)]
pub(super) struct Source<'v> {
    /// The zone of the name asked.
    pub(super) view: &'v View,
    /// The zones that an alias may lead to besides; none if this one's version is of another moment than theirs (an
    /// ordered read).
    pub(super) others: Option<&'v Catalog>,
}

/// Answers `qname qtype` from the source's view, whose zone encloses `qname`, and on along aliases.
pub(super) fn solve<'v>(source: Source<'v>, qname: &Name, qtype: RrType, dnssec: bool) -> Solution<'v> {
    let solution = Solution::new(Rcode::NOERROR, true, qname.wire().len());
    let mut solver = Solver { view: source.view, qtype, dnssec, solution };
    let mut name = qname.clone();
    for _ in 0..=MAX_CHAIN {
        match solver.look_up(&name) {
            // Step 3a: "change QNAME to the canonical name and go back to step 1", where the zone is chosen.
            Next::Alias(target) => match solver.zone_of(source, &target) {
                Some(view) => (solver.view, name) = (view, target),
                None => break,
            },
            Next::Done => break,
        }
    }
    if solver.solution.rcode == Rcode::SERVFAIL {
        // What cannot be proven is not said.
        return Solution::new(Rcode::SERVFAIL, false, qname.wire().len());
    }
    solver.solution
}

/// How the search goes on.
enum Next {
    Done,
    Alias(Name),
}

pub(super) struct Solver<'v> {
    /// The zone that the chain has come to.
    pub(super) view: &'v View,
    qtype: RrType,
    pub(super) dnssec: bool,
    pub(super) solution: Solution<'v>,
}

impl<'v> Solver<'v> {
    /// The zone in which a chain goes on at `name`: none if it is not ours, not ready, or read in order only.
    fn zone_of(&self, source: Source<'v>, name: &Name) -> Option<&'v View> {
        let Some(catalog) = source.others else {
            return name.is_subdomain_of(self.view.origin()).then_some(self.view);
        };
        let found = catalog.answering(name, self.qtype).filter(|found| found.way == Way::Open)?;
        found.view.map(AsRef::as_ref)
    }

    fn look_up(&mut self, name: &Name) -> Next {
        let walk = self.view.walk(name);
        let cut = walk.cut.filter(|node| !(self.qtype == RrType::DS && node.name() == name));
        match (cut, walk.dname) {
            // What is topmost hides the other.
            (Some(cut), None) => self.refer(cut),
            (Some(cut), Some(dname)) if cut.name().label_count() <= dname.name().label_count() => {
                self.refer(cut)
            }
            (_, Some(dname)) => self.redirect(name, dname),
            (None, None) => match walk.node {
                Some(node) => self.match_node(name, node, &walk),
                None if walk.has_below() => self.no_data(name, &walk, Absent::Type),
                None => self.synthesize(name, &walk),
            },
        }
    }

    /// Step 3b: a referral (RFC 4035 §3.1.4: with DS or the proof that there is none).
    fn refer(&mut self, node: &'v Node) -> Next {
        let owner = node.name();
        let Some(ns) = node.get(RrType::NS) else { return Next::Done };
        if self.solution.answer.is_empty() {
            self.solution.authoritative = false;
        }
        self.narrow(owner);
        self.authority(owner, ns);
        if self.dnssec {
            self.secure_or_not(node);
        }
        for target in ns.rrset.rdatas.iter().filter_map(|rdata| target(RrType::NS, rdata)) {
            self.addresses(&target, target.is_subdomain_of(owner));
        }
        Next::Done
    }

    /// Step 3c with a DNAME above the name: RFC 6672 §3.2.
    fn redirect(&mut self, name: &Name, node: &'v Node) -> Next {
        let owner = node.name();
        let Some(dname) = node.get(RrType::DNAME) else { return Next::Done };
        self.narrow(owner);
        if !self.answered(owner, dname) {
            self.answer(owner, dname);
        }
        let Some(target) = rdata_name(dname).and_then(|target| name.replace_suffix(owner, &target)) else {
            // RFC 6672 §2.2: a name that grows too long.
            self.solution.rcode = Rcode::YXDOMAIN;
            return Next::Done;
        };
        self.solution.answer.push(Item {
            owner: name.clone(),
            ttl: dname.rrset.ttl,
            data: Data::Cname(target.clone()),
        });
        // The CNAME itself matches these.
        if [RrType::CNAME, RrType::ANY].contains(&self.qtype) { Next::Done } else { Next::Alias(target) }
    }

    /// Step 3a: the name exists.
    fn match_node(&mut self, name: &Name, node: &'v Node, walk: &Walk<'v>) -> Next {
        match self.take(name, node) {
            Taken::Nothing => self.no_data(name, walk, Absent::Type),
            Taken::Answer => Next::Done,
            Taken::Alias(target) => Next::Alias(target),
        }
    }

    /// Step 3c: the name does not exist; is there a source of synthesis (RFC 4592 §3.3.1)?
    fn synthesize(&mut self, name: &Name, walk: &Walk<'v>) -> Next {
        let encloser = walk.closest_encloser(name);
        self.narrow(&encloser);
        // An asterisk that would be too long cannot be there.
        let Some(asterisk) = encloser.wildcard_child() else {
            return self.nx_domain(name, walk, None);
        };
        let source = self.view.walk(&asterisk);
        let Some(node) = source.node else {
            if source.has_below() {
                // RFC 4592 §2.2.2: an empty non-terminal is a source of synthesis too.
                return self.no_data(name, walk, Absent::TypeOfAsterisk(&source));
            }
            return self.nx_domain(name, walk, Some(&source));
        };
        let taken = match node.get(RrType::NS) {
            // RFC 4592 §4.2: the meaning of a wildcard cut is undefined; its NS are never signed, so they are not given.
            Some(_) if self.qtype != RrType::DS => Taken::Nothing,
            _ => self.take(name, node),
        };
        match taken {
            Taken::Nothing => return self.no_data(name, walk, Absent::TypeOfAsterisk(&source)),
            // RFC 4035 §3.1.3.3: that no closer match exists.
            Taken::Answer => self.deny(name, walk, &Absent::Closer),
            Taken::Alias(target) => {
                self.deny(name, walk, &Absent::Closer);
                return Next::Alias(target);
            }
        }
        Next::Done
    }

    /// Puts what `node` has for the question into the answer, under the owner `name`.
    fn take(&mut self, name: &Name, node: &'v Node) -> Taken {
        if self.qtype == RrType::ANY || self.qtype == RrType::RRSIG {
            return self.take_any(name, node);
        }
        // RFC 5155 §7.2.8: an NSEC3 is no data of the name that owns it.
        if let Some(set) = node.get(self.qtype).filter(|_| self.qtype != RrType::NSEC3) {
            self.answer(name, set);
            self.courtesy(name, set);
            return Taken::Answer;
        }
        // Also for an NSEC, in a zone with NSEC3: RFC 5155 §7.2.3 lets no NSEC3 that shows a CNAME deny it, and §8.5 no validator
        // believe that. Where the chain is of NSECs an alias has its own (RFC 4035 §2.5), which was found above.
        let Some(cname) = node.get(RrType::CNAME) else { return Taken::Nothing };
        if self.answered(name, cname) {
            return Taken::Answer; // A loop: what is there says so.
        }
        self.answer(name, cname);
        rdata_name(cname).map_or(Taken::Answer, Taken::Alias)
    }

    /// RFC 8482 §4.1 and §7: of everything, one RRset; of all signatures, one RRset's.
    fn take_any(&mut self, name: &Name, node: &'v Node) -> Taken {
        let all = self.qtype == RrType::ANY;
        let sets = node.iter().filter(|(rtype, _)| *rtype != RrType::NSEC3).map(|(_, set)| set);
        let mut sets = sets.filter(|set| all || !set.rrsigs().is_empty());
        let Some(mut chosen) = sets.next() else { return Taken::Nothing };
        if chosen.rrset.rtype == RrType::NSEC {
            chosen = sets.next().unwrap_or(chosen);
        }
        if self.qtype == RrType::ANY {
            self.answer(name, chosen);
        } else {
            let data = Data::Signatures(chosen);
            self.solution.answer.push(Item { owner: name.clone(), ttl: chosen.rrset.ttl, data });
        }
        Taken::Answer
    }

    /// RFC 2308 §2.2.
    fn no_data(&mut self, name: &Name, walk: &Walk<'v>, absent: Absent<'_, 'v>) -> Next {
        self.soa();
        self.deny(name, walk, &absent);
        Next::Done
    }

    /// RFC 2308 §2.1 (and RFC 6604 §3: the rcode is that of the last name of a chain).
    fn nx_domain(&mut self, name: &Name, walk: &Walk<'v>, asterisk: Option<&Walk<'v>>) -> Next {
        self.solution.rcode = Rcode::NXDOMAIN;
        self.narrow(self.view.origin());
        self.no_data(name, walk, Absent::Name(asterisk))
    }

    /// The response comes from `suffix`, and would for each name under it; what follows an alias is about the alias.
    fn narrow(&mut self, suffix: &Name) {
        if self.solution.answer.is_empty() {
            self.solution.scope = suffix.wire().len();
        }
    }

    /// The SOA of a negative answer, whose TTL bounds how long the denial is kept (RFC 2308 §3).
    fn soa(&mut self) {
        let view = self.view;
        let soa = view.soa();
        let ttl = soa.rrset.ttl.min(minimum(&soa.rrset));
        self.solution.authority.push(Item { owner: view.origin().clone(), ttl, data: Data::Set(soa) });
    }

    /// Adds to the authority section what is not there yet.
    pub(super) fn authority(&mut self, owner: &Name, set: &'v SignedRrset) {
        if !self.solution.authority.iter().any(|item| item.holds(set)) {
            self.solution.authority.push(Item {
                owner: owner.clone(),
                ttl: set.rrset.ttl,
                data: Data::Set(set),
            });
        }
    }

    fn answer(&mut self, owner: &Name, set: &'v SignedRrset) {
        self.solution.answer.push(Item { owner: owner.clone(), ttl: set.rrset.ttl, data: Data::Set(set) });
    }

    fn answered(&self, owner: &Name, set: &SignedRrset) -> bool {
        self.solution.answer.iter().any(|item| item.holds(set) && item.owner == *owner)
    }
}

/// What a node gave.
enum Taken {
    Nothing,
    Answer,
    Alias(Name),
}

/// Where a CNAME or DNAME points.
fn rdata_name(alias: &SignedRrset) -> Option<Name> {
    Name::from_wire(alias.rrset.rdatas.first()?.wire()).ok()
}

/// The last field of a SOA.
fn minimum(soa: &Rrset) -> u32 {
    let last = soa.rdatas.first().and_then(|rdata| rdata.wire().last_chunk::<4>());
    last.map_or(0, |octets| u32::from_be_bytes(*octets))
}
