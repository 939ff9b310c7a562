use super::*;
use crate::dns::master;
use crate::dns::rdata::to_text;
use data_encoding::{BASE64, HEXUPPER};
use std::collections::BTreeMap;

/// The DNSKEY of RFC 4034 §5.4 and RFC 4509 §2.3.
fn dskey_example() -> (Name, Rdata) {
    let public = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx\
                  egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
    let mut rdata = vec![1, 0, 3, 5];
    rdata.extend(BASE64.decode(public.as_bytes()).unwrap());
    (Name::parse("dskey.example.com").unwrap(), Rdata::new(&rdata))
}

/// RFC 4034 §B.
#[test]
fn rfc4034_5_4_key_tag_and_rfc4509_2_2_and_2_3_ds() {
    let (owner, dnskey) = dskey_example();
    assert_eq!(key_tag(dnskey.wire()), 60485);
    let digest = ds_digest(&owner, &dnskey, 2).unwrap();
    assert_eq!(HEXUPPER.encode(&digest), "D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A");
    assert_eq!(ds_digest(&owner, &dnskey, 1), None);
}

#[test]
fn rfc6605_2_ds_of_sha_384_is_the_examples() {
    let public = "xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur\
                  8I/mlVNgF6W/qTI37m40";
    let mut rdata = vec![1, 1, 3, 14];
    rdata.extend(BASE64.decode(public.as_bytes()).unwrap());
    let digest = ds_digest(&Name::parse("example.net").unwrap(), &Rdata::new(&rdata), 4).unwrap();
    assert_eq!(key_tag(&rdata), 10771);
    let wanted =
        "72D7B62976CE06438E9C0BF319013CF801F09ECC84B8D7E9495F27E305C6A9B0563A9B5F4D288405C3008A946DF983D6";
    assert_eq!(HEXUPPER.encode(&digest), wanted);
}

/// RFC 4034 §4.1.2.
#[test]
fn rfc4034_4_3_nsec_example() {
    let types = [RrType::A, RrType::MX, RrType::RRSIG, RrType::NSEC, RrType(1234)].into_iter().collect();
    let next = Name::parse("host.example.com").unwrap();
    let rdata = nsec_rdata(&next, &types);
    let map = &rdata.wire()[next.wire().len()..];
    assert_eq!(HEXUPPER.encode(&map[..8]), "0006400100000003");
    assert_eq!(map[8..11], [4, 27, 0]);
    assert_eq!(map[map.len() - 1], 0x20);
    assert_eq!(parse_nsec(&rdata), Some((next, types)));
}

/// RFC 8080 §3 and RFC 4034 §B.
#[test]
fn rfc8080_6_1_ed25519_key_tag() {
    let mut rdata = vec![1, 1, 3, 15];
    rdata.extend(BASE64.decode(b"l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=").unwrap());
    assert_eq!(key_tag(&rdata), 3613);
    assert!(can_verify(15) && !can_verify(5));
}

/// Zones signed by BIND: every type with Ed25519, and a few sets with every algorithm that we verify.
const EVERY_TYPE: &str = include_str!("../../../tests/data/signed-every-type.zone");
const EVERY_ALGORITHM: &str = include_str!("../../../tests/data/signed-every-algorithm.zone");
/// The DS data that BIND made of the latter's keys: tag, algorithm, SHA-256.
const DS: &[(u16, u8, &str)] = &[
    (431, 8, "46C401A527E9617DE808C84427000C40056E02C0CBE8DC072FF3B1555712DD3C"),
    (10242, 10, "312FD715043D78B315DB66C9B5465FA5D6EF21B7CA392FD970344093847EE0B1"),
    (14105, 13, "39F39587D694E92592070D968F14B16B701878B383A6474BA6FA333AC1D8ED02"),
    (39259, 15, "25AA78F0B13604059772D99C4F6FA6FFEDE73DDA5A767E85BF2D19D14774C95B"),
];

type Sets = BTreeMap<(Name, RrType), Rrset>;

/// The sets, the signatures and the keys of a zone.
fn read(text: &str) -> (Sets, Vec<(Name, Rdata)>, Vec<Rdata>) {
    let (mut sets, mut signatures) = (Sets::new(), Vec::new());
    for record in master::read_str(text, &Name::root()).unwrap() {
        if record.rtype == RrType::RRSIG {
            signatures.push((record.name, record.rdata));
            continue;
        }
        let set =
            sets.entry((record.name, record.rtype)).or_insert_with(|| Rrset::new(record.rtype, record.ttl));
        assert!(set.insert(record.rdata));
    }
    let keys = sets.iter().find(|((_, rtype), _)| *rtype == RrType::DNSKEY).unwrap().1.rdatas.clone();
    (sets, signatures, keys)
}

fn verify_all(text: &str) -> usize {
    let (sets, signatures, keys) = read(text);
    for (owner, rrsig) in &signatures {
        let (fields, signature) = RrsigFields::parse(rrsig).unwrap();
        let set = &sets[&(owner.clone(), fields.type_covered)];
        let key = keys.iter().find(|key| key_tag(key.wire()) == fields.key_tag).unwrap();
        assert_eq!(verify_rrsig(owner, set, rrsig, key), Ok(()), "{owner} {}", set.rtype);
        assert_eq!(fields.to_rdata(&signature), *rrsig);
        refuses_all_else(owner, set, rrsig, key);
    }
    signatures.len()
}

/// A changed signature, datum, owner, TTL or key.
fn refuses_all_else(owner: &Name, set: &Rrset, rrsig: &Rdata, key: &Rdata) {
    let flip = |rdata: &Rdata, at: usize| {
        let mut octets = rdata.wire().to_vec();
        octets[at] ^= 1;
        Rdata::new(&octets)
    };
    let last = rrsig.wire().len() - 1;
    assert_eq!(verify_rrsig(owner, set, &flip(rrsig, last), key), Err(VerifyError::Bogus));
    let mut more = set.clone();
    more.insert(flip(&set.rdatas[0], 0));
    assert_eq!(verify_rrsig(owner, &more, rrsig, key), Err(VerifyError::Bogus));
    let sibling = owner.parent().and_then(|parent| parent.child(b"sibling-of-it")).unwrap();
    assert!(verify_rrsig(&sibling, set, rrsig, key).is_err());
    let mut other_ttl = set.clone();
    other_ttl.ttl += 1;
    assert_eq!(verify_rrsig(owner, &other_ttl, rrsig, key), Err(VerifyError::Mismatch));
    assert_eq!(verify_rrsig(owner, set, rrsig, &flip(key, 8)), Err(VerifyError::OtherKey));
    for end in 0..rrsig.wire().len().min(40) {
        assert!(verify_rrsig(owner, set, &Rdata::new(&rrsig.wire()[..end]), key).is_err());
    }
}

/// RFC 4034 §3.1.3, §3.1.8.1, §6.3: BIND signed it all in canonical form and order.
#[test]
fn rfc4034_6_2_signatures_of_bind_over_every_type_verify() {
    assert!(verify_all(EVERY_TYPE) > 100);
}

#[test]
fn rfc5702_3_and_rfc6605_4_and_rfc8080_4_signatures_of_bind_with_every_algorithm_verify() {
    assert!(verify_all(EVERY_ALGORITHM) >= 24);
}

/// RFC 4034 §5.3.
#[test]
fn rfc4034_5_1_4_ds_data_is_binds() {
    let (_, _, keys) = read(EVERY_ALGORITHM);
    let owner = Name::parse("Signed.TEST").unwrap();
    for (tag, algorithm, digest) in DS {
        let key = keys.iter().find(|key| key_tag(key.wire()) == *tag).unwrap();
        let ds = ds_rdata(&owner, key, 2).unwrap();
        assert_eq!(to_text(RrType::DS, &ds), format!("{tag} {algorithm} 2 {digest}"));
    }
}

#[test]
fn rfc4034_4_1_1_and_4_1_2_nsec_data_of_bind_reads_back() {
    let (sets, _, _) = read(EVERY_TYPE);
    let chain: Vec<_> = sets.iter().filter(|((_, rtype), _)| *rtype == RrType::NSEC).collect();
    assert!(chain.len() > 50);
    for (index, ((_, _), set)) in chain.iter().enumerate() {
        let (next, types) = parse_nsec(&set.rdatas[0]).unwrap();
        assert_eq!(next, chain[(index + 1) % chain.len()].0.0, "our order of names is BIND's");
        assert_eq!(nsec_rdata(&next, &types), set.rdatas[0]);
    }
}

/// RFC 5702 §2.
#[test]
fn rsa_keys_take_their_dnskey_form_and_hopeless_ones_are_refused() {
    // RFC 3110 §2: the length of the exponent, the exponent, the modulus.
    let key = rsa_dnskey_rdata(256, 8, &[0, 1, 0, 1], &[0, 0xc1, 7]);
    assert_eq!(key.wire(), [1, 0, 3, 8, 3, 1, 0, 1, 0xc1, 7]);
    assert_eq!(rsa_parts(&key.wire()[4..]), Some((&[1, 0, 1][..], &[0xc1, 7][..])));
    assert_eq!(rsa_parts(&[0, 0, 1, 3, 9]), Some((&[3][..], &[9][..])), "a length of three octets");
    for bad in [&[][..], &[0], &[0, 0, 0, 9], &[1, 3], &[1, 0, 9], &[1, 3, 0], &[9, 1]] {
        assert_eq!(rsa_parts(bad), None, "{bad:?}");
    }
}
