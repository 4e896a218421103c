//! What the gate's arithmetic costs, without a store and without a wait. It prints figures and asserts nothing.
//!
//! `cargo bench -p trunkline-gate`, with criterion's options behind `--`.

#![allow(clippy::unwrap_used, reason = "a benchmark that can't be set up has no figures")]

use std::{hint::black_box, sync::Arc, time::Duration};

use clock::{Bounded, Manual, Millis};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use trunkline_gate::{
    Ask, Bucket, Gate, Group, MemoryWindows, Notice, Patience, Policy, Priority, Reservation, Window,
};

const START: Millis = 1_795_000_000_000;
const LENGTH: Millis = 60_000;
/// Heavy, Light, the largest limit that is kept request by request, and one that is not.
const LIMITS: [u32; 4] = [10, 50, 1_000, 20_000];

fn reserve(window: &mut Window, now: Millis, patience: Millis) -> Reservation {
    window.reserve(Ask { now, deadline: now + patience, priority: Priority::Interactive, slack: 0 })
}

/// A window of this limit with so many slots taken at `START`.
fn window(limit: u32, taken: u32) -> Window {
    let mut window = Window::unused(&Group::named("light"));
    window.learn(limit, LENGTH, 0);
    for _ in 0..taken {
        reserve(&mut window, START, 0);
    }
    window
}

fn reserving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reserve");
    for limit in LIMITS {
        let full = window(limit, limit);
        let next_window = START + full.span();
        // Name, the window before, the instant of the request, and how long it can wait.
        let cases = [
            ("empty", window(limit, 0), START, 0),
            ("half full", window(limit, limit / 2), START, 0),
            ("full, refused", full.clone(), START, 0),
            ("full, for later", full.clone(), START, 2 * LENGTH),
            ("full of old grants", full, next_window, 0),
        ];
        for (name, before, now, patience) in cases {
            group.bench_function(BenchmarkId::new(name, limit), |bench| {
                let once = |mut window: Window| {
                    black_box(reserve(&mut window, now, patience));
                    window
                };
                bench.iter_batched(|| before.clone(), once, BatchSize::SmallInput);
            });
        }
    }
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("remaining");
    for limit in LIMITS {
        let half = window(limit, limit / 2);
        group.bench_function(BenchmarkId::new("half full", limit), |bench| {
            bench.iter(|| black_box(&half).remaining(black_box(START)));
        });
    }
    group.finish();
}

/// The window as JSON, which is about what the store's item is made of.
fn storing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("item");
    for limit in LIMITS {
        let full = window(limit, limit);
        let text = serde_json::to_string(&full).unwrap();
        group.bench_function(BenchmarkId::new("write", limit), |bench| {
            bench.iter(|| serde_json::to_string(black_box(&full)));
        });
        group.bench_function(BenchmarkId::new("read", limit), |bench| {
            bench.iter(|| serde_json::from_str::<Window>(black_box(&text)));
        });
    }
    group.finish();
}

/// A permit and its answer through the whole gate, over windows in memory. The clock jumps to whatever is waited for, so that
/// the window is always about to be full, and the answer brings no news, so that settling it writes nothing.
fn passing(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("pass and settle");
    for name in ["heavy", "light"] {
        let bucket = Bucket { identity: "app".to_owned(), group: Group::named(name) };
        let clock = Bounded::new(Arc::new(Manual::eager(START)), 0);
        let gate = Gate::new(Arc::new(MemoryWindows::default()), clock, Policy::default());
        group.bench_function(name, |bench| {
            bench.iter(|| {
                runtime.block_on(async {
                    let permit =
                        gate.pass(&bucket, Priority::Interactive, Patience(2 * LENGTH)).await.unwrap();
                    gate.settle(permit, Notice::default()).await.unwrap();
                });
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = reserving, reading, storing, passing
}
criterion_main!(benches);
