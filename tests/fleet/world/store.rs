//! The window store of the world: conditional writes over a slow network that sometimes fails.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use clock::{Bounded, Millis};
use gate::{Bucket, StoreError, Window, WindowStore, Written};
use tokio::sync::oneshot;

use super::{ContainerId, Dice, Event, Journal, Ledger, Scenario, Timeline, limiter};

/// What the store did, in all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Conditional writes that reached the store, those that lost their race among them.
    pub(crate) writes: u64,
    pub(crate) lost_races: u64,
    pub(crate) reads: u64,
}

/// The stored items. Clones share them.
#[derive(Clone)]
pub(crate) struct Store {
    timeline: Timeline,
    journal: Journal,
    ledger: Ledger,
    faults: bool,
    latency: Millis,
    dice: Arc<Mutex<Dice>>,
    items: Arc<Mutex<HashMap<String, Window>>>,
    failing_blocks: bool,
    callers: usize,
    counts: Arc<Mutex<Counts>>,
}

/// The store as one container reaches it.
pub(crate) struct Connection {
    pub(crate) store: Store,
    pub(crate) container: ContainerId,
    /// Its clock, which hears the store's stamps.
    pub(crate) clock: Bounded,
}

/// So many writes after it, a write is not known again by whoever made it.
const KNOWN: u64 = 4;

enum Fault {
    Before,
    After,
    /// The answer is lost, and the client of the store asks again after so long (ms).
    Repeated(Millis),
}

impl Store {
    /// A store that knows the announced limit already.
    pub(crate) fn new(
        (timeline, journal, ledger): (Timeline, Journal, Ledger),
        scenario: &Scenario,
        dice: Dice,
    ) -> Self {
        let mut item = Window::unused(&limiter::bucket().group);
        item.learn(scenario.limit, scenario.window, 0);
        item.version = 1;
        let asked = if scenario.renamed.is_some() { limiter::guessed() } else { limiter::bucket() };
        let items = Arc::new(Mutex::new(HashMap::from([(asked.key(), item)])));
        let (faults, latency, failing_blocks) = (scenario.faults, scenario.store, scenario.failing_blocks);
        let (dice, counts) = (Arc::new(Mutex::new(dice)), Arc::default());
        let callers = scenario.callers;
        Self { timeline, journal, ledger, faults, latency, dice, items, failing_blocks, callers, counts }
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap()
    }

    /// Sends a request to the store: `apply` runs there even if nobody lives to hear of it.
    async fn request<T: Send + 'static>(
        &self,
        Connection { container, clock, .. }: &Connection,
        unlucky: bool,
        apply: impl Fn(&Self) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (container, sent) = (*container, clock.clock().now());
        let (reply, answer) = oneshot::channel();
        let (there, back, fault) = self.fate();
        let fault = if unlucky { Some(Fault::Before) } else { fault };
        let store = self.clone();
        self.timeline.after(there, move || {
            let result = match fault {
                Some(Fault::Before) => {
                    store.journal.note(container, Event::WriteFailed);
                    None
                }
                Some(Fault::After) => {
                    apply(&store);
                    // Whoever repeats the write may take a slot twice.
                    store.ledger.excuse(1);
                    store.journal.note(container, Event::AnswerLost);
                    None
                }
                Some(Fault::Repeated(after)) => {
                    apply(&store);
                    store.journal.note(container, Event::Repeats { after });
                    let again = store.clone();
                    store.timeline.after(after, move || {
                        let result = Some((again.timeline.now(), apply(&again)));
                        again.timeline.after(back, move || {
                            let _ = reply.send(result);
                        });
                    });
                    return;
                }
                None => Some((store.timeline.now(), apply(&store))),
            };
            store.timeline.after(back, move || {
                let _ = reply.send(result);
            });
        });
        let (stamp, applied) =
            answer.await.ok().flatten().ok_or_else(|| StoreError("the store failed".into()))?;
        // As HTTP's `Date` does it: whole seconds.
        clock.heard(sent, clock.clock().now(), stamp - stamp.rem_euclid(1_000));
        Ok(applied)
    }

    fn fate(&self) -> (Millis, Millis, Option<Fault>) {
        let mut dice = self.dice.lock().unwrap();
        let (there, back) =
            (dice.between(1.min(self.latency - 1), self.latency), dice.between(1, self.latency));
        let fault = self.faults && dice.chance(40);
        match fault {
            false => (there, back, None),
            true if dice.chance(500) => (there, back, Some(Fault::Before)),
            true if dice.chance(500) => (there, back, Some(Fault::Repeated(dice.between(20, 1_000)))),
            // Whoever waits for a lost answer waits for a timeout.
            true => (there, dice.between(20, 1_000), Some(Fault::After)),
        }
    }

    /// Whether a request fails that is about a block.
    fn fails_block(&self, about_a_block: bool) -> bool {
        self.failing_blocks && about_a_block && self.dice.lock().unwrap().chance(500)
    }

    fn stored(&self, bucket: &Bucket) -> Option<Window> {
        self.items.lock().unwrap().get(&bucket.key()).cloned()
    }

    fn apply(&self, container: ContainerId, bucket: &Bucket, expected: u64, next: Window) -> Written {
        let mut items = self.items.lock().unwrap();
        let mut counts = self.counts.lock().unwrap();
        counts.writes += 1;
        let item = items.entry(bucket.key()).or_insert_with(|| Window::unused(&bucket.group));
        if item.version != expected {
            counts.lost_races += 1;
            if self.faults && item.version > expected + KNOWN {
                // It may be a repeated write that nobody knows again: whoever made it takes other slots.
                self.ledger.excuse(self.callers);
            }
            self.journal.note(container, Event::LostRace { expected, stored: item.version });
            return Written::LostTo(item.clone());
        }
        if next.adopted.len() > item.adopted.len() {
            // What it adopts was taken elsewhere before, and is taken once.
            self.ledger.excuse(next.grants.iter().map(|grant| grant.count as usize).sum());
        }
        let over = self.timeline.now() - next.length;
        let changes = self.ledger.rewritten(&times(item), &times(&next), over);
        *item = next;
        self.journal.note(container, Event::Wrote { version: item.version });
        for (at, slots) in changes {
            self.journal.note(container, Event::Slots { at, slots });
        }
        Written::Yes
    }
}

/// The instants of all requests that a window has granted.
fn times(window: &Window) -> Vec<Millis> {
    let times = window.grants.iter().map(|grant| std::iter::repeat_n(grant.slot.at, grant.count as usize));
    times.flatten().collect()
}

#[async_trait]
impl WindowStore for Connection {
    async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError> {
        let bucket = bucket.clone();
        let read = move |store: &Store| {
            store.counts.lock().unwrap().reads += 1;
            store.stored(&bucket)
        };
        self.store.request(self, false, read).await
    }

    async fn write(&self, bucket: &Bucket, expected: u64, next: &Window) -> Result<Written, StoreError> {
        let (container, bucket, next) = (self.container, bucket.clone(), next.clone());
        let blocked = self.store.stored(&bucket).map_or(0, |stored| stored.blocked_until);
        let unlucky = self.store.fails_block(next.blocked_until > blocked);
        let apply = move |store: &Store| store.apply(container, &bucket, expected, next.clone());
        self.store.request(self, unlucky, apply).await
    }

    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        let keys = |store: &Store| store.items.lock().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut keys = self.store.request(self, self.store.fails_block(true), keys).await?;
        keys.sort_unstable();
        Ok(keys.iter().filter_map(|key| Bucket::of_key(key)).collect())
    }
}
