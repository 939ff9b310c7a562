//! What an update is refused with at once, and what the reply has in it.

use super::*;

/// RFC 2136 §3.1.1: exactly one zone, in its class.
#[test]
fn no_zone_and_two_are_formerr_and_one_of_another_class_is_not_ours() {
    let told = |zones: &[Class]| {
        let mut writer = Writer::new(512);
        writer.header(&Header::request(0x1234, Opcode::UPDATE));
        for class in zones {
            let zone = Question { name: name("example.test."), rtype: RrType::SOA, class: *class };
            writer.question(&zone).unwrap();
        }
        rcode(&refused(writer.finish()))
    };
    assert_eq!(told(&[]), Rcode::FORMERR);
    assert_eq!(told(&[Class::IN, Class::IN]), Rcode::FORMERR);
    assert_eq!(told(&[Class::CH]), Rcode::NOTAUTH);
}

/// RFC 2136 §3.8: ID, opcode and zone are the request's, the other sections are empty; RFC 2136 §2.2: Z, where queries have
/// their flags, is ignored and clear.
#[test]
fn a_reply_has_the_requests_id_opcode_and_zone_and_no_more() {
    let mut wire = update();
    wire[2] |= 0x07;
    wire[3] |= 0xf0;
    let reply = refused(wire);
    assert_eq!(reply[..4], [0x12, 0x34, 0xa8, 5]);
    let message = Message::parse(&reply).unwrap();
    assert_eq!(
        message.questions,
        [Question { name: name("example.test."), rtype: RrType::SOA, class: Class::IN }]
    );
    let records = [message.answers, message.authorities, message.additionals];
    assert!(records.iter().all(Vec::is_empty));
}

/// RFC 6891 §6.1.1 and §7: who sends an OPT record gets one, whatever is wrong with it or with the rest; nobody else does.
#[test]
fn what_is_malformed_gets_an_opt_record_for_its_own() {
    let opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
    let cut_option = [&opt[..9], &[0, 3, 0, 3, 0]].concat();
    let bad_data = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 3, 1, 2, 3];
    for (records, expected, has_opt) in [
        (&[][..], Rcode::REFUSED, false),
        (&[&opt[..]], Rcode::REFUSED, true),
        (&[&opt, &opt], Rcode::FORMERR, true),
        (&[&cut_option], Rcode::FORMERR, true),
        (&[&opt, &bad_data], Rcode::FORMERR, true),
        (&[&bad_data], Rcode::FORMERR, false),
    ] {
        let mut wire = [update(), records.concat()].concat();
        wire[11] = records.len() as u8;
        let reply = refused(wire);
        let told = (rcode(&reply), Message::parse(&reply).unwrap().edns.is_some());
        assert_eq!(told, (expected, has_opt), "{records:?}");
    }
}
