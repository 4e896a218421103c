//! Why the gate keeps an exact ring: the usual limiters break the same promise in the same world.
//!
//! They are given every advantage: one counter for the whole fleet, no latency, no crash. So the check can fail.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clock::{Millis, SharedClock};
use gate::Priority;

use crate::world::{Answer, Limiter, Pass, Scenario, Ticket, Verdict, gated, run};

/// A counter that says yes or no.
trait Counter: Send + 'static {
    fn take(&mut self, now: Millis) -> bool;
}

/// `limit` tokens, refilled at `limit` in a window.
struct TokenBucket {
    limit: f64,
    window: f64,
    tokens: f64,
    filled: Millis,
}

impl Counter for TokenBucket {
    fn take(&mut self, now: Millis) -> bool {
        let refill = (now - self.filled) as f64 * self.limit / self.window;
        (self.tokens, self.filled) = ((self.tokens + refill).min(self.limit), now);
        let free = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(free));
        free
    }
}

/// Counts from zero at the start of every window.
struct FixedWindow {
    limit: u32,
    window: Millis,
    current: Millis,
    count: u32,
}

impl Counter for FixedWindow {
    fn take(&mut self, now: Millis) -> bool {
        if now / self.window != self.current {
            (self.current, self.count) = (now / self.window, 0);
        }
        let free = self.count < self.limit;
        self.count += u32::from(free);
        free
    }
}

/// Weighs the count of the last window with what is left of it, as if its requests had come evenly.
struct TwoCounters {
    last: u32,
    fixed: FixedWindow,
}

impl Counter for TwoCounters {
    fn take(&mut self, now: Millis) -> bool {
        let (window, limit) = (self.fixed.window, f64::from(self.fixed.limit));
        match now / window - self.fixed.current {
            0 => {}
            1 => self.last = self.fixed.count,
            _ => self.last = 0,
        }
        if now / window != self.fixed.current {
            (self.fixed.current, self.fixed.count) = (now / window, 0);
        }
        let left = 1.0 - (now % window) as f64 / window as f64;
        f64::from(self.last) * left + f64::from(self.fixed.count) + 1.0 <= limit && self.fixed.take(now)
    }
}

struct Counted<C> {
    counter: Arc<Mutex<C>>,
    clock: SharedClock,
}

#[async_trait]
impl<C: Counter> Limiter for Counted<C> {
    async fn pass(&self, _: Priority, patience: Millis) -> Pass {
        let deadline = self.clock.now() + patience;
        loop {
            let now = self.clock.now();
            if self.counter.lock().unwrap().take(now) {
                return Pass::Go(Ticket::plain(now));
            }
            if now >= deadline {
                return Pass::Later(now + 100);
            }
            self.clock.sleep_until(now + 100).await;
        }
    }

    async fn settle(&self, _: Ticket, _: Answer) -> bool {
        true
    }
}

/// A busy, healthy fleet: nothing but the limiter can be at fault.
fn busy(seed: u64) -> Scenario {
    let containers = 2 + usize::try_from(seed % 8).unwrap();
    Scenario { containers, callers: 4, pause: 0, priorities: false, skew: 0, ..Scenario::draw(seed).calm() }
}

/// Every seed's world with this counter.
fn worlds<C: Counter>(counter: impl Fn(&Scenario) -> C) -> Vec<(Scenario, Verdict)> {
    let world = |seed| {
        let scenario = busy(seed);
        let shared = Arc::new(Mutex::new(counter(&scenario)));
        let verdict = run(&scenario, &|_, clock, _| {
            Arc::new(Counted { counter: shared.clone(), clock: clock.clock().clone() }) as Arc<dyn Limiter>
        });
        (scenario, verdict)
    };
    (0..20).map(world).collect()
}

fn fixed(scenario: &Scenario) -> FixedWindow {
    FixedWindow { limit: scenario.limit, window: scenario.window, current: 0, count: 0 }
}

#[track_caller]
fn assert_refuted(name: &str, worlds: &[(Scenario, Verdict)]) {
    let refuted =
        worlds.iter().filter(|(scenario, verdict)| verdict.densest > scenario.limit as usize).count();
    let worst = worlds.iter().map(|(scenario, verdict)| verdict.densest as f64 / f64::from(scenario.limit));
    let worst = worst.fold(0.0, f64::max);
    println!("{name}: crosses the limit in {refuted} of {} worlds, by up to {worst:.2} times", worlds.len());
    assert!(refuted * 2 > worlds.len(), "{name} kept the limit in too many worlds");
}

#[test]
fn a_token_bucket_crosses_the_limit() {
    let worlds = worlds(|Scenario { limit, window, .. }| {
        let limit = f64::from(*limit);
        TokenBucket { limit, window: *window as f64, tokens: limit, filled: 0 }
    });
    assert_refuted("token bucket", &worlds);
}

#[test]
fn a_fixed_window_crosses_the_limit() {
    assert_refuted("fixed window", &worlds(fixed));
}

#[test]
fn two_counters_cross_the_limit() {
    assert_refuted("two counters", &worlds(|scenario| TwoCounters { last: 0, fixed: fixed(scenario) }));
}

#[test]
fn the_ring_keeps_it_in_the_same_worlds() {
    for seed in 0..20 {
        let scenario = busy(seed);
        let verdict = run(&scenario, &gated);
        assert!(verdict.broken.is_empty(), "seed {seed}: {:?}", verdict.broken);
        let used = verdict.utilisation;
        assert!(used >= 0.9, "seed {seed}: the fleet used {used:.2} of its budget");
    }
}
