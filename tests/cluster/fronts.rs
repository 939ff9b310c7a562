//! What faces clients, changed as operators do it: lines of `replica.toml`, certificates that come and go.

use crate::harness::{Demo, all_output};
use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Stops `demo`, replaces what was set before in the table `[dns]` of its first `replica.toml` (and tables behind it), and starts it
/// again.
pub fn set(demo: &mut Demo, dns: &str) {
    demo.stop();
    let path = demo.dir().join("replica-1/replica.toml");
    let kept = demo.dir().join("replica-1/replica.toml.dealt");
    if !kept.exists() {
        fs::copy(&path, &kept).unwrap();
    }
    let dealt = fs::read_to_string(&kept).unwrap();
    let (before, after) = dealt.split_once("\n[peer]\n").expect("the table of peers follows");
    fs::write(&path, format!("{before}{dns}\n[peer]\n{after}")).unwrap();
    demo.restart();
}

/// A port that nobody has, of UDP.
pub fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A new file that its owner alone reads.
pub fn write_secret(path: &Path, text: &str) {
    let _ = fs::remove_file(path);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut &file, text.as_bytes()).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0);
}

/// A self-signed certificate `NAME.pem` with its key `NAME.key`.
pub fn certificate(home: &Path, name: &str) -> PathBuf {
    let path = |end: &str| home.join(format!("{name}.{end}"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
        ])
        .args(["-subj", "/CN=ns.example.test", "-addext", "subjectAltName=DNS:ns.example.test", "-keyout"])
        .arg(path("key"))
        .arg("-out")
        .arg(path("pem"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", all_output(&made));
    path("pem")
}

/// Puts a certificate and its key where the replica looks for them, as an ACME client does.
pub fn install(home: &Path, name: &str) {
    write_secret(&home.join("tls.key.new"), &fs::read_to_string(home.join(format!("{name}.key"))).unwrap());
    fs::rename(home.join("tls.key.new"), home.join("tls.key")).unwrap();
    fs::copy(home.join(format!("{name}.pem")), home.join("tls.pem.new")).unwrap();
    fs::rename(home.join("tls.pem.new"), home.join("tls.pem")).unwrap();
}
