//! The gate in the seeded world: never more requests in any window than RingCentral allows, whatever happens.

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use clock::Millis;

use crate::world::{Scenario, Verdict, gated, run};

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")))
}

/// The drawn world of a seed, with what the environment adds to it.
fn drawn(seed: u64) -> Scenario {
    let scenario = Scenario::draw(seed);
    let skew = setting("FLEET_SKEW").map_or(scenario.skew, u64::cast_signed);
    let outside = u32::try_from(setting("FLEET_OUTSIDE").unwrap_or(0)).unwrap();
    Scenario { skew, outside, ..scenario }
}

fn gate(scenario: &Scenario) -> Verdict {
    run(scenario, &gated)
}

/// A world whose gate panics has broken its promise too.
fn judged(scenario: &Scenario) -> Verdict {
    catch_unwind(AssertUnwindSafe(|| gate(scenario)))
        .unwrap_or_else(|_| panic!("seed {} panicked: {}", scenario.seed, replay(scenario.seed)))
}

fn replay(seed: u64) -> String {
    let kept = ["FLEET_SKEW", "FLEET_OUTSIDE"];
    let kept = kept.iter().filter_map(|name| Some(format!("{name}={} ", setting(name)?))).collect::<String>();
    format!(
        "{kept}FLEET_SEED={seed} cargo test -p trunkline-tests --test fleet gate::drawn_worlds -- --nocapture"
    )
}

#[derive(Default)]
struct Tally {
    broken: Vec<(u64, String)>,
    requests: usize,
    writes: u64,
    lost_races: u64,
    reads: u64,
    throttled: usize,
}

/// Runs worlds on every processor; each world is single-threaded and knows nothing of the others.
fn tally(seeds: u64) -> Tally {
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                break;
            }
            let verdict = judged(&drawn(seed));
            let mut tally = tally.lock().unwrap();
            tally.requests += verdict.arrivals.len();
            tally.writes += verdict.counts.writes;
            tally.lost_races += verdict.counts.lost_races;
            tally.reads += verdict.counts.reads;
            tally.throttled += verdict.throttled.len();
            if !verdict.broken.is_empty() {
                tally.broken.push((seed, verdict.broken.join("; ")));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.broken.sort_unstable();
    tally
}

#[test]
fn drawn_worlds_never_cross_the_limit() {
    if let Some(seed) = setting("FLEET_SEED") {
        let scenario = drawn(seed);
        let verdict = judged(&scenario);
        println!("{}{scenario:#?}\n{:?} {:?}", verdict.journal, verdict.counts, verdict.books);
        assert!(verdict.broken.is_empty(), "seed {seed}: {}", verdict.broken.join("; "));
        return;
    }
    let seeds = setting("FLEET_SEEDS").unwrap_or(200);
    let Tally { broken, requests, writes, lost_races, reads, throttled } = tally(seeds);
    let each = |count: u64| count as f64 / requests.max(1) as f64;
    println!(
        "{seeds} seeds: {requests} requests, {throttled} times 429; for each request {:.2} writes ({:.2} of them lost races) and {:.2} reads",
        each(writes),
        each(lost_races),
        each(reads)
    );
    if let Some((seed, _)) = broken.first() {
        let shown = broken.iter().take(20).map(|(seed, why)| format!("\n  seed {seed}: {why}"));
        let shown = shown.collect::<String>();
        panic!("{} of {seeds} seeds failed:{shown}\nreplay the first: {}", broken.len(), replay(*seed));
    }
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let fingerprints = (0..24).map(|seed| {
        let once = gate(&drawn(seed)).journal.fingerprint();
        assert_eq!(once, gate(&drawn(seed)).journal.fingerprint(), "seed {seed} went two ways");
        once
    });
    let fingerprints = fingerprints.collect::<std::collections::BTreeSet<_>>();
    assert_eq!(fingerprints.len(), 24, "two seeds told the same story");
}

#[test]
fn a_saturated_fleet_uses_its_budget_up() {
    for (seed, limit, window, store) in
        [(1, 10, 60_000, 20), (2, 50, 60_000, 20), (3, 10, 60_000, 5), (4, 50, 60_000, 5)]
    {
        let scenario = Scenario {
            limit,
            window,
            store,
            containers: 16,
            callers: 2,
            patience: window / 20,
            pause: 0,
            duration: 10 * window,
            priorities: false,
            ..Scenario::draw(seed).calm()
        };
        let verdict = gate(&scenario);
        println!(
            "limit {limit}: {:.1} % used; for each request {:.2} writes ({:.2} of them lost races) and {:.2} reads",
            verdict.utilisation * 100.0,
            verdict.writes_per_request(),
            verdict.counts.lost_races as f64 / verdict.arrivals.len() as f64,
            verdict.counts.reads as f64 / verdict.arrivals.len() as f64,
        );
        assert!(verdict.broken.is_empty(), "{:?}", verdict.broken);
        assert!(verdict.utilisation >= 0.97, "limit {limit}: {:.3}", verdict.utilisation);
    }
}

/// The first 429 costs what was under way when its answer came, and then one penalty for everybody.
#[test]
fn one_429_stops_the_whole_fleet_once() {
    for seed in 0..40 {
        let scenario = Scenario {
            limit: 20,
            window: 60_000,
            containers: 8,
            callers: 2,
            patience: 3_000,
            pause: 8_000,
            duration: 300_000,
            priorities: false,
            forced_429: Some(70_000),
            ..Scenario::draw(seed).calm()
        };
        let verdict = gate(&scenario);
        assert!(verdict.broken.is_empty(), "seed {seed}: {:?}", verdict.broken);
        let (first, last) = (verdict.throttled[0], verdict.throttled[verdict.throttled.len() - 1]);
        assert!(last - first < 5_000, "seed {seed}: a second 429 after {} ms", last - first);
        let again = verdict.arrivals.iter().find(|arrival| **arrival > last).copied().unwrap_or(Millis::MAX);
        assert!(again - last < 66_000, "seed {seed}: nobody came back for {} ms", again - last);
    }
}

#[test]
fn a_calm_fleet_loses_no_slot() {
    for seed in 0..20 {
        let books = gate(&drawn(seed).calm()).books;
        assert_eq!((books.lost, books.excused), (0, 0), "seed {seed}: {books:?}");
    }
}
