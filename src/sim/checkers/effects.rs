//! Authorisation, and exactly once: the zone holds what it was dealt with and what clients signed, each request once.
//!
//! The model is a map from name to address and a list of what clients made. It knows nothing of zones: an update
//! that was answered NOERROR must be one that a client made, up to its identifier and signature; the first time it
//! takes its effect, every other time none. After each batch the trusted server's zone must hold just that.
use super::WINDOW;
use crate::codec::{self, Digest, digest};
use crate::dns::{Name, Rcode, RrType, dnssec, nsec3};
use crate::limits::MAX_REQUEST_BYTES;
use crate::replica::ExecutedBatch;
use crate::zone::{Denial, Request, View};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Octets of a DNS header: the identifier, the flags and counts (RFC 1035 §4.1.1).
const HEADER: usize = 12;

/// What an update makes of a name: its only address, or none.
pub type Change = (Name, Option<u8>);

/// The clients' updates, and what the zone must hold by them.
#[derive(Default)]
pub struct Effects {
    /// By length of the unsigned message and digest of what follows its header.
    genuine: BTreeMap<(usize, Digest), Genuine>,
    oldest: VecDeque<(usize, Digest)>,
    lengths: BTreeMap<usize, usize>,
    addresses: BTreeMap<Name, u8>,
    dealt: Option<BTreeSet<(Name, RrType, Vec<u8>)>>,
    /// Of the version before.
    serial: Option<u32>,
    /// Updates executed again, without effect.
    repeats: u64,
}

struct Genuine {
    effect: Option<Change>,
    executed: bool,
}

impl Effects {
    /// A client has made an update, signed or not, whose unsigned message is `message`; `effect`, if it is taken.
    pub fn made(&mut self, message: &[u8], effect: Option<Change>) {
        let key = (message.len(), name(message));
        *self.lengths.entry(message.len()).or_default() += 1;
        self.genuine.insert(key, Genuine { effect, executed: false });
        self.oldest.push_back(key);
        while self.oldest.len() > WINDOW {
            let Some(key) = self.oldest.pop_front() else { return };
            self.genuine.remove(&key);
            if let Some(count) = self.lengths.get_mut(&key.0) {
                *count -= 1;
            }
            self.lengths.retain(|_, count| *count > 0);
        }
    }

    /// A batch was executed, and the version that came of it, if one did.
    pub fn executed(&mut self, batch: &ExecutedBatch, version: Option<&View>) -> Result<(), String> {
        for (ordered, rcode) in batch.requests.iter().zip(&batch.rcodes) {
            if let (Ok(Request::Update { wire }), Rcode::NOERROR) =
                (codec::decode(&ordered.bytes, MAX_REQUEST_BYTES), *rcode)
            {
                self.taken(batch.number, &wire)?;
            }
        }
        version.map_or(Ok(()), |view| self.compare(view))
    }

    /// Updates executed again, without effect.
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    fn taken(&mut self, number: u64, wire: &[u8]) -> Result<(), String> {
        let lengths = self.lengths.keys().copied().filter(|length| *length <= wire.len());
        let found =
            lengths.map(|length| (length, name(&wire[..length]))).find(|key| self.genuine.contains_key(key));
        let Some(genuine) = found.and_then(|key| self.genuine.get_mut(&key)) else {
            return Err(format!("authorisation: batch {number} took an update that no client made"));
        };
        if std::mem::replace(&mut genuine.executed, true) {
            self.repeats += 1;
            return Ok(());
        }
        match genuine.effect.clone() {
            Some((name, Some(address))) => drop(self.addresses.insert(name, address)),
            Some((name, None)) => drop(self.addresses.remove(&name)),
            None => {}
        }
        Ok(())
    }

    fn compare(&mut self, view: &View) -> Result<(), String> {
        let serial = view.serial();
        if self.serial.replace(serial).is_some_and(|before| serial != before + 1) {
            return Err(format!(
                "publication: serial {serial} is not one more than that of the version before"
            ));
        }
        chain(view)?;
        let mut held = BTreeSet::new();
        for node in view.iter() {
            for (rtype, signed) in node.iter().filter(|(rtype, _)| !is_the_clusters(*rtype)) {
                let rdatas =
                    signed.rrset.iter().map(|rdata| (node.name().clone(), rtype, rdata.wire().to_vec()));
                held.extend(rdatas);
            }
        }
        let Some(dealt) = &self.dealt else {
            self.dealt = Some(held);
            return Ok(());
        };
        let ours = |(name, last): (&Name, &u8)| (name.clone(), RrType::A, vec![198, 51, 100, *last]);
        let expected: BTreeSet<_> = dealt.iter().cloned().chain(self.addresses.iter().map(ours)).collect();
        match expected.symmetric_difference(&held).next() {
            None => Ok(()),
            Some((name, rtype, rdata)) => Err(format!(
                "authorisation: at serial {} the clients' requests, each once, do not explain {name} {rtype} {rdata:?}",
                view.serial()
            )),
        }
    }
}

/// The chain of denial: from each owner of an NSEC or NSEC3 to the next in canonical order, and from the last to the first.
fn chain(view: &View) -> Result<(), String> {
    let links: Vec<(Name, Name)> = view
        .iter()
        .filter_map(|node| {
            let next = match view.denial() {
                Denial::Nsec => dnssec::parse_nsec(node.get(RrType::NSEC)?.rrset.iter().next()?)?.0,
                Denial::Nsec3 => {
                    let nsec3 = node.get(RrType::NSEC3)?.rrset.iter().next()?;
                    nsec3::parse_nsec3(nsec3)?.0.owner(view.origin())?
                }
            };
            Some((node.name().clone(), next))
        })
        .collect();
    let next = links.iter().cycle().skip(1).map(|(owner, _)| owner);
    match links.iter().zip(next).find(|((_, shown), next)| shown != *next) {
        None => Ok(()),
        Some(((owner, shown), next)) => {
            let what = view.denial().word().to_uppercase();
            Err(format!("publication: the {what} of {owner} leads to {shown}, and the next owner is {next}"))
        }
    }
}

/// Names a message without its header, whose identifier and counts signing changes.
fn name(message: &[u8]) -> Digest {
    digest("conclave/sim/update", &[message.get(HEADER..).unwrap_or(&[])])
}

/// What is not the clients' to write: none of this zone's writes what the parent is told.
fn is_the_clusters(rtype: RrType) -> bool {
    matches!(
        rtype,
        RrType::NSEC | RrType::NSEC3 | RrType::SOA | RrType::DNSKEY | RrType::CDS | RrType::CDNSKEY
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_that_no_client_made_is_found() {
        let message = |last: u8| [vec![0; HEADER], vec![1, 2, last]].concat();
        let signed = |last: u8| [message(last), vec![9; 40]].concat();
        let mut effects = Effects::default();
        effects.made(&message(3), None);
        assert_eq!(effects.taken(1, &signed(3)), Ok(()));
        assert_eq!((effects.taken(2, &signed(3)), effects.repeats()), (Ok(()), 1));
        assert!(effects.taken(3, &signed(4)).is_err());
        assert!(effects.taken(4, &[]).is_err());
    }

    #[test]
    fn an_update_that_takes_effect_twice_is_found() {
        let owner = Name::parse("c0-1.sim.test.").unwrap();
        let mut effects = Effects { dealt: Some(BTreeSet::new()), ..Effects::default() };
        let put = |last: u8| [vec![0; HEADER], vec![last]].concat();
        for last in [1, 2] {
            effects.made(&put(last), Some((owner.clone(), Some(last))));
        }
        for last in [1, 2, 1] {
            assert_eq!(effects.taken(1, &put(last)), Ok(()));
        }
        assert_eq!(effects.addresses.get(&owner), Some(&2), "the repeat of the first changes nothing");
    }
}
