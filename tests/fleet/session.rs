//! The session in the seeded world: one token request for the whole fleet when one is due, whatever happens.

use std::{collections::BTreeSet, sync::Mutex};

use clock::Millis;

use crate::{
    seeds,
    tokens::{Scenario, Verdict, run},
};

#[derive(Default)]
struct Figures {
    sent: usize,
    published: usize,
    excused: usize,
    served: usize,
    failed: usize,
    longest: Millis,
}

impl Figures {
    fn add(&mut self, Verdict { books, callers, .. }: &Verdict) {
        self.sent += books.sent;
        self.published += books.published;
        self.excused += books.excused;
        self.served += callers.served;
        self.failed += callers.failed.values().sum::<usize>();
        self.longest = self.longest.max(callers.longest);
    }
}

/// The drawn world of a seed, with what the environment adds to it.
fn drawn(seed: u64) -> Scenario {
    let scenario = Scenario::draw(seed);
    let skew = seeds::setting("FLEET_SKEW").map_or(scenario.skew, u64::cast_signed);
    Scenario { skew, ..scenario }
}

fn replay(seed: u64) -> String {
    seeds::replay("session::drawn_worlds", &["FLEET_SKEW"], seed)
}

#[test]
fn drawn_worlds_ask_once_for_every_token() {
    if let Some(seed) = seeds::setting("FLEET_SEED") {
        let scenario = drawn(seed);
        let verdict = run(&scenario);
        println!("{}{scenario:#?}\n{:?} {:?}", verdict.journal, verdict.books, verdict.callers);
        assert!(verdict.broken.is_empty(), "seed {seed}: {}", verdict.broken.join("; "));
        return;
    }
    let seeds = seeds::setting("FLEET_SEEDS").unwrap_or(300);
    let figures = Mutex::new(Figures::default());
    let failed = seeds::run(seeds, |seed| {
        let verdict = run(&drawn(seed));
        figures.lock().unwrap().add(&verdict);
        verdict.broken
    });
    let Figures { sent, published, excused, served, failed: unserved, longest } =
        figures.into_inner().unwrap();
    println!(
        "{seeds} seeds: {sent} token requests, {published} published, {excused} lost for a reason; \
         {served} times a caller was served, {unserved} times not, and the longest wait took {longest} ms"
    );
    seeds::assert_none(&failed, seeds, replay);
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let fingerprints = (0..24).map(|seed| {
        let once = run(&drawn(seed)).journal.fingerprint();
        assert_eq!(once, run(&drawn(seed)).journal.fingerprint(), "seed {seed} went two ways");
        once
    });
    let fingerprints = fingerprints.collect::<BTreeSet<_>>();
    assert_eq!(fingerprints.len(), 24, "two seeds told the same story");
}

/// Nothing but wrong clocks, slow answers and ended sessions: no excuse for anything.
#[test]
fn wrong_clocks_alone_cost_no_request_and_no_caller() {
    let failed = seeds::run(100, |seed| run(&Scenario { skew: 2_000, ..Scenario::draw(seed).calm() }).broken);
    assert!(failed.is_empty(), "{failed:?}");
}

/// Its lease ends 6 s after it was last renewed; a second is not known of either clock, and the next one needs a moment to ask.
#[test]
fn a_container_that_dies_over_a_token_holds_nobody_up_for_long() {
    for seed in 0..40 {
        let scenario = Scenario {
            containers: 8,
            callers: 2,
            skew: 2_000,
            revocations: Vec::new(),
            first_dies: true,
            ..Scenario::draw(seed).calm()
        };
        let Verdict { broken, books, callers, arrivals, .. } = run(&scenario);
        assert!(broken.is_empty(), "seed {seed}: {broken:?}");
        assert_eq!((books.sent - books.published, books.excused), (1, 1), "seed {seed}: {books:?}");
        assert!(callers.failed.is_empty(), "seed {seed}: {callers:?}");
        let held = arrivals[1].0 - arrivals[0].0;
        assert!(held < 9_000, "seed {seed}: nobody asked for {held} ms");
    }
}

/// A token that nobody accepts is not asked for again and again.
#[test]
fn refused_credentials_rest() {
    for seed in 0..40 {
        let refused_from = Some(0);
        let verdict = run(&Scenario { refused_from, ..Scenario::draw(seed).calm() });
        assert!(verdict.broken.is_empty(), "seed {seed}: {:?}", verdict.broken);
        assert_eq!(verdict.books.sent, 1, "seed {seed}: {:?}", verdict.books);
    }
}
