//! A client of QUIC on loopback: what it gets, and what it cannot do.

use super::super::clients::{Busy, OnReply};
use super::super::ending::{self, Teller};
use super::super::network::Network;
use super::super::places::TcpRules;
use super::super::transfer::{Rule, Transfers};
use super::*;
use crate::answer::tests::{catalog, query};
use crate::answer::{Reply, Settings, respond};
use crate::dns::Name;
use crate::runtime::certificate::{self, Speaks};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, ConnectionError};
use rustls::RootCertStore;
use std::sync::Mutex;

const PATIENT: Duration = Duration::from_secs(240);

struct Server {
    address: SocketAddr,
    client: Endpoint,
    held: Arc<Mutex<Vec<OnReply>>>,
    teller: Teller,
    served: tokio::task::JoinHandle<()>,
}

fn client(authority: rustls::pki_types::CertificateDer<'static>, alpn: &[u8]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13]).unwrap();
    let mut tls = builder.with_root_certificates(roots).with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

/// A server under these rules, and a client that speaks `alpn` to it.
fn start(rules: TcpRules, alpn: &[u8]) -> Server {
    let held = Arc::new(Mutex::new(Vec::<OnReply>::new()));
    let due = held.clone();
    let forward = move |_: Vec<u8>, _: Client, reply: OnReply| -> Result<(), Busy> {
        due.lock().unwrap().push(reply);
        Ok(())
    };
    let zone = Name::parse("example.test.").unwrap();
    let everywhere: Vec<Network> = vec!["127.0.0.0/8".parse().unwrap()];
    let transfers = Transfers::new(vec![Rule { zone: Some(zone), networks: everywhere, keys: Vec::new() }]);
    let catalog = Arc::new(ArcSwap::from_pointee(catalog()));
    let settings = Arc::new(ArcSwap::from_pointee(Settings::default()));
    let service = Service::with_forward(catalog, settings, Arc::new(forward)).with_transfers(transfers);
    let pair = rcgen::generate_simple_self_signed(vec!["ns.example.test".into()]).unwrap();
    let (chain, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
    let tls = certificate::server(chain.as_bytes(), key.as_bytes(), Speaks::Doq).unwrap();
    let guard: Guard = Arc::new(ArcSwap::from_pointee(config(tls, rules.idle).unwrap()));
    let endpoint = endpoint(bind("127.0.0.1:0".parse().unwrap()).unwrap(), &guard).unwrap();
    let address = endpoint.local_addr().unwrap();
    let (teller, ending) = ending::pair();
    let served = tokio::spawn(serve(endpoint, service, Places::new(rules), guard, ending));
    let mut near = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    near.set_default_client_config(self::client(pair.cert.der().clone(), alpn));
    Server { address, client: near, held, teller, served }
}

fn usual() -> Server {
    start(TcpRules::default(), b"doq")
}

impl Server {
    async fn connect(&self) -> Result<Connection, ConnectionError> {
        let connecting = self.client.connect(self.address, "ns.example.test").unwrap();
        timeout(PATIENT, connecting).await.expect("in time")
    }
}

/// `wire` with the identifier 0, behind its length.
fn framed(mut wire: Vec<u8>) -> Vec<u8> {
    wire[..2].fill(0);
    [&(wire.len() as u16).to_be_bytes()[..], &wire].concat()
}

fn update() -> Vec<u8> {
    framed(
        b"\x00\x07\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x04test\x00\x00\x06\x00\x01".to_vec(),
    )
}

/// All that comes back on a stream of its own.
async fn ask(connection: &Connection, octets: &[u8]) -> Option<Vec<u8>> {
    let (mut send, mut recv) = connection.open_bi().await.ok()?;
    send.write_all(octets).await.ok()?;
    send.finish().ok()?;
    timeout(PATIENT, recv.read_to_end(1 << 24)).await.expect("in time").ok()
}

fn messages(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let Some((length, rest)) = octets.split_first_chunk::<2>() {
        let (message, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        messages.push(message.to_vec());
        octets = rest;
    }
    messages
}

/// RFC 9250 §4.2: a query and its answer on each stream, in any number at once, with the octets of every other transport.
#[tokio::test]
async fn each_stream_gets_the_answer_of_every_transport() {
    let server = usual();
    let connection = server.connect().await.unwrap();
    const QUESTIONS: [&str; 5] = ["@ SOA do", "www A", "no.such A do", "x.deleg A", "@ DNSKEY do"];
    let asked = QUESTIONS.iter().cycle().take(200).map(|question| {
        let (connection, octets) = (connection.clone(), framed(query(question)));
        async move {
            let answer = messages(&ask(&connection, &octets).await.expect("an answer"));
            let client = Client::over(Transport::Quic);
            let request = crate::answer::Request { wire: &octets[2..], client, now_secs: 0 };
            let mut expected = Vec::new();
            let reply = respond(&catalog(), &Settings::default(), request, &mut expected);
            assert!(matches!(reply, Reply::Send(_)));
            assert_eq!(answer, [expected], "{question}");
        }
    });
    let all: JoinSet<()> = asked.collect();
    all.join_all().await;
}

/// RFC 9250 §4.3.3, §4.2.1 and §5.5.2: what is fatal ends the connection with DOQ_PROTOCOL_ERROR, and no other connection.
#[tokio::test]
async fn protocol_errors_end_the_connection_with_their_code() {
    let server = usual();
    let good = framed(query("@ SOA"));
    let numbered = [&[0, good.len() as u8 - 2, 0, 1], &good[4..]].concat();
    let response = [&good[..4], &[0x80], &good[5..]].concat();
    let mut keepalive = query("@ SOA edns");
    let end = keepalive.len();
    keepalive[end - 2..].copy_from_slice(&[0, 4]);
    keepalive.extend_from_slice(&[0, 11, 0, 0]);
    for wrong in [
        numbered,
        response,
        framed(keepalive),
        good[..good.len() - 1].to_vec(),
        good[..1].to_vec(),
        Vec::new(),
        [&good[..], &[0]].concat(),
        good.repeat(2),
        b"\x00\x05\x00\x00GET".to_vec(),
        b"\x00\x00".to_vec(),
    ] {
        let connection = server.connect().await.unwrap();
        assert_eq!(ask(&connection, &wrong).await, None, "{wrong:02x?}");
        let reason = timeout(PATIENT, connection.closed()).await.expect("in time");
        let ConnectionError::ApplicationClosed(close) = reason else { panic!("{wrong:02x?}: {reason}") };
        assert_eq!(close.error_code, PROTOCOL_ERROR, "{wrong:02x?}");
    }
    let connection = server.connect().await.unwrap();
    let mut one_way = connection.open_uni().await.unwrap();
    one_way.write_all(&good).await.unwrap();
    let reason = timeout(PATIENT, connection.closed()).await.expect("in time");
    assert!(
        matches!(reason, ConnectionError::ApplicationClosed(close) if close.error_code == PROTOCOL_ERROR)
    );
    assert!(ask(&server.connect().await.unwrap(), &good).await.is_some());
}

/// RFC 9250 §4.1.1: who does not speak `doq` is not served.
#[tokio::test]
async fn another_protocol_gets_no_connection() {
    assert!(start(TcpRules::default(), b"h3").connect().await.is_err());
}

/// RFC 9250 §4.3.1: an answer that nobody waits for is not sent, and the others are.
#[tokio::test]
async fn a_cancelled_update_frees_its_stream_and_no_other() {
    let server = usual();
    let connection = server.connect().await.unwrap();
    let (mut send, mut recv) = connection.open_bi().await.unwrap();
    send.write_all(&update()).await.unwrap();
    send.finish().unwrap();
    while server.held.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    recv.stop(REQUEST_CANCELLED).unwrap();
    let octets = update();
    let waiting = ask(&connection, &octets);
    let replying = async {
        while server.held.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
        server.held.lock().unwrap().pop().unwrap()(Some(vec![0, 0, 0xA8, 0]));
    };
    let (answer, ()) = tokio::join!(waiting, replying);
    assert_eq!(answer, Some(vec![0, 4, 0, 0, 0xA8, 0]));
}

/// RFC 9250 §4.6: no more streams than there are turns, nor more octets than are allowed.
#[tokio::test]
async fn streams_and_octets_of_a_connection_are_bounded() {
    let server = usual();
    let connection = server.connect().await.unwrap();
    let mut open = Vec::new();
    while let Ok(Ok((mut send, recv))) = timeout(Duration::from_millis(300), connection.open_bi()).await {
        // A message of the greatest size, of which only a part comes.
        let _ = timeout(Duration::from_millis(50), send.write_all(&[&[0xFF; 2][..], &[0; 32_768]].concat()))
            .await;
        open.push((send, recv));
    }
    assert_eq!(open.len(), MAX_TCP_PIPELINE);
    let other = server.connect().await.unwrap();
    assert!(ask(&other, &framed(query("@ SOA"))).await.is_some(), "others are served");
    open.iter_mut().for_each(|(send, _)| send.reset(REQUEST_CANCELLED).unwrap());
    assert!(ask(&connection, &framed(query("@ SOA"))).await.is_some(), "what is given up is free again");
}

/// RFC 9250 §5.2, RFC 7766 §6.2.2: a client has no more connections than over TCP; §5.5.1: the idle are closed without error.
#[tokio::test]
async fn places_are_shared_and_idle_connections_end() {
    let idle = Duration::from_millis(400);
    let server = start(TcpRules { connections: 8, per_client: 2, idle }, b"doq");
    let first = server.connect().await.unwrap();
    let _second = server.connect().await.unwrap();
    assert!(matches!(server.connect().await, Err(ConnectionError::ConnectionClosed(_))), "no place");
    let reason = timeout(PATIENT, first.closed()).await.expect("in time");
    let in_order = match &reason {
        ConnectionError::ApplicationClosed(close) => close.error_code == NO_ERROR,
        // Both sides count.
        reason => *reason == ConnectionError::TimedOut,
    };
    assert!(in_order, "{reason}");
    let end = tokio::time::Instant::now() + PATIENT;
    while server.connect().await.is_err() {
        assert!(tokio::time::Instant::now() < end, "the place of a closed connection is free again");
    }
}

/// RFC 9000 §8.1.2: in a crowd an address has to be shown to be the client's before it takes a place.
#[tokio::test]
async fn in_a_crowd_addresses_are_proven_first() {
    let server = start(TcpRules { connections: 3, per_client: 3, idle: PATIENT }, b"doq");
    let mut held = Vec::new();
    for _ in 0..3 {
        // The third comes by a Retry, which quinn follows.
        let connection = server.connect().await.unwrap();
        assert!(ask(&connection, &framed(query("@ SOA"))).await.is_some());
        held.push(connection);
    }
    let sent = |connection: &Connection| connection.stats().path.sent_packets;
    assert!(held.iter().all(|connection| sent(connection) > 0));
    assert!(server.connect().await.is_err());
}

/// RFC 9250 §4.2: all messages of a zone transfer on one stream, to whom the rules name.
#[tokio::test]
async fn a_zone_goes_over_one_stream() {
    let server = usual();
    let connection = server.connect().await.unwrap();
    let zone = messages(&ask(&connection, &framed(query("@ AXFR"))).await.expect("a zone"));
    let records: Vec<_> = zone.iter().flat_map(|message| Message::parse(message).unwrap().answers).collect();
    assert!(records.len() > 50 && records.first() == records.last(), "{} records", records.len());
    assert!(zone.iter().all(|message| message[..2] == [0, 0]));
    let refused = messages(&ask(&connection, &framed(query("www AXFR"))).await.expect("a refusal"));
    assert_eq!((refused.len(), refused[0][3] & 15), (1, 9));
}

/// RFC 9250 §5.5.1 and §8.4: what was asked before the end is answered; then the connection is closed without error.
#[tokio::test]
async fn what_waits_for_the_replica_is_answered_though_the_server_ends() {
    let server = usual();
    let connection = server.connect().await.unwrap();
    let octets = update();
    let asking = ask(&connection, &octets);
    let ending = async {
        while server.held.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        server.teller.tell();
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.held.lock().unwrap().pop().unwrap()(Some(vec![0, 0, 0xA8, 0]));
    };
    let (answer, ()) = tokio::join!(asking, ending);
    assert_eq!(answer, Some(vec![0, 4, 0, 0, 0xA8, 0]));
    let reason = timeout(PATIENT, connection.closed()).await.expect("in time");
    assert!(matches!(reason, ConnectionError::ApplicationClosed(close) if close.error_code == NO_ERROR));
    server.client.close(NO_ERROR, &[]);
    timeout(PATIENT, server.served).await.expect("the server ends").unwrap();
}
