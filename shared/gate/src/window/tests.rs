//! The arithmetic, told by examples and by properties.

use proptest::prelude::*;

use super::*;
use Priority::{Batch, Interactive};

fn heavy() -> Window {
    Window::unused(&Group::named("Heavy"))
}

fn slot(at: Millis) -> Slot {
    Slot { at, slack: 0 }
}

fn ask(now: Millis, deadline: Millis, priority: Priority) -> Ask {
    Ask { now, deadline, priority, slack: 0 }
}

fn go(at: Millis) -> Reservation {
    Reservation::Go { slot: slot(at), until: at + 250, probe: false }
}

fn probe(at: Millis) -> Reservation {
    Reservation::Go { slot: slot(at), until: at + 250, probe: true }
}

fn later(at: Millis) -> Reservation {
    Reservation::Later { at, cause: Cause::Window }
}

#[test]
fn a_full_window_reopens_when_its_oldest_grant_leaves_it() {
    let mut window = heavy();
    for _ in 0..10 {
        assert_eq!(window.reserve(ask(1_000, 1_000, Interactive)), go(1_000));
    }
    assert_eq!(window.reserve(ask(1_000, 5_000, Interactive)), later(61_500));
    assert_eq!(window.reserve(ask(58_000, 62_000, Interactive)), go(61_500));
}

#[test]
fn a_block_holds_everybody_is_never_shortened_and_ends_with_one_probe() {
    let mut window = heavy();
    window.block(90_000, Cause::Penalty);
    window.block(70_000, Cause::Penalty);
    let held = Reservation::Later { at: 90_000, cause: Cause::Penalty };
    assert_eq!(window.reserve(ask(60_000, 60_000, Interactive)), held);
    assert_eq!(window.reserve(ask(90_000, 90_000, Interactive)), probe(90_000));
    // The longer it takes, the longer the pauses between two looks.
    for (now, again) in [(90_000, 90_125), (90_600, 90_900), (94_000, 95_000)] {
        let waits = Reservation::Later { at: again, cause: Cause::Penalty };
        assert_eq!(window.reserve(ask(now, now, Interactive)), waits);
    }
    window.succeed(true);
    assert_eq!(window.reserve(ask(94_100, 94_100, Interactive)), go(94_100));
}

#[test]
fn a_probe_that_never_comes_back_is_replaced() {
    let mut window = heavy();
    window.block(90_000, Cause::Penalty);
    window.reserve(ask(90_000, 90_000, Interactive));
    assert_eq!(window.reserve(ask(110_000, 110_000, Interactive)), probe(110_000));
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
    assert_eq!(window.reserve(ask(0, 0, Interactive)), go(0));
    window.fail(0, false, policy);
    assert_eq!(
        window.reserve(ask(1, 1, Interactive)),
        Reservation::Later { at: 60_000, cause: Cause::Breaker }
    );
    assert_eq!(window.reserve(ask(60_000, 60_000, Interactive)), probe(60_000));
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
    window.learn(1, 60_000, 0);
    assert_eq!(window.reserve(ask(0, 0, Interactive)), go(0));
    assert_eq!(window.reserve(ask(0, 90_000, Interactive)), go(60_500));
    assert!(window.holds(slot(60_500)).is_some());
    window.correct(slot(0), 4_000);
    assert!(window.holds(slot(60_500)).is_none());
    window.release(slot(60_500), false);
    assert_eq!(window.next_free(10_000, Interactive).0, 4_000 + 60_000 + window.pad);
    assert_eq!(window.pad, 1_200, "raised, up to a fiftieth of the window");
}

#[test]
fn a_raised_limit_is_used_at_once() {
    let mut window = heavy();
    for _ in 0..10 {
        window.reserve(ask(0, 0, Interactive));
    }
    window.learn(100, 60_000, 0);
    assert_eq!(window.reserve(ask(5, 5, Interactive)), go(5));
}

#[test]
fn regression_a_limit_that_was_heard_before_it_changed_does_not_come_back() {
    let mut window = heavy();
    window.learn(5, 60_000, 2_000);
    window.learn(10, 60_000, 1_900);
    assert_eq!(window.limit, 5);
    window.learn(10, 60_000, 2_100);
    assert_eq!(window.limit, 10);
}

#[test]
fn batch_is_paced_and_leaves_a_slot_to_interactive_callers_that_were_seen() {
    let mut window = heavy();
    assert_eq!(window.reserve(ask(600_000, 600_000, Batch)), go(600_000));
    assert_eq!(window.reserve(ask(600_000, 600_000, Batch)), later(606_050));
    let mut now = 600_000;
    window.reserve(ask(now, now, Interactive));
    // An hour of nothing but batch, reserving ahead as far as it can.
    for _ in 0..100 {
        let (at, _) = window.next_free(now, Batch);
        window.reserve(ask(now, at, Batch));
        now = at;
        window.interactive_seen = now;
        assert!(
            window.next_free(now, Interactive).0 - now <= 6_050,
            "an interactive caller waits for one slot at most"
        );
    }
}

#[test]
fn batch_takes_the_next_slot_and_none_beyond_it() {
    let mut window = heavy();
    let mut taken = Vec::new();
    for _ in 0..30 {
        if let Reservation::Go { slot, .. } = window.reserve(ask(1, 300_000, Batch)) {
            taken.push(slot.at);
        }
    }
    assert_eq!(taken, [1, 6_051]);
}

#[test]
fn whoever_has_the_worse_clock_keeps_the_others_further_away() {
    let mut window = heavy();
    window.learn(1, 60_000, 0);
    let doubtful = Slot { at: 0, slack: 700 };
    assert_eq!(
        window.reserve(Ask { slack: 700, ..ask(0, 0, Interactive) }),
        Reservation::Go { slot: doubtful, until: 950, probe: false }
    );
    assert_eq!(window.holds(doubtful), Some(950));
    assert_eq!(window.next_free(10_000, Interactive).0, 61_200);
    window.correct(doubtful, 650);
    assert_eq!((window.grants[0].slot, window.pad), (doubtful, 500), "no later than was claimed");
}

#[test]
fn a_refused_interactive_caller_costs_a_write_once_in_two_windows() {
    let mut window = heavy();
    window.block(10_000_000, Cause::Penalty);
    let mut changes = 0;
    for now in (600_000..1_200_000).step_by(1_000) {
        let before = window.clone();
        window.reserve(ask(now, now, Interactive));
        changes += u32::from(before != window);
    }
    assert_eq!(changes, 5);
}

proptest! {
    /// The text of a ring is the ring.
    #[test]
    fn a_window_is_stored_and_read_again(
        grants in prop::collection::vec((0_i64..2_000_000_000_000, 0_u8..3, 0_i64..5_000), 0..60),
    ) {
        let mut window = heavy();
        window.grants = grants.into_iter().map(|(at, priority, slack)| {
            let priority = [Interactive, Priority::Event, Batch][usize::from(priority)];
            Grant { slot: Slot { at, slack }, priority, count: 1 }
        }).collect();
        let stored = serde_json::to_string(&window).unwrap();
        prop_assert_eq!(serde_json::from_str::<Window>(&stored).unwrap(), window);
    }
}

#[test]
fn the_item_of_fifty_grants_fits_one_write_unit_and_what_is_no_grant_is_refused() {
    let mut window = Window::unused(&Group::named("Light"));
    for at in 0..50 {
        let priority = [Interactive, Batch][usize::from(at % 2 == 0)];
        window.reserve(ask(1_795_000_000_000 + at * 1_197, i64::MAX, priority));
    }
    let stored = serde_json::to_string(&window).unwrap();
    assert!(stored.len() <= 800, "{} bytes: {stored}", stored.len());
    for broken in ["i", "12", "12x", "12i~", "12i~x", "i12"] {
        let item = stored.replace("\"grants\":\"", &format!("\"grants\":\"{broken} "));
        assert!(serde_json::from_str::<Window>(&item).is_err(), "{broken}");
    }
}

#[test]
fn other_tools_on_the_same_budget_are_noticed_and_made_room_for() {
    let mut window = heavy();
    let heard = |window: &mut Window, at: Millis, counted: u32| {
        window.reserve(ask(at, at, Interactive));
        window.notice_foreign(at, at + 100, counted);
        window.ours()
    };
    assert_eq!(heard(&mut window, 0, 1), 10);
    assert_eq!(heard(&mut window, 10_000, 6), 4, "four of theirs, and two more that they may use");
    assert_eq!(heard(&mut window, 20_000, 3), 4, "not forgotten at the first quiet moment");
    assert_eq!(heard(&mut window, 700_000, 1), 4, "nor when the count begins anew");
    assert_eq!(heard(&mut window, 1_400_000, 1), 10);
}

#[test]
fn what_others_take_is_counted_before_the_requests_that_came_later() {
    let mut window = Window::unused(&Group::named("Light"));
    for at in (0..30_000).step_by(1_000) {
        window.reserve(ask(at, at, Interactive));
    }
    window.notice_foreign(26_000, 26_200, 27 + 9);
    assert_eq!(window.foreign(), 9);
}

#[test]
fn one_429_out_of_the_blue_changes_nothing_and_a_second_one_leaves_half_to_others() {
    let mut window = heavy();
    let strike = |window: &mut Window, at: Millis| {
        window.punish(at, 60_000, true);
        window.punish(at + 100, 60_000, false);
        window.ours()
    };
    assert_eq!(strike(&mut window, 2_000_000), 10);
    assert_eq!(strike(&mut window, 2_500_000), 5);
    assert_eq!(strike(&mut window, 3_000_000), 3);
    // Their use is counted meanwhile, and ten windows without a strike tell that this was all of it.
    for (at, ours) in [(3_500_000, 3), (3_590_000, 3), (3_650_000, 8)] {
        window.reserve(ask(at, at, Interactive));
        window.notice_foreign(at, at + 100, 2);
        assert_eq!(window.ours(), ours, "at {at}");
    }
}

#[test]
fn a_429_that_a_lowered_limit_explains_is_nobody_elses() {
    let mut window = heavy();
    for _ in 0..10 {
        window.reserve(ask(1_000_000, 1_000_000, Interactive));
    }
    window.learn(8, 60_000, 0);
    for at in [1_001_000, 1_002_000] {
        window.struck(at, false);
    }
    assert_eq!(window.ours(), 8);
}

#[test]
fn what_remains_is_what_could_be_reserved_at_once() {
    let mut window = heavy();
    for at in [0, 30_000, 30_000, 70_000] {
        window.reserve(ask(at, at, Interactive));
    }
    for now in [30_000, 59_000, 60_600, 70_000, 95_000, 140_000] {
        let mut ahead = window.clone();
        let mut taken = 0;
        while let Reservation::Go { .. } = ahead.reserve(ask(now, now, Interactive)) {
            taken += 1;
        }
        assert_eq!(window.remaining(now), taken, "at {now}");
    }
}

/// The most of these instants in any window of a minute.
fn densest(mut arrivals: Vec<Millis>) -> usize {
    arrivals.sort_unstable();
    let (mut first, mut densest) = (0, 0);
    for (last, arrival) in arrivals.iter().enumerate() {
        while arrivals[first] <= arrival - 60_000 {
            first += 1;
        }
        densest = densest.max(last + 1 - first);
    }
    densest
}

#[test]
fn regression_a_limit_above_a_thousand_is_used_and_its_item_stays_small() {
    for limit in [1_001, 5_000, 100_000] {
        let mut window = heavy();
        window.learn(limit, 60_000, 0);
        let mut now = 1_795_000_000_000;
        let mut granted = 0;
        // All of it at a stroke, and then as it comes: a window and a half.
        for step in 0..900 {
            let wishes = if step == 0 { limit as usize } else { 40 };
            let priority = [Interactive, Priority::Event][usize::from(step % 7 == 0)];
            let ask = Ask { slack: step % 3 * 90, ..ask(now, now, priority) };
            granted += window
                .reserve_several(ask, wishes)
                .iter()
                .filter(|go| matches!(go, Reservation::Go { .. }))
                .count();
            if step == 0 {
                assert_eq!(granted, limit as usize);
            }
            now += 100;
        }
        assert!(granted > limit as usize, "{limit}: {granted}");
        let stored = serde_json::to_string(&window).unwrap();
        assert!(stored.len() <= 6_000, "{limit}: {} bytes", stored.len());
        assert_eq!(serde_json::from_str::<Window>(&stored).unwrap(), window);
    }
}

#[test]
fn regression_use_by_others_is_counted_against_the_limit_that_was_announced() {
    let mut window = heavy();
    window.learn(5_000, 60_000, 0);
    window.reserve(ask(1_000, 1_000, Interactive));
    window.notice_foreign(1_000, 1_100, 1 + 1_200);
    assert_eq!((window.limit, window.foreign(), window.ours()), (5_000, 1_200, 5_000 - 1_200 - 34));
}

#[test]
fn a_request_of_a_coarse_log_is_given_back_and_corrected_alone() {
    let mut window = heavy();
    window.learn(2_000, 60_000, 0);
    let Reservation::Go { slot, until, .. } = window.reserve(ask(60_123, 60_123, Interactive)) else {
        unreachable!()
    };
    assert!(slot.at <= 60_123 && until >= 60_123 && window.holds(slot) == Some(until));
    for _ in 0..9 {
        window.reserve(ask(60_200, 60_200, Interactive));
    }
    assert_eq!(window.grants, [Grant { slot, priority: Interactive, count: 10 }]);
    window.release(slot, false);
    window.correct(slot, slot.at + 3_000);
    let late = Grant { slot: Slot { slack: 3_000, ..slot }, priority: Interactive, count: 1 };
    assert_eq!(window.grants, [Grant { slot, priority: Interactive, count: 8 }, late]);
}

#[test]
fn nothing_of_a_coarse_log_begins_before_the_end_of_a_block() {
    let mut window = heavy();
    window.learn(2_000, 60_000, 0);
    window.block(90_123, Cause::Penalty);
    let Reservation::Go { slot, probe: true, .. } = window.reserve(ask(90_200, 95_000, Interactive)) else {
        unreachable!()
    };
    assert!(slot.at >= 90_123 && window.holds(slot).is_some(), "{slot:?}");
}

proptest! {
    /// A large limit, bursts, corrections, a limit that becomes a small one and a large one again: never more than there may be.
    #[test]
    fn a_coarse_log_never_admits_too_much(
        large in 1_001_u32..1_400,
        steps in prop::collection::vec((0_i64..9_000, 1_usize..500, 0_i64..500, 0_i64..2_000, 0_u8..8), 1..60),
    ) {
        let mut window = heavy();
        window.learn(large, 60_000, 0);
        let mut now = 1_795_000_000_000;
        let mut arrivals = Vec::new();
        for (idle, wishes, delay, slack, late) in steps {
            now += idle;
            let asked = Ask { slack, ..ask(now, now + 2_000, Interactive) };
            let taken = window.reserve_several(asked, wishes).into_iter().filter_map(|taken| match taken {
                Reservation::Go { slot, .. } => Some(slot),
                Reservation::Later { .. } | Reservation::Closed => None,
            });
            let (at_once, slept): (Vec<Slot>, Vec<Slot>) = taken.partition(|slot| slot.at <= now);
            // One step in eight, everything arrives late, and says so.
            let lateness = if late == 0 { 2_000 } else { delay / 2 };
            let arrives = |slot: Slot| slot.at.max(now).min(slot.until()) + lateness;
            for slot in &at_once {
                prop_assert!(window.holds(*slot).is_some());
                arrivals.push(arrives(*slot));
            }
            for slot in at_once.iter().filter(|_| late == 0) {
                window.correct(*slot, arrives(*slot));
            }
            // Whoever slept looks again.
            for slot in slept {
                match window.holds(slot) {
                    None => window.release(slot, false),
                    Some(until) => arrivals.push(slot.until().min(until) + delay / 2),
                }
            }
        }
        prop_assert!(densest(arrivals) <= large as usize);
    }

    /// Whatever the callers' times, priorities, corrections and delays within the pad: no window of the server holds more than N.
    #[test]
    fn never_more_than_the_limit_in_any_window(
        limit in 1_u32..12,
        steps in prop::collection::vec((0_i64..9_000, 0_i64..500, 0_i64..200_000, 0_u8..3, 0_i64..2_000), 1..200),
    ) {
        let mut window = heavy();
        window.learn(limit, 60_000, 0);
        let mut now = 0;
        let mut arrivals = Vec::new();
        for (idle, delay, patience, priority, slack) in steps {
            now += idle;
            let priority = [Interactive, Priority::Event, Batch][usize::from(priority)];
            let wish = Ask { slack, ..ask(now, now + patience, priority) };
            if let Reservation::Go { slot, .. } = window.reserve(wish) {
                prop_assert!(slot.at >= now && window.holds(slot).is_some());
                // As late as its sender's clock left open, or half as late, or not at all.
                arrivals.push(slot.at + slack * (delay % 3) / 2 + delay);
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
        window.learn(limit, 60_000, 0);
        let mut last = 0;
        for _ in 0..limit * 10 {
            let Reservation::Go { slot: Slot { at, .. }, .. } = window.reserve(ask(last, i64::MAX, Interactive)) else { unreachable!() };
            last = at;
        }
        prop_assert_eq!(last, 9 * window.span());
    }
}
