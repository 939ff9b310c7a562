//! Who does not belong is refused, who breaks the protocol is cut off, and neither takes memory or disturbs others.

use crate::harness::*;
use conclave::limits::{LINK_HANDSHAKE_MS, MAX_FRAME_BYTES, MAX_LINK_HANDSHAKES};
use conclave::link::Event;
use conclave::runtime::inbox::Inbox;
use conclave::runtime::peers::{FromPeer, Peers};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Two members that should be linked: what the first sends arrives at the second.
fn assert_linked(sender: &Peers, inbox: &mut Inbox<FromPeer>) {
    let from = Instant::now();
    sender.send(id(2), message(3));
    loop {
        assert!(from.elapsed() < Duration::from_secs(20), "no message comes through");
        let arrived = inbox.take(Duration::from_millis(100));
        if arrived.iter().any(|a| a.from == id(1) && a.event == Event::Deliver(message(3).to_vec())) {
            return;
        }
    }
}

/// Writes `bytes` and reads until the other side ends the connection.
async fn write_and_wait_for_the_end(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
    let mut ignored = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut ignored)).await;
    assert!(ended.is_ok(), "the connection was not ended");
}

/// Members 1 and 2 of three, where 2 listens at the returned address and 3 is played by the test.
async fn two_of_three() -> (Vec<Identity>, Endpoint, Endpoint, SocketAddr) {
    let identities: Vec<Identity> = (0..3).map(|_| identity()).collect();
    let ((first, _), (second, address)) = (bind().await, bind().await);
    let addresses = BTreeMap::from([(id(2), address.to_string())]);
    let one = endpoint(local(1, cluster(1)), tls(&identities, 1), first, addresses);
    let two = endpoint(local(2, cluster(1)), tls(&identities, 2), second, BTreeMap::new());
    (identities, one, two, address)
}

#[test]
fn an_unknown_certificate_and_bytes_that_are_no_tls_are_refused_and_counted() {
    let runtime = tokio_runtime();
    let (_, one, mut two, address) = runtime.block_on(two_of_three());
    runtime.block_on(async {
        // In TLS 1.3 the client learns of the refusal with its first read.
        let mut stream = connect_as(&identity(), address).await.unwrap();
        write_and_wait_for_the_end(&mut stream, &frame(&[0; 40])).await;
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(&[b'x'; 5000]).await.unwrap();
        let _ = plain.read_to_end(&mut Vec::new()).await;
    });
    wait_for("both are counted", || two.peers.refused() >= 2);
    assert_linked(&one.peers, &mut two.inbox);
}

#[test]
fn a_replica_does_not_link_to_a_stranger_at_its_peers_address() {
    let runtime = tokio_runtime();
    let identities: Vec<Identity> = (0..2).map(|_| identity()).collect();
    let others = [clone(&identities[0]), identity()];
    let (one, stranger) = runtime.block_on(async {
        let ((first, _), (second, address)) = (bind().await, bind().await);
        let addresses = BTreeMap::from([(id(2), address.to_string())]);
        let one = endpoint(local(1, cluster(1)), tls(&identities, 1), first, addresses);
        (one, endpoint(local(2, cluster(1)), tls(&others, 2), second, BTreeMap::new()))
    });
    wait_for("it is tried", || stranger.peers.refused() > 0);
    assert_eq!(one.peers.status()[0].connections, 0);
}

#[test]
fn a_member_of_another_cluster_is_refused_with_the_first_frame() {
    let runtime = tokio_runtime();
    let identities: Vec<Identity> = (0..2).map(|_| identity()).collect();
    let (one, mut two) = runtime.block_on(async {
        let ((first, _), (second, address)) = (bind().await, bind().await);
        let addresses = BTreeMap::from([(id(2), address.to_string())]);
        let one = endpoint(local(1, cluster(1)), tls(&identities, 1), first, addresses);
        (one, endpoint(local(2, cluster(2)), tls(&identities, 2), second, BTreeMap::new()))
    });
    one.peers.send(id(2), message(1));
    wait_for("they meet", || two.peers.status()[0].connections > 0);
    assert!(two.inbox.take(Duration::from_millis(300)).is_empty());
    assert!(!one.peers.status()[0].up && !two.peers.status()[0].up);
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

#[test]
fn oversized_and_malformed_frames_of_a_member_end_its_connection_and_disturb_nobody() {
    let runtime = tokio_runtime();
    let (identities, one, mut two, address) = runtime.block_on(two_of_three());
    let bad: [Vec<u8>; 5] = [
        ((MAX_FRAME_BYTES + 1) as u32).to_be_bytes().to_vec(),
        u32::MAX.to_be_bytes().to_vec(),
        frame(&[]),
        frame(&[1; 200]),
        frame(&vec![0xff; MAX_FRAME_BYTES]),
    ];
    runtime.block_on(async {
        for bytes in &bad {
            let mut stream = connect_as(&identities[2], address).await.unwrap();
            write_and_wait_for_the_end(&mut stream, bytes).await;
        }
    });
    let third = &two.peers.status()[1];
    assert_eq!((third.peer, third.faults, third.up), (3, bad.len() as u64, false));
    assert_linked(&one.peers, &mut two.inbox);
}

#[test]
fn connections_that_say_nothing_are_bounded_and_end_by_themselves() {
    let runtime = tokio_runtime();
    let (_, one, mut two, address) = runtime.block_on(two_of_three());
    assert_linked(&one.peers, &mut two.inbox);
    runtime.block_on(async {
        let mut idle = Vec::new();
        for _ in 0..MAX_LINK_HANDSHAKES * 2 {
            idle.push(TcpStream::connect(address).await.unwrap());
        }
        let refused = |count: usize| two.peers.refused() >= count as u64;
        while !refused(MAX_LINK_HANDSHAKES) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for stream in &mut idle {
            let mut ignored = Vec::new();
            let ended = stream.read_to_end(&mut ignored);
            let patience = Duration::from_millis(LINK_HANDSHAKE_MS * 2);
            assert!(tokio::time::timeout(patience, ended).await.is_ok(), "an idle connection stays");
        }
    });
    assert_linked(&one.peers, &mut two.inbox);
}

#[test]
fn a_peer_that_is_not_read_waits_in_bounded_memory() {
    let runtime = tokio_runtime();
    let (_, one, mut two, _) = runtime.block_on(two_of_three());
    let count = 3000_u64;
    let long: Arc<[u8]> = vec![5; 20_000].into();
    for _ in 0..count {
        assert!(one.peers.send(id(2), long.clone()).is_none());
    }
    // Nobody empties the inbox: its lane fills, and the rest stays with the sender.
    let waiting = || one.peers.status()[0].waiting as u64;
    wait_for("some has gone", || waiting() < count);
    std::thread::sleep(Duration::from_millis(500));
    assert!((count - waiting()) * 20_000 <= 2 * LANE_BYTES as u64, "{} wait", waiting());
    let mut arrived = 0;
    while arrived < count {
        let taken = two.inbox.take(Duration::from_secs(20));
        assert!(!taken.is_empty());
        arrived += taken.iter().filter(|t| matches!(t.event, Event::Deliver(_))).count() as u64;
    }
}
