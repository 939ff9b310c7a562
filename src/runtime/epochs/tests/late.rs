//! What comes late: the beginning of an epoch that is over, and the directory of the next one.

use super::*;
use crate::answer::tests::signed;
use crate::answer::{self, Catalog, Client, Reply, Request, Settings, Transport};
use crate::dns::Name;
use arc_swap::ArcSwap;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

fn common() -> (Common, Arc<ArcSwap<Catalog>>) {
    let catalog = Arc::new(ArcSwap::from_pointee(Catalog::new()));
    (Common::new(catalog.clone(), settings(), mpsc::unbounded_channel().0), catalog)
}

fn settings() -> Arc<ArcSwap<Settings>> {
    Arc::new(ArcSwap::from_pointee(Settings::default()))
}

/// A replica at work, as if of this epoch, on any port, its peers nowhere.
fn engine(home: &Path, common: &Common, epoch: u32) -> Engine {
    let mut loaded = load(ReplicaFile::read(&home.join("replica.toml")).unwrap()).unwrap();
    loaded.file.peer.set_port(0);
    loaded.file.peers.values_mut().for_each(|at| *at = "127.0.0.1:1".into());
    let disk = DirDisk::open(&loaded.file.data).unwrap();
    let peer = bind_peer(&loaded.file).unwrap();
    let mut engine = Engine::start(loaded, disk, peer, common, None).unwrap();
    engine.cluster = Arc::new(Cluster { epoch: Epoch(epoch), ..Cluster::clone(&engine.cluster) });
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_late_to_its_own_end_takes_no_client_back() {
    let (dir, (common, _)) = (dealt(), common());
    let engines =
        [0, 1].map(|epoch| engine(&dir.path().join(format!("replica-{}", epoch + 1)), &common, epoch));
    let doors = Doors::of(&engines[0], settings());
    let engines = VecDeque::from(engines);
    let mut process = Process { engines, common, doors: &doors, begun: None, settled: None, lacks: None };
    for (epoch, door) in [(0, 1), (1, 2), (0, 2)] {
        let notice = Notice { epoch: Epoch(epoch), what: What::Begun };
        assert!(!process.notice(notice).await.unwrap());
        assert_eq!(doors.home.load().me.get(), door, "epoch {epoch} has begun");
    }
    process.stop().await.unwrap();
}

#[test]
fn an_epoch_that_begins_late_does_not_say_how_queries_are_answered() {
    let (common, catalog) = common();
    let origin = Name::parse("a.test.").unwrap();
    let view = signed::view("a.test.", "@ SOA ns host 7 1 1 1 1\n@ NS ns.b.test.\n");
    common.publish(Epoch(0), &origin, view, false);
    let is_ordered = || {
        let wire = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\x06\x00\x01";
        let request = Request { wire, client: Client::over(Transport::Udp), now_secs: 0 };
        let reply = answer::respond(&catalog.load(), &Settings::default(), request, &mut Vec::new());
        matches!(reply, Reply::Forward(_))
    };
    let ordered = BTreeSet::from([origin]);
    for (epoch, zones, expected) in
        [(0, BTreeSet::new(), false), (1, ordered, true), (0, BTreeSet::new(), true)]
    {
        common.begun(Epoch(epoch), &zones);
        assert_eq!(is_ordered(), expected, "epoch {epoch} has begun");
    }
}

/// The engine of the epoch before may still be at work, or read its last state again.
#[test]
fn a_zone_that_went_is_not_brought_back_by_an_epoch_before() {
    let (common, catalog) = common();
    let origin = Name::parse("a.test.").unwrap();
    let view = signed::view("a.test.", "@ SOA ns host 7 1 1 1 1\n@ NS ns.b.test.\n");
    common.publish(Epoch(1), &origin, view.clone(), false);
    assert!(catalog.load().has(&origin));
    for (epoch, is_there) in [(1, false), (0, false), (2, true), (1, false), (3, true)] {
        common.withdraw(Epoch(2), &origin);
        assert!(!catalog.load().has(&origin));
        common.publish(Epoch(epoch), &origin, view.clone(), false);
        assert_eq!(catalog.load().has(&origin), is_there, "epoch {epoch}");
    }
}

/// A machine that is cut off hears of its epoch's end from the next one's replicas only, so it is not to wait for the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_next_epochs_directory_is_tried_at_the_next_look_though_nothing_lacks() {
    let (dir, (common, _)) = (dealt(), common());
    let home = dir.path().join("replica-1");
    let engines = VecDeque::from([engine(&home, &common, 0)]);
    let doors = Doors::of(&engines[0], settings());
    let mut process = Process { engines, common, doors: &doors, begun: None, settled: None, lacks: None };
    process.look().await.unwrap();
    assert!(process.lacks.is_none());
    fs::create_dir(home.join(NEXT)).unwrap();
    // Not one that can start: that it was tried shows in when it is tried again.
    fs::copy(home.join("replica.toml"), home.join(NEXT).join("replica.toml")).unwrap();
    process.look().await.unwrap();
    assert!(process.lacks.is_some_and(|again| again > Instant::now()));
    process.stop().await.unwrap();
}
