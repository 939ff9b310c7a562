//! `conclave ctl zone list`.

use super::super::{Failure, Target, ask, first, object};
use serde_json::{Value, json};
use std::path::Path;

/// The first replica that answers tells.
pub(super) fn show(targets: &[Target], as_json: bool) -> Result<(), Failure> {
    let told = |socket: &Path| object(socket, ask(socket, &json!({ "cmd": "zones" }))?.next());
    first(targets, as_json, told, human)
}

fn human(answer: &Value) -> String {
    let word = |value: &Value| -> String {
        value.as_str().unwrap_or_default().chars().filter(|letter| !letter.is_control()).collect()
    };
    let mut text = String::new();
    for zone in answer["zones"].as_array().into_iter().flatten() {
        text.push_str(&format!(
            "{} serial {}, version {}{}\n",
            word(&zone["zone"]),
            zone["serial"],
            zone["version"],
            if zone["frozen"] == true { ", frozen" } else { "" }
        ));
        let since = match zone["born"].as_u64() {
            None | Some(0) => "there from the beginning".into(),
            Some(batch) => format!("added by batch {batch}"),
        };
        text.push_str(&format!(
            "  {since}; denial {}, reads {}, serial rule {}\n",
            word(&zone["denial"]),
            word(&zone["reads"]),
            word(&zone["serial_rule"])
        ));
        for key in zone["keys"].as_array().into_iter().flatten() {
            text.push_str(&format!(
                "  {} tag {} algorithm {}\n",
                word(&key["role"]).to_uppercase(),
                key["tag"],
                key["algorithm"]
            ));
        }
        let policy = zone["policy"].as_array().cloned().unwrap_or_default();
        let from = word(&zone["policy_from"]);
        text.push_str(&format!("  policy of {} statements, from {from}\n", policy.len()));
        policy.iter().for_each(|statement| text.push_str(&format!("    {}\n", word(statement))));
    }
    match answer["catalog"].as_array().map(Vec::as_slice) {
        Some([origin, serial]) => text.push_str(&format!("catalog {} serial {serial}\n", word(origin))),
        _ => text.push_str("no catalog\n"),
    }
    let operators = answer["operators"].as_array().into_iter().flatten();
    let operators: Vec<String> = operators.map(|one| word(&one["name"])).collect();
    if !operators.is_empty() {
        let needed = &answer["operators_needed"];
        text.push_str(&format!("operators: {}, of whom {needed} must sign\n", operators.join(", ")));
    }
    text
}
