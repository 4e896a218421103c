//! Received events: one conditional write each, which is the event and its idempotency record in one.
//!
//! ```text
//! what                pk                                sk
//! event of a call     <tenant>#call#<session id>        <sequence>#<identity>
//! any other event     <tenant>#event#<identity>         event
//! journal entry       <tenant>#journal#<day of latest>  <latest received_at>#<entry>
//! its signpost        <tenant>#journal#<day of writing> <written at>#<a name of its own>
//! ```
//!
//! A call's events lie together in the order of their sequence: its state is folded from them when it is read. Lists by
//! time are read through the journal, which holds what was about to be written; an event names the entry that announced it,
//! so an announcement whose event never came, or came by another entry, is passed over. Only an entry of what was received
//! long before it was processed has a signpost, so that those who follow the order of processing find it.

mod calls;
mod follow;
mod item;
mod journal;
mod key;
mod page;
mod times;

use std::sync::Arc;

use async_trait::async_trait;
use clock::SharedClock;
use events::{
    Applied, Entry, Event, EventPage, EventQuery, EventStore, EventStoreError, FollowQuery, Followed,
};
use tenant::TenantId;

use crate::{
    TableError, Tables,
    client::{Outcome, put_outcome},
};

/// [`EventStore`] in DynamoDB.
#[derive(Debug, Clone)]
pub struct EventTable {
    tables: Tables,
    clock: SharedClock,
    kept_seconds: i64,
}

/// How long an event is known, even if it is read for less (seconds): a day longer than a dead letter may lie, so that one
/// that comes back never applies its event again.
const KNOWN_SECONDS: i64 = 15 * 86_400;

impl EventTable {
    /// The events of a deployment, read for this many days.
    #[must_use]
    pub fn new(tables: Tables, clock: SharedClock, kept_days: u32) -> Self {
        Self { tables, clock, kept_seconds: i64::from(kept_days) * 86_400 }
    }

    async fn put(&self, event: &Event, announced: Entry) -> Result<Option<Applied>, TableError> {
        let processed = event.processed_at / 1_000;
        let (read_until, known_until) =
            (processed + self.kept_seconds, processed + self.kept_seconds.max(KNOWN_SECONDS));
        let Some(item) = item::of(event, announced, read_until, known_until)? else { return Ok(None) };
        let sent = self
            .tables
            .client()
            .put_item()
            .table_name(self.tables.name(TABLE))
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        Ok(Some(match put_outcome(sent, |_| None)? {
            Outcome::Written(_) => Applied::Now,
            Outcome::Refused(_) => Applied::Before,
        }))
    }
}

const TABLE: &str = "events";

fn store_failed(error: TableError) -> EventStoreError {
    EventStoreError::Failed(Arc::new(error))
}

#[async_trait]
impl EventStore for EventTable {
    async fn announce(&self, events: &[&Event]) -> Vec<Result<Entry, EventStoreError>> {
        journal::announce(&self.tables, events, self.kept_seconds, &*self.clock).await
    }

    async fn apply(&self, event: &Event, announced: Entry) -> Result<Applied, EventStoreError> {
        if !follow::in_time(event.processed_at, self.clock.now()) {
            // Those who follow have given it up. Its record comes again, and is announced anew.
            return Err(store_failed(TableError("it was announced too long ago".into())));
        }
        self.put(event, announced).await.map_err(store_failed)?.ok_or(EventStoreError::TooLarge)
    }

    async fn of_call(&self, tenant: &TenantId, id: &str) -> Result<Vec<Event>, EventStoreError> {
        calls::all(&self.tables, tenant, id, self.clock.now()).await.map_err(store_failed)
    }

    async fn follow(&self, tenant: &TenantId, query: &FollowQuery) -> Result<Followed, EventStoreError> {
        let now = self.clock.now();
        // An entry is kept a day longer than its events.
        let oldest = now.saturating_sub((self.kept_seconds + 2 * 86_400) * 1_000);
        follow::follow(&self.tables, tenant, query, now, oldest).await
    }

    async fn list(&self, tenant: &TenantId, query: &EventQuery) -> Result<EventPage, EventStoreError> {
        match &query.session {
            Some(id) => calls::list(&self.tables, tenant, id, query, self.clock.now()).await,
            None => times::list(&self.tables, tenant, query, self.clock.now()).await,
        }
    }
}
