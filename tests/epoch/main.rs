//! Real processes go from one epoch to the next, under updates, with a kill -9 in the middle: no answered update is lost.

mod machines;

#[path = "../support/tools.rs"]
mod tools;

use machines::{Machines, Updates};
use tools::{has, wait_for};

/// Moves a cluster of the machines `old` to the machines `new`, and looks for every answered update there.
fn move_on(old: &[u8], new: &[u8], killed: u8) {
    if !has("nsupdate") || !has("dig") {
        return;
    }
    let mut machines = Machines::deal(old);
    old.iter().for_each(|machine| machines.start(*machine));
    old.iter().for_each(|machine| machines.wait_served(*machine));
    let updates = Updates::begin(&machines, old);
    updates.wait_answered(10);

    machines.deal_again(old, new);
    new.iter().filter(|machine| !old.contains(machine)).for_each(|machine| machines.start(*machine));
    let quorum = old.len() - (old.len() - 1) / 3;
    old.iter().take(quorum).for_each(|machine| machines.vote(*machine));
    wait_for("some replica's epoch is over", || {
        old.iter().any(|machine| machines.said(*machine, "the epoch is over")).then_some(())
    });
    machines.kill(killed);
    machines.start(killed);
    for machine in new {
        wait_for(&format!("machine {machine} is in the next epoch; {}", machines.logs()), || {
            machines.said(*machine, "the epoch has begun here").then_some(())
        });
    }
    for machine in old.iter().filter(|machine| !new.contains(machine)) {
        assert_eq!(machines.wait_end(*machine), Some(0), "a removed replica ends cleanly");
        assert_eq!(machines.shares(*machine), 0, "a removed replica keeps no share");
        assert_eq!(machines.secrets(*machine), 0, "nor anything else that is secret");
    }
    // Until a state of the new epoch is certified, and what was before is gone.
    updates.lead_to(new);
    for machine in new.iter().filter(|machine| old.contains(machine)) {
        wait_for(&format!("machine {machine} lets go of the old epoch; {}", machines.logs()), || {
            machines.said(*machine, "what this epoch needed is removed").then_some(())
        });
        assert_eq!(machines.shares(*machine), 0);
    }
    let answered = updates.end();
    assert!(answered.len() > 10, "{} updates were answered", answered.len());
    let zone = machines.agreed_export(new);
    for name in &answered {
        assert!(zone.contains(name), "{name} was answered and is lost; {}", machines.logs());
    }
    // Who starts with the old file again goes on in the new epoch.
    let first = *new.iter().find(|machine| old.contains(machine)).unwrap();
    machines.kill(first);
    machines.start(first);
    machines.wait_served(first);
    assert_eq!(machines.agreed_export(new), zone);
}

#[test]
fn a_member_is_replaced() {
    move_on(&[1, 2, 3, 4], &[5, 1, 2, 3], 2);
}

#[test]
fn four_become_seven() {
    move_on(&[1, 2, 3, 4], &[1, 2, 3, 4, 5, 6, 7], 1);
}

/// The one that goes on is killed when it has said how the epoch ended, perhaps before it has the last state on disk.
#[test]
fn four_become_one() {
    move_on(&[1, 2, 3, 4], &[1], 1);
}

#[test]
fn seven_become_four() {
    move_on(&[1, 2, 3, 4, 5, 6, 7], &[4, 3, 2, 1], 3);
}
