use super::*;
use crate::dns::Opcode;
use crate::dns::edns::{Edns, ede, ede_option};
use crate::dns::message::{Header, Writer};
use crate::dns::tsig::{self, TsigAlgorithm};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

fn key() -> TsigKey {
    TsigKey::new(Name::parse("key.client.").unwrap(), TsigAlgorithm::HmacSha256, vec![7; 32])
}

/// A replica that answers each message so, if at all.
fn replica(index: u8, answer: Option<(Rcode, u16)>, is_signed: bool) -> Arc<Replica> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            match answer {
                Some(answer) => reply(stream, answer, is_signed),
                None => held.push(stream),
            }
        }
    });
    Arc::new(Replica { index, server, key: key() })
}

fn reply(mut stream: TcpStream, (rcode, code): (Rcode, u16), is_signed: bool) {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut wire = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut wire).unwrap();
    let id = u16::from_be_bytes([wire[0], wire[1]]);
    let mut writer = Writer::new(512);
    writer.header(&Header { qr: true, rcode: rcode.0 as u8, ..Header::request(id, Opcode::UPDATE) });
    let options = vec![ede_option(code, "told")];
    writer.opt(&Edns { udp_size: 1232, options, ..Edns::default() }).unwrap();
    let mut reply = writer.finish();
    if is_signed {
        let verified = tsig::authenticate(&wire, &keyring(), now()).unwrap();
        tsig::sign_response(&mut reply, &key(), &verified.tsig_mac.unwrap(), now());
    }
    let _ = stream.write_all(&[&(reply.len() as u16).to_be_bytes(), &reply[..]].concat());
}

fn keyring() -> tsig::Keyring {
    let mut keys = tsig::Keyring::default();
    keys.tsig.insert(key().name, key());
    keys
}

fn gathered(replicas: &[Arc<Replica>]) -> Option<Rcode> {
    let wire = {
        let mut writer = Writer::new(512);
        writer.header(&Header::request(0, Opcode::UPDATE));
        writer.finish()
    };
    let message = |replica: &Replica| signed(wire.clone(), &replica.key, Vec::new());
    let answers = gather(replicas, 2, Instant::now() + MAX_WAIT, message);
    agreed(&answers, 2).map(|(rcode, _)| rcode)
}

const DONE: Option<(Rcode, u16)> = Some((Rcode::NOERROR, ede::OTHER));
const LATE: Option<(Rcode, u16)> = Some((Rcode::SERVFAIL, ede::NOT_READY));

/// One is silent, and the other, which lacks its word, says so again and again.
#[test]
fn who_is_silent_is_made_up_for_whatever_the_others_say_meanwhile() {
    let all =
        [replica(1, None, true), replica(2, LATE, true), replica(3, DONE, true), replica(4, DONE, true)];
    assert_eq!(gathered(&all), Some(Rcode::NOERROR));
}

#[test]
fn replies_without_a_good_signature_are_nobodys_word() {
    let refused = Some((Rcode::REFUSED, ede::PROHIBITED));
    let forged = [1, 2].map(|index| replica(index, refused, false));
    let all = [forged, [3, 4].map(|index| replica(index, DONE, true))].concat();
    assert_eq!(gathered(&all), Some(Rcode::NOERROR));
}
