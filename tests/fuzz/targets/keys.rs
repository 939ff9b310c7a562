//! Keys of clients that are no secrets, and requests as stock tools made them with their own.

use conclave::dns::sig0::Sig0Key;
use conclave::dns::tsig::{Keyring, TsigAlgorithm, TsigKey};
use conclave::dns::{Name, RrType, rdata};

/// When the captured requests are authentic, in seconds.
pub const NOW: u64 = 1_795_239_021;

/// The KEY data of `Client.EXAMPLE` that made [`NSUPDATE`].
const SIG0: &str = "512 3 15 EOny40ofF/LTyanWx/7305BqncP4bjqCJsEfdHO3s/w=";

/// A request of `nsupdate -k` of BIND 9.18 with that key: an update of `example.test.`, and its SIG(0).
const NSUPDATE: &str = "199828000001000100010001076578616d706c6504746573740000060001036e6577c00c00ff00fe000000000000c01e0010\
    00010000012c0002017800001800ff00000000006200000f00000000006b012d996b012b41776906636c69656e74076578616d706c650013bc9f\
    748fcf480c7b9a46318eb3fcdf0db9d4dfe50d85aa2b2c71b328e09e02935a1ab6cb0787c5d4ecb61b2950aada84a8f7\
    f0b1cc2625a609e34670c2f50e";

pub fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

/// The TSIG key `updater.`
pub fn updater() -> TsigKey {
    TsigKey::new(name("updater."), TsigAlgorithm::HmacSha256, vec![7; 32])
}

/// `updater.` and `Client.EXAMPLE.`
pub fn keyring() -> Keyring {
    let mut keys = Keyring::default();
    keys.tsig.insert(name("updater."), updater());
    let words: Vec<&str> = SIG0.split(' ').collect();
    let key = rdata::from_text(RrType::KEY, &words, &Name::root()).expect("KEY data");
    let owner = name("Client.EXAMPLE");
    keys.sig0.insert(owner.clone(), vec![Sig0Key::new(owner, &key).expect("a key")]);
    keys
}

/// The captured request.
pub fn nsupdate() -> Vec<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).expect("a hexadecimal digit") as u8;
    NSUPDATE.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
