//! Who may have a zone, and what a reader who stops costs.

use super::*;
use crate::answer::tests::signed;
use crate::zone::View;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// RFC 5936 §5: by network, by key, by both; a rule is about its zone only.
#[test]
fn a_rule_allows_whom_it_names() {
    let rule = |networks: &[&str], keys: &[&str]| Rule {
        zone: Some(name("a.test")),
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        keys: keys.iter().map(|text| name(text)).collect(),
    };
    let (inside, outside): (IpAddr, IpAddr) = ("192.0.2.9".parse().unwrap(), "198.51.100.9".parse().unwrap());
    let (key, other) = (name("key"), name("other"));
    let here = &["192.0.2.0/24"][..];
    for (rule, address, signer, allowed) in [
        (rule(here, &[]), inside, None, true),
        (rule(here, &[]), inside, Some(&other), true),
        (rule(here, &[]), outside, Some(&key), false),
        (rule(&[], &["key"]), outside, Some(&key), true),
        (rule(&[], &["key"]), outside, Some(&other), false),
        (rule(&[], &["key"]), outside, None, false),
        (rule(here, &["key"]), inside, Some(&key), true),
        (rule(here, &["key"]), inside, None, false),
        (rule(here, &["key"]), outside, Some(&key), false),
    ] {
        assert_eq!(rule.allows(&name("A.test"), address, signer), allowed, "{rule:?} {address} {signer:?}");
        assert!(!rule.allows(&name("b.test"), address, signer));
        let every = Rule { zone: None, ..rule };
        assert_eq!(every.allows(&name("b.test"), address, signer), allowed);
    }
}

fn large() -> Arc<View> {
    let records: String = (0..600).map(|i| format!("n{i} TXT \"{i}\"\n")).collect();
    signed::view("a.test.", &format!("$TTL 60\n@ SOA ns host 7 1 1 1 1\n@ NS ns.b.test.\n{records}"))
}

/// How many transfers more this client could have.
fn free(transfers: &Transfers) -> usize {
    let address = "::1".parse().unwrap();
    std::iter::from_fn(|| transfers.places.take(address)).collect::<Vec<_>>().len()
}

/// One secondary that asks for everything at once does not keep others from their zones.
#[tokio::test]
async fn a_client_has_no_more_than_its_share_of_transfers() {
    let everywhere = vec!["::/0".parse().unwrap()];
    let transfers =
        Transfers::new(vec![Rule { zone: Some(name("a.test")), networks: everywhere, keys: Vec::new() }]);
    let catalog = ArcSwap::from_pointee(Catalog::new().with(large(), false));
    let wire = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\xFC\x00\x01";
    let near: IpAddr = "::1".parse().unwrap();
    let held: Vec<_> = (0..MAX_TRANSFERS_PER_CLIENT).map(|_| transfers.places.take(near).unwrap()).collect();
    let keys = Arc::default();
    for (address, rcode) in [(near, 2), ("2001:db8::1".parse().unwrap(), 0)] {
        let (answers, mut queue) = mpsc::channel(64);
        transfers.answer(&catalog, &keys, wire, address, &answers).await.unwrap();
        assert_eq!(queue.recv().await.unwrap()[3] & 15, rcode, "{address}");
    }
    drop(held);
    assert_eq!(free(&transfers), MAX_TRANSFERS_PER_CLIENT);
}

/// No more is made than the connection has places for: memory is bounded whatever the zone's size and the reader's pace.
#[tokio::test]
async fn a_reader_who_stops_stops_the_transfer() {
    let rule = Rule { zone: Some(name("a.test")), networks: vec!["::/0".parse().unwrap()], keys: Vec::new() };
    let transfers = Transfers::new(vec![rule]);
    let catalog = ArcSwap::from_pointee(Catalog::new().with(large(), false));
    let wire = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\xFC\x00\x01";
    let (answers, mut queue) = mpsc::channel(2);
    let (keys, address) = (Arc::default(), "::1".parse().unwrap());
    let mut sending = std::pin::pin!(transfers.answer(&catalog, &keys, wire, address, &answers));
    let blocked =
        std::future::poll_fn(|context| std::task::Poll::Ready(sending.as_mut().poll(context).is_pending()));
    assert!(blocked.await && queue.len() == 2, "{} messages are ready", queue.len());
    assert_eq!(free(&transfers), MAX_TRANSFERS_PER_CLIENT - 1);
    queue.recv().await.unwrap();
    let read = async { while queue.recv().await.is_some_and(|message| !message.is_empty()) {} };
    tokio::select! {
        done = &mut sending => assert_eq!(done, Ok(())),
        () = read => unreachable!("the sender is held"),
    }
    assert_eq!(free(&transfers), MAX_TRANSFERS_PER_CLIENT);
}
