//! What RingCentral's platform allows us, and how much of it is used.
//!
//! Owns `GET /api/platform/limits`. It must never use anything of the budget it tells about.

mod limits;

use axum::Router;
use clock::SharedClock;
use context::{Wiring, WiringError};
use ringcentral::RingCentral;
use trunkline_http::{Access, Face};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What this function may touch.
#[derive(Debug, Clone)]
pub struct Context {
    ringcentral: RingCentral,
    clock: SharedClock,
    access: Access,
}

impl Context {
    /// Takes its ports from the wiring.
    ///
    /// # Errors
    /// [`WiringError`] if the secret of bearer tokens can't be read.
    pub async fn new(wiring: &Wiring) -> Result<Self, WiringError> {
        Ok(Self {
            ringcentral: wiring.ringcentral(),
            clock: wiring.clock.clone(),
            access: wiring.access().await?,
        })
    }
}

/// The routes of this function.
pub fn router(context: Context) -> Router {
    Face::secured("platform", context.access.clone()).dress(routes_of().with_state(context)).0
}

/// The description of this function's routes.
#[must_use]
pub fn description() -> OpenApi {
    routes_of().into_openapi()
}

/// The function as Lambda starts it, with the connections that the first request needs.
///
/// # Errors
/// [`WiringError`] if the environment is not right.
pub async fn function() -> Result<Router, WiringError> {
    let wiring = Wiring::from_env()?;
    let tables = wiring.tables();
    let (context, ()) = tokio::join!(Context::new(&wiring), tables.open());
    Ok(router(context?))
}

fn routes_of() -> OpenApiRouter<Context> {
    OpenApiRouter::new().routes(routes!(limits::list))
}
