//! `conclave ctl keys`: each zone's keys, the rollover under way, and what to do next, and when.

use super::{Failure, Target, ask, first, object};
use crate::dns::show_date;
use serde_json::{Value, json};
use std::path::Path;

/// The first replica that answers tells.
pub(super) fn show(targets: &[Target], as_json: bool) -> Result<(), Failure> {
    let told = |socket: &Path| object(socket, ask(socket, &json!({ "cmd": "keys" }))?.next());
    first(targets, as_json, told, human)
}

/// For people.
fn human(answer: &Value) -> String {
    let mut text = String::new();
    for zone in list(&answer["keys"]) {
        if list(&zone["keys"]).next().is_none() {
            text.push_str(&format!("{} is not there yet\n", word(&zone["zone"])));
            list(&zone["bundles"]).for_each(|bundle| text.push_str(&bundle_line(bundle)));
            continue;
        }
        text.push_str(&format!("{}\n", word(&zone["zone"])));
        list(&zone["keys"]).for_each(|key| text.push_str(&key_line(key)));
        match zone["rollover"].as_object() {
            None => text.push_str("  no rollover is under way\n"),
            Some(_) => text.push_str(&rollover(&zone["rollover"])),
        }
        list(&zone["bundles"]).for_each(|bundle| text.push_str(&bundle_line(bundle)));
        text.push_str(&format!("  allowance for replicas and secondaries: {} s\n", zone["allowance"]));
    }
    let open = list(&answer["votes"]["open"]).filter(|open| word(&open["command"]).starts_with("keys "));
    for open in open {
        let votes = open["votes"].as_object().map_or(0, serde_json::Map::len);
        text.push_str(&format!(
            "open vote: {} ({votes} of {})\n",
            word(&open["command"]),
            answer["votes"]["needed"]
        ));
    }
    text
}

fn bundle_line(bundle: &Value) -> String {
    format!(
        "  new {} of algorithm {}, tag {}: receipts of {} of {} replicas{}\n    bundle {}\n",
        word(&bundle["role"]).to_uppercase(),
        bundle["algorithm"],
        bundle["tag"],
        bundle["receipts"],
        bundle["of"],
        lacking(&bundle["lacking"]),
        word(&bundle["name"])
    )
}

/// Whose receipts are lacking.
fn lacking(replicas: &Value) -> String {
    let indices: Vec<String> = list(replicas).map(Value::to_string).collect();
    if indices.is_empty() { String::new() } else { format!(", lacking from {}", indices.join(", ")) }
}

fn key_line(key: &Value) -> String {
    let does = [
        (key["published"] == true, "published"),
        (key["signs"] == true, "signs"),
        (key["announced"] == true, "in CDS"),
    ];
    let does: Vec<&str> = does.iter().filter(|(does, _)| *does).map(|(_, word)| *word).collect();
    let does = if does.is_empty() { "not in use".to_owned() } else { does.join(", ") };
    let role = word(&key["role"]).to_uppercase();
    format!("  {role} tag {} algorithm {}: {does}\n", key["tag"], key["algorithm"])
}

fn rollover(roll: &Value) -> String {
    let since = show_date(roll["since"].as_u64().unwrap_or_default());
    let next = word(&roll["next"]);
    let when = match (roll["safe_from"].as_u64(), roll["waits_for"].as_str()) {
        (Some(from), _) => format!("safe from {} on", show_date(from)),
        (None, Some(why)) => format!("not yet: {why}"),
        _ => "not yet".into(),
    };
    format!(
        "  rollover: {} (since {since})\n  next: conclave ctl vote {next}\n    {when}\n",
        word(&roll["stage"])
    )
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
