//! Received events: one conditional write each, which is the event and its idempotency record in one.
//!
//! ```text
//! what                pk                                sk
//! event of a call     <tenant>#call#<session id>        <sequence>#<identity>
//! any other event     <tenant>#event#<identity>         event
//! journal entry       <tenant>#journal#<day of latest>  <latest received_at>#<entry>
//! ```
//!
//! A call's events lie together in the order of their sequence: its state is folded from them when it is read. Lists by
//! time are read through the journal, which holds what was about to be written; an event names the entry that announced it,
//! so an announcement whose event never came, or came by another entry, is passed over.

mod calls;
mod item;
mod journal;
mod key;
mod page;
mod times;

use std::sync::Arc;

use async_trait::async_trait;
use events::{Applied, Entry, Event, EventPage, EventQuery, EventStore, EventStoreError};
use tenant::TenantId;

use crate::{
    TableError, Tables,
    client::{Outcome, put_outcome},
};

/// [`EventStore`] in DynamoDB.
#[derive(Debug, Clone)]
pub struct EventTable {
    tables: Tables,
    kept_seconds: i64,
}

impl EventTable {
    /// The events of a deployment, kept for this many days.
    #[must_use]
    pub fn new(tables: Tables, kept_days: u32) -> Self {
        Self { tables, kept_seconds: i64::from(kept_days) * 86_400 }
    }

    async fn put(&self, event: &Event, announced: Entry) -> Result<Applied, TableError> {
        let expires_at = event.processed_at / 1_000 + self.kept_seconds;
        let sent = self
            .tables
            .client()
            .put_item()
            .table_name(self.tables.name(TABLE))
            .set_item(Some(item::of(event, announced, expires_at)?))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        Ok(match put_outcome(sent, |_| None)? {
            Outcome::Written(_) => Applied::Now,
            Outcome::Refused(_) => Applied::Before,
        })
    }
}

const TABLE: &str = "events";

fn store_failed(error: TableError) -> EventStoreError {
    EventStoreError::Failed(Arc::new(error))
}

#[async_trait]
impl EventStore for EventTable {
    async fn announce(&self, events: &[&Event]) -> Vec<Result<Entry, EventStoreError>> {
        journal::announce(&self.tables, events, self.kept_seconds).await
    }

    async fn apply(&self, event: &Event, announced: Entry) -> Result<Applied, EventStoreError> {
        self.put(event, announced).await.map_err(store_failed)
    }

    async fn of_call(&self, tenant: &TenantId, id: &str) -> Result<Vec<Event>, EventStoreError> {
        calls::all(&self.tables, tenant, id).await.map_err(store_failed)
    }

    async fn list(&self, tenant: &TenantId, query: &EventQuery) -> Result<EventPage, EventStoreError> {
        match &query.session {
            Some(id) => calls::list(&self.tables, tenant, id, query).await,
            None => times::list(&self.tables, tenant, query).await,
        }
    }
}
