//! `conclave ctl vote` and `conclave ctl votes`.
//!
//! A vote is told to each replica that the arguments name: of a dealt replica that is the operator's own, of the demo all.

use super::{Failure, Target, ask, first, object, print};
use crate::dns::show_date;
use crate::zone::Command;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a vote may take to be ordered before the operator is told to look later.
const ORDERED_WITHIN: Duration = Duration::from_secs(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Votes, and says what came of it.
pub(super) fn vote(targets: &[Target], words: &str, wait: bool) -> Result<(), Failure> {
    let command: Command = words.parse().map_err(Failure::new)?;
    say(targets, &json!({ "cmd": "vote", "command": command.to_string() }), wait)
}

/// Votes for the next epoch, as each replica's `next/` has it. What it changes of the zones' rules is shown and asked before.
pub(super) fn vote_epoch(targets: &[Target], wait: bool, yes: bool) -> Result<(), Failure> {
    let mut changes = BTreeSet::new();
    for target in targets {
        let looked = ask(&target.socket, &json!({ "cmd": "epoch", "look": true }));
        // Who cannot follow says so when it is to vote.
        if let Ok(looked) = looked.and_then(|mut lines| object(&target.socket, lines.next())) {
            let lines = looked["changes"].as_array().into_iter().flatten();
            changes.extend(lines.filter_map(|line| line.as_str().map(str::to_owned)));
        }
    }
    if !changes.is_empty() {
        eprintln!("The next cluster file changes the rules of zones:");
        changes.iter().for_each(|line| eprintln!("  {line}"));
        agree_to(yes, "Vote for that?")?;
    }
    say(targets, &json!({ "cmd": "epoch" }), wait)
}

/// Asks, where somebody can answer.
pub(super) fn agree_to(yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("say --yes, or do this on a terminal"));
    }
    eprint!("{question} yes or no: ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    match read.map(|_| answer.trim()) {
        Ok("yes") => Ok(()),
        _ => Err(Failure::new("not agreed: nothing was done")),
    }
}

fn say(targets: &[Target], request: &Value, wait: bool) -> Result<(), Failure> {
    let mut reasons = Vec::new();
    for target in targets {
        let said = cast(&target.socket, request).and_then(|(command, number)| {
            let line = match wait {
                true => counted(&target.socket, &command, number)?,
                false => "the vote is on its way".into(),
            };
            Ok(format!("{command}: {line}\n"))
        });
        match said {
            Ok(line) => print(&line),
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(Failure(reasons)) }
}

/// The first replica that answers tells.
pub(super) fn list(targets: &[Target], as_json: bool) -> Result<(), Failure> {
    first(targets, as_json, votes, human)
}

fn cast(socket: &Path, request: &Value) -> Result<(String, u64), String> {
    let answer = object(socket, ask(socket, request)?.next())?;
    let cast = answer["command"].as_str().map(str::to_owned).zip(answer["vote"].as_u64());
    cast.ok_or_else(|| format!("{}: not a replica's answer", socket.display()))
}

/// What is open, what has its votes and waits for its contents, and what was decided.
pub(super) fn votes(socket: &Path) -> Result<Value, String> {
    let mut answer = object(socket, ask(socket, &json!({ "cmd": "votes" }))?.next())?;
    let (mut votes, awaited) = (answer["votes"].take(), answer["awaited"].take());
    votes["awaited"] = awaited;
    Ok(votes)
}

/// Waits until the vote is executed; what became of its command.
fn counted(socket: &Path, command: &str, number: u64) -> Result<String, String> {
    let begun = Instant::now();
    loop {
        let votes = votes(socket)?;
        if votes["newest"].as_u64().unwrap_or_default() >= number {
            return Ok(became(&votes, command));
        }
        if begun.elapsed() > ORDERED_WITHIN {
            let later =
                "the vote is on its way and not ordered yet; `conclave ctl votes` shows when it counts";
            return Ok(later.into());
        }
        std::thread::sleep(PAUSE);
    }
}

fn became(votes: &Value, command: &str) -> String {
    let is_it = |one: &&Value| one["command"] == command;
    if list_of(votes, "awaited").any(|one| is_it(&one)) {
        return "agreed; it waits for its contents".into();
    }
    if let Some(open) = list_of(votes, "open").find(is_it) {
        let cast = open["votes"].as_object().map_or(0, serde_json::Map::len);
        return format!("{cast} of {} votes", votes["needed"]);
    }
    match list_of(votes, "decided").rfind(is_it) {
        Some(decided) => outcome(decided),
        None => "decided, or no longer voted on".into(),
    }
}

fn outcome(decided: &Value) -> String {
    match decided["refused"].as_str() {
        Some(reason) => format!("refused: {reason}"),
        None => "done".into(),
    }
}

fn list_of<'a>(votes: &'a Value, which: &str) -> impl DoubleEndedIterator<Item = &'a Value> {
    votes[which].as_array().into_iter().flatten()
}

/// For people.
fn human(votes: &Value) -> String {
    let mut text = String::new();
    for open in list_of(votes, "open") {
        let cast = open["votes"].as_object().into_iter().flatten();
        let cast: Vec<String> = cast
            .map(|(who, until)| {
                format!("replica {who} (until {})", show_date(until.as_u64().unwrap_or_default()))
            })
            .collect();
        let command = open["command"].as_str().unwrap_or_default();
        text.push_str(&format!(
            "open: {command}\n  {} of {} votes: {}\n",
            cast.len(),
            votes["needed"],
            cast.join(", ")
        ));
        let signed = open["operators"].as_object().into_iter().flatten();
        let signed: Vec<&str> = signed.map(|(name, _)| name.as_str()).collect();
        if !signed.is_empty() {
            let (count, needed) = (signed.len(), &votes["operators_needed"]);
            text.push_str(&format!("  {count} of {needed} operators: {}\n", signed.join(", ")));
        }
    }
    for awaited in list_of(votes, "awaited") {
        let (command, have) = (awaited["command"].as_str().unwrap_or_default(), &awaited["have"]);
        let count = awaited["count"].as_u64().map_or("?".into(), |count| count.to_string());
        text.push_str(&format!("agreed: {command}\n  waits for its contents: {have} of {count} pieces\n"));
    }
    for decided in list_of(votes, "decided") {
        let at = show_date(decided["at"].as_u64().unwrap_or_default());
        let command = decided["command"].as_str().unwrap_or_default();
        text.push_str(&format!("{at} {command}: {}\n", outcome(decided)));
    }
    if text.is_empty() {
        text.push_str("nothing is voted on\n");
    }
    text
}
