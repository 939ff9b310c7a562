//! The threshold keys of a deal: searched, or dealt again from their primes.

use super::{Progress, entropy};
use crate::ceremony::cluster_file::{dnskey_of, tags_of};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::threshold::Dealt;
use crate::threshold::dealer::{self, Primes};
use crate::zone::Role;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Draws after which colliding key tags can be no accident.
const MAX_DRAWS: usize = 100;

/// A key that is to be dealt.
#[derive(Clone)]
pub struct Wanted {
    /// The zone, in lower case.
    pub zone: Name,
    /// What it signs.
    pub role: Role,
    /// 8 or 10.
    pub algorithm: u8,
    /// Bits of the modulus.
    pub bits: usize,
    /// Replicas that get a share.
    pub n: usize,
    /// Shares that sign.
    pub k: usize,
}

/// A key with all its secrets.
pub struct DealtKey {
    /// What was wanted.
    pub wanted: Wanted,
    /// The key and its shares.
    pub dealt: Dealt,
    /// The whole secret, for the backup.
    pub primes: Primes,
}

impl Wanted {
    fn label(&self) -> String {
        format!("{} {}", self.zone, self.role)
    }
}

impl DealtKey {
    /// Its DNSKEY.
    pub fn dnskey(&self) -> Rdata {
        dnskey_of(&self.dealt.public, self.wanted.role.flags(), self.wanted.algorithm)
    }
}

/// Searches keys on all cores; their key tags are unique among them and those `taken`, as they are and revoked.
pub fn search(
    wanted: &[Wanted],
    mut taken: BTreeSet<u16>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<DealtKey>, String> {
    let search_one = |index: usize| {
        let want: &Wanted = &wanted[index];
        let label = want.label();
        let mut tell = |event| progress(Progress { key: index, label: &label, event: Some(event) });
        let found = dealer::deal_keeping(want.bits, want.n, want.k, &mut entropy, &mut tell);
        let (dealt, primes) = found.map_err(|e| format!("{label}: {e}"))?;
        Ok(DealtKey { wanted: want.clone(), dealt, primes })
    };
    let mut keys = in_parallel(wanted.len(), &search_one)?;
    for (index, want) in wanted.iter().enumerate() {
        let label = want.label();
        for draw in 0.. {
            let tags = tags_of(&keys[index].dnskey());
            if taken.is_disjoint(&tags) {
                taken.extend(tags);
                break;
            }
            if draw == MAX_DRAWS {
                return Err(format!("{label}: no key with a key tag of its own in {MAX_DRAWS} draws"));
            }
            keys[index] = search_one(index)?;
        }
        progress(Progress { key: index, label: &label, event: None });
    }
    Ok(keys)
}

/// Deals kept keys again: the same d, another polynomial.
pub fn again(wanted: &[Wanted], kept: &[(Name, Role, u8, Primes)]) -> Result<Vec<DealtKey>, String> {
    let deal = |index: usize| {
        let want: &Wanted = &wanted[index];
        let label = want.label();
        // Of two the later: a backup of a key that came after.
        let found = kept.iter().rfind(|(zone, role, _, _)| (zone, role) == (&want.zone, &want.role));
        let (_, _, algorithm, primes) = found.ok_or_else(|| format!("the backup holds no {label}"))?;
        let dealt = dealer::deal_from_primes(&primes.p, &primes.q, want.n, want.k, &mut entropy);
        let dealt = dealt.map_err(|e| format!("{label}: {e}"))?;
        let primes = Primes { p: primes.p.clone(), q: primes.q.clone() };
        Ok(DealtKey { wanted: Wanted { algorithm: *algorithm, ..want.clone() }, dealt, primes })
    };
    in_parallel(wanted.len(), &deal)
}

/// The results of `work(0)` … `work(count - 1)`, made by as many threads as there are cores.
fn in_parallel<T: Send>(
    count: usize,
    work: &(dyn Fn(usize) -> Result<T, String> + Sync),
) -> Result<Vec<T>, String> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from).min(count);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let result = work(index);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}
