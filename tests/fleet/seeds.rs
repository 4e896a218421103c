//! Worlds by the hundred: a seed each, on every processor, and a way to tell a failed one again.

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// A number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")))
}

/// How to tell a seed of this test again; `kept` are the variables that change the worlds.
pub(crate) fn replay(test: &str, kept: &[&str], seed: u64) -> String {
    let kept = kept.iter().filter_map(|name| Some(format!("{name}={} ", setting(name)?))).collect::<String>();
    format!("{kept}FLEET_SEED={seed} cargo test -p trunkline-tests --test fleet {test} -- --nocapture")
}

/// Runs worlds on every processor; each world is single-threaded and knows nothing of the others. A world that panics has broken
/// its promise too. Answers with the seeds that failed and why, in their order.
pub(crate) fn run(seeds: u64, world: impl Fn(u64) -> Vec<String> + Sync) -> Vec<(u64, String)> {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                break;
            }
            let broken = catch_unwind(AssertUnwindSafe(|| world(seed)));
            let broken = broken.unwrap_or_else(|_| vec!["it panicked".to_owned()]);
            if !broken.is_empty() {
                failed.lock().unwrap().push((seed, broken.join("; ")));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    failed
}

/// Fails the test if any seed failed.
#[track_caller]
pub(crate) fn assert_none(failed: &[(u64, String)], seeds: u64, replay: impl Fn(u64) -> String) {
    let Some((first, _)) = failed.first() else { return };
    let shown = failed.iter().take(20).map(|(seed, why)| format!("\n  seed {seed}: {why}"));
    let shown = shown.collect::<String>();
    panic!("{} of {seeds} seeds failed:{shown}\nreplay the first: {}", failed.len(), replay(*first));
}
