//! Requests about zones that come and go: what there is, contents, what an operator has signed, the next epoch.

use super::{Admin, IDLE, ask};
use crate::ceremony::cluster::Cluster;
use crate::ceremony::cluster_file::serial_word;
use crate::codec;
use crate::limits::{MAX_COMMAND_BYTES, MAX_PARCEL_BYTES};
use crate::runtime::core::{Arrival, Zones};
use crate::zone::{Charter, OperatorVote, Parcel, Reads, ZoneInfo};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Value, json};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::oneshot;

/// Octets of an encoded vote: a command, a key, a signature.
const MAX_VOTE_BYTES: usize = MAX_COMMAND_BYTES + 256;
/// Octets that must come within the time in which a connection may say nothing.
const CHUNK: usize = 256 * 1024;

/// The zones as execution has them; none if the replica is ending.
async fn zones(admin: &Admin) -> Option<Zones> {
    let (asker, answer) = oneshot::channel();
    admin.core.load().put(Arrival::Zones(asker), 0).await.ok()?;
    answer.await.ok()
}

fn ending() -> Value {
    json!({ "error": "the replica is ending" })
}

/// All zones, their rules and keys, and the cluster that they are of.
pub(super) async fn list(admin: &Admin) -> Value {
    let Some(Zones { rules, keys, rest }) = zones(admin).await else { return ending() };
    let cluster = admin.importer.load().dealt.clone();
    let listed: Vec<Value> = rules.iter().map(|zone| shown(admin, &cluster, zone, &keys)).collect();
    json!({
        "cluster": cluster.id().0.to_hex(),
        "epoch": cluster.epoch.0,
        "zones": listed,
        "awaited": rest.awaited,
        "catalog": rest.catalog,
        "operators": rest.operators,
        "operators_needed": rest.operators_needed,
    })
}

fn shown(admin: &Admin, cluster: &Cluster, zone: &ZoneInfo, keys: &Value) -> Value {
    let ZoneInfo { charter, serial, version, .. } = zone;
    let origin = charter.origin.to_string();
    let keys = keys.as_array().into_iter().flatten().find(|shown| shown["zone"] == origin.as_str());
    let served = admin.catalog.load().view(&charter.origin).map(|view| view.denial().word());
    json!({
        "zone": origin,
        "serial": serial,
        "version": version,
        "frozen": charter.frozen,
        "denial": served.unwrap_or(charter.denial.word()),
        "reads": reads_word(charter.reads),
        "serial_rule": serial_word(charter.serial),
        "dnskey_ttl": charter.dnskey_ttl,
        "born": charter.born,
        "keys": keys.map_or(Value::Null, |shown| shown["keys"].clone()),
        "policy": charter.policy,
        "policy_from": policy_from(cluster, charter),
    })
}

fn reads_word(reads: Reads) -> &'static str {
    match reads {
        Reads::Local => "local",
        Reads::Ordered => "ordered",
    }
}

fn policy_from(cluster: &Cluster, charter: &Charter) -> &'static str {
    match cluster.zone(&charter.origin) {
        Some(zone) if zone.policy == charter.policy => "the cluster file",
        _ if charter.born > 0 => "the command that added the zone, or a later one",
        _ => "a command",
    }
}

/// Takes the octets of contents that follow the request.
pub(super) async fn contents<R: AsyncRead + Unpin>(
    reader: &mut BufReader<R>,
    admin: &Admin,
    bytes: usize,
) -> io::Result<Value> {
    if bytes > MAX_PARCEL_BYTES {
        return Ok(json!({ "error": format!("contents have at most {MAX_PARCEL_BYTES} bytes") }));
    }
    // One at a time: each may be large.
    let Ok(_place) = admin.giving.acquire().await else { return Ok(ending()) };
    let mut octets = Vec::with_capacity(bytes);
    while octets.len() < bytes {
        let have = octets.len();
        octets.resize(bytes.min(have + CHUNK), 0);
        let Ok(read) = tokio::time::timeout(IDLE, reader.read_exact(&mut octets[have..])).await else {
            return Ok(json!({ "error": "the contents came too slowly" }));
        };
        read?;
    }
    Ok(match tokio::task::spawn_blocking(move || Parcel::new(octets)).await {
        Ok(Ok(parcel)) => ask(admin, |asker| Arrival::Contents(Box::new(parcel), asker)).await,
        Ok(Err(why)) => json!({ "error": why }),
        Err(_) => ending(),
    })
}

/// Takes what an operator has signed, an encoded [`OperatorVote`] in hexadecimal.
pub(super) async fn operator(admin: &Admin, vote: &str) -> Value {
    let octets = HEXLOWER_PERMISSIVE.decode(vote.as_bytes()).ok();
    match octets.and_then(|octets| codec::decode::<OperatorVote>(&octets, MAX_VOTE_BYTES).ok()) {
        Some(vote) => ask(admin, |asker| Arrival::Operator(Box::new(vote), asker)).await,
        None => json!({ "error": "is not what an operator has signed" }),
    }
}

/// The operator's vote for the next epoch, or a look at it: what it changes of the zones' rules.
pub(super) async fn epoch(admin: &Admin, look: bool) -> Value {
    let Some(Zones { rules, .. }) = zones(admin).await else { return ending() };
    let charters: Vec<Charter> = rules.into_iter().map(|zone| zone.charter).collect();
    let next = admin.next.clone();
    match tokio::task::spawn_blocking(move || next(&charters)).await {
        Ok(Ok((command, changes))) if look => {
            json!({ "command": command.to_string(), "changes": changes })
        }
        Ok(Ok((command, _))) => ask(admin, |asker| Arrival::Vote(command, asker)).await,
        Ok(Err(why)) => json!({ "error": why }),
        Err(_) => ending(),
    }
}
