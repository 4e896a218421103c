//! Deliveries, processed: each event is applied once, however often it is delivered.
//!
//! A batch is worked off in two steps. First all its events are announced together, then each is applied by itself: one
//! conditional write, which is the whole effect. A kind with an effect outside of the store will need a lease before it
//! (docs/adr/0006-one-write-for-an-event.md).

use std::sync::Arc;

use clock::SharedClock;

use crate::{Applied, Entry, Event, EventStore, EventStoreError, Incoming, Unreadable};

/// Processes deliveries.
#[derive(Clone)]
pub struct Processor {
    store: Arc<dyn EventStore>,
    clock: SharedClock,
}

impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processor").finish_non_exhaustive()
    }
}

impl Processor {
    /// A processor over a store.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    /// Reads a delivery.
    ///
    /// # Errors
    /// [`Unreadable`]: it will never be readable, so there is no use in trying again.
    pub fn read(&self, incoming: Incoming) -> Result<Event, Unreadable> {
        Event::read(incoming.tenant, incoming.body, incoming.received_at, self.clock.now())
    }

    /// Announces the events of a batch, in as few writes as it takes; tells for each where, or why it can't be applied.
    pub async fn announce(&self, events: &[&Event]) -> Vec<Result<Entry, EventStoreError>> {
        self.store.announce(events).await
    }

    /// Applies an event that was announced.
    ///
    /// # Errors
    /// [`EventStoreError`]: it may or may not be applied; trying again finds out.
    pub async fn apply(&self, event: &Event, announced: Entry) -> Result<Applied, EventStoreError> {
        self.store.apply(event, announced).await
    }
}
