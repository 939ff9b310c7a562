//! Scripts of nsupdate, and statements of a policy: what is read becomes messages that can be read, and a policy that answers.

use conclave::dns::message::Message;
use conclave::dns::{Name, RrType, script};
use conclave::zone::{Ticket, UpdatePolicy};

pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let zone = Name::parse("example.test.").expect("a name");
    if let Ok(sent) = script::parse(&text) {
        assert!(sent.len() <= text.lines().count() + 1, "more messages than lines");
        for one in &sent {
            if let Some(wire) = one.to_wire(&zone) {
                let message = Message::parse(&wire).expect("what is written is read");
                assert_eq!(message.answers.len(), one.prerequisites.len());
                assert_eq!(message.authorities.len(), one.updates.len());
            }
        }
    }
    let lines: Vec<&str> = text.lines().collect();
    if let Ok(policy) = UpdatePolicy::parse(&lines) {
        for key in policy.keys() {
            let _ = (policy.knows(key), policy.allows(key, &zone, RrType::A), policy.allows_some(key, &zone));
        }
    }
    if let Some(ticket) = Ticket::parse(&text) {
        assert_eq!(ticket.to_string(), text.to_ascii_lowercase());
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let script = "server 127.0.0.1 53\nzone example.test\nttl 60\nkey hmac-sha256:ops. c2VjcmV0\nprereq nxrrset a.example.test A\n\
                  yxrrset b.example.test IN TXT \"x ; y\"\nupdate add a.example.test 300 IN A 192.0.2.1\nadd a.example.test TXT \"one two\" three\n\
                  update delete b.example.test\nsend\ndel c.example.test A\nupdate delete d.example.test A 192.0.2.2 ; and so on\n";
    let policy = "grant ops zonesub TXT(1) ANY(2)\ndeny *.ops. subdomain a.example.test. A AAAA;\ngrant * self .\n\
                  guard * keep name www.example.test. A\nguard ops protect subdomain example.test.\nguard * floor 10\nguard * ceiling 5 3600";
    [script, policy, "0k9v0m2a7c"].map(|text| text.as_bytes().to_vec()).to_vec()
}
