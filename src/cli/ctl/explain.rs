//! `conclave ctl explain`: why an update was refused, or what a script of nsupdate would come to.

use super::{Failure, Target, ask, ask_status, object, print};
use crate::ceremony::files::plain;
use crate::dns::name::Name;
use crate::dns::script::{self, Sent};
use crate::dns::show_date;
use crate::zone::Ticket;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use std::path::Path;

/// Explains a ticket or a script; without either, lists the last refusals.
pub(super) fn explain(
    targets: &[Target],
    what: Option<&str>,
    key: Option<&str>,
    as_json: bool,
) -> Result<(), Failure> {
    let Some(what) = what else { return list(targets, as_json) };
    match Ticket::parse(what).filter(|_| !Path::new(what).exists()) {
        Some(ticket) => by_ticket(targets, ticket, as_json),
        None => by_script(targets, Path::new(what), key, as_json),
    }
}

fn list(targets: &[Target], as_json: bool) -> Result<(), Failure> {
    let mut reasons = Vec::new();
    for target in targets {
        let said = ask(&target.socket, &json!({ "cmd": "explain" }));
        match said.and_then(|mut lines| object(&target.socket, lines.next())) {
            Ok(said) if as_json => print(&format!("{said}\n")),
            Ok(said) => {
                let index = target.index.map_or(String::new(), |index| format!("replica {index}: "));
                let all = said["explanations"].as_array().cloned().unwrap_or_default();
                print(&format!("{index}the last {} updates that it refused or saw refused\n", all.len()));
                all.iter().for_each(|one| print(&line(one)));
            }
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.len() == targets.len() { Err(Failure(reasons)) } else { Ok(()) }
}

/// The first replica that knows it tells.
fn by_ticket(targets: &[Target], ticket: Ticket, as_json: bool) -> Result<(), Failure> {
    let mut reasons = Vec::new();
    for target in targets {
        let said = ask(&target.socket, &json!({ "cmd": "explain", "ticket": ticket.to_string() }));
        match said.and_then(|mut lines| object(&target.socket, lines.next())) {
            Ok(said) => {
                let one = &said["explanation"];
                print(&if as_json { format!("{one}\n") } else { whole(one) });
                return Ok(());
            }
            Err(reason) => reasons.push(reason),
        }
    }
    Err(Failure(reasons))
}

fn by_script(targets: &[Target], file: &Path, key: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let shown = file.display();
    let in_file = |why: String| Failure::new(format!("{shown}: {why}"));
    let text = std::fs::read_to_string(file)
        .map_err(|e| in_file(format!("is no ticket, and cannot be read as a script: {}", plain(&e))))?;
    let sent = script::parse(&text).map_err(|why| in_file(why.to_string()))?;
    if sent.is_empty() {
        return Err(in_file("holds no update".into()));
    }
    for one in &sent {
        let key = key.map(str::to_owned).or_else(|| one.key.as_ref().map(ToString::to_string));
        let key = key.ok_or_else(|| in_file("say which key is to sign it, with --key NAME".into()))?;
        let mut reasons = Vec::new();
        let tried =
            targets.iter().find_map(|target| trial(target, one, &key).map_err(|why| reasons.push(why)).ok());
        let Some(tried) = tried else { return Err(Failure(reasons)) };
        let tried = &tried["trial"];
        print(&if as_json { format!("{tried}\n") } else { verdict(one, tried) });
    }
    Ok(())
}

fn trial(target: &Target, sent: &Sent, key: &str) -> Result<Value, String> {
    let zone = match &sent.zone {
        Some(zone) => zone.clone(),
        None => zone_of(target, sent)?,
    };
    let wire = sent.to_wire(&zone).ok_or_else(|| format!("line {}: no message can hold this", sent.line))?;
    let request = json!({ "cmd": "trial", "message": HEXLOWER.encode(&wire), "key": key });
    object(&target.socket, ask(&target.socket, &request)?.next())
}

/// As nsupdate asks the server: the deepest zone around the first name.
fn zone_of(target: &Target, sent: &Sent) -> Result<Name, String> {
    let status = ask_status(&target.socket)?;
    let origins = status["zones"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|zone| zone["origin"].as_str()?.parse::<Name>().ok());
    let first = sent.first_name();
    let around = origins.filter(|origin| first.is_some_and(|name| name.is_subdomain_of(origin)));
    let deepest = around.max_by_key(Name::label_count);
    deepest.ok_or_else(|| {
        format!("line {}: no zone of this cluster holds its first name; say `zone ORIGIN`", sent.line)
    })
}

fn verdict(sent: &Sent, tried: &Value) -> String {
    let line = sent.line;
    match tried["refused"].as_array().map(Vec::as_slice) {
        Some([rcode, why, remedy]) => {
            format!("line {line}: {}: {}\n  {}\n", word(rcode), word(why), word(remedy))
        }
        _ => format!("line {line}: NOERROR: {} records come, {} go\n", tried["added"], tried["deleted"]),
    }
}

fn line(one: &Value) -> String {
    let at = show_date(one["at"].as_u64().unwrap_or_default());
    format!("{} {at} {}: {}\n", word(&one["ticket"]), word(&one["rcode"]), word(&one["why"]))
}

fn whole(one: &Value) -> String {
    let at = show_date(one["at"].as_u64().unwrap_or_default());
    let place = match one["batch"].as_u64() {
        Some(batch) => format!("by the order, in batch {batch} (all replicas alike)"),
        None => "at the replica it came to".into(),
    };
    let mut text = format!(
        "{} {}\n  {}\n  to do: {}\n",
        word(&one["ticket"]),
        word(&one["rcode"]),
        word(&one["why"]),
        word(&one["remedy"])
    );
    let who = one["key"].as_str().unwrap_or("nobody whose signature holds");
    let zone = one["zone"].as_str().unwrap_or("unknown");
    text.push_str(&format!("  refused {at} {place}\n  signed by {who}, for the zone {zone}\n"));
    for told in one["told"].as_array().into_iter().flatten() {
        text.push_str(&format!("    {}\n", word(told)));
    }
    if let Some(later) = one["later"].as_str() {
        text.push_str(&format!("  {later}\n"));
    }
    text
}

/// Without what a terminal would obey.
fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().chars().filter(|letter| !letter.is_control()).collect()
}
