//! Links over real TLS on loopback: what is cut is repaired, and who does not belong is refused.

use conclave::codec::{ClusterId, Digest, Epoch};
use conclave::limits::{LINK_HANDSHAKE_MS, MAX_FRAME_BYTES, MAX_LINK_HANDSHAKES};
use conclave::link::{Event, Local};
use conclave::quorum::ReplicaId;
use conclave::runtime::config::Tls;
use conclave::runtime::inbox::Inbox;
use conclave::runtime::peers::{FromPeer, Peers, Setup, start};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const LANE_BYTES: usize = 8 * 1024 * 1024;

fn id(index: usize) -> ReplicaId {
    ReplicaId::new(index as u8).unwrap()
}

fn cluster(byte: u8) -> ClusterId {
    ClusterId(Digest([byte; 32]))
}

/// A member's certificate, key and public key.
struct Identity {
    certificate: Vec<u8>,
    key: Vec<u8>,
    public: [u8; 32],
}

fn identity() -> Identity {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&pair).unwrap();
    Identity {
        certificate: certificate.der().to_vec(),
        key: pair.serialize_der(),
        public: pair.public_key_raw().try_into().unwrap(),
    }
}

fn tls(identities: &[Identity], me: usize) -> Tls {
    Tls {
        certificate: identities[me - 1].certificate.clone(),
        key: identities[me - 1].key.clone().into(),
        identities: identities.iter().map(|i| i.public).collect(),
    }
}

/// One replica's end of all its links.
struct Endpoint {
    peers: Peers,
    inbox: Inbox<FromPeer>,
    tasks: JoinSet<()>,
}

fn endpoint(
    local: Local,
    tls: Tls,
    listener: TcpListener,
    addresses: BTreeMap<ReplicaId, String>,
) -> Endpoint {
    let mut inbox = Inbox::new();
    let others = (1..=tls.identities.len()).map(id).filter(|other| *other != local.me);
    let lanes = others.map(|other| (other, inbox.lane(1000, LANE_BYTES))).collect();
    let mut tasks = JoinSet::new();
    let peers = start(Setup { local, tls, listener, addresses, lanes }, &mut tasks).unwrap();
    Endpoint { peers, inbox, tasks }
}

async fn bind() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Forwards to `target` until `cuts` changes, then drops both sides and goes on with the next connection.
async fn proxy(listener: TcpListener, target: SocketAddr, mut cuts: watch::Receiver<u32>) {
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        let Ok(mut far) = TcpStream::connect(target).await else { continue };
        cuts.mark_unchanged();
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => {}
            _ = cuts.changed() => {}
        }
    }
}

fn message(number: u64) -> Arc<[u8]> {
    let length = 8 + (number * 2_654_435_761 % 3000) as usize;
    number.to_le_bytes().into_iter().cycle().take(length).collect()
}

/// Endpoints of n replicas, each link through a proxy that can cut it.
struct Cluster {
    endpoints: Vec<Endpoint>,
    /// The dialling replica's slot, the other, and what cuts their connection.
    cutters: Vec<(usize, ReplicaId, watch::Sender<u32>)>,
}

async fn cluster_of(n: usize) -> Cluster {
    let identities: Vec<Identity> = (0..n).map(|_| identity()).collect();
    let mut listeners = Vec::new();
    for _ in 0..n {
        listeners.push(bind().await);
    }
    let targets: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
    let (mut endpoints, mut cutters) = (Vec::new(), Vec::new());
    for (slot, (listener, _)) in listeners.into_iter().enumerate() {
        let mut addresses = BTreeMap::new();
        for (other, target) in targets.iter().enumerate().skip(slot + 1) {
            let (near, address) = bind().await;
            let (cut, cuts) = watch::channel(0);
            tokio::spawn(proxy(near, *target, cuts));
            addresses.insert(id(other + 1), address.to_string());
            cutters.push((slot, id(other + 1), cut));
        }
        let local = local(slot + 1, cluster(1));
        endpoints.push(endpoint(local, tls(&identities, slot + 1), listener, addresses));
    }
    Cluster { endpoints, cutters }
}

fn local(me: usize, cluster: ClusterId) -> Local {
    Local { cluster, epoch: Epoch(0), me: id(me), incarnation: me as u64 }
}

/// Sends numbered messages to all others, a little faster than they are cut off, until told to stop. How many.
fn send_until(peers: &Peers, me: usize, n: usize, stop: &AtomicBool) -> u64 {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        for other in (1..=n).map(id).filter(|o| o.slot() != me) {
            assert!(peers.send(other, message(number)).is_none(), "the queue was full");
        }
        number += 1;
        let waiting = peers.status().iter().map(|s| s.waiting).max().unwrap_or(0);
        std::thread::sleep(Duration::from_micros(if waiting > 5000 { 20_000 } else { 800 }));
    }
    number
}

/// Checks number and content of all that comes, until `sent` is known and has come from every peer.
fn receive_until(mut inbox: Inbox<FromPeer>, me: usize, sent: &OnceLock<Vec<u64>>) {
    let mut next = BTreeMap::<ReplicaId, u64>::new();
    let mut linked = BTreeMap::<ReplicaId, u32>::new();
    let mut finished: Option<Instant> = None;
    while finished.is_none_or(|at| at.elapsed() < Duration::from_millis(300)) {
        for FromPeer { from, event } in inbox.take(Duration::from_millis(100)) {
            match event {
                Event::Linked => *linked.entry(from).or_default() += 1,
                Event::Deliver(bytes) => {
                    let expected = next.entry(from).or_default();
                    assert_eq!(bytes[..], message(*expected)[..], "from {from}, number {expected}");
                    *expected += 1;
                }
            }
        }
        if let (Some(sent), None) = (sent.get(), finished) {
            let mut others = sent.iter().enumerate().filter(|(slot, _)| *slot != me);
            let all = others.all(|(slot, count)| next.get(&id(slot + 1)).copied().unwrap_or(0) == *count);
            finished = all.then(Instant::now);
        }
    }
    assert!(linked.values().all(|count| *count == 1), "one incarnation, no gap: {linked:?}");
}

/// Cuts the link to `other` whenever it has come up again. The connections there were.
fn cut_often(peers: &Peers, other: ReplicaId, cut: &watch::Sender<u32>, times: u32, seed: u64) -> u64 {
    let mut last = 0;
    for round in 0..times {
        last = loop {
            let links = peers.status();
            let link = links.iter().find(|s| s.peer == other.get()).unwrap();
            if link.up && link.connections > last {
                break link.connections;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        std::thread::sleep(Duration::from_millis((seed * 7 + u64::from(round) * 13) % 23));
        cut.send(round + 1).unwrap();
    }
    last
}

fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn every_link_cut_a_hundred_times_under_load_loses_and_repeats_nothing() {
    const N: usize = 4;
    const CUTS: u32 = 100;
    let runtime = tokio_runtime();
    let Cluster { endpoints, cutters } = runtime.block_on(cluster_of(N));
    let peers: Vec<Peers> = endpoints.iter().map(|e| e.peers.clone()).collect();
    let (stop, sent) = (AtomicBool::new(false), OnceLock::new());
    let mut tasks = Vec::new();
    std::thread::scope(|scope| {
        for (me, endpoint) in endpoints.into_iter().enumerate() {
            tasks.push(endpoint.tasks);
            let sent = &sent;
            scope.spawn(move || receive_until(endpoint.inbox, me, sent));
        }
        let (stop, peers) = (&stop, &peers);
        let senders: Vec<_> =
            (0..N).map(|me| scope.spawn(move || send_until(&peers[me], me, N, stop))).collect();
        let cutting: Vec<_> = (0..)
            .zip(&cutters)
            .map(|(seed, (slot, other, cut))| {
                scope.spawn(move || cut_often(&peers[*slot], *other, cut, CUTS, seed))
            })
            .collect();
        let connections: Vec<u64> = cutting.into_iter().map(|c| c.join().unwrap()).collect();
        stop.store(true, Ordering::SeqCst);
        sent.set(senders.into_iter().map(|s| s.join().unwrap()).collect()).unwrap();
        assert!(connections.iter().all(|count| *count >= u64::from(CUTS)), "{connections:?}");
    });
    println!("messages from each to each: {:?}", sent.get().unwrap());
}

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

fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let from = Instant::now();
    while !condition() {
        assert!(from.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A TLS client that believes any server, with a certificate of `who`.
async fn connect_as(who: &Identity, target: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let key = PrivateKeyDer::Pkcs8(who.key.clone().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelieveAnyone))
        .with_client_auth_cert(vec![who.certificate.clone().into()], key)
        .unwrap();
    let stream = TcpStream::connect(target).await?;
    TlsConnector::from(Arc::new(config)).connect("x.invalid".try_into().unwrap(), stream).await
}

#[derive(Debug)]
struct BelieveAnyone;

impl ServerCertVerifier for BelieveAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("TLS 1.3 only")
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
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

fn clone(identity: &Identity) -> Identity {
    Identity { certificate: identity.certificate.clone(), key: identity.key.clone(), public: identity.public }
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
