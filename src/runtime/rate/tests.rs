use super::*;
use Judgement::{Drop, Send, Slip};

const TERMS: Terms = Terms { per_second: 5, window_s: 15, slip: 2 };

fn judged(table: &mut Table, number: u64, terms: Terms, now_ms: u64) -> Judgement {
    table.judge(number, terms, now_ms).0
}

#[test]
fn a_second_is_served_at_once_and_then_every_other_response_slips() {
    let mut table = Table::new(8);
    let all: Vec<Judgement> = (0..11).map(|_| judged(&mut table, 7, TERMS, 1_000)).collect();
    assert_eq!(all, [Send, Send, Send, Send, Send, Drop, Slip, Drop, Slip, Drop, Slip]);
    assert_eq!(judged(&mut table, 8, TERMS, 1_000), Send, "another account");
}

#[test]
fn who_stays_below_the_rate_is_always_served() {
    let mut table = Table::new(8);
    for k in 0..10_000 {
        assert_eq!(judged(&mut table, 7, TERMS, k * 200), Send, "response {k}");
    }
}

#[test]
fn a_flood_runs_up_a_debt_of_the_window_and_no_more() {
    let mut table = Table::new(8);
    // A thousand times the rate, for a minute.
    for k in 0..300_000 {
        judged(&mut table, 7, TERMS, k / 5);
    }
    let end = 60_000;
    assert_ne!(judged(&mut table, 7, TERMS, end + 14_900), Send, "the flood is remembered for a window");
    assert_eq!(judged(&mut table, 7, TERMS, end + 14_900 + 700), Send);
}

#[test]
fn slip_0_replaces_nothing_and_slip_1_all() {
    for (slip, expected) in [(0, Drop), (1, Slip)] {
        let mut table = Table::new(8);
        let terms = Terms { per_second: 1, slip, ..TERMS };
        assert_eq!(judged(&mut table, 7, terms, 0), Send);
        for _ in 0..10 {
            assert_eq!(judged(&mut table, 7, terms, 0), expected);
        }
    }
}

#[test]
fn coming_into_debt_is_told_once_until_the_debt_is_paid() {
    let mut table = Table::new(8);
    let begins: usize = (0..100).filter(|_| table.judge(7, TERMS, 0).1).count();
    assert_eq!(begins, 1);
    assert_eq!(judged(&mut table, 7, TERMS, 60_000), Send);
    let begins: usize = (0..100).filter(|_| table.judge(7, TERMS, 60_000).1).count();
    assert_eq!(begins, 1);
}

#[test]
fn the_table_is_bounded_and_what_it_forgets_it_forgives() {
    let mut table = Table::new(64);
    for _ in 0..100 {
        judged(&mut table, 1, TERMS, 0);
    }
    // So many others that the first is displaced, each at a later time.
    for number in 2..10_000 {
        assert_eq!(judged(&mut table, number, TERMS, number), Send);
    }
    assert_eq!(table.sets.len() * WAYS, 64);
    assert_eq!(judged(&mut table, 1, TERMS, 10_000), Send);
    assert_eq!(judged(&mut table, 9_999, TERMS, 10_000), Send, "the newest are held");
}

#[test]
fn no_time_and_no_terms_overflow() {
    let mut table = Table::new(8);
    for terms in [TERMS, Terms { per_second: u32::MAX, window_s: 3_600, slip: u32::MAX }] {
        for now_ms in [0, u64::MAX, 5, u64::MAX / 2, 1] {
            judged(&mut table, 7, terms, now_ms);
        }
    }
}

fn subject(kind: Kind, about: std::ops::Range<usize>) -> Subject {
    Subject { kind, about, known: false }
}

#[test]
fn accounts_are_of_network_kind_and_name_whatever_its_case() {
    let of = |address: &str, kind, about: &[u8]| {
        account(&[9; 16], &Network::around(address.parse().unwrap(), 24, 56), kind, Some(about))
    };
    let first = of("192.0.2.1", Kind::Answer, b"\x03www\x00");
    assert_eq!(first, of("192.0.2.255", Kind::Answer, b"\x03wWW\x00"));
    for other in [
        of("192.0.3.1", Kind::Answer, b"\x03www\x00"),
        of("192.0.2.1", Kind::NoData, b"\x03www\x00"),
        of("192.0.2.1", Kind::Answer, b"\x03wwv\x00"),
        of("2001:db8::1", Kind::Answer, b"\x03www\x00"),
    ] {
        assert_ne!(first, other);
    }
    assert_eq!(of("2001:db8::1", Kind::Error, b""), of("2001:db8:0:ff::1", Kind::Error, b""));
    assert_ne!(of("2001:db8::1", Kind::Error, b""), of("2001:db8:0:100::1", Kind::Error, b""));
}

#[test]
fn cookies_exempt_networks_and_kinds_without_a_rate_are_not_limited() {
    let exempt = vec!["198.51.100.0/24".parse().unwrap()];
    let rules = RateRules { answers: 1, nodata: 0, slip: 0, exempt, ..RateRules::default() };
    let limit = RateLimit::new(rules, [1; 16]);
    let (near, far) = ("192.0.2.1".parse().unwrap(), "198.51.100.1".parse().unwrap());
    let wire = [0; 20];
    let of =
        |address, subject: &Subject| (0..50).filter(|_| limit.judge(address, &wire, subject) == Send).count();
    let limited = of(near, &subject(Kind::Answer, 12..20));
    // One at once, and one for each second that this takes.
    assert!((1..50).contains(&limited), "{limited}");
    assert_eq!(of(far, &subject(Kind::Answer, 12..20)), 50);
    assert_eq!(of(near, &subject(Kind::NoData, 12..20)), 50);
    assert_eq!(of(near, &Subject { known: true, ..subject(Kind::Answer, 12..20) }), 50);
    // Whatever range an answer gave.
    limit.judge(near, &wire, &subject(Kind::Answer, 12..400));
}
