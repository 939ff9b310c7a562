use super::*;
use crate::runtime::inbox::Inbox;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A socket that is served, with a core that answers every status with `{"fine":true}`.
struct Served {
    _directory: tempfile::TempDir,
    path: PathBuf,
    _runtime: tokio::runtime::Runtime,
}

fn serve_one() -> Served {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin.sock");
    let listener = bind(&path).unwrap();
    let mut inbox = Inbox::new();
    let dir = crate::ceremony::deal::tests::dealt();
    let dealt = crate::ceremony::cluster_file::read(&dir.path().join("cluster.toml")).unwrap();
    let (me, keys) = (crate::quorum::ReplicaId::new(1).unwrap(), Arc::default());
    let (home, dealt) = (dir.path().join("replica-1"), Arc::new(dealt));
    let admin = Admin {
        catalog: Arc::default(),
        core: Arc::new(ArcSwap::from_pointee(inbox.lane(4, 0))),
        next: Arc::new(|_| Err("there is no next epoch".into())),
        importer: Arc::new(ArcSwap::from_pointee(Importer { home, dealt, me, keys })),
        giving: Arc::new(Semaphore::new(1)),
    };
    std::thread::spawn(move || {
        loop {
            for arrival in inbox.take(Duration::from_secs(1)) {
                if let Arrival::Status(asker) = arrival {
                    let _ = asker.send(json!({ "fine": true }));
                }
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::spawn(serve(tokio::net::UnixListener::from_std(listener).unwrap(), admin));
    });
    Served { _directory: directory, path, _runtime: runtime }
}

impl Served {
    fn ask(&self, line: &[u8]) -> Value {
        let mut stream = UnixStream::connect(&self.path).unwrap();
        stream.write_all(line).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}

#[test]
fn a_status_is_one_line_and_a_connection_may_ask_again() {
    let served = serve_one();
    assert_eq!(served.ask(b"{\"cmd\":\"status\"}\n"), json!({ "fine": true }));
    let mut stream = UnixStream::connect(&served.path).unwrap();
    stream.write_all(b"{\"cmd\":\"status\"}\n{\"cmd\":\"status\"}\n").unwrap();
    let lines: Vec<String> = BufReader::new(stream).lines().take(2).map(Result::unwrap).collect();
    assert_eq!(lines, ["{\"fine\":true}"; 2]);
}

#[test]
fn what_is_no_request_gets_an_error_that_says_why() {
    let served = serve_one();
    let error = |line: &[u8]| served.ask(line)["error"].as_str().unwrap().to_owned();
    assert!(error(b"rubbish\n").contains("expected value"));
    assert!(error(b"{\"cmd\":\"halt\"}\n").contains("unknown variant"));
    assert!(error(b"{\"cmd\":\"export\",\"zone\":\"example.test\"}\n").contains("not served"));
    assert!(error(b"{\"cmd\":\"export\",\"zone\":\"a..b\"}\n").contains("not a domain name"));
    assert!(error(&[b'x'; MAX_LINE_BYTES as usize]).contains("too long"));
    assert!(error(b"{\"cmd\":\"operator\",\"vote\":\"00\"}\n").contains("not what an operator has signed"));
    assert!(error(b"{\"cmd\":\"contents\",\"bytes\":99999999}\n").contains("at most"));
    assert!(!error(b"{\"cmd\":\"contents\",\"bytes\":4}\n\xff\xff\xff\xff").is_empty(), "these are none");
}

#[test]
fn the_socket_is_the_owners_alone_replaces_a_stale_one_and_no_other_file() {
    let served = serve_one();
    let mode = std::fs::metadata(&served.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(bind(&served.path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    let directory = tempfile::tempdir().unwrap();
    let stale = directory.path().join("stale");
    drop(bind(&stale).unwrap());
    bind(&stale).unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert_eq!(bind(&file).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
}
