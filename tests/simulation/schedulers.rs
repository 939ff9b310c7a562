//! Who decides how long messages take.

use super::*;

#[test]
fn priorities_that_change_put_messages_off() {
    exercised(SchedulerKind::Pct, 2000..2004, &[("links", "message put off")]);
}

#[test]
fn a_round_robin_with_few_delays() {
    exercised(SchedulerKind::DelayBounded, 2100..2104, &[("slots", "committed by certificates")]);
}

#[test]
fn a_scheduler_that_knows_the_coin_forces_anchors_and_skips_and_stops_nothing() {
    let must = [
        ("links", "message put off"),
        ("slots", "skipped by blames"),
        ("slots", "committed by an anchor"),
        ("slots", "skipped by an anchor"),
    ];
    exercised(SchedulerKind::CoinAware, 2200..2208, &must);
}

#[test]
fn connections_that_end_lose_queues_and_bring_old_messages_again() {
    let must = [
        ("links", "cut with loss"),
        ("links", "cut without loss"),
        ("links", "message again"),
        ("messages", "fetched vertices"),
        ("messages", "page"),
    ];
    exercised(SchedulerKind::Reconnect, 2300..2304, &must);
}

#[test]
fn t_replicas_behind_and_parts_that_come_together() {
    exercised(
        SchedulerKind::Lagging,
        2400..2402,
        &[("slots", "skipped by blames"), ("vertices", "with weak links")],
    );
    exercised(SchedulerKind::Partition, 2500..2502, &[("messages", "fetched vertices")]);
}
