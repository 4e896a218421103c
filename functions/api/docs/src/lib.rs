//! The OpenAPI description of all functions, and a page to read it that needs no internet.
//!
//! Owns `/api/openapi.json` and `/docs`. It must never describe a route by hand: every line comes from a handler. The page
//! must never load anything from elsewhere, nor show the description of another API.

mod cached;
mod files;
mod plain;

use std::sync::LazyLock;

use axum::{
    Router,
    http::{
        HeaderValue, Uri,
        header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG},
    },
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use trunkline_http::{Face, Problem, Type, openapi};
use utoipa::{OpenApi as _, openapi::OpenApi};

use crate::files::File;

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
    let routes = Router::new()
        .route("/docs", get(page))
        .route("/docs/", get(page))
        .route("/docs/{*file}", get(part))
        .route("/api/openapi.json", get(openapi_json))
        .layer(middleware::from_fn(plain::readable))
        .layer(middleware::from_fn(cached::cached));
    Face::open("docs").dress(routes)
}

async fn page() -> Result<Response, Problem> {
    file("index.html")
}

async fn part(uri: Uri) -> Result<Response, Problem> {
    file(uri.path().trim_start_matches("/docs/"))
}

fn file(name: &str) -> Result<Response, Problem> {
    let file = File::named(name).ok_or_else(|| {
        Problem::new(Type::NotFound)
            .detail("The docs page has no such part.")
            .hint("The page itself is at /docs.")
    })?;
    let mut response = ([(CONTENT_TYPE, file.content_type)], &*file.bytes).into_response();
    tagged(&mut response, &file.tag)?;
    if file.gzipped {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

async fn openapi_json() -> Result<Response, Problem> {
    /// Built for whoever asks first, with its tag: the page's files do not need it.
    static TEXT: LazyLock<Result<(String, String), serde_json::Error>> =
        LazyLock::new(|| description().to_json().map(|text| (files::tag(text.as_bytes()), text)));
    let (tag, text) = TEXT.as_ref().map_err(|error| internal(error))?;
    let mut response = ([(CONTENT_TYPE, "application/json")], text.as_str()).into_response();
    tagged(&mut response, tag)?;
    Ok(response)
}

fn tagged(response: &mut Response, tag: &str) -> Result<(), Problem> {
    let tag = HeaderValue::from_str(tag).map_err(|error| internal(&error))?;
    response.headers_mut().insert(ETAG, tag);
    Ok(())
}

fn internal(error: &(dyn std::error::Error + 'static)) -> Problem {
    Problem::new(Type::Internal).caused_by(error)
}

/// The function as Lambda runs it.
///
/// # Errors
/// None; the signature is that of every function.
pub async fn function() -> Result<Router, std::convert::Infallible> {
    Ok(router())
}
