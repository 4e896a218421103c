//! What RingCentral's platform allows us, and how much of it is used.
//!
//! Owns `GET /api/platform/limits`. It must never use anything of the budget it tells about.

mod limits;

use axum::Router;
use clock::SharedClock;
use context::{Wiring, WiringError};
use ringcentral::RingCentral;
use trunkline_http::{Access, Face, handlers};
use utoipa::openapi::OpenApi;

/// What this function may touch.
#[derive(Debug, Clone)]
pub struct Context {
    ringcentral: RingCentral,
    clock: SharedClock,
    access: Access,
}

impl Context {
    /// Takes its ports from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        Self { ringcentral: wiring.ringcentral(), clock: wiring.clock.clone(), access: wiring.access() }
    }
}

/// The routes of this function.
pub fn router(context: Context) -> Router {
    let face = Face::secured("platform", context.access.clone(), context.clock.clone());
    face.dress(served().with_state(context))
}

/// The description of this function's routes.
#[must_use]
pub fn description() -> OpenApi {
    described()
}

/// The function as Lambda starts it, with the connections that the first request needs.
///
/// # Errors
/// [`WiringError`] if the environment is not right.
pub async fn function() -> Result<Router, WiringError> {
    Wiring::from_env()?.start(true, |wiring| router(Context::new(wiring))).await
}

handlers!(Context: limits::list);
