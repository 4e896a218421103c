//! The webhook receiver: verify, bound, store, and only then say 200.
//!
//! Makes one AWS call for each delivery, `SendMessage`, and keeps its whole answer under RingCentral's 1024 bytes
//! with headers. It must never call RingCentral or DynamoDB, decorate its answers, or say 200 without storage: a
//! handshake alone, which has nothing to store, is echoed. A wrong token learns nothing about what exists.

mod address;
mod body;
mod handler;
mod reply;

use std::sync::Arc;

use clock::SharedClock;
use context::{Service, Wiring, WiringError};
use events::SigningKeySource;
use queues::DeliveryQueue;

pub use handler::{description, receive};
pub use reply::Reply;

/// The largest delivery (bytes): what the queue takes. RingCentral's events are a few kilobytes; it repeats what is refused
/// until it gives the subscription up, so a refusal must be the last resort.
pub const BODY_LIMIT: usize = queues::LARGEST_BODY;

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

/// The function as Lambda starts it, with the connections that the first delivery needs: while a function starts, Lambda gives
/// it more of a processor than afterwards.
///
/// # Errors
/// [`WiringError`] if the environment is not right.
pub async fn function() -> Result<Context, WiringError> {
    let wiring = Wiring::from_env()?;
    tokio::join!(wiring.open(Service::SecretsManager), wiring.open(Service::Sqs));
    Ok(Context::new(&wiring))
}
