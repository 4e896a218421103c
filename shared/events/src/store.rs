//! The port to what was processed: begin once, complete once, read back.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use clock::Millis;
use serde::{Deserialize, Serialize};
use tenant::TenantId;

use crate::{Kind, TelephonySession};

/// A processed event. Its key says what makes two deliveries the same.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// See [`crate::Envelope::key`].
    pub key: String,
    /// Whose event it is.
    pub tenant: TenantId,
    /// What it is about.
    pub kind: Kind,
    /// RingCentral's id of it.
    pub uuid: Option<String>,
    /// The subscription it came by.
    pub subscription_id: Option<String>,
    /// The filter that matched.
    pub event: String,
    /// RingCentral's time of it, as written.
    pub timestamp: Option<String>,
    /// When we received it.
    pub received_at: Millis,
    /// When we were done with it.
    pub processed_at: Millis,
    /// The call it belongs to and its place in it.
    pub session: Option<(String, i64)>,
    /// The delivery, byte for byte. Stored beside the rest: quoted once more it could outgrow an item.
    #[serde(skip)]
    pub raw: String,
}

/// Without the delivery: it names people.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("key", &self.key).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Whether somebody may process an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// Yes, until the lease ends.
    Yes,
    /// It is done already.
    Done,
    /// Somebody else is at it, until this instant at the latest.
    Busy {
        /// When the other lease ends.
        until: Millis,
    },
}

/// Which events to read. Newest first.
#[derive(Debug, Clone)]
pub struct EventQuery {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this telephony session, in the order of its sequence.
    pub session: Option<String>,
    /// Received at or after.
    pub from: Millis,
    /// Received before or at.
    pub to: Millis,
    /// At most this many.
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

/// The store failed.
#[derive(Debug, thiserror::Error)]
pub enum EventStoreError {
    /// It can't be reached or refused; the cause is kept.
    #[error("the event store failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The lease ended before the work did; somebody else may be at it.
    #[error("the lease on event {0} was lost")]
    LeaseLost(String),
    /// The session was changed by another event meanwhile.
    #[error("the telephony session was changed meanwhile")]
    SessionChanged,
    /// `after` is not a position this store gave out.
    #[error("the page token is not one of this list")]
    InvalidPosition,
}

/// Where events and sessions live.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Takes the lease on an event, unless it is done or somebody holds it at `now`.
    async fn begin(
        &self,
        key: &str,
        owner: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Begun, EventStoreError>;

    /// Stores the event as done and its session's new state: both or neither, and only with the lease of `owner`.
    async fn complete(
        &self,
        owner: &str,
        event: &Event,
        session: Option<&TelephonySession>,
    ) -> Result<(), EventStoreError>;

    /// The state of a call.
    async fn session(&self, tenant: &TenantId, id: &str)
    -> Result<Option<TelephonySession>, EventStoreError>;

    /// Reads events back.
    async fn list(&self, tenant: &TenantId, query: &EventQuery) -> Result<EventPage, EventStoreError>;
}

/// Events in memory, for tests: the contract of [`EventStore`] without a database.
#[derive(Debug, Default)]
pub struct MemoryEvents(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    leases: HashMap<String, (String, Millis)>,
    done: HashMap<String, Event>,
    sessions: HashMap<(TenantId, String), TelephonySession>,
}

impl MemoryEvents {
    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventStore for MemoryEvents {
    async fn begin(
        &self,
        key: &str,
        owner: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Begun, EventStoreError> {
        let mut memory = self.lock();
        if memory.done.contains_key(key) {
            return Ok(Begun::Done);
        }
        match memory.leases.get(key) {
            Some((_, held)) if *held > now => Ok(Begun::Busy { until: *held }),
            _ => {
                memory.leases.insert(key.to_owned(), (owner.to_owned(), until));
                Ok(Begun::Yes)
            }
        }
    }

    async fn complete(
        &self,
        owner: &str,
        event: &Event,
        session: Option<&TelephonySession>,
    ) -> Result<(), EventStoreError> {
        let mut memory = self.lock();
        if memory.leases.get(&event.key).is_none_or(|(holder, _)| holder != owner) {
            return Err(EventStoreError::LeaseLost(event.key.clone()));
        }
        if let Some(session) = session {
            let key = (session.tenant.clone(), session.telephony_session_id.clone());
            if memory.sessions.get(&key).map_or(0, |stored| stored.version) + 1 != session.version {
                return Err(EventStoreError::SessionChanged);
            }
            memory.sessions.insert(key, session.clone());
        }
        memory.leases.remove(&event.key);
        memory.done.insert(event.key.clone(), event.clone());
        Ok(())
    }

    async fn session(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<TelephonySession>, EventStoreError> {
        Ok(self.lock().sessions.get(&(tenant.clone(), id.to_owned())).cloned())
    }

    async fn list(&self, tenant: &TenantId, query: &EventQuery) -> Result<EventPage, EventStoreError> {
        let mut events: Vec<Event> = (self.lock().done.values())
            .filter(|event| event.tenant == *tenant && (query.from..=query.to).contains(&event.received_at))
            .filter(|event| query.kind.is_none_or(|kind| event.kind == kind))
            .filter(|event| match (&query.session, &event.session) {
                (Some(wanted), Some((id, _))) => wanted == id,
                (wanted, _) => wanted.is_none(),
            })
            .cloned()
            .collect();
        events.sort_by_key(|event| (std::cmp::Reverse(event.received_at), event.key.clone()));
        let skipped = query.after.as_ref().map_or(0, |after| {
            events.iter().position(|event| event.key == *after).map_or(events.len(), |found| found + 1)
        });
        let mut events = events.split_off(skipped);
        let more = events.len() > query.limit;
        events.truncate(query.limit);
        let next = more.then(|| events.last().map(|event| event.key.clone())).flatten();
        Ok(EventPage { events, next })
    }
}
