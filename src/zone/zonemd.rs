//! Whether a zone's ZONEMD records hold (RFC 8976): digests over all its records, themselves and their signatures aside.

use crate::dns::rdata::canonical;
use crate::dns::{Class, Name, Record, RrType, Soa};
use sha2::{Digest, Sha384, Sha512};
use std::collections::BTreeSet;

/// The scheme over the whole zone at once (§2.2.2).
const SIMPLE: u8 = 1;
/// Octets of serial, scheme and algorithm before the digest.
const FIXED: usize = 6;

/// What the ZONEMD records of a zone say of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// There are none.
    Absent,
    /// One of them holds (§4).
    Holds,
    /// None of them can be checked, for this reason.
    Unknown(&'static str),
    /// None of those that can be checked holds.
    Fails,
}

/// Checks the ZONEMD records among these, which are all of the zone.
pub fn verify(origin: &Name, records: &[&Record]) -> Verdict {
    let at_apex = |rtype: RrType| records.iter().filter(move |r| r.rtype == rtype && r.name == *origin);
    let serial =
        at_apex(RrType::SOA).next().and_then(|record| Soa::parse(&record.rdata)).map(|soa| soa.serial);
    let digests: BTreeSet<&[u8]> = at_apex(RrType::ZONEMD).map(|record| record.rdata.wire()).collect();
    if digests.is_empty() {
        return Verdict::Absent;
    }
    let mut reason = Verdict::Unknown("its scheme or algorithm is not known here");
    for rdata in &digests {
        let Some((fixed, digest)) = rdata.split_first_chunk::<FIXED>() else { continue };
        let [s1, s2, s3, s4, scheme, algorithm] = *fixed;
        // §4: two of one kind, or one of another version, are not to be used.
        let twice = digests.iter().filter(|other| other.get(4..6) == Some(&[scheme, algorithm])).count() > 1;
        let is_current = Some(u32::from_be_bytes([s1, s2, s3, s4])) == serial;
        let computed = match (scheme, algorithm) {
            (SIMPLE, 1) => simple::<Sha384>(origin, records),
            (SIMPLE, 2) => simple::<Sha512>(origin, records),
            _ => continue,
        };
        if !twice && is_current && computed == digest {
            return Verdict::Holds;
        }
        reason = Verdict::Fails;
    }
    reason
}

/// The digest of the scheme SIMPLE (§3.3.1): each record once, in canonical form and order (§3.3).
fn simple<D: Digest>(origin: &Name, records: &[&Record]) -> Vec<u8> {
    let covered = |rdata: &[u8]| rdata.first_chunk::<2>().map(|octets| RrType(u16::from_be_bytes(*octets)));
    let is_left_out = |record: &Record| {
        record.name == *origin
            && (record.rtype == RrType::ZONEMD
                || record.rtype == RrType::RRSIG && covered(record.rdata.wire()) == Some(RrType::ZONEMD))
    };
    let mut all: Vec<_> = records
        .iter()
        .filter(|record| !is_left_out(record))
        .map(|record| (&record.name, record.rtype, canonical(record.rtype, &record.rdata), record.ttl))
        .collect();
    all.sort();
    all.dedup_by(|a, b| (a.0, a.1, &a.2) == (b.0, b.1, &b.2));
    let mut digest = D::new();
    for (name, rtype, rdata, ttl) in all {
        digest.update(name.to_lowercase().wire());
        digest.update(rtype.0.to_be_bytes());
        digest.update(Class::IN.0.to_be_bytes());
        digest.update(ttl.to_be_bytes());
        digest.update((rdata.len() as u16).to_be_bytes());
        digest.update(&rdata);
    }
    digest.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::master::read_str;

    /// RFC 8976 appendix A.1.
    const EXAMPLE: &str = "example. 86400 IN SOA ns1 admin 2018031900 ( 1800 900 604800 86400 )\n\
        86400 IN NS ns1\n 86400 IN NS ns2\n 86400 IN ZONEMD 2018031900 1 1 (\n\
        c68090d90a7aed71 6bc459f9340e3d7c 1370d4d24b7e2fc3 a1ddc0b9a87153b9 a9713b3c9ae5cc27 777f98b8e730044c )\n\
        ns1 3600 IN A 203.0.113.63\nns2 3600 IN AAAA 2001:db8::63\n";

    fn verdict(text: &str) -> Verdict {
        let origin = Name::parse("example").unwrap();
        let records = read_str(text, &origin).unwrap();
        verify(&origin, &records.iter().collect::<Vec<_>>())
    }

    /// RFC 8976 §4, §A.1: the simple zone's digest holds, however its records are written, and no other.
    #[test]
    fn the_digest_of_the_rfc_holds_and_of_a_changed_zone_fails() {
        let example = &EXAMPLE.replace("\n86400", "\n 86400");
        assert_eq!(verdict(example), Verdict::Holds);
        let again = format!("{example}NS2.EXAMPLE. 3600 AAAA 2001:DB8::63\n");
        assert_eq!(verdict(&again), Verdict::Holds, "a record counts once");
        assert_eq!(verdict(&example.replace("203.0.113.63", "203.0.113.64")), Verdict::Fails);
        assert_eq!(verdict(&example.replace("ZONEMD 2018031900", "ZONEMD 2018031901")), Verdict::Fails);
        assert!(matches!(verdict(&example.replace("1 1 (", "1 240 (")), Verdict::Unknown(_)));
        assert_eq!(verdict("x.example. 1 A 192.0.2.1\n"), Verdict::Absent);
    }
}
