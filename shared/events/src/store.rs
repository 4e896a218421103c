//! The port to what was received: announce, apply once, read back.

use std::sync::Arc;

use async_trait::async_trait;
use clock::Millis;
use tenant::TenantId;
use uuid::Uuid;

use crate::{Event, Kind};

/// Names the entry of the journal that an event is announced in, and found again by.
pub type Entry = Uuid;

/// What applying an event came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is applied, for the first and only time.
    Now,
    /// It had been applied before; nothing changed.
    Before,
}

/// Which events to read: newest first, or those of a call in its order.
#[derive(Debug, Clone)]
pub struct EventQuery {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this telephony session, in the order of its sequence.
    pub session: Option<String>,
    /// Only what came by this subscription.
    pub subscription: Option<String>,
    /// Received at or after.
    pub from: Millis,
    /// Received before or at.
    pub to: Millis,
    /// At most this many. A page may hold fewer, or none, and still have a next one: what is rare is looked for in bounded
    /// steps.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<String>,
}

/// A page of events.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<String>,
}

/// Which events to follow: in the order in which they were processed, on from where the reader ended.
#[derive(Debug, Clone)]
pub struct FollowQuery {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only what came by this subscription.
    pub subscription: Option<String>,
    /// Where to begin without a cursor: processed at or after, to within seconds.
    pub from: Millis,
    /// At most this many. A page may hold fewer, or none, although there is more.
    pub limit: usize,
    /// The cursor of the page before. It holds as long as the events do, and for any kind and subscription.
    pub after: Option<String>,
}

/// Events as they were processed.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The events.
    pub events: Vec<Event>,
    /// Where the reader goes on, at once or later.
    pub next: String,
    /// There is nothing more to be read now.
    pub caught_up: bool,
}

/// The store failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EventStoreError {
    /// It can't be reached or refused; the cause is kept.
    #[error("the event store failed")]
    Failed(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The event is larger than anything the store can hold: no repetition stores it.
    #[error("the event is too large: packed, it fits into no item of 400 KB")]
    TooLarge,
    /// `after` is not a position this store gave out.
    #[error("the page token is not one of this list")]
    InvalidPosition,
}

/// Where events live. An event that is stored is applied: no kind has an effect outside of the store.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Notes that these events are about to be applied, so that a list by time will find those that were; tells for each
    /// where. An announcement whose event never came, or had come before, is no harm.
    async fn announce(&self, events: &[&Event]) -> Vec<Result<Entry, EventStoreError>>;

    /// Stores an event unless it is there, together with where it was announced.
    async fn apply(&self, event: &Event, announced: Entry) -> Result<Applied, EventStoreError>;

    /// Every event of a call, by sequence.
    async fn of_call(&self, tenant: &TenantId, id: &str) -> Result<Vec<Event>, EventStoreError>;

    /// Reads events in the order in which they were processed. What is read once has its place for good: an event that is
    /// processed later, however long ago it was received, comes behind it.
    async fn follow(&self, tenant: &TenantId, query: &FollowQuery) -> Result<Followed, EventStoreError>;

    /// Reads events back.
    async fn list(&self, tenant: &TenantId, query: &EventQuery) -> Result<EventPage, EventStoreError>;
}
