//! Who waits for which queue.
//!
//! It owns the wake-ups of long polls. A wake-up says "look again", never what will be found.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Wakers(Mutex<HashMap<String, Arc<Notify>>>);

impl Wakers {
    /// The bell of a queue; to be listened to before looking, or a message in between is missed.
    pub(super) fn of(&self, queue: &str) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A queue deleted long ago leaves a bell nobody holds.
        if bells.len() > 1_024 {
            bells.retain(|_, bell| Arc::strong_count(bell) > 1);
        }
        Arc::clone(bells.entry(queue.to_owned()).or_default())
    }

    /// Something about the queue changed.
    pub(super) fn ring(&self, queue: &str) {
        if let Some(bell) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue) {
            bell.notify_waiters();
        }
    }
}
