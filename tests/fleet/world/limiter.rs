//! What stands between a caller and RingCentral: the gate, or one of the limiters that it must be better than.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clock::{Bounded, Millis};
use gate::{
    Bucket, Gate, GateError, Group, Notice, Outcome, Patience, Permit, Policy, Priority, Scope, WindowStore,
};

use super::Answer;

/// The right to send one request now.
pub(crate) struct Ticket {
    /// The instant it was granted for, on the store's clock.
    pub(crate) granted: Millis,
    permit: Option<Permit>,
}

impl Ticket {
    /// A ticket of a limiter that keeps no books.
    pub(crate) fn plain(granted: Millis) -> Self {
        Self { granted, permit: None }
    }
}

/// What a limiter says to a caller.
pub(crate) enum Pass {
    Go(Ticket),
    Later(Millis),
    /// The store failed: nothing may be sent.
    Closed,
}

/// A limiter, as one container sees it.
#[async_trait]
pub(crate) trait Limiter: Send + Sync {
    async fn pass(&self, priority: Priority, patience: Millis) -> Pass;

    /// Hands over what the answer said; false if that could not be written.
    async fn settle(&self, ticket: Ticket, answer: Answer) -> bool;
}

/// The bucket that everybody in the world shares.
pub(crate) fn bucket() -> Bucket {
    Bucket { identity: "app".to_owned(), group: Group::named("heavy") }
}

/// The bucket under the name it has while the user is not known.
pub(crate) fn guessed() -> Bucket {
    Bucket { identity: "credential".to_owned(), ..bucket() }
}

/// The gate of one container.
pub(crate) fn gated(store: Arc<dyn WindowStore>, clock: Bounded, seed: u64) -> Arc<dyn Limiter> {
    Arc::new(Gated::new(store, clock, seed, bucket(), Millis::MIN))
}

/// The gate of one container that does not know the user before this instant of its clock.
pub(crate) fn renamed(
    store: Arc<dyn WindowStore>,
    clock: Bounded,
    seed: u64,
    at: Millis,
) -> Arc<dyn Limiter> {
    Arc::new(Gated::new(store, clock, seed, guessed(), at))
}

struct Gated {
    gate: Gate,
    clock: Bounded,
    asks: Mutex<Bucket>,
    renamed: Millis,
}

impl Gated {
    fn new(store: Arc<dyn WindowStore>, clock: Bounded, seed: u64, asks: Bucket, renamed: Millis) -> Self {
        let gate = Gate::new(store, clock.clone(), Policy::default()).seeded(seed);
        Self { gate, clock, asks: Mutex::new(asks), renamed }
    }

    /// Under which name it asks now.
    async fn bucket(&self) -> Result<Bucket, GateError> {
        let asks = self.asks.lock().unwrap().clone();
        if asks == bucket() || self.clock.clock().now() < self.renamed {
            return Ok(asks);
        }
        self.gate.adopt(&asks, &bucket()).await?;
        *self.asks.lock().unwrap() = bucket();
        Ok(bucket())
    }
}

#[async_trait]
impl Limiter for Gated {
    async fn pass(&self, priority: Priority, patience: Millis) -> Pass {
        let Ok(bucket) = self.bucket().await else { return Pass::Closed };
        match self.gate.pass(&bucket, priority, Patience(patience)).await {
            Ok(permit) => Pass::Go(Ticket { granted: permit.granted(), permit: Some(permit) }),
            Err(GateError::Later { at, .. }) => Pass::Later(at),
            Err(GateError::Store(_)) => Pass::Closed,
        }
    }

    async fn settle(&self, ticket: Ticket, answer: Answer) -> bool {
        let Some(permit) = ticket.permit else { return true };
        if answer.account {
            let bucket = self.asks.lock().unwrap().clone();
            return self.gate.block(&bucket, Some(permit), Scope::Account, answer.window).await.is_ok();
        }
        self.gate.settle(permit, notice(answer)).await.is_ok()
    }
}

fn notice(answer: Answer) -> Notice {
    Notice {
        outcome: if answer.throttled { Outcome::Throttled(answer.window) } else { Outcome::Answered },
        announced: Some((answer.limit, answer.window)),
        remaining: Some(answer.remaining),
    }
}
