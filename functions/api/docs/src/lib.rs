//! The OpenAPI description of all functions, and a page to read it that needs no internet.
//!
//! Owns `/api/openapi.json` and `/docs`. It must never describe a route by hand: every line comes from a handler.

mod plain;

use std::sync::LazyLock;

use axum::{Router, http::header::CONTENT_TYPE, middleware, routing::get};
use trunkline_http::{Face, Problem, Type, openapi};
use utoipa::{OpenApi as _, openapi::OpenApi};
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
    openapi::complete(&mut whole);
    whole
}

/// The routes of this function.
pub fn router() -> Router {
    let page = SwaggerUi::new("/docs").config(Config::from("/api/openapi.json").try_it_out_enabled(true));
    let page = Router::from(page).layer(middleware::from_fn(plain::readable));
    Face::open("docs").dress(page.route("/api/openapi.json", get(openapi_json)))
}

async fn openapi_json() -> Result<impl axum::response::IntoResponse, Problem> {
    /// Built for whoever asks first: the page's files do not need it.
    static TEXT: LazyLock<Result<String, serde_json::Error>> = LazyLock::new(|| description().to_json());
    let text = TEXT.as_ref().map_err(|error| Problem::new(Type::Internal).caused_by(error))?;
    Ok(([(CONTENT_TYPE, "application/json")], text.as_str()))
}

/// The function as Lambda runs it.
///
/// # Errors
/// None; the signature is that of every function.
pub async fn function() -> Result<Router, std::convert::Infallible> {
    Ok(router())
}
