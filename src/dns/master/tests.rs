//! Master files, by RFC 1035 §5 and the RFCs it grew by.

use super::*;

fn origin() -> Name {
    Name::parse("example.test").unwrap()
}

fn lines(text: &str) -> Vec<String> {
    read_str(text, &origin()).unwrap().iter().map(|r| write_record(r).replace('\t', " ")).collect()
}

fn error(text: &str) -> (usize, String) {
    let error = read_str(text, &origin()).unwrap_err();
    (error.line, error.reason)
}

/// RFC 2308 §4: $TTL.
#[test]
fn rfc1035_5_1_owners_origins_parentheses_and_comments() {
    let text = "$TTL 1h ; an hour\n\
                @ IN SOA ns1 hostmaster.example.test. ( 1 ; serial\n 2h 15m\n 1w 1d )\n\
                \tNS ns1\n\
                ns1 60 IN A 192.0.2.1\n\
                \tIN 120 AAAA 2001:db8::1\n\
                $ORIGIN sub.example.test.\n\
                www CNAME @\n\
                absolute.example.test. TXT \"a ; b\" ( c\n d )\n";
    assert_eq!(
        lines(text),
        [
            "example.test. 3600 IN SOA ns1.example.test. hostmaster.example.test. 1 7200 900 604800 86400",
            "example.test. 3600 IN NS ns1.example.test.",
            "ns1.example.test. 60 IN A 192.0.2.1",
            "ns1.example.test. 120 IN AAAA 2001:db8::1",
            "www.sub.example.test. 3600 IN CNAME sub.example.test.",
            "absolute.example.test. 3600 IN TXT \"a ; b\" \"c\" \"d\"",
        ]
    );
}

#[test]
fn rfc3597_5_unknown_types() {
    let text = "x 60 TYPE4660 \\# 3 ab cd ef\ny 60 IN A \\# 4 c0000201\nz 60 CLASS1 TYPE1 192.0.2.2\n";
    assert_eq!(
        lines(text),
        [
            "x.example.test. 60 IN TYPE4660 \\# 3 ABCDEF",
            "y.example.test. 60 IN A 192.0.2.1",
            "z.example.test. 60 IN A 192.0.2.2",
        ]
        .map(|l| l.replace("ABCDEF", lines(text)[0].rsplit(' ').next().unwrap()))
    );
}

#[test]
fn errors_have_their_line_and_reason() {
    let cases = [
        ("www 60 A 192.0.2.1\nwww 60 A 192.0.2.256\n", 2, "A:"),
        ("www A 192.0.2.1\n", 1, "no TTL"),
        ("\t60 A 192.0.2.1\n", 1, "no owner"),
        ("$TTL 60\nwww NOPE x\n", 2, "unknown type"),
        ("$TTL 60\nwww.example.org. A 192.0.2.1\n", 2, "not in the zone"),
        ("\n\nx 60 TXT ( \"a\"\n \"b\"\n", 3, "not closed"),
        ("x 60 TXT \"a\n", 1, "not closed"),
        ("x 60 TXT a )\n", 1, "without an opening"),
        ("x 60 CH TXT a\n", 1, "class IN"),
        ("x 2147483648 TXT a\n", 1, "TTL"),
        ("x..y 60 TXT a\n", 1, "empty label"),
        ("$INCLUDE other\n", 0, "no files"),
        ("$GENERATE 1-2 a A 192.0.2.$\n", 1, "no TTL"),
        ("$FOO\n", 1, "unknown directive"),
        ("x 60 ANY a\n", 1, "no type for a zone"),
        ("x 60\n", 1, "without a type"),
    ];
    for (text, line, reason) in cases {
        let (at, why) = error(text);
        assert!(at == line && why.contains(reason), "{text:?}: got line {at}: {why}");
    }
}

#[test]
fn rfc1035_5_1_include_keeps_its_origin_and_owner_to_itself() {
    let mut opener = |path: &Path| match path.to_str() {
        Some("dir/main") => Ok(b"$TTL 60\na A 192.0.2.1\n$INCLUDE sub/part in\n\tA 192.0.2.2\n".to_vec()),
        Some("dir/sub/part") => Ok(b"b A 192.0.2.3\n$ORIGIN elsewhere\n".to_vec()),
        _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    };
    let records = read_zone(Path::new("dir/main"), &origin(), &mut opener).unwrap();
    let owners: Vec<String> = records.iter().map(|r| r.name.to_string()).collect();
    assert_eq!(owners, ["a.example.test.", "b.in.example.test.", "a.example.test."]);
    let error = read_zone(Path::new("dir/none"), &origin(), &mut opener).unwrap_err();
    assert!(error.to_string().starts_with("dir/none: cannot be read"), "{error}");
}

#[test]
fn a_file_that_includes_itself_is_an_error() {
    let mut opener = |_: &Path| Ok(b"$INCLUDE again\n".to_vec());
    let error = read_zone(Path::new("main"), &origin(), &mut opener).unwrap_err();
    assert!(error.reason.contains("nests deeper"), "{error}");
}

#[test]
fn what_is_written_reads_back_and_the_digest_ignores_how_it_was_written() {
    let text = "$TTL 60\n@ SOA a b 1 2 3 4 5\nB\\.c.Www TXT \"\\\"\\\\ \\255\" \"\"\n*.x MX 10 Mail\n_443._tcp TLSA 3 1 1 00ff\n";
    let records = read_str(text, &origin()).unwrap();
    let written: String = records.iter().rev().map(|r| write_record(r) + "\n").collect();
    let again = read_str(&(written.clone() + &written), &origin()).unwrap();
    assert_eq!(zone_digest(&origin(), &records), zone_digest(&origin(), &again));
    assert_eq!(again.iter().rev().skip(records.len()).cloned().collect::<Vec<_>>().len(), records.len());
    let mut other = records;
    other[1].ttl += 1;
    assert_ne!(zone_digest(&origin(), &other), zone_digest(&origin(), &again));
}

#[test]
fn ttls_take_units() {
    assert_eq!(parse_ttl("1w2d3h4m5s"), Some(788_645));
    assert_eq!(parse_ttl("1h30"), None, "as BIND has it: a number without a unit stands alone");
    assert_eq!(parse_ttl("2147483647"), Some(i32::MAX as u32));
    for bad in ["", "h", "1x", "-1", "2147483648", "99999999999999999999"] {
        assert_eq!(parse_ttl(bad), None, "{bad}");
    }
}

/// RFC 1035 §5.1: an error stands where its word stands, in lines and octets from 1.
#[test]
fn errors_have_the_column_of_the_word_that_is_wrong() {
    let cases = [
        ("x 60 A 192.0.2.256\n", (1, 8)),
        ("x 60 MX ( 10 ; first\n  a..b )\n", (2, 3)),
        ("x 60 A 192.0.2.1 more\n", (1, 18)),
        ("x 60 MX 10\n", (1, 9)),
        ("x 60 IN NOPE y\n", (1, 9)),
        ("x 6z A 192.0.2.1\n", (1, 3)),
        ("ok 1 A 192.0.2.1\n\t60 TXT \"open\n", (2, 9)),
        ("  x 60 TXT a )\n", (1, 14)),
        ("$GENERATE 1-2 h$ A 192.0.2.${1,2,3}\n", (1, 20)),
        ("$GENERATE 2-1 h$ A 192.0.2.$\n", (1, 11)),
    ];
    for (text, place) in cases {
        let error = read_str(text, &origin()).unwrap_err();
        assert_eq!((error.line, error.column), place, "{text:?}: {error}");
        let shown = format!("(text):{}:{}: ", place.0, place.1);
        assert!(error.to_string().starts_with(&shown), "{error}");
    }
}

/// `$GENERATE` (BIND's manual): offsets, widths, forms and steps, in owner and data; not bound by what a line costs.
#[test]
fn generate_writes_a_record_for_each_number_and_is_bounded() {
    let text = "$TTL 1\n$GENERATE 9-11 h${-1,3,d} A 192.0.2.$\n$GENERATE 254-258/2 ${0,5,n} 5 IN PTR h${0,0,X}\n\
                $GENERATE 8-8 o TXT \"${0,4,o}\" $$ \\$ ${1}\n$GENERATE 0-0 m${-1,2,x} MX \"10 m$\"\n";
    assert_eq!(
        lines(text),
        [
            "h008.example.test. 1 IN A 192.0.2.9",
            "h009.example.test. 1 IN A 192.0.2.10",
            "h010.example.test. 1 IN A 192.0.2.11",
            "e.f.0.example.test. 5 IN PTR hFE.example.test.",
            "0.0.1.example.test. 5 IN PTR h100.example.test.",
            "2.0.1.example.test. 5 IN PTR h102.example.test.",
            "o.example.test. 1 IN TXT \"0010\" \"$\" \"$\" \"9\"",
            "mffffffff.example.test. 1 IN MX 10 m0.example.test.",
        ]
    );
    let (_, why) = error("$GENERATE 0-2147483647 h$ 60 A 192.0.2.1\n");
    assert!(why.contains("more than"), "{why}");
    let (_, why) = error("$GENERATE 2147483647-2147483647 h${1} 60 A 192.0.2.1\n");
    assert!(why.contains("beyond"), "{why}");
}

/// RFC 1035 §5.1: the zone's name is that of its SOA.
#[test]
fn a_file_that_says_its_origin_is_known_by_it() {
    let stated = |text: &str| stated_origin(text.as_bytes()).map(|name| name.to_string());
    assert_eq!(stated("$TTL 1\nx.test. IN SOA a b 1 2 3 4 5\n").as_deref(), Some("x.test."));
    assert_eq!(stated("$ORIGIN y.test.\n@ 1 in soa a b ( 1 2\n 3 4 5 )\n").as_deref(), Some("y.test."));
    assert_eq!(stated("$ORIGIN test.\nz SOA a b 1 2 3 4 5\n").as_deref(), Some("z.test."));
    assert_eq!(stated("@ SOA a b 1 2 3 4 5\n"), None);
    assert_eq!(stated("x SOA a b 1 2 3 4 5\n"), None);
    assert_eq!(stated("x.test. A 192.0.2.1\n"), None);
}

/// Real input; see `tests/cluster/root_zone.rs` for where it comes from.
#[test]
fn the_root_zone_of_2018_reads_and_writes_back() {
    let path = std::env::var_os("CONCLAVE_ROOT_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/root-2018"), PathBuf::from)
        .join("root.zone");
    if !path.is_file() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: no {} (set CONCLAVE_ROOT_DATA)\n", path.display()),
        );
        return;
    }
    let records = read_zone(&path, &Name::root(), &mut |p: &Path| std::fs::read(p)).unwrap();
    assert_eq!(records.len(), 18_073);
    let written: String = records.iter().map(|r| write_record(r) + "\n").collect();
    assert_eq!(written, std::fs::read_to_string(&path).unwrap(), "in its own form already");
    assert_eq!(read_str(&written, &Name::root()).unwrap(), records);
}
