use super::super::clients::Busy;
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
    forward: impl Fn(Vec<u8>, Transport, OnReply) -> Result<(), Busy> + Send + Sync + 'static,
) -> Service {
    let catalog = Arc::new(ArcSwap::from_pointee(Catalog::new()));
    Service::with_forward(catalog, Arc::new(Settings::default()), Arc::new(forward))
}

/// A server, and how to connect to it.
fn start(service: Service) -> (tokio::task::JoinHandle<()>, SocketAddr) {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    (tokio::spawn(serve(listener, service)), address)
}

async fn receive_one(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut wire = Vec::new();
    timeout(Duration::from_secs(5), read_message(stream, &mut wire)).await.expect("in time").ok()?;
    Some(wire)
}

/// RFC 1035 §4.2.2 and RFC 8906 §3.1.5.
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

/// RFC 2136 §2.1.
#[tokio::test]
async fn queries_overtake_a_waiting_update() {
    let waiting = Arc::new(Mutex::new(Vec::new()));
    let held = waiting.clone();
    let (_server, address) = start(service(move |_, transport, reply| {
        assert_eq!(transport, Transport::Tcp);
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

#[tokio::test]
async fn a_silent_connection_is_closed_after_its_idle_time_and_sooner_in_a_crowd() {
    let idle = Duration::from_millis(500);
    for (free, limit) in [(MAX_TCP_CLIENTS, idle), (1, idle / 10)] {
        let (places, service) = (Semaphore::new(free), service(|_, _, _| Err(Busy)));
        let (near, _far) = tokio::io::duplex(64);
        let (read, write) = tokio::io::split(near);
        let begin = std::time::Instant::now();
        connection(read, write, &service, &places, idle).await;
        assert!(begin.elapsed() >= limit && (free > 1 || begin.elapsed() < idle), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_let_go() {
    let (places, service) = (Semaphore::new(MAX_TCP_CLIENTS), service(|_, _, _| Err(Busy)));
    let (near, mut far) = tokio::io::duplex(256);
    let (read, write) = tokio::io::split(near);
    let flood = async { while far.write_all(&message(1, 0)).await.is_ok() {} };
    let idle = Duration::from_millis(100);
    let both = async { tokio::join!(connection(read, write, &service, &places, idle), flood) };
    timeout(Duration::from_secs(10), both).await.expect("the connection ends");
}
