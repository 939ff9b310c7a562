//! Lines to the admin socket: a request or an error of one line.

use conclave::dns::Name;
use conclave::runtime::admin::Command;
use conclave::zone::Ticket;

pub fn run(data: &[u8]) {
    let line = String::from_utf8_lossy(data);
    match Command::parse(&line) {
        Ok(
            Command::Status | Command::Votes | Command::Keys | Command::Epoch { .. } | Command::Import { .. },
        ) => {}
        Ok(Command::Zones | Command::Operator { .. } | Command::Contents { .. }) => {}
        Ok(Command::Log { .. } | Command::Trial { .. }) => {}
        Ok(Command::Explain { ticket }) => drop(ticket.map(|text| Ticket::parse(&text))),
        Ok(Command::Vote { command }) => {
            if let Ok(command) = command.parse::<conclave::zone::Command>() {
                assert_eq!(command.to_string().parse(), Ok(command), "one text form");
            }
        }
        Ok(Command::Export { zone }) => drop(zone.parse::<Name>()),
        Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{why}"),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let lines = [
        r#"{"cmd":"status"}"#,
        r#"{"cmd":"export","zone":"example.test."}"#,
        r#"{"cmd":"export","zone":"\u0041"}"#,
        r#"{"cmd":"votes"}"#,
        r#"{"cmd":"import","file":"/a/b.bundle"}"#,
        r#"{"cmd":"epoch"}"#,
        r#"{"cmd":"epoch","look":true}"#,
        r#"{"cmd":"zones"}"#,
        r#"{"cmd":"operator","vote":"00ff"}"#,
        r#"{"cmd":"contents","bytes":7}"#,
        r#"{"cmd":"explain","ticket":"0k9v0m2a7c"}"#,
        r#"{"cmd":"trial","message":"00","key":"ops."}"#,
        r#"{"cmd":"log","zone":"example.test.","since":7}"#,
        r#"{"cmd":"vote","command":"drill one"}"#,
    ];
    lines.map(|line| line.as_bytes().to_vec()).to_vec()
}
