//! Whether the gateway is up, and with `?deep=true` whether what it stands on is.
//!
//! Owns `GET /api/health`. It must never cost a request of a counted rate group.

use axum::{Json, Router, extract::State, http::StatusCode};
use clock::SharedClock;
use context::{Wiring, WiringError};
use queues::DeliveryQueue;
use ringcentral::RingCentral;
use serde::Serialize;
use tables::Tables;
use tenant::TenantId;
use trunkline_http::{Access, Face, Fields, Open, Problem, handlers, words};
use utoipa::{ToSchema, openapi::OpenApi};

/// What this function may touch.
#[derive(Debug, Clone)]
pub struct Context {
    tables: Tables,
    queue: DeliveryQueue,
    ringcentral: RingCentral,
    access: Access,
    clock: SharedClock,
}

impl Context {
    /// Takes its ports from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        Self {
            tables: wiring.tables(),
            queue: wiring.deliveries(),
            ringcentral: wiring.ringcentral(),
            access: wiring.access(),
            clock: wiring.clock.clone(),
        }
    }
}

/// The routes of this function.
pub fn router(context: Context) -> Router {
    Face::open("health").timed(context.clock.clone()).dress(served().with_state(context))
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

handlers!(Context: health);

words!(HealthStatus: one_of &["healthy", "unhealthy"]);

/// How the gateway is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Health {
    #[schema(value_type = HealthStatus)]
    status: &'static str,
    version: &'static str,
    /// Only in a deep check.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Checks>,
}

/// Each part: `ok`, or what is wrong.
#[derive(Debug, Serialize, ToSchema)]
struct Checks {
    store: String,
    queue: String,
    ringcentral: String,
}

/// Check the gateway
///
/// Without a token: whether it answers at all. With `deep=true` and a token: the store, the queue and RingCentral.
#[utoipa::path(get, path = "/api/health", tag = "health", operation_id = "readHealth",
    params(("deep" = Option<bool>, Query, description = "Also check the store, the queue and RingCentral; needs a token")),
    responses((status = 200, description = "All is well", body = Health), (status = 503, description = "Some part is not", body = Health)))]
async fn health(
    State(context): State<Context>,
    _: Open,
    headers: axum::http::HeaderMap,
    mut fields: Fields,
) -> Result<(StatusCode, Json<Health>), Problem> {
    let deep = fields.read("deep", "must be true or false", |text| text.parse().ok()).unwrap_or(false);
    fields.finish()?;
    let version = env!("CARGO_PKG_VERSION");
    if !deep {
        return Ok((StatusCode::OK, Json(Health { status: "healthy", version, checks: None })));
    }
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    let caller = context.access.check(authorization).await?;
    telemetry::tenant(caller.tenant.as_str());
    let checks = check(&context, &caller.tenant).await;
    let healthy = [&checks.store, &checks.queue, &checks.ringcentral].iter().all(|check| *check == "ok");
    let (code, status) = match healthy {
        true => (StatusCode::OK, "healthy"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unhealthy"),
    };
    Ok((code, Json(Health { status, version, checks: Some(checks) })))
}

async fn check(context: &Context, tenant: &TenantId) -> Checks {
    let (store, queue, ringcentral) =
        tokio::join!(context.tables.ping(), context.queue.ping(), context.ringcentral.ping(tenant));
    Checks { store: told(store), queue: told(queue), ringcentral: told(ringcentral) }
}

fn told<E: std::error::Error + 'static>(result: Result<(), E>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => {
            telemetry::failed(&error);
            error.to_string()
        }
    }
}
