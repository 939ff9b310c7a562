mod connections;

use super::super::clients::Busy;
use super::super::ending;
use super::super::places::TcpRules;
use super::*;
use crate::answer::{Catalog, Settings};
use arc_swap::ArcSwap;
use std::sync::Mutex;
use tokio::net::TcpStream;

/// `id`, one question: example. A, behind its length; opcode 5 makes it an update.
fn message(id: u8, opcode: u8) -> Vec<u8> {
    let mut wire = vec![0, 25, 0, id, opcode << 3, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    wire.extend_from_slice(b"\x07example\x00\x00\x01\x00\x01");
    wire
}

fn service(
    forward: impl Fn(Vec<u8>, Client, OnReply) -> Result<(), Busy> + Send + Sync + 'static,
) -> Service {
    let catalog = Arc::new(ArcSwap::from_pointee(Catalog::new()));
    Service::with_forward(catalog, Arc::new(ArcSwap::from_pointee(Settings::default())), Arc::new(forward))
}

/// What never ends.
fn never() -> Ending {
    let (teller, ending) = ending::pair();
    std::mem::forget(teller);
    ending
}

/// A server, and how to connect to it.
fn start(service: Service) -> (tokio::task::JoinHandle<()>, SocketAddr) {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    (tokio::spawn(serve(listener, service, Places::new(TcpRules::default()), Door::Plain, never())), address)
}

async fn receive_one(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    timeout(Duration::from_secs(5), read_message(stream, &mut wire)).await.expect("in time").ok()?;
    Some(wire)
}

/// RFC 1035 §4.2.2, RFC 7766 §6.2.1, §6.2.1.1 and RFC 8906 §3.1.5.
#[tokio::test]
async fn queries_sent_together_are_all_answered_in_order() {
    let (_server, address) = start(service(|_, _, _| Err(Busy)));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let burst: Vec<u8> = (0..200).flat_map(|id| message(id, 0)).collect();
    stream.write_all(&burst).await.unwrap();
    for id in 0..200 {
        let answer = receive_one(&mut stream).await.expect("an answer");
        assert_eq!((answer[1], answer[3] & 15), (id, 5));
    }
}

/// RFC 1035 §4.2.2.
#[tokio::test]
async fn a_message_in_single_octets_is_a_message() {
    let (_server, address) = start(service(|_, _, _| Err(Busy)));
    let mut stream = TcpStream::connect(address).await.unwrap();
    for octet in message(9, 0) {
        stream.write_all(&[octet]).await.unwrap();
        stream.flush().await.unwrap();
    }
    assert_eq!(receive_one(&mut stream).await.unwrap()[1], 9);
}

/// RFC 2136 §2.1 and RFC 7766 §7.
#[tokio::test]
async fn queries_overtake_a_waiting_update() {
    let waiting = Arc::new(Mutex::new(Vec::new()));
    let held = waiting.clone();
    let (_server, address) = start(service(move |_, client, reply| {
        assert_eq!((client.transport, client.idle_ds), (Transport::Tcp, Some(300)));
        assert!(client.address.is_loopback());
        held.lock().unwrap().push(reply);
        Ok(())
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[message(1, 5), message(2, 0), message(3, 0)].concat()).await.unwrap();
    assert_eq!(receive_one(&mut stream).await.unwrap()[1], 2);
    assert_eq!(receive_one(&mut stream).await.unwrap()[1], 3);
    waiting.lock().unwrap().pop().unwrap()(Some(vec![0, 1, 2]));
    assert_eq!(receive_one(&mut stream).await.unwrap(), [0, 1, 2]);
}

#[tokio::test]
async fn a_half_closed_peer_still_gets_its_replies_and_then_the_end() {
    let waiting = Arc::new(Mutex::new(Vec::new()));
    let held = waiting.clone();
    let (_server, address) = start(service(move |_, _, reply| {
        held.lock().unwrap().push(reply);
        Ok(())
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[message(1, 5), message(2, 0)].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(receive_one(&mut stream).await.unwrap()[1], 2);
    waiting.lock().unwrap().pop().unwrap()(Some(vec![0, 1, 2]));
    assert_eq!(receive_one(&mut stream).await.unwrap(), [0, 1, 2]);
    assert_eq!(receive_one(&mut stream).await, None);
}

#[tokio::test]
async fn no_more_messages_are_taken_than_may_wait() {
    let count = Arc::new(Mutex::new(Vec::new()));
    let held = count.clone();
    let (_server, address) = start(service(move |_, _, reply| {
        held.lock().unwrap().push(reply);
        Ok(())
    }));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let burst: Vec<u8> = (0..200).flat_map(|id| message(id, 5)).collect();
    stream.write_all(&burst).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(count.lock().unwrap().len(), MAX_TCP_PIPELINE);
    let replies = std::mem::take(&mut *count.lock().unwrap());
    for reply in replies {
        reply(Some(vec![0, 1, 2]));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(count.lock().unwrap().len(), MAX_TCP_PIPELINE, "their places are used again");
}

#[tokio::test]
async fn an_update_that_cannot_be_taken_gets_servfail() {
    let (_server, address) = start(service(|_, _, _| Err(Busy)));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&message(7, 5)).await.unwrap();
    let answer = receive_one(&mut stream).await.unwrap();
    assert_eq!((answer[1], answer[2] >> 3 & 15, answer[3] & 15), (7, 5, 2));
}

#[tokio::test]
async fn what_is_not_dns_ends_the_connection_and_no_other() {
    let (_server, address) = start(service(|_, _, _| Err(Busy)));
    let mut good = TcpStream::connect(address).await.unwrap();
    let mut bad = TcpStream::connect(address).await.unwrap();
    bad.write_all(b"\x00\x03GET").await.unwrap();
    assert_eq!(receive_one(&mut bad).await, None);
    good.write_all(&message(4, 0)).await.unwrap();
    assert_eq!(receive_one(&mut good).await.unwrap()[1], 4);
}

/// Somebody on the other side of the world.
const FAR: (IpAddr, Transport) = (IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), Transport::Tcp);

fn places(idle: Duration) -> Places {
    Places::new(TcpRules { connections: 4, per_client: 4, idle })
}

/// RFC 7766 §6.2.3: an idle connection is closed, sooner when many are open.
#[tokio::test]
async fn a_silent_connection_is_closed_after_its_idle_time_and_sooner_in_a_crowd() {
    let idle = Duration::from_millis(500);
    for (others, limit) in [(1, idle), (3, idle / 10)] {
        let visit = Visit { places: places(idle), service: service(|_, _, _| Err(Busy)), ending: never() };
        let _held: Vec<_> = (0..others).map(|_| visit.places.take(FAR.0).unwrap()).collect();
        let (near, _far) = tokio::io::duplex(64);
        let (read, write) = tokio::io::split(near);
        let begin = std::time::Instant::now();
        connection(read, write, visit, FAR).await;
        assert!(begin.elapsed() >= limit && (others == 1 || begin.elapsed() < idle), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_let_go() {
    let places = places(Duration::from_millis(100));
    let visit = Visit { places, service: service(|_, _, _| Err(Busy)), ending: never() };
    let (near, mut far) = tokio::io::duplex(256);
    let (read, write) = tokio::io::split(near);
    let flood = async { while far.write_all(&message(1, 0)).await.is_ok() {} };
    let both = async { tokio::join!(connection(read, write, visit, FAR), flood) };
    timeout(Duration::from_secs(10), both).await.expect("the connection ends");
}

/// RFC 7766 §6.2.2: who has its connections gets no more, and others still get theirs.
#[tokio::test]
async fn a_client_with_too_many_connections_is_closed_at_once() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let rules = TcpRules { per_client: 2, ..TcpRules::default() };
    let _server =
        tokio::spawn(serve(listener, service(|_, _, _| Err(Busy)), Places::new(rules), Door::Plain, never()));
    let mut held = Vec::new();
    for id in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&message(id, 0)).await.unwrap();
        assert_eq!(receive_one(&mut stream).await.unwrap()[1], id);
        held.push(stream);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    let _ = third.write_all(&message(9, 0)).await;
    assert_eq!(receive_one(&mut third).await, None);
    drop(held.pop());
    let end = std::time::Instant::now() + Duration::from_secs(240);
    loop {
        let mut fourth = TcpStream::connect(address).await.unwrap();
        let _ = fourth.write_all(&message(4, 0)).await;
        if receive_one(&mut fourth).await.is_some() {
            break;
        }
        assert!(std::time::Instant::now() < end, "the place of a closed connection is free again");
    }
}
