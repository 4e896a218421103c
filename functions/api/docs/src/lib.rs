//! The OpenAPI description of all functions, and a page to read it that needs no internet.
//!
//! Owns `/api/openapi.json` and `/docs`. It must never describe a route by hand: every line comes from a handler.

use axum::{Json, Router, routing::get};
use trunkline_http::{Face, openapi};
use utoipa::{OpenApi as _, openapi::OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The description of the whole API.
#[must_use]
pub fn description() -> OpenApi {
    let mut whole = openapi::Frame::openapi();
    whole.info.version = env!("CARGO_PKG_VERSION").to_owned();
    for part in [
        api_extensions::description(),
        api_health::description(),
        api_platform::description(),
        api_subscriptions::description(),
        events_receive::description(),
    ] {
        whole.merge(part);
    }
    openapi::add_problems(&mut whole);
    whole
}

/// The routes of this function.
pub fn router() -> Router {
    let page = SwaggerUi::new("/docs").config(Config::from("/api/openapi.json").try_it_out_enabled(true));
    let description = description();
    let routes = Router::new().route("/api/openapi.json", get(async move || Json(description))).merge(page);
    Face::open("docs").dress(OpenApiRouter::from(routes)).0
}

/// The function as Lambda runs it.
///
/// # Errors
/// None; the signature is that of every function.
pub async fn function() -> Result<Router, std::convert::Infallible> {
    Ok(router())
}
