//! NSEC3 (RFC 5155) with the one set of parameters that RFC 9276 §3.1 leaves: SHA-1, no additional iterations, no salt; and
//! without opt-out.

use super::rdata::{decode_types, encode_types};
use super::{Name, Rdata, RrType};
use data_encoding::BASE32_DNSSEC;
use sha1::{Digest as _, Sha1};
use std::collections::BTreeSet;

/// SHA-1, flags, iterations (two octets), the length of the salt (RFC 5155 §3.2, §4.2).
const PARAMETERS: [u8; 5] = [1, 0, 0, 0, 0];

/// The hash of a name: IH(salt, name, 0) of RFC 5155 §5.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NameHash(pub [u8; 20]);

impl NameHash {
    /// Of a name, whatever the case of its letters (§5: the canonical form).
    pub fn of(name: &Name) -> Self {
        Self(Sha1::digest(name.to_lowercase().wire()).into())
    }

    /// The label that owns its NSEC3 under the apex: 32 letters of base32hex without padding, lower case (§1.3).
    pub fn label(&self) -> String {
        BASE32_DNSSEC.encode(&self.0)
    }

    /// The owner of its NSEC3; none if that is too long for a name.
    pub fn owner(&self, apex: &Name) -> Option<Name> {
        apex.child(self.label().as_bytes())
    }
}

/// NSEC3 data (§3.2): the next hash and the types at the name, in any order.
pub fn nsec3_rdata(next: &NameHash, types: &BTreeSet<RrType>) -> Rdata {
    let mut octets = PARAMETERS.to_vec();
    octets.push(next.0.len() as u8);
    octets.extend_from_slice(&next.0);
    octets.extend_from_slice(&encode_types(types));
    Rdata::new(&octets)
}

/// Reads NSEC3 data of these parameters: the next hash and the types.
pub fn parse_nsec3(rdata: &Rdata) -> Option<(NameHash, BTreeSet<RrType>)> {
    let rest = rdata.wire().strip_prefix(&PARAMETERS)?.strip_prefix(&[20])?;
    let (next, types) = rest.split_first_chunk::<20>()?;
    Some((NameHash(*next), decode_types(types)?))
}

/// NSEC3PARAM data (§4.2).
pub fn nsec3param_rdata() -> Rdata {
    Rdata::new(&PARAMETERS)
}

#[cfg(test)]
mod tests {
    use super::super::rdata;
    use super::*;

    fn hash(name: &str) -> NameHash {
        NameHash::of(&Name::parse(name).unwrap())
    }

    /// RFC 5155 §5: the hash of names in the canonical form. (The values are ldns-nsec3-hash's and nsec3hash's.)
    #[test]
    fn hashes_are_those_of_other_implementations() {
        for (name, label) in KNOWN {
            assert_eq!(hash(name).label(), label, "{name}");
            assert_eq!(hash(&name.to_uppercase()), hash(name));
        }
    }

    /// RFC 5155 §3.2, §3.3: wire and text form, which any reader of rdata takes.
    #[test]
    fn data_read_back_as_they_were_made() {
        let types = BTreeSet::from([RrType::A, RrType::RRSIG, RrType(1234)]);
        let made = nsec3_rdata(&hash("a.example."), &types);
        assert_eq!(parse_nsec3(&made), Some((hash("a.example."), types)));
        let text = rdata::to_text(RrType::NSEC3, &made);
        assert_eq!(text.to_lowercase(), format!("1 0 0 - {} a rrsig type1234", hash("a.example.").label()));
        assert_eq!(rdata::validate(RrType::NSEC3, made.wire()), Ok(()));
        assert_eq!(rdata::to_text(RrType::NSEC3PARAM, &nsec3param_rdata()), "1 0 0 -");
        // RFC 5155 §7.1: an empty bitmap at an empty non-terminal.
        let empty = nsec3_rdata(&hash("a."), &BTreeSet::new());
        assert_eq!((empty.wire().len(), rdata::validate(RrType::NSEC3, empty.wire())), (26, Ok(())));
        for octets in [&[][..], &made.wire()[..20], &[1, 0, 0, 1, 0, 20]] {
            assert_eq!(parse_nsec3(&Rdata::new(octets)), None);
        }
    }

    /// RFC 5155 §10.1: an owner that does not fit is none.
    #[test]
    fn a_long_apex_leaves_no_room_for_hashes() {
        let label = "x".repeat(63);
        let apex = Name::parse(&format!("{label}.{label}.{label}.{}.", "y".repeat(29))).unwrap();
        assert_eq!(hash("a.").owner(&apex), None);
        assert!(hash("a.").owner(&apex.ancestor(3)).is_some());
    }

    const KNOWN: [(&str, &str); 5] = [
        ("example.", "3msev9usmd4br9s97v51r2tdvmr9iqo1"),
        ("a.example.", "6cd522290vma0nr8lqu1ivtcofj94rga"),
        ("*.example.", "99jahpqee6f2bu0n7i5cpsm6pbs6tp05"),
        (".", "bekjp7dgpvsjukll47bk43i3urmq4u2f"),
        ("xn--e1afmkfd.test.", "00uu7tbkqvdhtamj1vchvud6c7qf41lf"),
    ];
}
