//! Master files: what is read is in the zone, and what is written of it is read as the same.

use super::message::RECORDS;
use conclave::dns::{Class, Name, master};
use conclave::limits::MAX_INCLUDE_DEPTH;
use std::path::Path;

pub fn run(data: &[u8]) {
    let origin = Name::parse("test.").expect("a name");
    let text = String::from_utf8_lossy(data);
    if let Ok(records) = master::read_str(&text, &origin) {
        assert!(records.len() <= text.len(), "more records than octets");
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
    [RECORDS, example, odd, include].map(|text| text.as_bytes().to_vec()).to_vec()
}
