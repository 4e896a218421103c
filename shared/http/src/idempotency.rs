//! `Idempotency-Key` on POST, as in the IETF draft: a request is carried out once, and its
//! repetition gets the same answer.
//!
//! 400 for a key that is none, 409 while the first request is under way, 422 for the same key with another request.

mod store;

use std::{fmt, sync::Arc};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use clock::{Millis, SharedClock};
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Caller, Problem, Type, body, problem::OutcomeUnknown};
pub use store::{Begun, Earlier, IdempotencyError, IdempotencyStore, StoredAnswer, Wish};

/// How long one request may hold its key (milliseconds): longer than API Gateway lets it run.
const LEASE: Millis = 35_000;
/// How long after its attempt's lease RingCentral may still get to a request (milliseconds). It documents no limit, so this is
/// an assumption: what is carried out even later is not seen by a repetition that comes before it.
const ON_ITS_WAY: Millis = 60_000;
/// How long an answer is kept (milliseconds).
const KEPT: Millis = 24 * 3_600_000;
/// An answer larger than this is not kept: the repetition is told to read the resource (bytes).
const ANSWER_LIMIT: usize = 256 * 1024;

/// Whether this request was begun before; handlers that create look first if it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing is known of another one.
    First,
    /// An earlier attempt with the same key may have been carried out.
    Resumed(Earlier),
}

impl Attempt {
    /// When the first of the earlier attempts began, and from when on none of them can be on its way any more (milliseconds since
    /// the epoch); none if this is the first.
    #[must_use]
    pub fn earlier(self) -> Option<(Millis, Millis)> {
        match self {
            Self::First => None,
            Self::Resumed(Earlier { began, over }) => Some((began, over)),
        }
    }
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
        let body = body::bytes(&parts.headers, body).await?;
        let fingerprint = fingerprint(&parts, &body);
        let owner = Uuid::new_v4().to_string();
        let now = self.clock.now();
        let until = now + LEASE;
        let wish = Wish {
            key: &key,
            fingerprint: &fingerprint,
            owner: &owner,
            now,
            until,
            over: until + ON_ITS_WAY,
        };
        let attempt = match self.store.begin(wish).await.map_err(unavailable)? {
            Begun::First => Ok(Attempt::First),
            Begun::Resumed(earlier) => Ok(Attempt::Resumed(earlier)),
            Begun::Done(answer) => Err(Instead::Answer(answer)),
            Begun::InFlight => Err(Instead::Problem(Problem::new(Type::RequestInFlight).retry_after(1))),
            Begun::Different => Err(Instead::Problem(reused())),
        };
        let attempt = match attempt {
            Ok(attempt) => attempt,
            // The role that the handler needs is checked all the same: an answer of the past opens nothing.
            Err(instead) => {
                parts.extensions.insert(instead);
                return Ok(next.run(Request::from_parts(parts, axum::body::Body::from(body))).await);
            }
        };
        parts.extensions.insert(attempt);
        parts.extensions.insert(IdempotencyKey(given));
        let response = next.run(Request::from_parts(parts, axum::body::Body::from(body))).await;
        Ok(self.finish(&key, &owner, attempt, response).await)
    }

    /// Keeps the answer of a change that was made, and gives the key back where none was.
    async fn finish(&self, key: &str, owner: &str, attempt: Attempt, response: Response) -> Response {
        let unknown = response.extensions().get::<OutcomeUnknown>().is_some();
        let given_back = match fate(attempt, response.status(), unknown) {
            Fate::Kept => return self.keep(key, owner, response).await,
            Fate::Left => Ok(()),
            Fate::Forgotten => self.store.forget(key, owner).await,
            Fate::GivenBack(earlier) => self.store.give_back(key, owner, earlier).await,
        };
        // The lease ends by itself, and the repetition looks first.
        if let Err(error) = given_back {
            telemetry::failed(&error);
        }
        response
    }

    async fn keep(&self, key: &str, owner: &str, response: Response) -> Response {
        let status = response.status();
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
        Response::from_parts(parts, axum::body::Body::from(body))
    }
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It answers its request again.
    Kept,
    /// Nothing is written: when its lease ends, the next attempt looks first.
    Left,
    /// It is as if it had never been used.
    Forgotten,
    /// This attempt is over, and what is known of the earlier ones stays.
    GivenBack(Earlier),
}

/// What becomes of a key after an answer with this status; `unknown`: RingCentral was asked for a change and may have made it.
/// Only a change that was made is answered again. A refusal had no effect, and may not hold any more when it is asked for again.
#[must_use]
pub fn fate(attempt: Attempt, status: StatusCode, unknown: bool) -> Fate {
    match attempt {
        _ if unknown => Fate::Left,
        _ if status.is_success() => Fate::Kept,
        Attempt::First => Fate::Forgotten,
        Attempt::Resumed(earlier) => Fate::GivenBack(earlier),
    }
}

/// What is answered in the place of the handler, once the caller's role is found to be enough.
#[derive(Debug, Clone)]
pub enum Instead {
    /// The answer to the same request before.
    Answer(StoredAnswer),
    /// Why it is not carried out.
    Problem(Problem),
}

impl IntoResponse for Instead {
    fn into_response(self) -> Response {
        match self {
            Self::Answer(answer) => replay(answer),
            Self::Problem(problem) => problem.into_response(),
        }
    }
}

fn reused() -> Problem {
    Problem::new(Type::IdempotencyKeyReused)
        .errors(vec![crate::FieldError {
            field: "Idempotency-Key".to_owned(),
            reason: "was used for a request with another path or body".to_owned(),
        }])
        .hint("Use a new key for a new request.")
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
