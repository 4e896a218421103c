//! The gate in the seeded world: never more requests in any window than RingCentral allows, whatever happens.

use std::sync::{Arc, Mutex, OnceLock};

use clock::Millis;

use crate::{
    seeds::{self, setting},
    world::{Scenario, Verdict, gated, renamed, run},
};

/// The drawn world of a seed, with what the environment adds to it.
fn drawn(seed: u64) -> Scenario {
    let scenario = Scenario::draw(seed).troubled();
    let skew = setting("FLEET_SKEW").map_or(scenario.skew, u64::cast_signed);
    let outside = u32::try_from(setting("FLEET_OUTSIDE").unwrap_or(0)).unwrap();
    Scenario { skew, outside, ..scenario }
}

fn gate(scenario: &Scenario) -> Verdict {
    let Some(after) = scenario.renamed else { return run(scenario, &gated) };
    let begun = OnceLock::new();
    run(scenario, &|store, clock, seed| {
        // Each container hears of it within a window after the first one.
        let own = (seed % scenario.window.unsigned_abs()).cast_signed();
        let at = begun.get_or_init(|| clock.clock().now()) + after + own;
        renamed(store, clock, seed, at) as Arc<_>
    })
}

fn replay(seed: u64) -> String {
    seeds::replay("gate::drawn_worlds", &["FLEET_SKEW", "FLEET_OUTSIDE"], seed)
}

#[derive(Default)]
struct Tally {
    requests: usize,
    writes: u64,
    lost_races: u64,
    reads: u64,
    throttled: usize,
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        self.requests += verdict.arrivals.len();
        self.writes += verdict.counts.writes;
        self.lost_races += verdict.counts.lost_races;
        self.reads += verdict.counts.reads;
        self.throttled += verdict.throttled.len();
    }
}

#[test]
fn drawn_worlds_never_cross_the_limit() {
    if let Some(seed) = setting("FLEET_SEED") {
        let scenario = drawn(seed);
        let verdict = gate(&scenario);
        println!("{}{scenario:#?}\n{:?} {:?}", verdict.journal, verdict.counts, verdict.books);
        assert!(verdict.broken.is_empty(), "seed {seed}: {}", verdict.broken.join("; "));
        return;
    }
    let seeds = setting("FLEET_SEEDS").unwrap_or(200);
    let tally = Mutex::new(Tally::default());
    let failed = seeds::run(seeds, |seed| {
        let verdict = gate(&drawn(seed));
        tally.lock().unwrap().add(&verdict);
        verdict.broken
    });
    let Tally { requests, writes, lost_races, reads, throttled } = tally.into_inner().unwrap();
    let each = |count: u64| count as f64 / requests.max(1) as f64;
    println!(
        "{seeds} seeds: {requests} requests, {throttled} times 429; for each request {:.2} writes ({:.2} of them lost races) and {:.2} reads",
        each(writes),
        each(lost_races),
        each(reads)
    );
    seeds::assert_none(&failed, seeds, replay);
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
    let worlds = [(10, 20), (50, 20), (10, 5), (50, 5)]
        .into_iter()
        .flat_map(|(limit, store)| [(limit, store, 1), (limit, store, 2)]);
    for (seed, (limit, store, callers)) in (1..).zip(worlds) {
        let window = 60_000;
        let scenario = Scenario {
            limit,
            window,
            store,
            containers: 16,
            callers,
            patience: window / 20,
            pause: 0,
            duration: 10 * window,
            priorities: false,
            ..Scenario::draw(seed).calm()
        };
        let verdict = gate(&scenario);
        println!(
            "limit {limit}, {callers} callers each, store {store} ms: {:.1} % used; for each request {:.2} writes ({:.2} of them lost races) and {:.2} reads",
            verdict.utilisation * 100.0,
            verdict.writes_per_request(),
            verdict.counts.lost_races as f64 / verdict.arrivals.len() as f64,
            verdict.counts.reads as f64 / verdict.arrivals.len() as f64,
        );
        assert!(verdict.broken.is_empty(), "{:?}", verdict.broken);
        assert!(verdict.utilisation >= 0.97, "limit {limit}: {:.3}", verdict.utilisation);
        // Containers with a single caller have nobody to share a write with.
        let bound = if callers == 1 { 1.35 } else { 1.15 };
        assert!(verdict.writes_per_request() <= bound, "limit {limit}, {callers} callers each");
    }
}

/// The first 429 costs what was under way when its answer came, and then one penalty for everybody, which begins for us when its
/// answer comes and ends with a probe. Answers take up to three seconds here, most of them far less.
#[test]
fn one_429_stops_the_whole_fleet_once() {
    let mut full = Vec::new();
    for seed in 0..40 {
        let scenario = Scenario {
            limit: 20,
            window: 60_000,
            containers: 8,
            callers: 2,
            patience: 3_000,
            pause: 0,
            duration: 300_000,
            priorities: false,
            forced_429: Some(70_000),
            ..Scenario::draw(seed).calm()
        };
        let verdict = gate(&scenario);
        assert!(verdict.broken.is_empty(), "seed {seed}: {:?}", verdict.broken);
        let (first, last) = (verdict.throttled[0], verdict.throttled[verdict.throttled.len() - 1]);
        assert!(last - first < 5_000, "seed {seed}: a second 429 after {} ms", last - first);
        let mut after =
            verdict.arrivals.iter().filter(|arrival| **arrival > last).map(|arrival| arrival - last);
        let tenth = after.nth(9).unwrap_or(Millis::MAX);
        assert!(tenth < 66_000, "seed {seed}: nobody came back for {tenth} ms");
        full.push(tenth);
    }
    full.sort_unstable();
    println!("ten requests after {} ms in half of the worlds, {} ms in the slowest", full[20], full[39]);
    assert!(full[20] < 62_000, "{full:?}");
}

#[test]
fn a_calm_fleet_loses_no_slot() {
    for seed in 0..20 {
        let books = gate(&drawn(seed).calm()).books;
        assert_eq!((books.lost, books.excused), (0, 0), "seed {seed}: {books:?}");
    }
}
