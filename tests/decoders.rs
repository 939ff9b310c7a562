//! Nothing that comes from outside can make a decoder of the `dns` layer panic, run for long, or take much memory:
//! random octets, mutated good ones, and what is built to hurt. The seed of a failure is printed;
//! `CONCLAVE_SEED=N` runs it again.

use conclave::dns::dnssec::{self, RrsigFields};
use conclave::dns::message::{Header, Message, Question, Section, Writer};
use conclave::dns::sig0::Sig0Key;
use conclave::dns::tsig::{self, AuthFailure, Keyring, TsigAlgorithm, TsigKey};
use conclave::dns::{Class, Name, Opcode, Rdata, Record, RrType, Rrset, Soa, master, query, rdata};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NOW: u64 = 1_795_000_000;

/// Octets in the largest message.
const LARGEST: usize = 65_535;

/// xorshift64*, seeded from the clock unless told.
struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    fn new() -> Self {
        let told = std::env::var("CONCLAVE_SEED").ok().and_then(|text| text.parse().ok());
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed: u64 = told.unwrap_or_else(clock);
        Self { seed, state: seed | 1 }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit.max(1)
    }

    fn octet(&mut self) -> u8 {
        // Often such as mean something: lengths, pointers, small numbers, letters.
        match self.below(6) {
            0 => 0xc0,
            1 => self.below(16) as u8,
            2 => b'a' + self.below(26) as u8,
            _ => self.below(256) as u8,
        }
    }

    fn octets(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.octet()).collect()
    }

    /// A few octets changed, taken out or put in.
    fn mutate(&mut self, good: &[u8]) -> Vec<u8> {
        let mut octets = good.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(octets.len());
            match self.below(4) {
                0 => octets.insert(at, self.octet()),
                1 if !octets.is_empty() => drop(octets.remove(at)),
                2 => octets.truncate(octets.len() - self.below(octets.len().min(4) + 1)),
                _ if !octets.is_empty() => octets[at] = self.octet(),
                _ => {}
            }
        }
        octets
    }
}

/// Runs `body` with chances of one seed, which is told if it fails.
fn with_seed(body: impl FnOnce(&mut Chance) + std::panic::UnwindSafe) {
    let mut chance = Chance::new();
    let seed = chance.seed;
    let outcome = std::panic::catch_unwind(move || body(&mut chance));
    assert!(outcome.is_ok(), "CONCLAVE_SEED={seed} does it again");
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn keys() -> Keyring {
    let mut keys = Keyring::default();
    let key = name("client.test");
    keys.tsig.insert(key.clone(), TsigKey::new(key.clone(), TsigAlgorithm::HmacSha256, vec![1; 32]));
    let public = rdata::from_text(RrType::KEY, &["512", "3", "15", &"A".repeat(43), "="], &key).unwrap();
    keys.sig0.insert(key.clone(), vec![Sig0Key::new(key, &public).unwrap()]);
    keys
}

const RECORDS: &str = r#"
a.test. 60 IN NS ns.a.test.
a.test. 60 IN SOA ns.a.test. host.a.test. 1 2 3 4 5
a.test. 60 IN MX 10 mx.a.test.
a.test. 60 IN TXT "one" "two\000"
a.test. 60 IN SRV 1 2 3 srv.a.test.
a.test. 60 IN NAPTR 100 10 "U" "E2U+sip" "!^.*$!sip:x@example!" .
a.test. 60 IN LOC 60 9 0.000 N 24 39 0.000 E 10.00m 20.00m 2000.00m 20.00m
a.test. 60 IN RRSIG NSEC 8 3 3600 20260102030405 19961211100908 2143 a.test. MxFcby9k
a.test. 60 IN NSEC b.test. A NS CAA TYPE65281
a.test. 60 IN NSEC3 1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A RRSIG
a.test. 60 IN HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cIvM4p r.test.
a.test. 60 IN IPSECKEY 10 3 2 gateway.test. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
a.test. 60 IN HTTPS 1 . mandatory=alpn alpn="h2,h3" port=53 ipv6hint=2001:db8::1
a.test. 60 IN CAA 128 tbs "Unknown"
a.test. 60 IN TYPE65533 \# 3 616263
"#;

fn records() -> Vec<Record> {
    master::read_str(RECORDS, &Name::root()).unwrap()
}

/// An update with a prerequisite, every record above, and a TSIG.
fn good_message() -> Vec<u8> {
    let mut writer = Writer::new(LARGEST);
    writer.header(&Header::request(1, Opcode::UPDATE));
    writer.question(&Question { name: name("test"), rtype: RrType::SOA, class: Class::IN }).unwrap();
    let exists = |rtype| (name("a.test"), rtype, Class::ANY, 0, Rdata::new(&[]));
    let (owner, rtype, class, ttl, data) = exists(RrType::A);
    writer.parts(Section::Answer, &owner, rtype, class, ttl, &data).unwrap();
    for record in records() {
        writer.record(Section::Authority, &record).unwrap();
    }
    let mut wire = writer.finish();
    let keys = keys();
    tsig::sign_request(&mut wire, keys.tsig.values().next().unwrap(), NOW);
    wire
}

/// Gives octets to everything that reads messages.
fn read_message(wire: &[u8], keys: &Keyring) {
    if let Ok(message) = Message::parse(wire) {
        let count = message.answers.len() + message.authorities.len() + message.additionals.len();
        assert!(count * 11 <= wire.len(), "a record takes at least 11 octets");
    }
    let _ = query::parse(wire);
    let verdict = tsig::authenticate(wire, keys, NOW);
    let key = keys.tsig.values().next().unwrap();
    let _ = tsig::verify_response(wire, key, &[0; 32], NOW);
    let failure = verdict.err().unwrap_or(AuthFailure::BadTime);
    let mut reply = vec![0; 12];
    tsig::sign_failure(&mut reply, wire, keys, failure, NOW);
    assert!(reply.len() < 1_024, "{}", reply.len());
}

/// Gives octets to everything that reads rdata.
fn read_rdata(rtype: RrType, octets: &[u8]) {
    let data = Rdata::new(octets);
    let valid = rdata::validate(rtype, octets).is_ok();
    let text = rdata::to_text(rtype, &data);
    // An octet of a type bit map stands for eight types, each of at most ten characters with its space.
    assert!(text.len() <= 80 * octets.len() + 64, "{rtype}: {} of {}", text.len(), octets.len());
    let _ = rdata::canonical(rtype, &data);
    let _ = rdata::from_message(rtype, Class::IN, octets, 0, octets.len());
    assert_eq!(Soa::parse(&data).is_some(), rdata::validate(RrType::SOA, octets).is_ok());
    let _ = dnssec::parse_nsec(&data);
    let _ = dnssec::key_tag(octets);
    let _ = Sig0Key::new(Name::root(), &data);
    let _ = RrsigFields::parse(&data);
    let set = Rrset::of(rtype, 60, [data.clone()]);
    let _ = dnssec::verify_rrsig(&Name::root(), &set, &data, &data);
    assert!(!valid || Rrset::of(rtype, 60, [data.clone(), data]).len() == 1);
}

#[test]
fn random_and_mutated_messages() {
    with_seed(|chance| {
        let (keys, good) = (keys(), good_message());
        assert!(tsig::authenticate(&good, &keys, NOW).is_ok());
        for _ in 0..20_000 {
            read_message(&chance.octets(300), &keys);
            read_message(&chance.mutate(&good), &keys);
        }
    });
}

#[test]
fn random_and_mutated_rdata_of_every_type() {
    with_seed(|chance| {
        let records = records();
        for code in 0..=300 {
            for _ in 0..60 {
                read_rdata(RrType(code), &chance.octets(90));
            }
        }
        for _ in 0..20_000 {
            let record = &records[chance.below(records.len())];
            read_rdata(record.rtype, &chance.mutate(record.rdata.wire()));
        }
    });
}

#[test]
fn random_and_mutated_text() {
    with_seed(|chance| {
        let alphabet = b"a.test. 60 IN A NS SOA ()\";\\@$\n\t019*\x00\xff TXT \\# ORIGIN INCLUDE";
        for _ in 0..5_000 {
            let text: Vec<u8> =
                (0..chance.below(120)).map(|_| alphabet[chance.below(alphabet.len())]).collect();
            let text = String::from_utf8_lossy(&text);
            let _ = master::read_str(&text, &name("test"));
            let _ = Name::parse(&text);
            let _ = RrType::parse(&text);
            let mutated = chance.mutate(RECORDS.as_bytes());
            let _ = master::read_str(&String::from_utf8_lossy(&mutated), &Name::root());
        }
    });
}

#[test]
fn random_and_mutated_encodings() {
    with_seed(|chance| {
        let record = borsh::to_vec(&records()[2]).unwrap();
        let set = borsh::to_vec(&Rrset::of(RrType::A, 1, [1, 2, 3].map(|n| Rdata::new(&[n; 4])))).unwrap();
        for _ in 0..20_000 {
            let (record, set) = (chance.mutate(&record), chance.mutate(&set));
            if let Ok(read) = borsh::from_slice::<Record>(&record) {
                assert_eq!(borsh::to_vec(&read).unwrap(), record, "one encoding");
            }
            if let Ok(read) = borsh::from_slice::<Rrset>(&set) {
                assert_eq!(borsh::to_vec(&read).unwrap(), set);
                let again = Rrset::of(read.rtype, read.ttl, read.rdatas.iter().rev().cloned());
                assert_eq!(again, read, "in canonical order");
            }
        }
    });
}

#[test]
fn the_largest_messages_take_bounded_time() {
    let keys = keys();
    let start = Instant::now();
    // Records whose owners are chains of pointers, each as long as may be.
    let mut chains = vec![0, 1, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // The chain lies in the opaque data of the first record, from octet 23 on.
    chains.extend_from_slice(&[0, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 253, 0]);
    for hop in 0..126u16 {
        chains.extend_from_slice(&(0xc000 | if hop == 0 { 23 } else { 22 + 2 * hop }).to_be_bytes());
    }
    let deepest = (0xc000 | (chains.len() - 2) as u16).to_be_bytes();
    let count = (LARGEST - chains.len()) / 12;
    for _ in 0..count {
        chains.extend_from_slice(&deepest);
        chains.extend_from_slice(&[0, 1, 0, 255, 0, 0, 0, 0, 0, 0]);
    }
    chains[8..10].copy_from_slice(&(count as u16 + 1).to_be_bytes());
    assert_eq!(Message::parse(&chains).unwrap().authorities.len(), count + 1);
    // Names of 127 labels, and counts that promise more than there is.
    let long =
        [&[0, 1, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &b"\x01a".repeat(32_000)]
            .concat();
    let zeros = [&[0, 1, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[0; 65_000]].concat();
    for wire in [chains, long, zeros] {
        for _ in 0..10 {
            read_message(&wire, &keys);
        }
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn a_zone_of_eighteen_thousand_records_is_read_at_once() {
    let mut text = String::from("$TTL 1d\n@ SOA ns. host. 1 2 3 4 5\n");
    for number in 0..18_000 {
        text.push_str(&format!("host{number} IN A 192.0.2.{}\n", number % 256));
    }
    let start = Instant::now();
    assert_eq!(master::read_str(&text, &name("example.test")).unwrap().len(), 18_001);
    let taken = start.elapsed();
    println!("18,001 records in {taken:?}");
    assert!(taken < Duration::from_secs(1), "{taken:?}");
}
