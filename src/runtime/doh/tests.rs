//! A client of HTTP/2 on the other side of a pipe: what it gets, and what it cannot do.

use super::super::clients::{Busy, OnReply};
use super::super::ending::{self, Teller};
use super::super::places::TcpRules;
use super::*;
use crate::answer::tests::{catalog, query};
use crate::answer::{Reply, Settings, respond};
use arc_swap::ArcSwap;
use data_encoding::BASE64URL_NOPAD;
use h2::client::SendRequest;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const PATIENT: Duration = Duration::from_secs(240);

/// Replies that are due.
type Held = Arc<Mutex<Vec<OnReply>>>;

/// The client's end, what is held back of what the replica has to say, and what ends the server.
struct Peer {
    send: SendRequest<Bytes>,
    held: Held,
    teller: Teller,
    /// Ends with the server.
    served: tokio::task::JoinHandle<()>,
}

/// The client's end of a connection to a server, and what goes with it.
fn server(idle: Duration) -> (DuplexStream, Held, Teller, tokio::task::JoinHandle<()>) {
    let held = Held::default();
    let due = held.clone();
    let forward = move |_: Vec<u8>, _: Client, reply: OnReply| -> Result<(), Busy> {
        due.lock().unwrap().push(reply);
        Ok(())
    };
    let catalog = Arc::new(ArcSwap::from_pointee(catalog()));
    let settings = Arc::new(ArcSwap::from_pointee(Settings::default()));
    let service = Service::with_forward(catalog, settings, Arc::new(forward));
    let (near, far) = tokio::io::duplex(4_096);
    let (teller, ending) = ending::pair();
    let served = tokio::spawn(async move {
        let places = Places::new(TcpRules { connections: 4, per_client: 4, idle });
        let address = "192.0.2.1".parse().unwrap();
        connection(near, (&service, &places), &"/dns-query".into(), address, ending).await;
    });
    (far, held, teller, served)
}

async fn peer(idle: Duration) -> Peer {
    let (far, held, teller, served) = server(idle);
    let (send, connection) = h2::client::handshake(far).await.unwrap();
    tokio::spawn(connection);
    Peer { send, held, teller, served }
}

/// The response to a request, with its body; none if the stream was reset, or the connection is gone.
async fn ask(peer: &Peer, request: Request<()>, body: &[u8]) -> Option<(::http::response::Parts, Vec<u8>)> {
    let mut send = peer.send.clone().ready().await.ok()?;
    let (response, mut stream) = send.send_request(request, body.is_empty()).ok()?;
    if !body.is_empty() {
        stream.send_data(Bytes::copy_from_slice(body), true).ok()?;
    }
    let (head, mut body) = timeout(PATIENT, response).await.expect("in time").ok()?.into_parts();
    let mut read = Vec::new();
    while let Some(piece) = timeout(PATIENT, body.data()).await.expect("in time") {
        let piece = piece.ok()?;
        body.flow_control().release_capacity(piece.len()).unwrap();
        read.extend_from_slice(&piece);
    }
    Some((head, read))
}

fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri(format!("https://ns.example.test{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

fn post() -> Request<()> {
    request("POST", "/dns-query", &[("content-type", "application/dns-message")])
}

fn get(wire: &[u8]) -> Request<()> {
    request("GET", &format!("/dns-query?dns={}", BASE64URL_NOPAD.encode(wire)), &[])
}

fn update() -> Vec<u8> {
    b"\x00\x07\x28\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x04test\x00\x00\x06\x00\x01".to_vec()
}

/// RFC 8484 §4.1: by GET and by POST the same octets as over any other transport, the ID as sent; §4.2.1: every rcode is a 200;
/// §5.1: kept as long as the least TTL says, denials as the SOA does, and what is an error or a referral not at all.
#[tokio::test]
async fn get_and_post_give_the_octets_of_every_transport_and_how_long_to_keep_them() {
    let peer = peer(PATIENT).await;
    for (question, kept) in [
        ("@ SOA", "max-age=3600"),
        ("www A do", "max-age=3600"),
        ("no.such A do", "max-age=300"),
        ("www MX", "max-age=300"),
        ("x.deleg A", "no-store"),
        ("@ AXFR", "no-store"),
    ] {
        let wire = query(question);
        let (mut expected, now_secs) = (Vec::new(), 0);
        let client = Client::over(Transport::Https);
        let asked = crate::answer::Request { wire: &wire, client, now_secs };
        assert!(matches!(respond(&catalog(), &Settings::default(), asked, &mut expected), Reply::Send(_)));
        for (request, body) in [(get(&wire), &[][..]), (post(), &wire)] {
            let (head, message) = ask(&peer, request, body).await.expect("a response");
            assert_eq!(head.status, StatusCode::OK, "{question}");
            assert_eq!(head.headers["content-type"], "application/dns-message");
            assert_eq!(head.headers["content-length"], message.len().to_string().as_str());
            assert_eq!(head.headers["cache-control"], kept, "{question}");
            assert_eq!(message, expected, "{question}");
        }
    }
}

/// RFC 8484 §4.1, §4.2.1, §6; RFC 9110 §9.1, §15.5, §15.6: what holds no message says by its status what is wrong.
#[tokio::test]
async fn what_is_no_request_for_dns_gets_the_status_that_says_so() {
    let peer = peer(PATIENT).await;
    let (wire, dns) = (query("@ SOA"), [("content-type", "Application/DNS-Message; charset=x")]);
    let text = BASE64URL_NOPAD.encode(&wire);
    let response = [&wire[..2], &[0x81], &wire[3..]].concat();
    let at = |query: &str| request("GET", &format!("/dns-query{query}"), &[]);
    for (request, body, status) in [
        (request("POST", "/dns-query", &dns), &wire[..], 200),
        (at(&format!("?x=1&dns={text}&y")), &[], 200),
        (request("HEAD", &format!("/dns-query?dns={text}"), &[]), &[], 200),
        (at(""), &[], 400),
        (at("?dns="), &[], 400),
        (at(&format!("?dns={text}=")), &[], 400),
        (at("?dns=AA+/"), &[], 400),
        (at(&format!("?dns={text}&dns={text}")), &[], 400),
        (get(&wire[..11]), &[], 400),
        (get(&response), &[], 400),
        (post(), &[], 400),
        (post(), &response, 400),
        (request("GET", "/", &[]), &[], 404),
        (request("POST", "/dns-query/", &dns), &wire, 404),
        (request("PUT", "/dns-query", &dns), &wire, 405),
        (request("DELETE", "/dns-query", &[]), &[], 405),
        (post(), &[0; 65_536], 413),
        (request("POST", "/dns-query", &[]), &wire, 415),
        (request("POST", "/dns-query", &[("content-type", "application/dns-json")]), &wire, 415),
        (request("BREW", "/dns-query", &[]), &[], 501),
    ] {
        let asked = format!("{request:?}");
        let is_head = request.method() == Method::HEAD;
        let (head, got) = ask(&peer, request, body).await.unwrap_or_else(|| panic!("no response: {asked}"));
        assert_eq!(head.status, status, "{asked}");
        assert_eq!(got.is_empty(), status != 200 || is_head, "{asked}");
        assert_eq!(head.headers.contains_key("allow"), status == 405, "{asked}");
    }
    let long = format!("/dns-query?dns={}", "A".repeat(MAX_HTTP_HEADER_OCTETS as usize));
    let refused = ask(&peer, request("GET", &long, &[]), &[]).await;
    assert!(refused.is_none_or(|(head, _)| head.status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    let (head, _) = ask(&peer, get(&wire), &[]).await.expect("the connection stands");
    assert_eq!(head.status, StatusCode::OK);
}

/// RFC 9113 §10.5: who opens and resets what is still to be answered gets no more turns than others have, and then is told to go.
#[tokio::test]
async fn streams_that_are_reset_keep_their_turns_until_the_replica_is_done() {
    let peer = peer(PATIENT).await;
    let mut opened = 0;
    while let Ok(mut send) = timeout(PATIENT, peer.send.clone().ready()).await.expect("in time") {
        let Ok((response, mut stream)) = send.send_request(post(), false) else { break };
        if stream.send_data(update().into(), true).is_err() {
            break;
        }
        let before = peer.held.lock().unwrap().len();
        // The replica has the update, or the stream is refused.
        let taken = async {
            while peer.held.lock().unwrap().len() == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = taken => {}
            _ = response => {}
        }
        stream.send_reset(Reason::CANCEL);
        opened += 1;
        assert!(opened <= MAX_TCP_PIPELINE + MAX_REFUSED + 2, "it goes on");
    }
    assert_eq!(peer.held.lock().unwrap().len(), MAX_TCP_PIPELINE);
    timeout(PATIENT, peer.served).await.expect("the connection ends").unwrap();
}

/// RFC 9113 §10.5: streams that are reset before anybody looks at them end the connection (CVE-2023-44487).
#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let (far, _held, _teller, served) = server(PATIENT);
    let (mut read, mut write) = tokio::io::split(far);
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let head =
            [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        [&head, payload].concat()
    };
    let flood = async {
        let opening = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[])].concat();
        let mut sent = write.write_all(&opening).await;
        // POST https /dns-query in HPACK (RFC 7541 §6), without its end; and the reset.
        let fields = [&[0x83, 0x87, 0x04, 10][..], b"/dns-query", &[0x01, 1, b'a']].concat();
        for stream in (1..).step_by(2) {
            if sent.is_err() {
                return stream;
            }
            sent = write
                .write_all(&[frame(1, 4, stream, &fields), frame(3, 0, stream, &[0, 0, 0, 8])].concat())
                .await;
        }
        unreachable!("streams have numbers of 31 bits")
    };
    let deaf = async { while read.read(&mut [0; 4_096]).await.is_ok_and(|octets| octets > 0) {} };
    let (streams, ()) =
        timeout(PATIENT, async { tokio::join!(flood, deaf) }).await.expect("the peer is told to go");
    assert!(streams < 100_000, "{streams} streams");
    timeout(PATIENT, served).await.expect("the connection ends").unwrap();
}

#[tokio::test]
async fn who_is_silent_does_not_read_or_never_ends_a_body_is_let_go() {
    let idle = Duration::from_millis(300);
    let silent = peer(idle).await;
    timeout(PATIENT, silent.served).await.expect("the connection ends").unwrap();

    let slow = peer(idle).await;
    let mut send = slow.send.clone().ready().await.unwrap();
    let (response, _body) = send.send_request(post(), false).unwrap();
    let status = timeout(PATIENT, response).await.expect("in time").unwrap().status();
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
    timeout(PATIENT, slow.served).await.expect("the connection ends").unwrap();

    let deaf = peer(idle).await;
    let mut unread = Vec::new();
    for _ in 0..MAX_TCP_PIPELINE {
        let Ok(Ok(mut send)) = timeout(idle, deaf.send.clone().ready()).await else { break };
        let Ok((response, _)) = send.send_request(get(&query("big TXT do")), true) else { break };
        unread.push(response);
    }
    timeout(PATIENT, deaf.served).await.expect("the connection ends").unwrap();
}

/// RFC 9113 §6.8: what was asked before the end is answered, and nothing more is taken.
#[tokio::test]
async fn what_waits_for_the_replica_is_answered_though_the_server_ends() {
    let peer = peer(PATIENT).await;
    let asking = async { ask(&peer, post(), &update()).await };
    let ending = async {
        while peer.held.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        peer.teller.tell();
        tokio::time::sleep(Duration::from_millis(50)).await;
        peer.held.lock().unwrap().pop().unwrap()(Some(vec![0, 7, 0xA8, 0]));
    };
    let (answer, ()) = tokio::join!(asking, ending);
    let (head, message) = answer.expect("the reply");
    assert_eq!((head.status, message), (StatusCode::OK, vec![0, 7, 0xA8, 0]));
    assert_eq!(head.headers["cache-control"], "no-store");
    timeout(PATIENT, peer.served).await.expect("the connection ends").unwrap();
}
