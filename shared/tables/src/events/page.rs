//! Pages: where one ended, so that the next begins right behind it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clock::Millis;
use events::{Event, EventPage, EventStoreError};
use serde::{Deserialize, Serialize};

use super::{
    journal::Candidate,
    key::{self, Key},
};

/// Where a page ended: at its last event, or at whatever was looked at last.
#[derive(Serialize, Deserialize)]
pub(super) struct Position {
    /// In a list by time: when it was received. Alone, it says that everything received later was looked at.
    pub(super) at: Option<Millis>,
    pub(super) partition: String,
    pub(super) place: String,
}

/// Where a reader of the order of processing goes on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor {
    /// The first place that is not read, or not wholly.
    pub(super) place: String,
    /// How many announcements are done there.
    pub(super) done: usize,
}

impl Cursor {
    /// Before everything that lies under this instant.
    pub(super) fn at(instant: Millis) -> Self {
        Self { place: key::sortable(instant), done: 0 }
    }

    /// Behind this place, and before any other.
    pub(super) fn behind(place: &str) -> Self {
        Self { place: format!("{place}~"), done: 0 }
    }

    /// The instant it stands at. Only places of ours are decoded, so it has one.
    pub(super) fn instant(&self) -> Millis {
        key::instant(&self.place).unwrap_or(Millis::MIN)
    }

    pub(super) fn encode(&self) -> String {
        // A string and a number always have a JSON form.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    pub(super) fn decode(token: &str) -> Result<Self, EventStoreError> {
        let json = URL_SAFE_NO_PAD.decode(token).map_err(|_| EventStoreError::InvalidPosition)?;
        let cursor: Self = serde_json::from_slice(&json).map_err(|_| EventStoreError::InvalidPosition)?;
        let ours =
            key::instant(&cursor.place).is_some() && cursor.place.len() <= 64 && cursor.place.is_ascii();
        if ours { Ok(cursor) } else { Err(EventStoreError::InvalidPosition) }
    }
}

impl Position {
    /// Right behind a candidate of a list by time.
    pub(super) fn of(candidate: &Candidate) -> Self {
        let Candidate { at, key: Key { partition, place }, .. } = candidate;
        Self { at: Some(at.0), partition: partition.clone(), place: place.clone() }
    }

    /// Behind everything that was received after this instant: no key sorts before the empty one.
    pub(super) fn after(at: Millis) -> Self {
        Self { at: Some(at), partition: String::new(), place: String::new() }
    }

    pub(super) fn encode(&self) -> String {
        // Two strings and a number always have a JSON form.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    pub(super) fn decode(token: &str) -> Result<Self, EventStoreError> {
        let json = URL_SAFE_NO_PAD.decode(token).map_err(|_| EventStoreError::InvalidPosition)?;
        serde_json::from_slice(&json).map_err(|_| EventStoreError::InvalidPosition)
    }
}

/// The most bytes of deliveries on a page of several. A function of Lambda may answer 6 MB (its quotas), as a text within JSON, where
/// each quote takes two.
pub(super) const BYTES: usize = 2 << 20;

/// Events of a list until there is one more than asked for, or more than a page can carry: that tells that there is a next page.
pub(super) struct Gathered {
    events: Vec<(Key, Event)>,
    limit: usize,
    bytes: usize,
    heavy: bool,
}

impl Gathered {
    /// Nothing yet, for a page of so many.
    pub(super) fn new(limit: usize) -> Self {
        Self { events: Vec::new(), limit, bytes: 0, heavy: false }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// How many are missing until it is full.
    pub(super) fn wanted(&self) -> usize {
        if self.heavy { 0 } else { (self.limit + 1).saturating_sub(self.events.len()) }
    }

    /// Whether more would change nothing.
    pub(super) fn is_full(&self) -> bool {
        self.wanted() == 0
    }

    /// Adds the next one, unless it is full or would be too heavy with it.
    pub(super) fn push(&mut self, key: Key, event: Event) {
        if self.is_full() {
            return;
        }
        self.bytes += event.raw.len();
        self.heavy = self.bytes > BYTES && !self.events.is_empty();
        if !self.heavy {
            self.events.push((key, event));
        }
    }

    /// The page. If the list goes on, it does behind the last event; else behind what was looked at last, if that was not all.
    pub(super) fn page(mut self, by_time: bool, looked_at: Option<Position>) -> EventPage {
        let more = self.is_full();
        self.events.truncate(self.limit);
        let last = self.events.last().filter(|_| more).map(|(Key { partition, place }, event)| {
            let (partition, place) = (partition.clone(), place.clone());
            Position { at: by_time.then_some(event.received_at), partition, place }
        });
        let next = last.or(looked_at).map(|position| position.encode());
        EventPage { events: self.events.into_iter().map(|(_, event)| event).collect(), next }
    }
}
