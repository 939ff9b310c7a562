//! What a validator needs to trust a zone: DS records for the parent, trust anchors for BIND's tools.
#![forbid(unsafe_code)]

use super::cluster::Zone;
use crate::dns::dnssec::{ds_digest, key_tag};
use crate::dns::name::Name;
use crate::dns::rdata::{Rdata, to_text};
use crate::dns::rtype::RrType;
use data_encoding::HEXUPPER;

/// The DS records of the zone's KSK, SHA-256 and SHA-384, as master file lines (RFC 4034 §5, RFC 6605 §2).
pub fn ds_text(zone: &Zone) -> String {
    ds_of(&zone.origin, &zone.ksk.dnskey)
}

/// The DS records of one KSK.
pub fn ds_of(origin: &Name, dnskey: &Rdata) -> String {
    let lines =
        [2, 4].map(|digest_type| format!("{origin} IN DS {}\n", ds_data(origin, dnskey, digest_type)));
    lines.concat()
}

/// A DNSKEY record as a master file line.
pub fn dnskey_text(origin: &Name, dnskey: &Rdata) -> String {
    format!("{origin} IN DNSKEY {}\n", to_text(RrType::DNSKEY, dnskey))
}

fn ds_data(origin: &Name, dnskey: &Rdata, digest_type: u8) -> String {
    let tag = key_tag(dnskey.wire());
    let algorithm = dnskey.wire().get(3).copied().unwrap_or_default();
    format!(
        "{tag} {algorithm} {digest_type} {}",
        HEXUPPER.encode(&ds_digest(origin, dnskey, digest_type).unwrap_or_default())
    )
}

/// The zone's KSK as `trust-anchors` of BIND, for `delv -a`.
pub fn trust_anchors(zone: &Zone) -> String {
    let data = ds_data(&zone.origin, &zone.ksk.dnskey, 2);
    let mut words = data.splitn(4, ' ');
    let [tag, algorithm, kind, hash] = std::array::from_fn(|_| words.next().unwrap_or_default());
    format!("trust-anchors {{\n\t\"{}\" static-ds {tag} {algorithm} {kind} \"{hash}\";\n}};\n", zone.origin)
}
