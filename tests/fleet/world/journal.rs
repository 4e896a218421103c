//! Everything that happened, in order, and its fingerprint.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
};

use clock::Millis;
use gate::Priority;

use super::{ContainerId, Timeline};

/// Something that happened. Instants inside are on the clock of the container it happened to.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) enum Event {
    Started {
        skew: Millis,
    },
    Crashed {
        passing: usize,
    },
    Froze {
        span: Millis,
    },
    Thawed,
    Asked {
        caller: usize,
        priority: Priority,
        patience: Millis,
    },
    ToldLater {
        caller: usize,
        at: Millis,
    },
    RefusedByStore {
        caller: usize,
    },
    GaveUp {
        caller: usize,
    },
    /// `after` is what has passed since the instant of the grant; `late` says that the network will be slow.
    Sent {
        caller: usize,
        flight: u64,
        late: bool,
        after: Millis,
    },
    Arrived {
        flight: u64,
        accepted: bool,
        remaining: u32,
    },
    Answered {
        caller: usize,
        flight: u64,
    },
    Settled {
        caller: usize,
        written: bool,
    },
    Wrote {
        version: u64,
    },
    /// What a write changed: slots of this instant taken, or given back if negative.
    Slots {
        at: Millis,
        slots: i64,
    },
    LostRace {
        expected: u64,
        stored: u64,
    },
    WriteFailed,
    AnswerLost,
    /// The answer was lost, and the client asks again after so long.
    Repeats {
        after: Millis,
    },
    OutsideArrived {
        accepted: bool,
    },
}

#[derive(Debug, Clone, Copy, Hash)]
struct Entry<E> {
    at: Millis,
    container: Option<ContainerId>,
    event: E,
}

/// The journal of one world. Clones share it.
#[derive(Clone)]
pub(crate) struct Journal<E = Event> {
    timeline: Timeline,
    start: Millis,
    entries: Arc<Mutex<Vec<Entry<E>>>>,
}

impl<E: Hash> Journal<E> {
    pub(crate) fn new(timeline: Timeline) -> Self {
        Self { start: timeline.now(), timeline, entries: Arc::default() }
    }

    pub(crate) fn note(&self, container: ContainerId, event: E) {
        self.write(Some(container), event);
    }

    /// Notes what happened outside of the fleet.
    pub(crate) fn note_outside(&self, event: E) {
        self.write(None, event);
    }

    fn write(&self, container: Option<ContainerId>, event: E) {
        let entry = Entry { at: self.timeline.now(), container, event };
        self.entries.lock().unwrap().push(entry);
    }

    /// Two worlds with the same fingerprint went the same way.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.entries.lock().unwrap().hash(&mut hasher);
        hasher.finish()
    }
}

impl<E: fmt::Debug> fmt::Display for Journal<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Entry { at, container, event } in self.entries.lock().unwrap().iter() {
            let who = container.map_or_else(|| "outside".to_owned(), |id| format!("container {id}"));
            writeln!(f, "{at} +{:>7} ms  {who:<13} {event:?}", at - self.start)?;
        }
        Ok(())
    }
}
