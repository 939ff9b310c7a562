//! Keys of fixed, published primes: **for tests, benchmarks and the simulator only**. Whoever has read this file can
//! sign with them.

use super::{Dealt, dealer};

/// p, q of two 1024-bit keys.
pub const PRIMES_512: [[&str; 2]; 2] = [
    [
        "DDA02DD2BEEBC864E45488A9C97431DE5E709684A96E034F770B2E1C67008A0288D7F8699287E8382BC8FDE5C6333CAE\
         34D25E569A9B167BEBDE7072B7B64BEB",
        "F8DB55E5364ADD4F5FD2E9FE096567B2442C74FAC2164D4A704C77EC0BB386A59617620922110729616FF7F9ABC3EA5C\
         55B434A078F6413BCE6F2670D01CFBCB",
    ],
    [
        "D0B36F2F9110FA62262FEF9147BE92D6A123D5AEFDBB6B448867F7275094719EF6F776C4AD8DB9DDD46AFBF48C120979\
         51A10F383F91CA07D0D9BAA64D08ED47",
        "E266F5ADEDE9511C5F1B029A64FC36379D3A13B904B1E20DD289E72BA7BB47FD37B02C970ADBFCF32BFAFF1A792DEA1A\
         07C525F6696DC2DD45855AD86093E9D3",
    ],
];

/// p, q of two 2048-bit keys.
pub const PRIMES_1024: [[&str; 2]; 2] = [
    [
        "DFC818B5A83124679D1495F4C5BB1266BD82086BA5D52E6D2B746DCFEB2D6DC1DBFBC66EC71C21260FD8D133DFE9A017\
         8FDCC7403624BC10E05541BF26ED7F6100441A4238475038E5F10FE1C4441321EAE4AFEADB95A4640BD5DAEC3E77354B\
         DE9E7ACA7E676F559B7F66378B403014B18BDBB654C6A33F5074543CBB392F53",
        "C71065C742833BDD69BA0A4F5278DB1FED13C4EBBBF356B2186B662B16FB980DF0B51567DB959F5435909796F57061D5\
         580268BF2C82B6139F63C9CABD403B9717D7CD6B51C7FF8E023927C79C0CA8435D16E0AE3EC60370F108198BEE9799CC\
         346AFB810DC770A1A72B146450793651BE5C4E2120FAD8076855CD3E6886DE97",
    ],
    [
        "E6385EB1B9061AD20C94F0C35F196B6E17B51AF29054322A8A766CBC78BB7FF3C6CAB4318B1FF0CC00DC8BE55BA92C4F\
         BB5CA3E887C191F8DB23BD8AD984C5DB1DD50E42E287034E733DE363C48A3DD874E9F9CBD5F615A8C0B985BB04D57A30\
         CA7E1A0343B7596C03D30F6120024C34EC972DB63A7A027612A3296575EDF1D3",
        "FF9CE3A8BD7E2304C2BABA220AF8A70E0C5349B45C17F53520550A9975A683FC8FBB6B80A843D2932CB6B61505BDDD14\
         3DCAF9CAECD1FFA1B5CB44F982C7262280287AFD74FED9DAC863E7916A8A536A3734B06517DF0D54386705CE55A9CD3C\
         C38682FD527A164F06FF178471BBCF0D361044B6699827F764EDE2C94BC225AB",
    ],
];

/// Deals a fixed key of `bits` (1024 or 2048), one of two (`which` is 0 or 1), to `n` replicas with threshold `k`. The
/// same arguments give the same key and shares.
pub fn dealt(bits: usize, which: usize, n: usize, k: usize) -> Dealt {
    deal(bits, which, n, k, 0)
}

fn deal(bits: usize, which: usize, n: usize, k: usize, counter: u64) -> Dealt {
    let primes = match bits {
        1024 => PRIMES_512[which],
        2048 => PRIMES_1024[which],
        _ => panic!("test keys have 1024 or 2048 bits"),
    };
    let [p, q] = primes.map(|hex| data_encoding::HEXUPPER.decode(hex.as_bytes()).expect("hexadecimal"));
    dealer::deal_from_primes(&p, &q, n, k, &mut counting_from(counter)).expect("fixed keys can be dealt")
}

/// The same key, shared by other polynomials: what another deal of it would give.
pub fn redealt(bits: usize, which: usize, n: usize, k: usize) -> Dealt {
    deal(bits, which, n, k, 1 << 32)
}

/// No entropy at all: a counter under a hash.
pub fn counting() -> impl FnMut(&mut [u8]) {
    counting_from(0)
}

fn counting_from(mut counter: u64) -> impl FnMut(&mut [u8]) {
    move |out: &mut [u8]| {
        for chunk in out.chunks_mut(32) {
            counter += 1;
            let block = crate::codec::digest("conclave/test-keys", &[&counter.to_be_bytes()]).0;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}
