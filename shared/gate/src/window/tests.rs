//! The arithmetic, told by examples and by properties.

use proptest::prelude::*;

use super::*;
use Priority::{Batch, Interactive};

fn heavy() -> Window {
    Window::unused(&Group::named("Heavy"))
}

fn go(at: Millis) -> Reservation {
    Reservation::Go { at, probe: false }
}

fn later(at: Millis) -> Reservation {
    Reservation::Later { at, cause: Cause::Window }
}

#[test]
fn a_full_window_reopens_when_its_oldest_grant_leaves_it() {
    let mut window = heavy();
    for _ in 0..10 {
        assert_eq!(window.reserve(1_000, 1_000, Interactive), go(1_000));
    }
    assert_eq!(window.reserve(1_000, 5_000, Interactive), later(61_500));
    assert_eq!(window.reserve(58_000, 62_000, Interactive), go(61_500));
}

#[test]
fn a_block_holds_everybody_is_never_shortened_and_ends_with_one_probe() {
    let mut window = heavy();
    window.block(90_000, Cause::Penalty);
    window.block(70_000, Cause::Penalty);
    let held = Reservation::Later { at: 90_000, cause: Cause::Penalty };
    assert_eq!(window.reserve(60_000, 60_000, Interactive), held);
    assert_eq!(window.reserve(90_000, 90_000, Interactive), Reservation::Go { at: 90_000, probe: true });
    let waits = Reservation::Later { at: 91_000, cause: Cause::Penalty };
    assert_eq!(window.reserve(90_000, 90_000, Interactive), waits);
    window.succeed(true);
    assert_eq!(window.reserve(90_100, 90_100, Interactive), go(90_100));
}

#[test]
fn a_probe_that_never_comes_back_is_replaced() {
    let mut window = heavy();
    window.block(90_000, Cause::Penalty);
    window.reserve(90_000, 90_000, Interactive);
    assert_eq!(window.reserve(110_000, 110_000, Interactive), Reservation::Go { at: 110_000, probe: true });
}

#[test]
fn failures_in_a_row_open_the_circuit_and_a_success_between_them_does_not() {
    let policy = Policy { threshold: 3, cool_down: 60_000 };
    let mut window = heavy();
    window.fail(0, false, policy);
    window.fail(0, false, policy);
    window.succeed(false);
    window.fail(0, false, policy);
    window.fail(0, false, policy);
    assert_eq!(window.reserve(0, 0, Interactive), go(0));
    window.fail(0, false, policy);
    assert_eq!(window.reserve(1, 1, Interactive), Reservation::Later { at: 60_000, cause: Cause::Breaker });
    assert_eq!(window.reserve(60_000, 60_000, Interactive), Reservation::Go { at: 60_000, probe: true });
    window.fail(60_100, true, policy);
    assert_eq!(
        window.next_free(60_200, Interactive),
        (120_100, Cause::Breaker),
        "a failed probe opens it again"
    );
}

#[test]
fn a_late_arrival_moves_its_slot_and_whoever_relied_on_it_notices() {
    let mut window = heavy();
    window.learn(1, 60_000);
    assert_eq!(window.reserve(0, 0, Interactive), go(0));
    assert_eq!(window.reserve(0, 90_000, Interactive), go(60_500));
    assert!(window.holds(60_500));
    window.correct(0, 4_000);
    assert!(!window.holds(60_500));
    window.release(60_500, false);
    assert_eq!(window.next_free(10_000, Interactive).0, 4_000 + 60_000 + window.pad);
    assert_eq!(window.pad, 1_200, "raised, up to a fiftieth of the window");
}

#[test]
fn a_raised_limit_is_used_at_once() {
    let mut window = heavy();
    for _ in 0..10 {
        window.reserve(0, 0, Interactive);
    }
    window.learn(100, 60_000);
    assert_eq!(window.reserve(5, 5, Interactive), go(5));
}

#[test]
fn batch_is_paced_and_leaves_a_slot_to_interactive_callers_that_were_seen() {
    let mut window = heavy();
    assert_eq!(window.reserve(600_000, 600_000, Batch), go(600_000));
    assert_eq!(window.reserve(600_000, 600_000, Batch), later(606_050));
    let mut now = 600_000;
    window.reserve(now, now, Interactive);
    // An hour of nothing but batch, reserving ahead as far as it can.
    for _ in 0..100 {
        let (at, _) = window.next_free(now, Batch);
        window.reserve(now, at, Batch);
        now = at;
        window.interactive_seen = now;
        assert!(
            window.next_free(now, Interactive).0 - now <= 6_050,
            "an interactive caller waits for one slot at most"
        );
    }
}

#[test]
fn an_interactive_caller_goes_before_batch_that_has_reserved_ahead() {
    let mut window = heavy();
    window.interactive_seen = 1;
    for _ in 0..30 {
        window.reserve(1, 300_000, Batch);
    }
    let ahead = window.grants.last().map(|grant| grant.0);
    let (at, _) = window.next_free(30_000, Interactive);
    assert!(at <= 30_000 && ahead > Some(170_000), "{at} {ahead:?}");
}

#[test]
fn other_tools_on_the_same_budget_are_noticed_and_made_room_for() {
    let mut window = heavy();
    for at in [0, 10_000, 20_000] {
        window.reserve(at, at, Interactive);
    }
    window.notice_foreign(20_000, 3);
    assert_eq!(window.ours(), 10);
    window.notice_foreign(20_000, 7);
    assert_eq!(window.ours(), 5);
    window.notice_foreign(30_000, 3);
    assert_eq!(window.ours(), 5, "not forgotten at the first quiet moment");
    window.notice_foreign(900_000, 0);
    assert_eq!(window.ours(), 10);
}

#[test]
fn what_remains_is_what_could_be_reserved_at_once() {
    let mut window = heavy();
    for at in [0, 30_000, 30_000, 70_000] {
        window.reserve(at, at, Interactive);
    }
    for now in [30_000, 59_000, 60_600, 70_000, 95_000, 140_000] {
        let mut ahead = window.clone();
        let mut taken = 0;
        while let Reservation::Go { .. } = ahead.reserve(now, now, Interactive) {
            taken += 1;
        }
        assert_eq!(window.remaining(now), taken, "at {now}");
    }
}

proptest! {
    /// Whatever the callers' times, priorities, corrections and delays within the pad: no window of the server holds more than N.
    #[test]
    fn never_more_than_the_limit_in_any_window(
        limit in 1_u32..12,
        steps in prop::collection::vec((0_i64..9_000, 0_i64..500, 0_i64..200_000, 0_u8..3), 1..200),
    ) {
        let mut window = heavy();
        window.learn(limit, 60_000);
        let mut now = 0;
        let mut arrivals = Vec::new();
        for (idle, delay, patience, priority) in steps {
            now += idle;
            let priority = [Interactive, Priority::Event, Batch][usize::from(priority)];
            if let Reservation::Go { at, .. } = window.reserve(now, now + patience, priority) {
                prop_assert!(at >= now && window.holds(at));
                arrivals.push(at + delay);
            }
        }
        arrivals.sort_unstable();
        for (index, arrival) in arrivals.iter().enumerate() {
            let inside = arrivals[..=index].iter().filter(|a| **a > arrival - 60_000).count();
            prop_assert!(inside <= limit as usize, "{inside} of {limit} in the window before {arrival}");
        }
    }

    /// With everybody waiting, nothing of the budget is left unused.
    #[test]
    fn a_saturated_window_is_used_up(limit in 1_u32..60) {
        let mut window = heavy();
        window.learn(limit, 60_000);
        let mut last = 0;
        for _ in 0..limit * 10 {
            let Reservation::Go { at, .. } = window.reserve(last, i64::MAX, Interactive) else { unreachable!() };
            last = at;
        }
        prop_assert_eq!(last, 9 * window.span());
    }
}
