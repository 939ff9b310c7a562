//! `conclave ctl log`: the audit, a line for each executed update.

use super::{Failure, Target, ask, object, print};
use crate::dns::{Name, show_date};
use serde_json::{Value, json};

/// Which entries are wanted.
pub(super) struct Filter<'a> {
    pub zone: Option<&'a str>,
    pub key: Option<&'a str>,
    pub since: Option<u64>,
}

/// The first replica that answers tells.
pub(super) fn show(targets: &[Target], filter: &Filter<'_>, as_json: bool) -> Result<(), Failure> {
    let named = |text: Option<&str>| match text.map(Name::parse).transpose() {
        Ok(name) => Ok(name.map(|name| name.to_string())),
        Err(why) => Err(Failure::new(format!("`{}` is no name: {why}", text.unwrap_or_default()))),
    };
    let request = json!({ "cmd": "log", "zone": named(filter.zone)?, "key": named(filter.key)?, "since": filter.since });
    let mut reasons = Vec::new();
    for target in targets {
        match from(target, &request) {
            Ok(entries) => {
                entries
                    .iter()
                    .for_each(|entry| print(&if as_json { format!("{entry}\n") } else { human(entry) }));
                return Ok(());
            }
            Err(reason) => reasons.push(reason),
        }
    }
    Err(Failure(reasons))
}

fn from(target: &Target, request: &Value) -> Result<Vec<Value>, String> {
    let mut lines = ask(&target.socket, request)?;
    let head = object(&target.socket, lines.next())?;
    let count = head["entries"].as_u64().unwrap_or_default();
    (0..count).map(|_| object(&target.socket, lines.next())).collect()
}

/// Who, what, serial, place in the order, outcome.
fn human(entry: &Value) -> String {
    if let Some(batch) = entry["skipped_to"].as_u64() {
        return format!(
            "(a state was taken over: what came before batch {batch} stands in the other replicas' logs)\n"
        );
    }
    let word = |field: &str| entry[field].as_str().unwrap_or("-");
    let asked = entry["asked"].as_u64().unwrap_or_default();
    let told: Vec<&str> = entry["told"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let more = asked.saturating_sub(told.len() as u64);
    let line = format!(
        "{} batch {}.{} replica {} {} {} {} serial {} +{} -{} [{}] {}{}{}",
        show_date(entry["at"].as_u64().unwrap_or_default()),
        entry["batch"],
        entry["position"],
        entry["gateway"],
        word("key"),
        word("zone"),
        word("rcode"),
        entry["serial"].as_u64().map_or("-".into(), |serial| serial.to_string()),
        entry["added"],
        entry["deleted"],
        word("ticket"),
        told.join("; "),
        if more > 0 { format!("; and {more} more") } else { String::new() },
        entry["why"].as_str().map_or(String::new(), |why| format!(" ({why})")),
    );
    line.chars().filter(|letter| !letter.is_control()).chain(['\n']).collect()
}
