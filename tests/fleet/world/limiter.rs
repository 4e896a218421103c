//! What stands between a caller and RingCentral: the gate, or one of the limiters that it must be better than.

use std::sync::Arc;

use async_trait::async_trait;
use clock::{Bounded, Millis};
use gate::{
    Bucket, Gate, GateError, Group, Notice, Outcome, Patience, Permit, Policy, Priority, WindowStore,
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

/// The gate of one container.
pub(crate) fn gated(store: Arc<dyn WindowStore>, clock: Bounded, seed: u64) -> Arc<dyn Limiter> {
    Arc::new(Gated { gate: Gate::new(store, clock, Policy::default()).seeded(seed), bucket: bucket() })
}

struct Gated {
    gate: Gate,
    bucket: Bucket,
}

#[async_trait]
impl Limiter for Gated {
    async fn pass(&self, priority: Priority, patience: Millis) -> Pass {
        match self.gate.pass(&self.bucket, priority, Patience(patience)).await {
            Ok(permit) => Pass::Go(Ticket { granted: permit.granted(), permit: Some(permit) }),
            Err(GateError::Later { at, .. }) => Pass::Later(at),
            Err(GateError::Store(_)) => Pass::Closed,
        }
    }

    async fn settle(&self, ticket: Ticket, answer: Answer) -> bool {
        let Some(permit) = ticket.permit else { return true };
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
