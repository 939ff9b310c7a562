//! What a connection carries besides queries, how its answers are written, and DNS over TLS.

use super::super::super::certificate::{self, Speaks};
use super::super::super::transfer::{Rule, Transfers};
use super::*;
use crate::answer::tests::signed;
use crate::dns::Name;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsConnector;

const LONG: Duration = Duration::from_secs(240);

/// RFC 5936 §4.1.2: several transfers on one connection, and queries between them.
#[tokio::test]
async fn transfers_and_queries_share_a_connection() {
    let view = signed::view("example.", "@ SOA ns host 7 1 1 1 1\n@ NS ns.b.test.\n@ A 192.0.2.1\n");
    let rule = Rule {
        zone: Name::parse("example.").ok(),
        networks: vec!["0.0.0.0/0".parse().unwrap()],
        keys: Vec::new(),
    };
    let service = service(|_, _, _| Err(Busy)).with_transfers(Transfers::new(vec![rule]));
    service.catalog.store(Arc::new(Catalog::new().with(view, false)));
    let (_server, address) = start(service);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked: Vec<u8> = (0..4)
        .flat_map(|id| {
            let mut wire = message(id, 0);
            // AXFR and A in turn.
            wire[24] = if id % 2 == 0 { 252 } else { 1 };
            wire
        })
        .collect();
    stream.write_all(&asked).await.unwrap();
    for id in 0..4 {
        let answer = receive_one(&mut stream).await.expect("an answer");
        assert_eq!((answer[1], answer[3] & 15), (id, 0));
        assert_eq!(answer[7] > 1, id % 2 == 0, "records of answer {id}: {}", answer[7]);
    }
}

/// Keeps each write.
struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl AsyncWrite for Writes {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// RFC 7766 §8: an answer and its length go out together.
#[tokio::test]
async fn an_answer_and_its_length_are_one_write() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let (answers, queue) = mpsc::channel(4);
    answers.send(vec![7; 300]).await.unwrap();
    drop(answers);
    write_all(Writes(written.clone()), queue, &places(LONG)).await;
    let expected = [&[1, 44][..], &[7; 300]].concat();
    assert_eq!(*written.lock().unwrap(), [expected]);
}

/// A server with TLS whose connections may be idle for so long, where it is, and who trusts it.
fn start_tls(idle: Duration) -> (tokio::task::JoinHandle<()>, SocketAddr, TlsConnector) {
    let pair = rcgen::generate_simple_self_signed(vec!["ns.example.test".into()]).unwrap();
    let (chain, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
    let server = certificate::server(chain.as_bytes(), key.as_bytes(), Speaks::Dot).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(pair.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13]).unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let guard = Arc::new(ArcSwap::from_pointee(server));
    let serving = serve(listener, service(|_, _, _| Err(Busy)), places(idle), Door::Tls(guard), never());
    (tokio::spawn(serving), address, TlsConnector::from(Arc::new(client)))
}

/// RFC 7858 §3.1: what comes in clear to the port of TLS is not answered.
#[tokio::test]
async fn clear_text_is_not_answered_where_tls_is() {
    let (_server, address, _) = start_tls(LONG);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&message(1, 0)).await.unwrap();
    let mut told = Vec::new();
    // Reset or ended.
    let _ = timeout(LONG, stream.read_to_end(&mut told)).await.expect("the connection ends");
    assert!(told.first().is_none_or(|first| *first == 21), "no more than an alert: {told:02x?}");
}

/// RFC 7858 §3.3: messages have their length before them; RFC 7858 §3.4: several on a connection, which ends with close_notify.
#[tokio::test]
async fn a_connection_under_tls_carries_several_queries_and_ends_in_order() {
    let (_server, address, connector) = start_tls(Duration::from_millis(500));
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("ns.example.test").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    for id in 0..3 {
        stream.write_all(&message(id, 0)).await.unwrap();
        stream.flush().await.unwrap();
        let mut wire = Vec::new();
        timeout(LONG, read_message(&mut stream, &mut wire)).await.expect("in time").expect("an answer");
        assert_eq!(wire[1], id);
    }
    let ended = timeout(LONG, stream.read_to_end(&mut Vec::new())).await.expect("in time");
    assert_eq!(ended.expect("close_notify"), 0);
}
