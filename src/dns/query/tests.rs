use super::*;

/// `id` 0x1234, RD, one question: wWw.example. AAAA IN, and these records behind it.
fn query(authorities: u8, additionals: u8, records: &[&[u8]]) -> Vec<u8> {
    let mut wire = vec![0x12, 0x34, 0x01, 0x10, 0, 1, 0, 0, 0, authorities, 0, additionals];
    wire.extend_from_slice(b"\x03wWw\x07example\x00\x00\x1c\x00\x01");
    wire.extend_from_slice(&records.concat());
    wire
}

const OPT: &[u8] = &[0, 0, 41, 0x04, 0xD0, 0, 0, 0x80, 0, 0, 0];
const TSIG: &[u8] = &[1, b'k', 0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0];
const A: &[u8] = &[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];

fn rcode(wire: &[u8]) -> Option<Rcode> {
    match parse(wire) {
        Err(Reject::Reply { rcode, .. }) => Some(rcode),
        _ => None,
    }
}

#[test]
fn a_query_is_read_as_it_came() {
    let query = parse(&query(0, 0, &[])).unwrap();
    assert_eq!((query.id, query.rd, query.cd, query.opcode), (0x1234, true, true, Opcode::QUERY));
    assert_eq!(query.qname.wire(), b"\x03wWw\x07example\x00");
    assert_eq!((query.qtype, query.qclass, query.question_end), (RrType::AAAA, Class::IN, 29));
    assert_eq!((query.edns, query.has_tsig), (None, false));
}

#[test]
fn opt_and_tsig_are_seen_and_other_records_skipped() {
    let query = parse(&query(1, 3, &[A, A, OPT, TSIG])).unwrap();
    let edns = query.edns.unwrap();
    assert_eq!((edns.version, edns.udp_size, edns.do_bit, edns.nsid), (0, 1232, true, false));
    assert!(query.has_tsig);
}

#[test]
fn nsid_is_seen_among_other_options() {
    let opt = [&OPT[..9], &[0, 11, 0xFD, 0xE9, 0, 3, 1, 2, 3, 0, 3, 0, 0]].concat();
    assert!(parse(&query(0, 1, &[&opt])).unwrap().edns.unwrap().nsid);
}

#[test]
fn what_is_malformed_gets_formerr() {
    let two_opts = query(0, 2, &[OPT, OPT]);
    let owned_opt = query(0, 1, &[&[1, b'x'], OPT]);
    let early_tsig = query(0, 2, &[TSIG, OPT]);
    let bad_option = query(0, 1, &[&OPT[..9], &[0, 3, 0, 3, 0]]);
    let long_option = query(0, 1, &[&OPT[..9], &[0, 4, 0, 3, 0, 1]]);
    let trailing = query(0, 0, &[&[0]]);
    let missing = query(0, 1, &[]);
    let mut two = query(0, 0, &[]);
    two[5] = 2;
    let mut answer = query(0, 0, &[A]);
    answer[7] = 1;
    let mut pointer = query(0, 0, &[]);
    pointer[12] = 0xC0;
    for wire in
        [two_opts, owned_opt, early_tsig, bad_option, long_option, trailing, missing, two, answer, pointer]
    {
        assert_eq!(rcode(&wire), Some(Rcode::FORMERR), "{wire:02x?}");
    }
    let whole = query(0, 2, &[A, OPT]);
    for end in 12..whole.len() {
        assert_eq!(rcode(&whole[..end]), Some(Rcode::FORMERR), "cut at {end}");
    }
}

#[test]
fn responses_and_scraps_are_ignored_and_other_opcodes_not_implemented() {
    let mut response = query(0, 0, &[]);
    response[2] |= 0x80;
    assert_eq!(parse(&response), Err(Reject::Ignore));
    assert_eq!(parse(&response[..11]), Err(Reject::Ignore));
    for opcode in 1..16 {
        let mut wire = query(0, 0, &[]);
        wire[2] |= opcode << 3;
        assert_eq!(rcode(&wire), Some(Rcode::NOTIMP));
    }
}
