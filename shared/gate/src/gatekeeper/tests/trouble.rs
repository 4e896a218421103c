//! A store that is slow, where others write first, and whose client repeats what was not answered.

use std::sync::atomic::{AtomicUsize, Ordering};

use clock::{Clock, Manual};

use super::{super::*, light};
use crate::{MemoryWindows, Written};

const START: Millis = 1_795_000_000_000;

struct Troubled {
    windows: MemoryWindows,
    clock: Manual,
    /// How long each answer takes (ms).
    slow: Millis,
    /// So many writes of others come first.
    rivals: AtomicUsize,
    /// Each write arrives twice, and what became of the second one is answered.
    repeats: bool,
    asked: AtomicUsize,
}

#[async_trait::async_trait]
impl WindowStore for Troubled {
    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        self.windows.buckets().await
    }

    async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError> {
        self.answers();
        self.windows.read(bucket).await
    }

    async fn write(&self, bucket: &Bucket, expected: u64, next: &Window) -> Result<Written, StoreError> {
        self.answers();
        let less = |left: usize| left.checked_sub(1);
        if self.rivals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            let known = self.windows.read(bucket).await?;
            let known = known.unwrap_or_else(|| Window::unused(&bucket.group));
            let theirs = Window { version: known.version + 1, ..known.clone() };
            self.windows.write(bucket, known.version, &theirs).await?;
        }
        let written = self.windows.write(bucket, expected, next).await;
        if self.repeats { self.windows.write(bucket, expected, next).await } else { written }
    }
}

impl Troubled {
    fn new(slow: Millis, rivals: usize, repeats: bool) -> Arc<Self> {
        let (rivals, asked) = (AtomicUsize::new(rivals), AtomicUsize::new(0));
        let clock = Manual::eager(START);
        Arc::new(Self { windows: MemoryWindows::default(), clock, slow, rivals, repeats, asked })
    }

    fn answers(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.clock.advance(self.slow);
    }

    fn gate(self: &Arc<Self>, seed: u64) -> Gate {
        let clock = Bounded::new(Arc::new(self.clock.clone()), 0);
        Gate::new(self.clone(), clock, Policy::default()).seeded(seed)
    }

    /// What has passed besides the store's own time (ms).
    fn waited(&self) -> Millis {
        let asked = self.asked.load(Ordering::Relaxed);
        self.clock.now() - START - self.slow * Millis::try_from(asked).unwrap()
    }
}

#[tokio::test]
async fn regression_a_slow_store_does_not_make_a_caller_wait_longer_than_it_can() {
    let store = Troubled::new(400, 0, false);
    let refused = store.gate(1).pass(&light(), Priority::Interactive, Patience(300)).await;
    assert!(matches!(refused, Err(GateError::Later { .. })), "{refused:?}");
    assert_eq!(store.waited(), 0);
    // Whoever has to sleep looks again, and is too late each time: that has an end, too.
    let store = Troubled::new(400, 0, false);
    let refused = store.gate(1).pass(&light(), Priority::Interactive, Patience(3_000)).await;
    assert!(matches!(refused, Err(GateError::Later { .. })), "{refused:?}");
    assert!(store.clock.now() <= START + 4_500, "{}", store.clock.now() - START);
}

#[tokio::test]
async fn regression_lost_races_keep_a_caller_little_longer_than_it_can_wait() {
    const RIVALS: usize = 6;
    for seed in 0..40 {
        let store = Troubled::new(100, RIVALS, false);
        let passed = store.gate(seed).pass(&light(), Priority::Interactive, Patience(0)).await;
        assert!(passed.is_ok(), "{passed:?}");
        // A 60th of the window for each race that was lost.
        assert!(
            store.waited() <= 1_000 * Millis::try_from(RIVALS).unwrap(),
            "seed {seed}: {} ms",
            store.waited()
        );
    }
}

#[tokio::test]
async fn regression_a_write_that_is_repeated_before_its_answer_counts_once() {
    let store = Troubled::new(0, 0, true);
    let gate = store.gate(1);
    let mut permits = Vec::new();
    for version in 1..=3 {
        permits.push(gate.pass(&light(), Priority::Interactive, Patience(0)).await.unwrap());
        let window = gate.window(&light()).await.unwrap();
        assert_eq!((window.version, window.count(|_| true)), (version, u32::try_from(version).unwrap()));
    }
    // All three have the same slot: one of them is given back, and only that one.
    let unsent = Notice { outcome: Outcome::Unsent, ..Notice::default() };
    gate.settle(permits.remove(0), unsent).await.unwrap();
    assert_eq!(gate.window(&light()).await.unwrap().count(|_| true), 2);
}
