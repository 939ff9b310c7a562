//! Any octets as a query to a signed zone: the answer parses, fits, and is the same each time.

use super::keys::{NOW, keyring};
use super::query::query as ask;
use super::signed;
use conclave::answer::{
    Catalog, Client, Cookies, Reply, Request, Settings, Transport, failure, failure_to, instead, manners,
    respond, respond_from,
};
use conclave::dns::cookie::Secrets;
use conclave::dns::message::Message;
use conclave::dns::query;
use conclave::dns::tsig::{self, TsigAlgorithm, TsigKey};
use conclave::dns::{Name, Opcode, Rcode, RrType};
use conclave::limits::MAX_UDP_ANSWER_OCTETS;
use conclave::zone::View;
use std::sync::{Arc, OnceLock};

struct Server {
    view: Arc<View>,
    catalog: Catalog,
    settings: Settings,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let view = signed::view("example.test.", signed::EXAMPLE);
        let waiting = Name::parse("waits.test.").expect("a name");
        let catalog = Catalog::new().with(view.clone(), false).awaiting(waiting);
        let settings = Settings {
            identity: Some("here".into()),
            version: Some("1".into()),
            cookies: Secrets::new(vec![[7; 16]]).map(|secrets| Cookies { secrets, required: false }),
            keys: Arc::new(keyring()),
            ..Settings::default()
        };
        Server { view, catalog, settings }
    })
}

pub fn run(data: &[u8]) {
    let Server { view, catalog, settings } = server();
    let mut out = Vec::new();
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let request = Request { wire: data, client: Client::over(transport), now_secs: NOW };
        let reply = respond(catalog, settings, request, &mut out);
        check(data, transport, &reply, &out);
        let again = &mut Vec::new();
        assert_eq!((respond(catalog, settings, request, again), &*again), (reply, &out), "asked twice");
        let reply = respond_from(view, settings, request, &mut out);
        check(data, transport, &reply, &out);
        instead(settings, request, &mut out);
        assert!(out.is_empty() || out.len() <= 512 && Message::parse(&out).is_ok(), "a slip");
        failure_to(settings, request, Rcode::SERVFAIL, Some((14, "wait")), &mut out);
        assert!(out.is_empty() || Message::parse(&out).is_ok(), "a failure that does not parse");
        let given = manners(settings, request).options.len();
        assert!(given <= 3, "{given} options");
    }
    for ede in [None, Some((14, "wait"))] {
        failure(data, Rcode::SERVFAIL, ede, &mut out);
        assert!(out.is_empty() || Message::parse(&out).is_ok(), "a failure that does not parse");
    }
}

fn check(request: &[u8], transport: Transport, reply: &Reply, answer: &[u8]) {
    let is_request = request.len() >= 12 && request[2] & 0x80 == 0;
    match reply {
        Reply::Ignore => assert!(!is_request && answer.is_empty()),
        Reply::Forward(_) => assert!(Opcode(request[2] >> 3 & 15) == Opcode::UPDATE),
        Reply::Send(subject) => {
            assert!(request.get(subject.about.clone()).is_some(), "{subject:?}");
            let message = Message::parse(answer).unwrap_or_else(|e| panic!("the answer does not parse: {e}"));
            assert!(message.header.qr && answer[..2] == request[..2], "an answer to another request");
            assert!(message.questions.len() <= 1);
            let limit = match (transport, &message.edns) {
                (Transport::Udp, None) => 512,
                (Transport::Udp, Some(_)) => udp_size(request),
                _ => usize::from(u16::MAX),
            };
            assert!(answer.len() <= limit, "{} octets", answer.len());
            assert!(transport == Transport::Udp || !message.header.tc, "TC over TCP");
        }
    }
}

/// What the request's sender takes over UDP, as far as it is given.
fn udp_size(request: &[u8]) -> usize {
    let asked = query::parse(request).ok().and_then(|query| query.edns);
    asked.map_or(512, |edns| usize::from(edns.udp_size).clamp(512, MAX_UDP_ANSWER_OCTETS))
}

pub fn seeds() -> Vec<Vec<u8>> {
    let names = [
        "example.test",
        "www.example.test",
        "nosuch.example.test",
        "a.wild.example.test",
        "sub.example.test",
    ];
    let types = [RrType::A, RrType::SOA, RrType::DS, RrType::ANY, RrType::DNSKEY];
    let pairs = names.iter().flat_map(|name| types.iter().map(move |rtype| (*name, *rtype)));
    // A long name asked, signed by a key of a long name that nobody knows.
    let long = [
        ["x"; 63].concat(),
        ["y"; 63].concat(),
        ["z"; 63].concat(),
        ["w"; 40].concat(),
        "example.test.".into(),
    ]
    .join(".");
    let mut strange = ask(&long, RrType::A, None);
    let unknown = TsigKey::new(super::keys::name(&long), TsigAlgorithm::HmacSha256, vec![1; 32]);
    tsig::sign_request(&mut strange, &unknown, NOW);
    let queries = pairs.map(|(name, rtype)| ask(name, rtype, Some(0x80)));
    queries.chain(super::query::seeds()).chain([super::keys::nsupdate(), strange]).collect()
}
