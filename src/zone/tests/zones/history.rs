//! A machine restored at any point of a history in which zones come and go is the one that was never restored; and an epoch ends
//! with the zones that there are.

use super::super::restore::octets;
use super::*;
use crate::codec;
use crate::zone::differential::{Random, seeds};
use crate::zone::{
    Batch, Command, Genesis, Manifest, Request, RequestId, Restore, Snapshot, Succession, Trust, keys_digest,
};

/// A batch as it was, and what it came to.
struct Past {
    time: crate::time::AgreedTime,
    requests: Vec<Vec<u8>>,
    came_to: String,
    snapshot: Snapshot,
}

fn execute(machine: &mut Machine, past: &Past) -> String {
    let tagged: Vec<(RequestId, &[u8])> =
        (0..).map(RequestId).zip(past.requests.iter().map(Vec::as_slice)).collect();
    let executed = machine.execute(&Batch { time: past.time, requests: &tagged });
    format!(
        "{:?} {:?} {:?} {:?}",
        executed.outcomes,
        executed.zones,
        executed.published.iter().map(|one| (one.version, octets(&one.view))).collect::<Vec<_>>(),
        machine.digest()
    )
}

fn restored(genesis: &Genesis, snapshot: &Snapshot, trust: Trust) -> Machine {
    let manifest: Manifest = codec::decode(&codec::encode(&snapshot.manifest()), 1 << 20).unwrap();
    let mut restore = Restore::new(genesis.clone(), manifest, trust).unwrap();
    while let Some((chunk, from)) = restore.needs() {
        let (pieces, last) = snapshot.pieces(chunk, from, 3_000);
        restore.take(pieces, last).unwrap();
    }
    restore.finish().unwrap().0
}

/// A bench with two zones, of which histories remove one, and contents for what may happen.
fn beginning(random: &mut Random) -> (Bench, Vec<String>, Vec<Request>) {
    let mut bench = bench();
    let mut rules = bench.genesis.zones[0].0.clone();
    rules.origin = name("given.");
    bench.genesis.zones.push((rules, records(&zone_text("given."))));
    bench.machine = Machine::new(bench.genesis.clone()).unwrap();
    let mut commands: Vec<String> = ["freeze", "thaw", "remove"]
        .iter()
        .flat_map(|act| ["given.", "a.", "b."].map(|zone| format!("zone {zone} {act}")))
        .chain(["catalog list.".into(), "catalog none".into(), "denial example. nsec3".into()])
        .collect();
    let mut carried = Vec::new();
    let mut offer = |text: &str, contents: Contents| {
        let parcel = parcel(&contents);
        commands.push(format!("{text} {}", parcel.name().to_hex()));
        carried.extend(pieces(&parcel));
    };
    for (pair, origin) in ["a.", "b."].into_iter().enumerate() {
        let keys = bundles(&mut bench, origin, pair);
        let mut new = new_zone(keys, origin, &zone_text(origin));
        new.denial = [Denial::Nsec, Denial::Nsec3][random.below(2) as usize];
        offer(&format!("zone {origin} add"), Contents::Zone(Box::new(new)));
        let text = format!("{}\nx.{origin} 60 TXT {}", zone_text(origin), random.below(9));
        let sets = Contents::sets(&name(origin), &records(&text)).unwrap();
        offer(&format!("zone {origin} replace"), Contents::Records(sets));
    }
    offer("zone example. policy", Contents::Policy(vec!["grant updater. zonesub A".into()]));
    (bench, commands, carried)
}

fn history(bench: &mut Bench, commands: &[String], carried: &[Request], random: &mut Random) -> Vec<Past> {
    let mut past = Vec::new();
    for batch in 0..28 {
        let all = batch % PIPELINE_BATCHES == 0;
        for job in bench.machine.pending_jobs() {
            if all || random.below(3) > 0 {
                assert_eq!(bench.machine.signed(job.id, &bench.signature(&job)).failures, []);
            }
        }
        let mut requests: Vec<Request> = match batch {
            0 => ["example.", "given."].map(|zone| Request::Genesis { zone: name(zone) }).to_vec(),
            _ => Vec::new(),
        };
        for _ in 0..1 + random.below(3) {
            let text = &commands[random.below(commands.len() as u64) as usize];
            match random.below(3) {
                0 => {
                    let count = random.below(1_000);
                    for index in &OPERATORS[..1 + random.below(2) as usize] {
                        requests.push(Request::Operator(Box::new(bench.operator_vote(*index, count, text))));
                    }
                }
                _ => requests.extend(bench.votes_for(text)),
            }
        }
        requests.extend(carried.iter().filter(|_| random.below(3) > 0).cloned());
        for origin in ["example.", "a.", "given."] {
            let home = std::mem::replace(&mut bench.origin, name(origin));
            requests.push(bench.signed(&format!("add u{}.{origin} 60 A 192.0.2.9", random.below(5))));
            bench.origin = home;
        }
        if random.below(6) == 0 {
            bench.now.0 += 86_400 * SECOND * 8;
            requests.extend(bench.machine.due(UnixMillis(bench.now.0)));
        }
        bench.now.0 += SECOND;
        let requests = requests.iter().map(codec::encode).collect();
        let snapshot = bench.machine.snapshot();
        let mut one = Past { time: bench.now, requests, came_to: String::new(), snapshot };
        one.came_to = execute(&mut bench.machine, &one);
        one.snapshot = bench.machine.snapshot();
        assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
        past.push(one);
    }
    past
}

#[test]
fn a_machine_restored_at_any_point_of_any_history_has_the_same_future() {
    let (mut added, mut removed) = (0, 0);
    for seed in seeds(0..6) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (mut bench, commands, carried) = beginning(&mut random);
        let past = history(&mut bench, &commands, &carried, &mut random);
        let zones: Vec<_> = bench.machine.charters().into_iter().map(|one| one.charter.origin).collect();
        added += usize::from(zones.len() > 2 || zones.contains(&name("a.")) || zones.contains(&name("b.")));
        removed += usize::from(!zones.contains(&name("given.")));
        let finish = |machine: &mut Machine| {
            for job in machine.pending_jobs() {
                assert_eq!(machine.signed(job.id, &bench.signature(&job)).failures, []);
            }
            let views = zones.iter().map(|zone| octets(&machine.view(zone).unwrap())).collect::<Vec<_>>();
            (views, machine.catalog().map(|one| octets(&one.view)), machine.signing_keys())
        };
        let wanted = {
            let mut last = restored(&bench.genesis, &past[past.len() - 1].snapshot, Trust::OwnDisk);
            finish(&mut last)
        };
        for (at, point) in past.iter().enumerate().filter(|(at, _)| at % 3 == seed as usize % 3) {
            let trust = [Trust::Nobody, Trust::OwnDisk][at % 2];
            let mut other = restored(&bench.genesis, &point.snapshot, trust);
            let here = format!("CONCLAVE_SEED={seed}, after batch {at}");
            assert_eq!(other.digest(), point.snapshot.manifest().digest(), "{here}");
            assert_eq!(other.recomputed_digest(), other.digest(), "{here}");
            for later in &past[at + 1..] {
                assert_eq!(execute(&mut other, later), later.came_to, "{here}");
            }
            assert_eq!(finish(&mut other), wanted, "{here}");
        }
    }
    assert!(added > 0 && removed > 0, "the histories are poor: {added} {removed}");
}

#[test]
fn an_epoch_follows_with_the_zones_that_there_are_frozen_and_listed_as_they_were() {
    let mut bench = bench();
    assert_eq!(add(&mut bench, "added.", 0), None);
    assert_eq!(add(&mut bench, "gone.", 1), None);
    for text in ["catalog list.", "zone added. freeze", "zone gone. remove"] {
        assert_eq!(bench.command(text), None);
    }
    let _ = bench.sign_all();
    let dnskeys: Vec<_> = bench.machine.charters().into_iter().map(|one| one.charter).collect();
    let keys = dnskeys.iter().flat_map(|one| [&one.ksk, &one.zsk].map(|key| (&one.origin, &key.dnskey)));
    let cluster = codec::ClusterId(Digest([7; 32]));
    let end = Command::Epoch(Succession {
        cluster,
        epoch: codec::Epoch(1),
        faults: 1,
        continuing: vec![1, 2, 3],
        keys: keys_digest(keys),
    });
    assert!(bench.command(&end.to_string()).unwrap().contains("removed just now"));
    (0..PIPELINE_BATCHES).for_each(|_| _ = bench.execute(&[]));
    assert_eq!(bench.command(&end.to_string()), None);
    let last = bench.machine.snapshot();
    let mut next = bench.genesis.clone();
    (next.cluster, next.epoch) = (cluster, codec::Epoch(1));
    assert!(last.succeed(&bench.genesis, &next).is_err(), "it lacks a zone");
    let mut added = next.zones[0].clone();
    let charter = dnskeys.iter().find(|one| one.origin == name("added.")).unwrap();
    (added.0.origin, added.0.ksk, added.0.zsk) = (name("added."), charter.ksk.clone(), charter.zsk.clone());
    added.0.dnskey_ttl = charter.dnskey_ttl;
    next.zones.push(added);
    let begun = last.succeed(&bench.genesis, &next).unwrap();
    assert_eq!(begun.machine.digest(), begun.machine.recomputed_digest());
    let charters = begun.machine.charters();
    assert_eq!(charters.iter().map(|one| one.charter.frozen).collect::<Vec<_>>(), [true, false]);
    let born = |machine: &Machine| machine.charters().iter().map(|one| one.charter.born).collect::<Vec<_>>();
    assert_eq!(born(&begun.machine), born(&bench.machine));
    assert_eq!(
        octets(&begun.machine.catalog().unwrap().view),
        octets(&bench.machine.catalog().unwrap().view)
    );
    assert_eq!(begun.signed.published.len(), 3, "both zones and the catalog");
    let retired = |machine: &Machine| machine.retired_keys().collect::<Vec<_>>();
    assert_eq!(retired(&begun.machine), retired(&bench.machine), "what was retired stays so");
    next.zones[0].0.origin = name("list.");
    assert!(last.succeed(&bench.genesis, &next).is_err());
}
