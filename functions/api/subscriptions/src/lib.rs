//! Webhook subscriptions over HTTP, and what was received through them.
//!
//! Owns the routes under `/api/webhooks` but the receiving ones. It chooses the address and the token a subscription
//! delivers with; it must never return or log that token.

mod listed;
mod models;
mod party;
mod received;
mod subscriptions;

use std::sync::Arc;

use axum::Router;
use clock::SharedClock;
use context::{Wiring, WiringError};
use events::{EventStore, SigningKeySource};
use ringcentral::RingCentral;
use trunkline_http::{Access, Face, Idempotency, handlers, openapi};
use utoipa::openapi::OpenApi;

/// What this function may touch.
#[derive(Clone)]
pub struct Context {
    ringcentral: RingCentral,
    events: Arc<dyn EventStore>,
    keys: Arc<dyn SigningKeySource>,
    clock: SharedClock,
    /// Where RingCentral is told to deliver, and where clients reach us.
    doors: [Arc<str>; 2],
    access: Access,
    idempotency: Idempotency,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("doors", &self.doors).finish_non_exhaustive()
    }
}

impl Context {
    /// Takes its ports from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        Self {
            ringcentral: wiring.ringcentral(),
            events: Arc::new(wiring.events()),
            keys: Arc::new(wiring.secrets()),
            clock: wiring.clock.clone(),
            doors: [wiring.config.delivered_to().into(), wiring.config.public_url.as_str().into()],
            access: wiring.access(),
            idempotency: wiring.idempotency(),
        }
    }

    /// Where RingCentral is told to deliver.
    fn delivered_to(&self) -> &str {
        &self.doors[0]
    }
}

/// The routes of this function.
pub fn router(context: Context) -> Router {
    let face = Face::secured("subscriptions", context.access.clone(), context.clock.clone());
    face.idempotent(context.idempotency.clone()).dress(served().with_state(context))
}

/// The description of this function's routes.
#[must_use]
pub fn description() -> OpenApi {
    openapi::with_set::<received::EventOrder>(openapi::with_set::<received::EventKind>(described()))
}

/// The function as Lambda starts it, with the connections that the first request needs.
///
/// # Errors
/// [`WiringError`] if the environment is not right.
pub async fn function() -> Result<Router, WiringError> {
    Wiring::from_env()?.start(true, |wiring| router(Context::new(wiring))).await
}

handlers!(
    Context: subscriptions::list, subscriptions::create, subscriptions::read, subscriptions::delete, subscriptions::renew,
    received::list, received::session
);
