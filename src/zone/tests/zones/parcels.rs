//! Contents: agreed first, carried then, piece by piece, by anybody.

use super::*;
use crate::limits::{MAX_AWAITED_PARCELS, PARCEL_PIECE_BYTES};
use crate::zone::differential::{Random, seeds};
use crate::zone::{AWAIT_SECS, ParcelPiece};

/// Contents of about so many octets.
fn large(octets: usize, tag: &str) -> Contents {
    let record = |at: usize| record(&format!("{tag}{at}.example. 60 TXT {}", "x".repeat(200)));
    let mut all = records(ZONE);
    all.extend((0..octets / 240).map(record));
    Contents::Records(Contents::sets(&name("example."), &all).unwrap())
}

fn rcodes(bench: &mut Bench, requests: &[Request]) -> Vec<Rcode> {
    bench.execute(requests).outcomes.iter().map(|one| one.rcode).collect()
}

#[test]
fn what_nobody_awaits_or_is_no_piece_of_it_is_refused_and_changes_nothing() {
    let mut bench = bench();
    let parcel = parcel(&large(5 * PARCEL_PIECE_BYTES, "a"));
    let all = pieces(&parcel);
    assert!(all.len() > 4);
    assert_eq!(rcodes(&mut bench, &all), vec![Rcode::REFUSED; all.len()], "no command has its votes");
    let votes = bench.votes_for(&format!("zone example. replace {}", parcel.name().to_hex()));
    let _ = bench.execute(&votes);
    let Request::Parcel(piece) = &all[1] else { panic!("a piece") };
    let wrong: [&dyn Fn(&mut ParcelPiece); 9] = [
        &|one| one.index += 1,
        &|one| one.index = u32::MAX,
        &|one| one.count += 1,
        &|one| one.count = u32::MAX,
        &|one| one.bytes[7] ^= 1,
        &|one| _ = one.bytes.pop(),
        &|one| _ = one.path.pop(),
        &|one| one.path.push(Digest::default()),
        &|one| one.contents = Digest::default(),
    ];
    for change in wrong {
        let mut changed = piece.clone();
        change(&mut changed);
        assert_eq!(rcodes(&mut bench, &[Request::Parcel(changed)]), [Rcode::REFUSED]);
    }
    assert_eq!(bench.machine.awaited()[0].have, 0);
    assert_eq!(rcodes(&mut bench, &[all[1].clone(), all[1].clone()]), [Rcode::NOERROR; 2]);
    assert_eq!(bench.machine.awaited()[0].have, 1, "a piece counts once");
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn pieces_come_in_any_order_and_the_last_one_has_the_command_done() {
    for seed in seeds(0..6) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut bench = bench();
        let parcel = parcel(&large((seed as usize % 4) * PARCEL_PIECE_BYTES + 10, "a"));
        let text = format!("zone example. replace {}", parcel.name().to_hex());
        let votes = bench.votes_for(&text);
        let _ = bench.execute(&votes);
        let mut left = pieces(&parcel);
        while !left.is_empty() {
            let from = random.below(u64::from(parcel.count())) as u32;
            let lacking = bench.machine.lacking(&parcel.name(), parcel.count(), from, usize::MAX);
            assert_eq!(lacking.len(), left.len(), "CONCLAVE_SEED={seed}");
            assert!(bench.machine.votes().1.is_empty(), "CONCLAVE_SEED={seed}");
            let next = left.swap_remove(random.below(left.len() as u64) as usize);
            let _ = bench.execute(&[next]);
            assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest(), "CONCLAVE_SEED={seed}");
        }
        assert_eq!(bench.decision(&text), None, "CONCLAVE_SEED={seed}");
        assert_eq!(bench.machine.awaited(), []);
        assert!(bench.machine.snapshot().manifest().bytes() < 1 << 20, "the pieces are gone");
    }
}

#[test]
fn few_commands_wait_at_a_time_and_none_for_long() {
    let mut bench = bench();
    let mut texts = Vec::new();
    for at in 0..=MAX_AWAITED_PARCELS {
        let parcel = parcel(&large(300, &format!("t{at}")));
        texts.push(format!("zone example. replace {}", parcel.name().to_hex()));
        let votes = bench.votes_for(&texts[at]);
        let _ = bench.execute(&votes);
    }
    assert_eq!(bench.machine.awaited().len(), MAX_AWAITED_PARCELS);
    assert!(bench.decision(&texts[MAX_AWAITED_PARCELS]).unwrap().contains("too many"));
    bench.now.0 += (AWAIT_SECS + 60) * SECOND;
    let _ = bench.execute(&[]);
    assert_eq!(bench.machine.awaited(), []);
    assert!(bench.machine.votes().1.last().unwrap().refused.as_ref().unwrap().contains("within a day"));
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn contents_of_another_command_or_none_at_all_are_refused_when_they_are_there() {
    let mut bench = bench();
    let policy = Contents::Policy(vec![]);
    assert!(
        with_contents(&mut bench, "zone example. replace", &policy, "").unwrap().contains("another command")
    );
    assert!(Parcel::new(vec![9; 100]).is_err());
    assert!(Parcel::new(Vec::new()).is_err());
    let mut trailing = policy.to_bytes();
    trailing.push(0);
    assert!(Parcel::new(trailing).is_err());
}

/// A policy for two zones at once; one command with and without a condition.
#[test]
fn commands_wait_apart_for_the_same_contents_and_each_is_done_once() {
    let mut bench = bench();
    assert_eq!(add(&mut bench, "added.", 0), None);
    let policy = parcel(&Contents::Policy(vec!["grant updater. zonesub TXT".into(); 1_000]));
    assert!(policy.count() > 1);
    let name = policy.name().to_hex();
    let texts = [format!("zone example. policy {name}"), format!("zone added. policy {name}")];
    let first = bench.votes_for(&texts[0]);
    let _ = bench.execute(&first);
    let _ = bench.execute(&pieces(&policy)[..1]);
    let second = bench.votes_for(&texts[1]);
    let _ = bench.execute(&second);
    let again = bench.votes_for(&texts[1]);
    let _ = bench.execute(&again);
    let awaited = bench.machine.awaited();
    assert_eq!(
        awaited.iter().map(|one| (one.count, one.have)).collect::<Vec<_>>(),
        [(Some(policy.count()), 1); 2]
    );
    assert_eq!(bench.machine.votes().0, [], "who votes for what waits changes nothing");
    let _ = bench.execute(&pieces(&policy));
    assert_eq!((bench.machine.awaited(), bench.machine.lacking(&policy.name(), 1, 0, 1)), (vec![], vec![]));
    let decided: Vec<_> = bench.machine.votes().1.into_iter().map(|one| one.command.to_string()).collect();
    for text in texts {
        assert_eq!(decided.iter().filter(|one| **one == text).count(), 1, "{text}");
    }
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
}

#[test]
fn operators_give_up_what_waits_for_contents_that_nobody_has() {
    let mut bench = bench();
    let parcel = parcel(&large(3 * PARCEL_PIECE_BYTES, "a"));
    let (text, hex) = (format!("zone example. replace {}", parcel.name().to_hex()), parcel.name().to_hex());
    let votes = bench.votes_for(&text);
    let _ = bench.execute(&votes);
    let _ = bench.execute(&pieces(&parcel)[..1]);
    assert!(bench.command(&format!("zone other. forget {hex}")).is_some());
    assert_eq!(bench.command(&format!("zone example. forget {hex}")), None);
    assert_eq!(bench.machine.awaited(), []);
    let given_up = bench.machine.votes().1.into_iter().find(|one| one.command.to_string() == text).unwrap();
    assert_eq!(given_up.refused.as_deref(), Some("operators gave it up"));
    assert_eq!(rcodes(&mut bench, &pieces(&parcel)[..1]), [Rcode::REFUSED]);
    assert_eq!(bench.machine.digest(), bench.machine.recomputed_digest());
    assert!(bench.machine.snapshot().manifest().bytes() < 1 << 20);
}
