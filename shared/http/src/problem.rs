//! Problem documents (RFC 9457): what went wrong, where, and what to do about it.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// What the type of every problem begins with.
const URN: &str = "urn:trunkline:problem:";

/// The kinds of problems. Their names are stable: clients may switch on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// A field of the request is wrong; `errors` names it.
    InvalidRequest,
    /// No bearer token, or one that does not hold.
    Unauthorized,
    /// The caller's role does not allow this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body is not JSON by its `Content-Type`.
    UnsupportedMediaType,
    /// Another request with this `Idempotency-Key` is under way.
    RequestInFlight,
    /// This `Idempotency-Key` was used for a different request.
    IdempotencyKeyReused,
    /// RingCentral refused the request.
    RingcentralRefused,
    /// RingCentral's rate budget is used up.
    RateLimited,
    /// RingCentral failed so often that nobody asks it for a while.
    CircuitOpen,
    /// RingCentral can't be reached or failed.
    RingcentralUnavailable,
    /// A change may or may not have been made.
    OutcomeUnknown,
    /// RingCentral refuses our credentials.
    CredentialsRefused,
    /// There is no secret of this tenant, or not all of it.
    TenantUnknown,
    /// A store or a queue of ours can't be reached.
    StoreUnavailable,
    /// A fault of ours.
    Internal,
}

impl Type {
    const fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid-request", "The request is not valid"),
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "A valid bearer token is needed")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such resource"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This method is not offered here")
            }
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large"),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body must be application/json",
            ),
            Self::RequestInFlight => (
                StatusCode::CONFLICT,
                "request-in-flight",
                "A request with this Idempotency-Key is under way",
            ),
            Self::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "This Idempotency-Key was used for a different request",
            ),
            Self::RingcentralRefused => {
                (StatusCode::BAD_REQUEST, "ringcentral-refused", "RingCentral refused the request")
            }
            Self::RateLimited => {
                (StatusCode::TOO_MANY_REQUESTS, "rate-limited", "The RingCentral rate budget is used up")
            }
            Self::CircuitOpen => (
                StatusCode::SERVICE_UNAVAILABLE,
                "circuit-open",
                "RingCentral failed too often in a row and is left alone for a while",
            ),
            Self::RingcentralUnavailable => {
                (StatusCode::BAD_GATEWAY, "ringcentral-unavailable", "RingCentral can't be reached or failed")
            }
            Self::OutcomeUnknown => (
                StatusCode::BAD_GATEWAY,
                "outcome-unknown",
                "RingCentral failed in the middle; the change may have been made",
            ),
            Self::CredentialsRefused => (
                StatusCode::SERVICE_UNAVAILABLE,
                "credentials-refused",
                "RingCentral does not accept this tenant's credentials",
            ),
            Self::TenantUnknown => (
                StatusCode::SERVICE_UNAVAILABLE,
                "tenant-unknown",
                "The secret of this tenant is missing or incomplete",
            ),
            Self::StoreUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "A store of the gateway can't be reached",
            ),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The gateway failed"),
        }
    }
}

impl Type {
    /// All of them.
    pub(crate) const ALL: [Self; Self::Internal as usize + 1] = [
        Self::InvalidRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::RequestInFlight,
        Self::IdempotencyKeyReused,
        Self::RingcentralRefused,
        Self::RateLimited,
        Self::CircuitOpen,
        Self::RingcentralUnavailable,
        Self::OutcomeUnknown,
        Self::CredentialsRefused,
        Self::TenantUnknown,
        Self::StoreUnavailable,
        Self::Internal,
    ];

    /// The status it comes with, unless RingCentral's own is answered.
    pub(crate) const fn status(self) -> StatusCode {
        self.facts().0
    }

    /// Its stable name, behind the URN.
    pub(crate) const fn name(self) -> &'static str {
        self.facts().1
    }

    /// What it says of every occurrence.
    pub(crate) const fn title(self) -> &'static str {
        self.facts().2
    }

    /// What helps in general; an occurrence may know better.
    const fn hint(self) -> Option<&'static str> {
        match self {
            Self::StoreUnavailable => Some(
                "Try again in a moment. If it lasts, look at the alarms of the gateway's tables and queues.",
            ),
            Self::RingcentralUnavailable => {
                Some("Nothing was changed. Try again; see RingCentral's status page if it lasts.")
            }
            Self::Internal => Some("Report the X-Request-Id of this answer."),
            _ => None,
        }
    }
}

/// Rides on an answer to a request that was sent to RingCentral and whose change may have been made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutcomeUnknown;

/// A field that is wrong, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The query parameter, header, or path into the body (`contact.email`).
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The words of a document's `type`.
fn types() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    let urns = Type::ALL.map(|kind| format!("{URN}{}", kind.name()));
    crate::openapi::one_of(&urns.each_ref().map(String::as_str))
}

/// A problem document. Boxed inside, so that results stay small.
#[derive(Debug, Clone)]
pub struct Problem(Box<Document>);

/// The members of a problem document.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// `urn:trunkline:problem:` and a stable name.
    #[schema(schema_with = types)]
    #[serde(rename = "type")]
    kind: String,
    /// What happened, the same for every occurrence.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened this time.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// What to do about it.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<Cow<'static, str>>,
    /// The fields that are wrong; missing where none is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// RingCentral's error code.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// RingCentral's `RCRequestId`, for its support.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ringcentral_request_id: Option<String>,
    /// The rate group whose budget is used up.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_group: Option<String>,
    /// Whom RingCentral's own 429 stops: this `call`, the `group`, the `account`, or everybody at this `address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    rate_scope: Option<&'static str>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u64>,
    /// Nothing was sent this time.
    #[serde(skip)]
    #[schema(ignore)]
    unsent: bool,
    /// The body would be welcome if it were not compressed.
    #[serde(skip)]
    #[schema(ignore)]
    plain_only: bool,
    /// There was a token, and it does not hold.
    #[serde(skip)]
    #[schema(ignore)]
    invalid_token: bool,
}

impl Document {
    /// The document of this type with nothing more to say.
    pub(crate) fn of(kind: Type) -> Self {
        let (status, name, title) = kind.facts();
        Self {
            kind: format!("{URN}{name}"),
            title,
            status: status.as_u16(),
            detail: None,
            hint: kind.hint().map(Cow::Borrowed),
            errors: Vec::new(),
            code: None,
            ringcentral_request_id: None,
            rate_group: None,
            rate_scope: None,
            retry_after: None,
            unsent: false,
            plain_only: false,
            invalid_token: false,
        }
    }
}

impl Problem {
    /// A problem of this type with nothing more to say.
    #[must_use]
    pub fn new(kind: Type) -> Self {
        Self(Box::new(Document::of(kind)))
    }

    /// The tenant of a request has no secret.
    #[must_use]
    pub fn no_secret(secret: &str) -> Self {
        Self::new(Type::TenantUnknown).detail(format!("There is no secret {secret}.")).hint(
            "Create it, or correct the tenant of the bearer token. A new secret is used within a minute.",
        )
    }

    /// A request with one wrong field.
    #[must_use]
    pub fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Type::InvalidRequest)
            .errors(vec![FieldError { field: field.into(), reason: reason.into() }])
    }

    /// Adds what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names the wrong fields.
    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Answers with another status than the type's own: RingCentral's, where it is the caller's business.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status.as_u16();
        self
    }

    /// Adds RingCentral's code and request id.
    #[must_use]
    pub fn ringcentral(mut self, code: &str, request_id: Option<String>) -> Self {
        self.0.code = Some(code.to_owned()).filter(|code| !code.is_empty());
        self.0.ringcentral_request_id = request_id;
        self
    }

    /// Says whom RingCentral's 429 stops.
    #[must_use]
    pub(crate) fn rate_scope(mut self, scope: &'static str) -> Self {
        self.0.rate_scope = Some(scope);
        self
    }

    /// Names the rate group and says when to come back (seconds).
    #[must_use]
    pub fn rate_group(mut self, group: &str, retry_after: u64) -> Self {
        self.0.rate_group = Some(group.to_owned());
        self.retry_after(retry_after)
    }

    /// Says when to come back (seconds, at least 1).
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// Nothing was sent this time: what is unknown is what an earlier attempt came to.
    #[must_use]
    pub(crate) fn unsent(mut self) -> Self {
        self.0.unsent = true;
        self
    }

    /// Says that a body must come uncompressed (RFC 9110, 15.5.16).
    #[must_use]
    pub(crate) fn plain_only(mut self) -> Self {
        self.0.plain_only = true;
        self
    }

    /// Says that there was a token (RFC 6750, 3.1).
    #[must_use]
    pub(crate) fn invalid_token(mut self) -> Self {
        self.0.invalid_token = true;
        self
    }

    /// Logs the cause with the invocation; callers never see it.
    #[must_use]
    pub fn caused_by(self, error: &(dyn std::error::Error + 'static)) -> Self {
        telemetry::failed(error);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = self.0.kind.rsplit(':').next().unwrap_or_default();
        let fields = self.0.errors.iter().map(|error| error.field.as_str());
        telemetry::problem(kind, fields, self.0.code.as_deref());
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        if self.0.kind.ends_with(":outcome-unknown") && !self.0.unsent {
            response.extensions_mut().insert(OutcomeUnknown);
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.plain_only {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = match self.0.invalid_token {
                true => "Bearer error=\"invalid_token\"",
                false => "Bearer",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
