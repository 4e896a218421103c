//! Request ids and the wide event of an HTTP invocation.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use telemetry::{Budget, Invocation};
use uuid::Uuid;

use crate::refused::refusal;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the caller's if it is a harmless one (1 to 128 of letters, digits, `.`, `_`, `-`), else a new one.
#[must_use]
pub fn request_id(headers: &HeaderMap) -> String {
    let harmless = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
    match given {
        Some(id) if (1..=128).contains(&id.len()) && id.bytes().all(harmless) => id.to_owned(),
        _ => Uuid::now_v7().to_string(),
    }
}

/// Tells what is left of RingCentral's budget, in the fields of the IETF draft (`RateLimit`, `RateLimit-Policy`).
fn publish(budget: &Budget, headers: &mut HeaderMap) {
    let Budget { group, limit, window_seconds, remaining, next_seconds } = budget;
    let policy = format!("\"{group}\";q={limit};w={window_seconds}");
    let left = format!("\"{group}\";r={remaining};t={next_seconds}");
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
        // A group's name comes from a header of RingCentral and may not fit into one of ours.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// Runs the request inside of an invocation and answers with its id.
pub(crate) async fn observe(function: &'static str, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    if let Ok(value) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(HEADER, value);
    }
    let route = request.extensions().get::<MatchedPath>().map_or("unknown route", MatchedPath::as_str);
    let invocation = Invocation {
        function,
        request_id: id.clone(),
        operation: format!("{} {route}", request.method()),
        path: Some(request.uri().path().to_owned()),
        ..Invocation::default()
    };
    let mut budget = None;
    let work = async {
        match refusal(&request) {
            Some(problem) => problem.into_response(),
            None => next.run(request).await,
        }
    };
    let mut response = telemetry::observe(invocation, work, |response, invocation| {
        invocation.status = response.status().as_u16();
        budget = invocation.budget.clone();
    })
    .await;
    if let Some(budget) = budget {
        publish(&budget, response.headers_mut());
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
