//! How a busy fleet shares its budget in the seeded world: with another tool, after a change of the limit, and among priorities.

use clock::Millis;

use crate::world::{Scenario, Verdict, densest, gated, run};

/// Sixteen containers that send as much as they may, in a healthy world.
fn saturated(seed: u64, limit: u32, minutes: Millis) -> Scenario {
    Scenario {
        limit,
        window: 60_000,
        containers: 16,
        callers: 2,
        patience: 3_000,
        pause: 0,
        duration: minutes * 60_000,
        priorities: false,
        ..Scenario::draw(seed).calm()
    }
}

fn within(instants: &[Millis], from: Millis, to: Millis) -> usize {
    instants.iter().filter(|at| (from..to).contains(*at)).count()
}

fn percentile(sorted: &[Millis], percent: usize) -> Millis {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

/// Another tool on the same app and user, which asks nobody and takes two fifths of the budget.
#[test]
fn another_tool_on_the_same_budget_is_made_room_for() {
    for (seed, limit) in (0..20).map(|seed| (seed, [10, 50][usize::try_from(seed % 2).unwrap()])) {
        let verdict = run(&Scenario { outside: 40, ..saturated(seed, limit, 30) }, &gated);
        let begun = verdict.arrivals[0];
        let last = verdict.throttled.last().map_or(0, |at| at - begun);
        println!(
            "limit {limit}: {:.0} % used together, {} times 429, the last one after {} s of 1800",
            verdict.utilisation * 100.0,
            verdict.throttled.len(),
            last / 1_000
        );
        assert!(last < 240_000, "seed {seed}: a 429 after {} s", last / 1_000);
        assert!(verdict.utilisation > 0.65, "seed {seed}: {:.2} used", verdict.utilisation);
    }
}

#[test]
fn a_raised_limit_is_used_up_within_one_window() {
    for seed in 0..10 {
        let changed = 300_000;
        let verdict = run(&Scenario { changed: Some((changed, 100)), ..saturated(seed, 10, 8) }, &gated);
        assert!(verdict.throttled.is_empty(), "seed {seed}: {:?}", verdict.throttled);
        let heard = verdict.arrivals[0] + changed;
        let used = within(&verdict.arrivals, heard, heard + 120_000);
        println!("{used} requests in the first two windows of 100 instead of 10");
        assert!(used >= 107, "seed {seed}: {used} requests");
    }
}

/// The next request finds the window fuller than it may be now.
#[test]
fn a_lowered_limit_costs_what_is_under_way_and_is_kept_from_then_on() {
    for seed in 0..10 {
        let scenario = Scenario { changed: Some((300_000, 5)), ..saturated(seed, 50, 10) };
        let Verdict { throttled, arrivals, .. } = run(&scenario, &gated);
        let (first, last) = (throttled[0], throttled[throttled.len() - 1]);
        println!("{} answers of 429 within {} ms", throttled.len(), last - first);
        assert!(throttled.len() <= 32 && last - first < 1_500, "seed {seed}: {throttled:?}");
        assert!(within(&arrivals, last + 1, Millis::MAX) >= 15, "seed {seed}: nobody came back");
        let after: Vec<_> = arrivals.into_iter().filter(|at| *at > last).collect();
        assert!(densest(&after, 60_000) <= 5, "seed {seed}");
    }
}

#[test]
fn interactive_callers_hardly_wait_while_batch_takes_all_it_can() {
    for (limit, bound) in [(10, 12_000), (50, 2_500)] {
        let mut waits = Vec::new();
        for seed in 0..10 {
            let scenario = Scenario { interactive_every: Some(20_000), ..saturated(seed, limit, 30) };
            let verdict = run(&scenario, &gated);
            assert!(verdict.broken.is_empty(), "seed {seed}: {:?}", verdict.broken);
            assert!(verdict.utilisation >= 0.85, "seed {seed}: {:.2} used", verdict.utilisation);
            waits.extend(verdict.waits);
        }
        waits.sort_unstable();
        let [half, most, longest] = [50, 99, 100].map(|percent| percentile(&waits, percent));
        println!("limit {limit}: {} waits, p50 {half} ms, p99 {most} ms, longest {longest} ms", waits.len());
        assert!(waits.len() > 300 && most <= bound, "limit {limit}: p99 {most} ms");
    }
}

/// Each deployment has windows of its own and learns from answers alone what the other one takes.
#[test]
fn two_programs_on_one_app_and_user_both_go_on_and_meet_no_end_of_429s() {
    for (seed, limit) in (0..20).map(|seed| (seed, [10, 40][usize::try_from(seed % 2).unwrap()])) {
        let verdict = run(&Scenario { programs: 2, ..saturated(seed, limit, 30) }, &gated);
        let half = verdict.arrivals[0] + 900_000;
        let met = verdict.throttled.iter().filter(|at| **at > half).count();
        let served = |program| {
            verdict.served.iter().filter(|(container, at)| container % 2 == program && *at > half).count()
        };
        let shares = [served(0), served(1)];
        println!(
            "limit {limit}: {} times 429, {met} of them in the second half, which serves {shares:?}",
            verdict.throttled.len()
        );
        assert_eq!(met, 0, "seed {seed}");
        // Shares are not equal: who came first keeps more. The other one has a request of each window at least.
        assert!(shares.iter().all(|share| *share >= 15), "seed {seed}: {shares:?}");
    }
}
