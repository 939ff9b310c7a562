//! Stock secondaries that learn their zones from a catalog (RFC 9432).

use crate::tools;
use std::fs::{self, File};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A server of another vendor, ended when dropped.
pub struct Secondary {
    pub vendor: &'static str,
    pub port: u16,
    dir: TempDir,
    child: Child,
}

impl Secondary {
    /// Takes `catalog` from the replica at port `primary`, signed with the key in `clause` (BIND's words), and all its members.
    pub fn start(vendor: &'static str, catalog: &str, primary: u16, clause: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("conclave-secondary-").tempdir().unwrap();
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let shown = dir.path().display();
        let secret = clause.split("secret").nth(1).and_then(|rest| rest.split('"').nth(1)).expect("a secret");
        let config = match vendor {
            "named" => format!(
                "options {{ directory \"{shown}\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n \
                 recursion no; pid-file none; session-keyfile none; notify no; dnssec-validation no;\n \
                 empty-zones-enable no; managed-keys-directory \"{shown}\"; max-refresh-time 1; min-refresh-time 1;\n \
                 catalog-zones {{ zone \"{catalog}\" default-primaries port {primary} {{ 127.0.0.1 key \"ops\"; }}\n  \
                 in-memory yes min-update-interval 1; }}; }};\ncontrols {{ }};\n{clause}\n\
                 zone \"{catalog}\" {{ type secondary; file \"catalog\"; primaries port {primary} {{ 127.0.0.1 key \"ops\"; }}; }};\n"
            ),
            _ => format!(
                "server:\n  listen: 127.0.0.1@{port}\n  rundir: \"{shown}\"\ndatabase:\n  storage: \"{shown}\"\n\
                 key:\n  - id: ops\n    algorithm: hmac-sha256\n    secret: {secret}\n\
                 remote:\n  - id: primary\n    address: 127.0.0.1@{primary}\n    key: ops\n\
                 template:\n  - id: member\n    storage: \"{shown}\"\n    master: primary\n    refresh-max-interval: 2\n\
                 zone:\n  - domain: {catalog}\n    storage: \"{shown}\"\n    file: catalog\n    master: primary\n    \
                 refresh-max-interval: 2\n    catalog-role: interpret\n    catalog-template: member\n"
            ),
        };
        let file = dir.path().join("server.conf");
        fs::write(&file, config).unwrap();
        let log = File::create(dir.path().join("log")).unwrap();
        let mut command = Command::new(vendor);
        if vendor == "named" {
            command.arg("-g");
        }
        let child = command.arg("-c").arg(&file).env("PATH", tools::search_path());
        let child = child.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log).spawn().unwrap();
        Self { vendor, port, dir, child }
    }

    /// What it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Secondary {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
