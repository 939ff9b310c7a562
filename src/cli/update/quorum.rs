//! An update under a `quorum` key: the same message, with one nonce, for as many replicas as are needed.
//!
//! t+1 replicas are asked at once, in the order of the key's file, and all answer when the change is decided. Where one cannot be
//! reached, or says something else than the others, the next is asked too; and one more after each [`PATIENCE`] in which there was no
//! agreement, whatever the others say meanwhile. The update is done, or refused, when t+1 have said the same, each with a good
//! signature: so many contain a correct one. A reply without one is none. What some replica says of its own (busy,
//! too few vouch so far) is asked again there, with the same octets, until `--wait` is over; then a new nonce would make another update
//! of it, so it must be looked whether it took effect.

use super::{PAUSE, Said, Trusted, answer, is_late, key_of, now, signed, told, zone_of};
use crate::ceremony::client_keys::KeyClause;
use crate::ceremony::deal::entropy;
use crate::cli::{Failure, print};
use crate::dns::edns::OPTION_NONCE;
use crate::dns::script::Sent;
use crate::dns::tsig::TsigKey;
use crate::dns::{Name, Rcode};
use crate::quorum::Committee;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// After which without agreement another replica is asked too: more than replicas let clients wait.
const PATIENCE: Duration = Duration::from_secs(3);
/// The nonce's time counts for 300 seconds to each side: no message is sent when it is this old.
const MAX_WAIT: Duration = Duration::from_secs(240);

/// A replica and the secret that it shares with us.
pub(super) struct Replica {
    index: u8,
    server: String,
    key: TsigKey,
}

/// The replicas of a key's file; `moved` says `I=HOST:PORT` of those that are elsewhere.
pub(super) fn replicas(clauses: Vec<KeyClause>, moved: &[String]) -> Result<Vec<Arc<Replica>>, Failure> {
    let mut places: BTreeMap<u8, String> = BTreeMap::new();
    for said in moved {
        let place = said.split_once('=').and_then(|(index, place)| Some((index.parse().ok()?, place)));
        let (index, place) = place.ok_or_else(|| {
            Failure::new(format!(
                "--server {said}: of a quorum key it is I=HOST:PORT, with the replica's index"
            ))
        })?;
        places.insert(index, place.to_owned());
    }
    let mut replicas = Vec::new();
    for mut clause in clauses {
        let (index, server) =
            clause.replica.take().ok_or_else(|| Failure::new("a key of the file names no replica"))?;
        let server = places.remove(&index).unwrap_or(server);
        replicas.push(Arc::new(Replica { index, server, key: key_of(clause)? }));
    }
    match places.keys().next() {
        Some(index) => {
            Err(Failure::new(format!("--server {index}=…: the key's file has no replica {index}")))
        }
        None => Ok(replicas),
    }
}

/// What one replica said.
type Answer = Result<(Rcode, Said), String>;

pub(super) fn send(sent: &Sent, replicas: &[Arc<Replica>], wait: Duration) -> Result<(), Failure> {
    let line = sent.line;
    let at = |why: String| Failure::new(format!("line {line}: {why}"));
    let committee = u8::try_from(replicas.len()).ok().and_then(Committee::new);
    let needed = committee.ok_or_else(|| at("the key's file is not that of a cluster".into()))?.one_correct();
    let zone = match &sent.zone {
        Some(zone) => zone.clone(),
        None => zone_by(sent, replicas).map_err(at)?,
    };
    let wire = sent.to_wire(&zone).ok_or_else(|| at("no message can hold this".into()))?;
    let mut chance = [0; 16];
    entropy(&mut chance);
    let nonce = [&now().to_be_bytes()[..], &chance].concat();
    let message = |replica: &Replica| signed(wire.clone(), &replica.key, vec![(OPTION_NONCE, nonce.clone())]);
    let end = Instant::now() + wait.min(MAX_WAIT);
    let answers = gather(replicas, needed, end, message);
    match agreed(&answers, needed) {
        Some((Rcode::NOERROR, _)) => {
            print(&format!("line {line}: {zone} NOERROR from {needed} replicas\n"));
            Ok(())
        }
        Some((rcode, said)) => Err(at(told(rcode, said))),
        None => Err(at(disagreement(&answers, needed))),
    }
}

/// Asks as many replicas as it takes; gives what each has said last.
fn gather(
    replicas: &[Arc<Replica>],
    needed: usize,
    end: Instant,
    message: impl Fn(&Replica) -> (Vec<u8>, Vec<u8>),
) -> BTreeMap<u8, Answer> {
    let (tell, told) = mpsc::channel();
    let mut unasked = replicas.iter();
    let mut ask = |count: usize| {
        for replica in unasked.by_ref().take(count) {
            let (replica, message, tell) = (replica.clone(), message(replica), tell.clone());
            // Not waited for: a replica that hangs must not hold up what the others have agreed on.
            thread::spawn(move || follow(&replica, &message, end, &tell));
        }
    };
    ask(needed);
    let mut next = Instant::now() + PATIENCE;
    let mut answers: BTreeMap<u8, Answer> = BTreeMap::new();
    loop {
        let until = next.min(end);
        match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok((index, answer)) => {
                let is_news = is_final(&answer) || answer.is_err() && !answers.contains_key(&index);
                answers.insert(index, answer);
                let is_over = answers.len() == replicas.len() && answers.values().all(is_final);
                if agreed(&answers, needed).is_some() || is_over {
                    return answers;
                }
                // Who cannot be reached, or has said a last word that the others have not, is made up for.
                let finals = answers.values().filter(|answer| is_final(answer)).count();
                if is_news && (answers[&index].is_err() || finals >= needed) {
                    ask(1);
                }
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() < end => {}
            Err(_) => return answers,
        }
        // By a clock of its own: who answers again and again must not put it off.
        if Instant::now() >= next {
            ask(1);
            next = Instant::now() + PATIENCE;
        }
    }
}

/// Asks one replica until it says its last word or time is over; tells every answer.
fn follow(replica: &Replica, message: &(Vec<u8>, Vec<u8>), end: Instant, tell: &Sender<(u8, Answer)>) {
    loop {
        let said = answer(&replica.server, &replica.key, message, Trusted::Signed);
        let is_over = is_final(&said) || Instant::now() + PAUSE >= end;
        // Nobody listens once enough have said the same.
        if tell.send((replica.index, said)).is_err() || is_over {
            return;
        }
        thread::sleep(PAUSE);
    }
}

fn is_final(answer: &Answer) -> bool {
    answer.as_ref().is_ok_and(|(rcode, said)| !is_late(*rcode, said.as_ref()))
}

/// What so many have said alike.
fn agreed(answers: &BTreeMap<u8, Answer>, needed: usize) -> Option<(Rcode, Said)> {
    let last = answers.values().filter(|answer| is_final(answer)).filter_map(|answer| answer.as_ref().ok());
    let rcodes: Vec<&(Rcode, Said)> = last.collect();
    let count = |rcode: Rcode| rcodes.iter().filter(|(other, _)| *other == rcode).count();
    rcodes.iter().find(|(rcode, _)| count(*rcode) >= needed).map(|(rcode, said)| (*rcode, said.clone()))
}

fn disagreement(answers: &BTreeMap<u8, Answer>, needed: usize) -> String {
    let one = |(index, answer): (&u8, &Answer)| match answer {
        Ok((rcode, said)) => {
            let said = said.as_ref().map_or(String::new(), |(_, text)| format!(": {text}"));
            format!("replica {index} {rcode}{said}")
        }
        Err(why) => format!("replica {index} {why}"),
    };
    let all: Vec<String> = answers.iter().map(one).collect();
    let all = if all.is_empty() { "nobody answered".to_owned() } else { all.join("; ") };
    format!("no {needed} replicas say the same ({all}): look whether it took effect before you send it again")
}

/// The zone of the first name, by the first replica that tells one.
fn zone_by(sent: &Sent, replicas: &[Arc<Replica>]) -> Result<Name, String> {
    let mut last = "the key's file names no replica".to_owned();
    for replica in replicas {
        match zone_of(&replica.server, sent) {
            Ok(zone) => return Ok(zone),
            Err(why) => last = format!("{}: {why}", replica.server),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests;
