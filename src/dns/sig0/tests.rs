use super::*;
use crate::dns::rdata;
use crate::dns::rtype::RrType;
use crate::dns::tsig::authenticate;

/// Requests as `nsupdate -k` of BIND 9.18 made them at this time with keys of `dnssec-keygen -T KEY -n HOST`: KEY data and
/// tag, ID, what all share, SIG(0).
const TIME: u64 = 1_795_239_021;
const BODY: &str = "28000001000100010001076578616d706c6504746573740000060001036e6577c00c00ff00fe000000000000c01e0010\
     00010000012c00020178";
const REQUESTS: &[(&str, u16, &str, &str)] = &[
    (
        "512 3 8 AwEAAaIbQ3DCi+Ovy5UF3iAq2XfwYf8qPX7mPf4yFJC10LQraSV86KH0rTZfvVcXkUvdMGIEhxZwKP8wo/iROqHG\
         SoErQmn7AXYa3UfJUEpbMVADMDxGm/4hDsICgPAPtTeYG0ySXK9Ei7Ver3Q8ktv8QYbg8uZiQU/HxuaPgsNsPnhHYyPnRnyU\
         H0NsriwW74BXLpNKQySGnVHRgLzUAP0n+UA9BlxvSuuN6IOKdEauvxtZeL+DiM016bkQOu3fQlMbqqcSM4ttBD7g3eEBSPyX\
         lg/JIH9j2zpkV8IOj++MdgqhjIJbP+z3VUaKslOCtA3tU9NwaF7G7fmZAU8eedtVq+c=",
        140,
        "ac14",
        "00001800ff00000000012200000800000000006b012d996b012b41008c06636c69656e74076578616d706c65007dbf59\
         0a1a22546813887f44c60831dbedbb29c452f63d5aa267d5b48c9a8b8f76766cdd34234008edc293111dbc5e21df0a24\
         d469c53d559a3a104ef660290c780bfc9f853f5283b73472ffe8807ec4fb0a078029d26b23f4707c351e7fa0f23d334f\
         9ffad5605e7e1712647c99d4ba231dda85ead47e8d457fa36a4e67d226d805b553768f350b5ddbe90a485f3c2b579601\
         ee33e4d14c9fd0006c517b2c445b8a8113ca7c29d59df0e0d95ebc24de857f4790a192d3ea952c6e332aa29e4ee13c8a\
         5839fcb4f61a1143e469b2c78bdc0f0887c8a7921ab1018f4af413cf810475edcc1bb15fb5bcdc43b7cf557331991a63\
         9437c35641f7dc8605140f9499",
    ),
    (
        "512 3 13 +xbLJP5nCr+ODcIdotPVhdwZFyBTmqJ9YIuxfMHiP7XvwNJUSi6V5i8Y96QcGHNsSGb8GFizJtxueUKFd6cgJA=\
         =",
        65323,
        "8648",
        "00001800ff00000000006200000d00000000006b012d996b012b41ff2b06636c69656e74076578616d706c6500aedade\
         2bfcf3d10974403c60caf13eaec2529649bf5211d058adedee9548457141ca8ef957e9ca0c84d987510f1ff3358907ae\
         006cfea22d8876d97fa1a02bf4",
    ),
    (
        "512 3 15 EOny40ofF/LTyanWx/7305BqncP4bjqCJsEfdHO3s/w=",
        30569,
        "1998",
        "00001800ff00000000006200000f00000000006b012d996b012b41776906636c69656e74076578616d706c650013bc9f\
         748fcf480c7b9a46318eb3fcdf0db9d4dfe50d85aa2b2c71b328e09e02935a1ab6cb0787c5d4ecb61b2950aada84a8f7\
         f0b1cc2625a609e34670c2f50e",
    ),
];

fn name() -> Name {
    Name::parse("Client.EXAMPLE").unwrap()
}

/// A request and a keyring with its key.
fn request(index: usize) -> (Vec<u8>, Keyring) {
    let (key, tag, id, sig) = REQUESTS[index];
    let words: Vec<&str> = key.split(' ').collect();
    let key = rdata::from_text(RrType::KEY, &words, &Name::root()).unwrap();
    let key = Sig0Key::new(name(), &key).unwrap();
    assert_eq!(key.tag, tag);
    let mut keys = Keyring::default();
    keys.sig0.insert(name(), vec![key]);
    let wire = data_encoding::HEXLOWER.decode([id, BODY, sig].concat().as_bytes()).unwrap();
    (wire, keys)
}

/// RFC 2931 §3.1, §3.3; RFC 8080 §3, RFC 6605 §4 and RFC 5702 §2: the algorithms of keys.
#[test]
fn requests_of_nsupdate_with_rsa_p256_and_ed25519_are_authentic_for_ten_minutes() {
    for index in 0..REQUESTS.len() {
        let (wire, keys) = request(index);
        for now in [TIME - 300, TIME, TIME + 300] {
            let verified = authenticate(&wire, &keys, now).unwrap();
            assert_eq!(verified.signer, Signer::Sig0(name()));
            assert_eq!((verified.expires_secs, verified.tsig_mac), (TIME + 300, None));
        }
        for now in [TIME - 301, TIME + 301] {
            assert_eq!(authenticate(&wire, &keys, now), Err(AuthFailure::BadTime));
        }
    }
}

/// RFC 2931 §3.1.
#[test]
fn any_changed_octet_is_refused() {
    // The TTL of the SIG is not covered, and of its class only that it is ANY.
    for index in 0..REQUESTS.len() {
        let (wire, keys) = request(index);
        let ttl = 2 + BODY.len() / 2 + 5;
        for at in (0..wire.len()).filter(|at| !(ttl..ttl + 4).contains(at)) {
            let mut changed = wire.clone();
            changed[at] ^= 1;
            let verdict = authenticate(&changed, &keys, TIME);
            assert!(verdict.is_err(), "octet {at} of request {index}");
        }
    }
}

#[test]
fn every_cut_is_formerr() {
    let (wire, keys) = request(2);
    for end in 0..wire.len() {
        assert_eq!(authenticate(&wire[..end], &keys, TIME), Err(AuthFailure::FormErr), "cut at {end}");
    }
}

#[test]
fn another_key_is_badkey_and_another_of_the_same_tag_is_badsig() {
    let (wire, mut keys) = request(2);
    let (_, others) = request(1);
    assert_eq!(authenticate(&wire, &others, TIME), Err(AuthFailure::BadKey));
    assert_eq!(authenticate(&wire, &Keyring::default(), TIME), Err(AuthFailure::BadKey));
    let list = keys.sig0.get_mut(&name()).unwrap();
    let mut twin = list[0].clone();
    twin.public[0] ^= 1;
    list.insert(0, twin);
    assert!(authenticate(&wire, &keys, TIME).is_ok(), "the right one of two with one tag is found");
    keys.sig0.get_mut(&name()).unwrap().truncate(1);
    assert_eq!(authenticate(&wire, &keys, TIME), Err(AuthFailure::BadSig));
}

/// RFC 2931 §3.3.
#[test]
fn a_window_is_at_most_ten_minutes_with_what_is_taken_before_it() {
    let taken = |from: i32, to: i32| {
        let now = TIME as u32;
        let sig = SigRecord {
            algorithm: 15,
            expiration: now.wrapping_add_signed(to),
            inception: now.wrapping_add_signed(from),
            tag: 0,
            signer: name(),
            signature: &[],
            covered: &[],
        };
        window(&sig, TIME).is_some()
    };
    for (from, to) in [(0, 300), (299, 599), (300, 600), (-300, 300), (-600, 0), (1, 600), (0, 600)] {
        assert!(taken(from, to), "{from} to {to}");
    }
    for (from, to) in [(301, 601), (-301, 300), (1, 601), (-10, -1), (10, 5), (-10, 1_000_000), (2, 601)] {
        assert!(!taken(from, to), "{from} to {to}");
    }
}

/// RFC 2931 §3.
#[test]
fn keys_that_cannot_sign_messages_are_refused() {
    for key in ["49664 3 15", "512 2 15 AA==", "512 3 5 AA==", "512 3 16 AA=="] {
        let words: Vec<&str> = key.split(' ').collect();
        let key = rdata::from_text(RrType::KEY, &words, &Name::root()).unwrap();
        assert!(Sig0Key::new(name(), &key).is_err());
    }
    assert!(Sig0Key::new(name(), &Rdata::new(&[2, 0, 3])).is_err());
}
