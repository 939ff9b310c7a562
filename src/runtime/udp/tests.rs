use super::super::clients::Busy;
use super::*;
use crate::answer::{Catalog, Settings};
use arc_swap::ArcSwap;
use std::net::UdpSocket;
use std::sync::Mutex;
use std::time::Instant;

/// `id`, RD, one question: example. A; opcode 5 makes it an update.
fn message(id: u8, opcode: u8) -> Vec<u8> {
    let mut wire = vec![0, id, opcode << 3, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    wire.extend_from_slice(b"\x07example\x00\x00\x01\x00\x01");
    wire
}

fn service(
    forward: impl Fn(Vec<u8>, Client, OnReply) -> Result<(), Busy> + Send + Sync + 'static,
) -> Service {
    let catalog = Arc::new(ArcSwap::from_pointee(Catalog::new()));
    Service::with_forward(catalog, Arc::new(ArcSwap::from_pointee(Settings::default())), Arc::new(forward))
}

fn start(threads: usize, service: &Service) -> (UdpServer, UdpSocket) {
    let server = UdpServer::start("127.0.0.1:0".parse().unwrap(), threads, service).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(server.local_addr()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    (server, client)
}

fn receive_one(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = [0; 2048];
    let length = client.recv(&mut buffer).expect("an answer");
    buffer[..length].to_vec()
}

#[test]
fn every_query_of_a_burst_is_answered_by_some_thread() {
    for threads in [1, 3] {
        let (_server, client) = start(threads, &service(|_, _, _| Err(Busy)));
        for id in 0..100 {
            client.send(&message(id, 0)).unwrap();
        }
        let mut ids: Vec<u8> = (0..100)
            .map(|_| {
                let answer = receive_one(&client);
                assert_eq!(answer[3] & 15, 5, "REFUSED");
                answer[1]
            })
            .collect();
        ids.sort_unstable();
        assert!(ids.into_iter().eq(0..100));
    }
}

#[test]
fn responses_and_scraps_are_not_answered_and_hold_up_nothing() {
    let (_server, client) = start(1, &service(|_, _, _| Err(Busy)));
    let mut response = message(1, 0);
    response[2] |= 0x80;
    for wire in [&response[..], &[], &[0; 5], &response[..12]] {
        client.send(wire).unwrap();
    }
    client.send(&message(2, 0)).unwrap();
    assert_eq!(receive_one(&client)[1], 2);
}

/// RFC 2181 §4.1, §4.2; RFC 2136 §2.1.
#[test]
fn an_update_waits_aside_and_its_reply_comes_from_the_same_address() {
    let waiting = Arc::new(Mutex::new(Vec::new()));
    let held = waiting.clone();
    let (_server, client) = start(
        1,
        &service(move |wire, client, reply| {
            assert_eq!((wire, client.transport), (message(7, 5), Transport::Udp));
            assert!(client.address.is_loopback());
            held.lock().unwrap().push(reply);
            Ok(())
        }),
    );
    client.send(&message(7, 5)).unwrap();
    client.send(&message(8, 0)).unwrap();
    assert_eq!(receive_one(&client)[1], 8, "a query is answered meanwhile");
    let reply = waiting.lock().unwrap().pop().expect("the update is with the replica");
    reply(Some(vec![1, 2, 3]));
    assert_eq!(
        receive_one(&client),
        [1, 2, 3],
        "the client's connected socket takes it from this address only"
    );
}

#[test]
fn an_update_that_cannot_be_taken_gets_servfail() {
    let (_server, client) = start(1, &service(|_, _, _| Err(Busy)));
    client.send(&message(7, 5)).unwrap();
    let answer = receive_one(&client);
    assert_eq!((answer[1], answer[2] >> 3 & 15, answer[3] & 15), (7, 5, 2));
}

#[test]
fn a_port_in_use_is_an_error_whatever_the_number_of_threads() {
    let service = service(|_, _, _| Err(Busy));
    for (first, second) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let (server, _) = start(first, &service);
        let again = UdpServer::start(server.local_addr(), second, &service);
        assert_eq!(
            again.err().map(|error| error.kind()),
            Some(io::ErrorKind::AddrInUse),
            "{first} then {second}"
        );
    }
}

#[test]
fn dropping_the_server_ends_its_threads_soon_and_frees_the_port() {
    let service = service(|_, _, _| Err(Busy));
    let (server, _) = start(2, &service);
    let (address, begin) = (server.local_addr(), Instant::now());
    drop(server);
    assert!(begin.elapsed() < 5 * STOP_POLL, "{:?}", begin.elapsed());
    UdpServer::start(address, 1, &service).expect("the port is free");
}
