//! Master files: what is read is in the zone, and what is written of it is read as the same.

use super::message::RECORDS;
use conclave::dns::{Class, Name, master};
use conclave::limits::{MAX_GENERATED_RECORDS, MAX_INCLUDE_DEPTH};
use std::path::Path;

pub fn run(data: &[u8]) {
    let origin = Name::parse("test.").expect("a name");
    // What a short line may make takes its time, and is looked at once.
    if data.windows(4).any(|four| four.iter().all(u8::is_ascii_digit)) && data.contains(&b'$') {
        return;
    }
    let text = String::from_utf8_lossy(data);
    if let Ok(records) = master::read_str(&text, &origin) {
        let generated =
            if text.to_ascii_uppercase().contains("$GENERATE") { MAX_GENERATED_RECORDS } else { 0 };
        assert!(records.len() <= text.len() + generated, "more records than octets");
        for record in &records {
            assert!(record.name.is_subdomain_of(&origin) && record.class == Class::IN);
            assert!(i32::try_from(record.ttl).is_ok() && !record.rtype.is_meta());
        }
        let written: String = records.iter().map(|record| master::write_record(record) + "\n").collect();
        assert_eq!(master::read_str(&written, &origin).as_ref(), Ok(&records), "{written}");
        assert_eq!(master::zone_digest(&origin, &records), {
            let backwards: Vec<_> = records.iter().rev().cloned().collect();
            master::zone_digest(&origin, &backwards)
        });
    }
    // A file that includes itself ends, at the latest at the greatest depth of each of its lines.
    let includes = data.windows(8).filter(|word| word.eq_ignore_ascii_case(b"$INCLUDE")).count();
    if includes <= 1 {
        let mut opened = 0;
        let mut open = |_: &Path| {
            opened += 1;
            Ok(data.to_vec())
        };
        let _ = master::read_zone(Path::new("zone"), &origin, &mut open);
        assert!(opened <= MAX_INCLUDE_DEPTH + 1, "{opened} files were opened");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let example = include_str!("../../support/example.zone");
    let odd = "$ORIGIN x.test.\n$TTL 1h30m\n@ SOA ns. host. ( 1 2 ; serial\n 3 4 5 )\n A 192.0.2.1\nb 5 IN TXT \"a;b\" c\\ d\\255\n";
    let include = "$INCLUDE other.zone sub.test.\na.test. 1 IN A 192.0.2.1\n";
    let generate = "$GENERATE 1-9/2 h${-1,3,x} 5 IN MX \"10 m$\"\n$GENERATE 0-3 ${0,4,n} 5 PTR $$\\$\n";
    let rare = "a 1 APL 1:192.0.2.0/24 !2:::/0\nb 1 WKS 192.0.2.1 tcp smtp\nc 1 A6 61 ::1 d\nd 1 NSAP 0x47.00\n\
                e 1 AMTRELAY 1 1 3 d\nf 1 NXT a A NXT\ng 1 ATMA +1.2\nh 1 DOA 1 2 3 \"t\" -\ni 1 HTTPS 1 . alpn=\"h2\"port=1\n";
    [RECORDS, example, odd, include, generate, rare].map(|text| text.as_bytes().to_vec()).to_vec()
}
