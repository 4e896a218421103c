//! `Idempotency-Key` on POST, as in the IETF draft: the same key and request get the same answer, once carried out.
//!
//! 400 for a key that is none, 409 while the first request is under way, 422 for the same key with another request.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use clock::{Millis, SharedClock};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Caller, Problem, Type, body, problem::OutcomeUnknown};

/// How long one request may hold its key (milliseconds): longer than API Gateway lets it run.
const LEASE: Millis = 35_000;
/// How long an answer is kept (milliseconds).
const KEPT: Millis = 24 * 3_600_000;
/// An answer larger than this is not kept: the repetition is told to read the resource (bytes).
const ANSWER_LIMIT: usize = 256 * 1024;

/// An answer that is given again.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// Its content type.
    pub content_type: String,
    /// Its body.
    pub body: String,
}

/// Without the body: it names people.
impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// What is known of a key.
#[derive(Debug, Clone)]
pub enum Begun {
    /// Nothing: go ahead.
    First,
    /// An earlier attempt began and never ended: go ahead, but look first.
    Resumed,
    /// It was carried out.
    Done(StoredAnswer),
    /// It is being carried out.
    InFlight,
    /// It was used for something else.
    Different,
}

/// The store can't be reached; the cause is kept.
#[derive(Debug, thiserror::Error)]
#[error("the store of idempotency keys failed")]
pub struct IdempotencyError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where keys live.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Takes a key for a request, unless it is taken.
    async fn begin(
        &self,
        key: &str,
        fingerprint: &str,
        owner: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Begun, IdempotencyError>;

    /// Keeps the answer until `kept`.
    async fn complete(
        &self,
        key: &str,
        owner: &str,
        answer: &StoredAnswer,
        kept: Millis,
    ) -> Result<(), IdempotencyError>;

    /// Gives the key back: the request had no effect and may be sent again.
    async fn release(&self, key: &str, owner: &str) -> Result<(), IdempotencyError>;
}

/// Whether this request was begun before; handlers that create look first if it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Nobody has tried this before.
    First,
    /// An earlier attempt with the same key may have been carried out.
    Resumed,
}

impl<S: Send + Sync> FromRequestParts<S> for Attempt {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self::First))
    }
}

/// The `Idempotency-Key` of this request, once it was found well-formed.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub String);

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// The middleware's needs.
#[derive(Clone)]
pub struct Idempotency {
    store: Arc<dyn IdempotencyStore>,
    clock: SharedClock,
}

impl fmt::Debug for Idempotency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idempotency")
    }
}

impl Idempotency {
    /// Idempotency over a store.
    #[must_use]
    pub fn new(store: Arc<dyn IdempotencyStore>, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    /// Carries a POST with a key out once. Everything else passes untouched.
    pub(crate) async fn once(self, request: Request, next: Next) -> Response {
        match self.guard(request, next).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        }
    }

    async fn guard(self, request: Request, next: Next) -> Result<Response, Problem> {
        let caller = request.extensions().get::<Caller>().cloned();
        let header = request.headers().get("idempotency-key").cloned();
        let (true, Some(header), Some(caller)) = (request.method() == Method::POST, header, caller) else {
            return Ok(next.run(request).await);
        };
        let given = key(&header)?.to_owned();
        let key = format!("{}#{}#{given}", caller.tenant, caller.subject);
        let (mut parts, body) = request.into_parts();
        let body = body::bytes(body).await?;
        let fingerprint = fingerprint(&parts, &body);
        let owner = Uuid::new_v4().to_string();
        let now = self.clock.now();
        let attempt = match self
            .store
            .begin(&key, &fingerprint, &owner, now, now + LEASE)
            .await
            .map_err(unavailable)?
        {
            Begun::First => Attempt::First,
            Begun::Resumed => Attempt::Resumed,
            Begun::Done(answer) => return Ok(replay(answer)),
            Begun::InFlight => return Err(Problem::new(Type::RequestInFlight).retry_after(1)),
            Begun::Different => {
                return Err(Problem::new(Type::IdempotencyKeyReused)
                    .errors(vec![crate::FieldError {
                        field: "Idempotency-Key".to_owned(),
                        reason: "was used for a request with another path or body".to_owned(),
                    }])
                    .hint("Use a new key for a new request."));
            }
        };
        parts.extensions.insert(attempt);
        parts.extensions.insert(IdempotencyKey(given));
        let response = next.run(Request::from_parts(parts, axum::body::Body::from(body))).await;
        self.finish(&key, &owner, response).await
    }

    /// Keeps what would be answered again; a failure that may pass gives the key back.
    async fn finish(&self, key: &str, owner: &str, response: Response) -> Result<Response, Problem> {
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            // An unknown outcome keeps the key until its lease ends: the repetition then looks first.
            if response.extensions().get::<OutcomeUnknown>().is_none() {
                self.store.release(key, owner).await.map_err(unavailable)?;
            }
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if let (Ok(text), true) = (std::str::from_utf8(&body), body.len() <= ANSWER_LIMIT) {
            let answer = StoredAnswer {
                status: status.as_u16(),
                content_type: content_type.unwrap_or("application/json").to_owned(),
                body: text.to_owned(),
            };
            let kept = self.clock.now() + KEPT;
            // The change is made: a caller must hear of it even if the answer can't be kept.
            if let Err(error) = self.store.complete(key, owner, &answer, kept).await {
                telemetry::failed(&error);
            }
        }
        Ok(Response::from_parts(parts, axum::body::Body::from(body)))
    }
}

/// The key of a header: a quoted string as in the draft, or the bare text that most clients send.
fn key(header: &HeaderValue) -> Result<&str, Problem> {
    let text = header.to_str().unwrap_or_default().trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits = (1..=255).contains(&bare.len())
        && bare.bytes().all(|c| c.is_ascii_graphic() && c != b'"' && c != b'#');
    if fits {
        Ok(bare)
    } else {
        Err(Problem::field(
            "Idempotency-Key",
            "must be 1 to 255 visible ASCII characters without quotes or #",
        ))
    }
}

fn fingerprint(parts: &Parts, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(parts.uri.path_and_query().map_or("", |path| path.as_str()).as_bytes());
    digest.update(b"\n");
    digest.update(body);
    hex::encode(digest.finalize())
}

fn replay(answer: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    if let Ok(content_type) = HeaderValue::from_str(&answer.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    response
}

fn unavailable(error: IdempotencyError) -> Problem {
    Problem::new(Type::StoreUnavailable)
        .detail("The store of idempotency keys did not answer, so nothing was done.")
        .retry_after(2)
        .caused_by(&error)
}
