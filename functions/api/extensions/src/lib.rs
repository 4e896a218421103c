//! Extensions, users and sites over HTTP, on the paths of RingCentral Gateway v2.
//!
//! Owns the routes and what a request to them must look like. It must never reach RingCentral but through
//! `provisioning`, and sends nothing there that it has not found valid.

mod extensions;
mod models;
mod shapes;
mod sites;

use axum::Router;
use clock::SharedClock;
use context::{Wiring, WiringError};
use provisioning::{Extensions, Sites};
use trunkline_http::{Access, Face, Idempotency, handlers, openapi};
use utoipa::openapi::OpenApi;

/// What this function may touch.
#[derive(Debug, Clone)]
pub struct Context {
    extensions: Extensions,
    sites: Sites,
    access: Access,
    idempotency: Idempotency,
    clock: SharedClock,
}

impl Context {
    /// Takes its ports from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        Self {
            extensions: Extensions::new(wiring.ringcentral()),
            sites: Sites::new(wiring.ringcentral()),
            access: wiring.access(),
            idempotency: wiring.idempotency(),
            clock: wiring.clock.clone(),
        }
    }
}

/// The routes of this function.
pub fn router(context: Context) -> Router {
    let face = Face::secured("extensions", context.access.clone(), context.clock.clone());
    face.idempotent(context.idempotency.clone()).dress(served().with_state(context))
}

/// The description of this function's routes.
#[must_use]
pub fn description() -> OpenApi {
    openapi::with_set::<models::ExtensionType>(described())
}

/// The function as Lambda starts it, with the connections that the first request needs.
///
/// # Errors
/// [`WiringError`] if the environment is not right.
pub async fn function() -> Result<Router, WiringError> {
    Wiring::from_env()?.start(true, |wiring| router(Context::new(wiring))).await
}

handlers!(
    Context: extensions::list, extensions::create, extensions::read, extensions::update, extensions::delete,
    extensions::renumber, extensions::users, sites::list, sites::create
);
