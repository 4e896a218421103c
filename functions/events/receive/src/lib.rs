//! The webhook receiver: verify, bound, store, and only then say 200.
//!
//! Makes one AWS call for each delivery, `SendMessage`, and keeps its whole answer under RingCentral's 1024 bytes
//! with headers. It must never call RingCentral or DynamoDB, decorate its answers, or say 200 without storage;
//! whoever sends a wrong token learns nothing about what exists.

mod address;
mod handler;
mod reply;

use std::sync::Arc;

use clock::SharedClock;
use context::Wiring;
use events::SigningKeySource;
use queues::DeliveryQueue;

pub use handler::{description, receive};
pub use reply::Reply;

/// The largest delivery (bytes). RingCentral's events are a few kilobytes; an item of DynamoDB has 400.
pub const BODY_LIMIT: usize = 256 * 1024;

/// What this function may touch.
#[derive(Clone)]
pub struct Context {
    keys: Arc<dyn SigningKeySource>,
    queue: DeliveryQueue,
    clock: SharedClock,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Context {
    /// Takes its ports from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        Self { keys: Arc::new(wiring.secrets()), queue: wiring.deliveries(), clock: wiring.clock.clone() }
    }
}
