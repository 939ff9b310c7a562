//! What `conclave ctl zone replace` would change of what is served.

use super::super::{Failure, Target, export_from};
use crate::dns::name::Name;
use crate::dns::{RrType, Rrset, Soa, master};
use crate::zone::Contents;
use std::collections::BTreeMap;

/// RRsets that are named; of the rest it is said how many.
const MAX_SHOWN: usize = 20;

type Sets = BTreeMap<(Name, RrType), Rrset>;

/// The changes, for people; of the first replica that serves the zone.
pub(super) fn told(targets: &[Target], origin: &Name, new: &[(Name, Rrset)]) -> Result<String, Failure> {
    let mut reasons = Vec::new();
    for target in targets {
        match served(target, origin) {
            Ok(old) => return Ok(between(origin, &old, &by_name(new.to_vec()))),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(Failure(reasons))
}

fn served(target: &Target, origin: &Name) -> Result<Sets, String> {
    let text = export_from(&target.socket, origin)?;
    let mut records = master::read_str(&text, origin).map_err(|why| format!("the export: {why}"))?;
    records.retain(|record| !Contents::is_clusters(record.rtype));
    Contents::sets(origin, &records).map(by_name)
}

fn by_name(sets: Vec<(Name, Rrset)>) -> Sets {
    sets.into_iter().map(|(name, set)| ((name.to_lowercase(), set.rtype), set)).collect()
}

fn between(origin: &Name, old: &Sets, new: &Sets) -> String {
    let added = new.keys().filter(|key| !old.contains_key(key)).map(|key| ('+', key));
    let removed = old.keys().filter(|key| !new.contains_key(key)).map(|key| ('-', key));
    let differs = |(key, set): &(&(Name, RrType), &Rrset)| {
        key.1 != RrType::SOA && old.get(key).is_some_and(|before| before != *set)
    };
    let changed = new.iter().filter(differs).map(|(key, _)| ('~', key));
    let mut all: Vec<(char, &(Name, RrType))> = added.chain(removed).chain(changed).collect();
    all.sort_by_key(|(_, key)| *key);
    let count = |sign| all.iter().filter(|(of, _)| *of == sign).count();
    let mut text =
        format!("{origin}: {} RRsets added, {} changed, {} removed\n", count('+'), count('~'), count('-'));
    for (sign, (name, rtype)) in all.iter().take(MAX_SHOWN) {
        text.push_str(&format!("  {sign} {name} {rtype}\n"));
    }
    if let Some(more @ 1..) = all.len().checked_sub(MAX_SHOWN) {
        text.push_str(&format!("  and {more} more\n"));
    }
    let soa = |sets: &Sets| {
        let set = sets.get(&(origin.clone(), RrType::SOA))?;
        Some((set.ttl, Soa::parse(set.rdatas.first()?)?))
    };
    if let (Some((old_ttl, old)), Some((new_ttl, new))) = (soa(old), soa(new)) {
        let same = old_ttl == new_ttl && Soa { serial: 0, ..old.clone() } == Soa { serial: 0, ..new.clone() };
        let rest = if same { "" } else { ", and the SOA changes otherwise" };
        text.push_str(&format!("  serial {} is served, the file's is {}{rest}\n", old.serial, new.serial));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_goes_and_changes_is_counted_and_named() {
        let origin = Name::parse("a.test").unwrap();
        let sets = |text: &str| {
            let text = format!("$TTL 60\n@ NS ns.b.test.\n{text}");
            by_name(Contents::sets(&origin, &master::read_str(&text, &origin).unwrap()).unwrap())
        };
        let old = sets("@ SOA ns host 7 1 1 1 1\nWWW A 192.0.2.1\nold TXT a\nsame TXT a\n");
        let new = sets("@ SOA ns host 9 1 1 1 1\nwww A 192.0.2.2\nnew TXT a\nsame TXT a\n");
        assert_eq!(
            between(&origin, &old, &new),
            "a.test.: 1 RRsets added, 1 changed, 1 removed\n  + new.a.test. TXT\n  - old.a.test. TXT\n  ~ www.a.test. A\n  \
             serial 7 is served, the file's is 9\n"
        );
        let said = between(&origin, &old, &sets("@ SOA ns host 9 1 1 1 2\n"));
        assert!(
            said.contains("0 added, 0 changed, 3 removed")
                || said.contains("0 RRsets added, 0 changed, 3 removed")
        );
        assert!(said.contains("and the SOA changes otherwise"), "{said}");
    }
}
