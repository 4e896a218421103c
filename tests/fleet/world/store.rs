//! The window store of the world: conditional writes over a slow network that sometimes fails.

use std::sync::{Arc, Mutex};

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

/// The stored item. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    timeline: Timeline,
    journal: Journal,
    ledger: Ledger,
    faults: bool,
    latency: Millis,
    dice: Arc<Mutex<Dice>>,
    item: Arc<Mutex<Window>>,
    counts: Arc<Mutex<Counts>>,
}

/// The store as one container reaches it.
pub(crate) struct Connection {
    pub(crate) store: Store,
    pub(crate) container: ContainerId,
    /// Its clock, which hears the store's stamps.
    pub(crate) clock: Bounded,
}

enum Fault {
    Before,
    After,
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
        let (dice, item) = (Arc::new(Mutex::new(dice)), Arc::new(Mutex::new(item)));
        let (faults, latency) = (scenario.faults, scenario.store);
        Self { timeline, journal, ledger, faults, latency, dice, item, counts: Arc::default() }
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap()
    }

    /// Sends a request to the store: `apply` runs there even if nobody lives to hear of it.
    async fn request<T: Send + 'static>(
        &self,
        Connection { container, clock, .. }: &Connection,
        apply: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (container, sent) = (*container, clock.clock().now());
        let (reply, answer) = oneshot::channel();
        let (there, back, fault) = self.fate();
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
            // Whoever waits for a lost answer waits for a timeout.
            true => (there, dice.between(20, 1_000), Some(Fault::After)),
        }
    }

    fn apply(&self, container: ContainerId, expected: u64, next: Window) -> Written {
        let mut item = self.item.lock().unwrap();
        let mut counts = self.counts.lock().unwrap();
        counts.writes += 1;
        if item.version != expected {
            counts.lost_races += 1;
            self.journal.note(container, Event::LostRace { expected, stored: item.version });
            return Written::LostTo(item.clone());
        }
        let times = |window: &Window| window.grants.iter().map(|grant| grant.slot.at).collect::<Vec<_>>();
        let over = self.timeline.now() - next.length;
        let changes = self.ledger.rewritten(&times(&item), &times(&next), over);
        *item = next;
        self.journal.note(container, Event::Wrote { version: item.version });
        for (at, slots) in changes {
            self.journal.note(container, Event::Slots { at, slots });
        }
        Written::Yes
    }
}

#[async_trait]
impl WindowStore for Connection {
    async fn read(&self, _: &Bucket) -> Result<Option<Window>, StoreError> {
        let read = |store: &Store| {
            store.counts.lock().unwrap().reads += 1;
            Some(store.item.lock().unwrap().clone())
        };
        self.store.request(self, read).await
    }

    async fn write(&self, _: &Bucket, expected: u64, next: &Window) -> Result<Written, StoreError> {
        let (container, next) = (self.container, next.clone());
        self.store.request(self, move |store| store.apply(container, expected, next)).await
    }

    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        Ok(vec![limiter::bucket()])
    }
}
