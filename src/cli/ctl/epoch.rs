//! `conclave ctl epoch status`.

use super::{Failure, Target, ask, object, print};
use serde_json::{Value, json};

/// A line a replica.
pub(super) fn status(targets: &[Target], as_json: bool) -> Result<(), Failure> {
    let mut reasons = Vec::new();
    for target in targets {
        let asked = ask(&target.socket, &json!({ "cmd": "status" }));
        let status = asked.and_then(|mut lines| object(&target.socket, lines.next()));
        match status.map(|status| status["replica"].clone()) {
            Ok(replica) if as_json => {
                print(&format!("{}\n", json!({ "index": replica["index"], "epoch": replica["epoch"] })));
            }
            Ok(replica) => print(&human(&replica)),
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Failure(reasons)) }
}

fn human(replica: &Value) -> String {
    let epoch = &replica["epoch"];
    let stage = match epoch["stage"].as_str().unwrap_or_default() {
        "awaits" => "awaits the last state of the epoch before",
        "runs" => "goes on",
        "ends" => "is ending: its last state is not certified yet, or not on disk",
        _ => "is over; its last state is certified",
    };
    let mut text = format!("replica {}: epoch {} {stage}\n", replica["index"], epoch["number"]);
    if let Some(successor) = epoch["successor"].as_str() {
        text.push_str(&format!(
            "  cluster {successor} goes on, with replicas {} of this one\n",
            epoch["continuing"]
        ));
        text.push_str(&format!("  its last state is on disk at replicas {}\n", epoch["kept"]));
    }
    text
}
