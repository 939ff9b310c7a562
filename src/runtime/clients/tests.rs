use super::*;
use crate::runtime::inbox::Inbox;
use std::sync::mpsc;
use std::time::Duration;

fn port() -> (ClientPort, Inbox<FromClient>) {
    let mut inbox = Inbox::new();
    let lane = inbox.lane(LANE.0, LANE.1);
    (ClientPort::new(lane, Arc::default()), inbox)
}

fn udp() -> Client {
    Client::over(crate::answer::Transport::Udp)
}

fn tcp() -> Client {
    Client::over(crate::answer::Transport::Tcp)
}

fn to(sender: mpsc::Sender<Option<Vec<u8>>>) -> OnReply {
    Box::new(move |wire| sender.send(wire).unwrap())
}

fn take_request(inbox: &mut Inbox<FromClient>) -> (ClientId, Vec<u8>) {
    match inbox.take(Duration::from_secs(10)).pop() {
        Some(FromClient::Request { id, wire, .. }) => (id, wire),
        _ => panic!("no request"),
    }
}

#[test]
fn a_reply_comes_to_the_one_who_asked_and_only_once() {
    let (port, mut inbox) = port();
    let (sender, replies) = mpsc::channel();
    port.try_submit(b"query".to_vec(), udp(), to(sender)).unwrap();
    let (id, wire) = take_request(&mut inbox);
    assert_eq!(wire, b"query");
    port.reply(id, |client| {
        assert_eq!(client, udp());
        Some(b"answer".to_vec())
    });
    port.reply(id, |_| panic!("a second reply"));
    assert_eq!(replies.recv().unwrap().unwrap(), b"answer");
}

#[test]
fn too_many_clients_are_told_so_at_once() {
    let (port, mut inbox) = port();
    let (sender, replies) = mpsc::channel();
    for _ in 0..MAX_PENDING_CLIENTS / 2 {
        port.try_submit(vec![1], tcp(), to(sender.clone())).unwrap();
        inbox.take(Duration::ZERO);
    }
    assert_eq!(port.try_submit(vec![1], tcp(), to(sender.clone())), Err(Busy));
    // Queries take no place of updates.
    port.try_submit(vec![0, 1, 5 << 3], tcp(), to(sender.clone())).unwrap();
    port.reply(ClientId(1), |_| None);
    assert!(replies.recv().unwrap().is_none());
    port.try_submit(vec![1], tcp(), to(sender)).unwrap();
}

#[test]
fn a_client_that_goes_is_forgotten_and_an_end_answers_all() {
    let (port, mut inbox) = port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let asking = port.ask(vec![1], tcp());
        assert!(tokio::time::timeout(Duration::from_millis(10), asking).await.is_err());
    });
    let taken = inbox.take(Duration::ZERO);
    assert!(matches!(taken[..], [FromClient::Request { .. }, FromClient::Forget(ClientId(1))]));
    let (sender, replies) = mpsc::channel();
    port.try_submit(vec![1], tcp(), to(sender.clone())).unwrap();
    port.end();
    assert!(replies.recv().unwrap().is_none());
    assert_eq!(port.try_submit(vec![1], tcp(), to(sender)), Err(Busy));
}
