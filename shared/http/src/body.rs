//! JSON bodies: bounded, by content type, and with everything that is wrong told at once, by path and in words of our own.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::{BODY_LIMIT, FieldError, Object, Problem, Type, Violations, tree};

/// What a body can be read as.
pub trait Accept: Sized {
    /// Takes the fields it knows, and notes every one that is wrong. What it leaves is noted as unknown.
    fn read(object: &mut Object<'_>) -> Self;
}

/// A JSON body that was read and accepted.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A JSON body that may be missing altogether.
#[derive(Debug)]
pub struct Optional<T>(pub Option<T>);

/// A JSON body that was read, and of which the handler has more to say than the body alone can tell.
#[derive(Debug)]
pub struct Draft<T>(T, Violations);

impl<T> Draft<T> {
    /// The body, if the handler notes nothing either.
    ///
    /// # Errors
    /// A problem that names every wrong field.
    pub fn judged(self, judge: impl FnOnce(&T, &mut Violations)) -> Result<T, Problem> {
        let Self(value, mut violations) = self;
        judge(&value, &mut violations);
        violations.finish().map(|()| value)
    }
}

impl<T: Accept, S: Send + Sync> FromRequest<S> for Draft<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        read(&parts.headers, &bytes(&parts.headers, body).await?)
    }
}

impl<T: Accept, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Draft::from_request(request, state).await?.judged(|_, _| {}).map(Self)
    }
}

impl<T: Accept, S: Send + Sync> FromRequest<S> for Optional<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = bytes(&parts.headers, body).await?;
        if bytes.is_empty() {
            return Ok(Self(None));
        }
        read(&parts.headers, &bytes)?.judged(|_, _| {}).map(|body| Self(Some(body)))
    }
}

/// Reads a body up to [`BODY_LIMIT`]; not at all if a longer one is announced.
pub(crate) async fn bytes(headers: &HeaderMap, body: axum::body::Body) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Type::BodyTooLarge).detail(format!("The limit is {BODY_LIMIT} bytes."));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > BODY_LIMIT as u64) {
        return Err(too_large());
    }
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::field("body", "can't be read to its end")),
    }
}

fn read<T: Accept>(headers: &HeaderMap, bytes: &[u8]) -> Result<Draft<T>, Problem> {
    check_type(headers, bytes)?;
    let mut violations = Violations::default();
    let fields = fields(bytes, &mut violations).map_err(|reason| Problem::field("body", reason))?;
    let mut object = Object::new(fields, &mut violations);
    let value = T::read(&mut object);
    object.finish();
    Ok(Draft(value, violations))
}

/// The fields of a body. What the parser says stays here: it quotes the caller.
fn fields(bytes: &[u8], violations: &mut Violations) -> Result<Map<String, Value>, &'static str> {
    let text = match bytes {
        [0xef, 0xbb, 0xbf, ..] => return Err("must not begin with a byte order mark"),
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, ..] | [_, 0, ..] => {
            return Err("must be UTF-8, not UTF-16");
        }
        _ => std::str::from_utf8(bytes).map_err(|_| "must be UTF-8")?,
    };
    let (value, twice) = tree::read(text).map_err(|error| match error.is_eof() {
        true if text.trim().is_empty() => "must be a JSON object, and is empty",
        true => "must be a JSON object, and breaks off",
        false => "must be a JSON object, and is not well-formed",
    })?;
    for field in twice {
        violations.add(field, "is there more than once");
    }
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err("must be a JSON object"),
    }
}

fn check_type(headers: &HeaderMap, bytes: &[u8]) -> Result<(), Problem> {
    let refused = |field: &str, reason: &str| {
        let error = FieldError { field: field.to_owned(), reason: reason.to_owned() };
        Err(Problem::new(Type::UnsupportedMediaType).errors(vec![error]))
    };
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // What gzip begins with, for those who compress and do not say so.
    let packed = bytes.starts_with(&[0x1f, 0x8b]);
    if packed || !matches!(text(header::CONTENT_ENCODING).trim(), "" | "identity") {
        return refused("Content-Encoding", "must be left out: bodies are not compressed")
            .map_err(Problem::plain_only);
    }
    let mut parts = text(header::CONTENT_TYPE).split(';').map(|part| part.trim().to_ascii_lowercase());
    let essence = parts.next().unwrap_or_default();
    if essence != "application/json" && !(essence.starts_with("application/") && essence.ends_with("+json")) {
        return refused("Content-Type", "must be application/json")
            .map_err(|problem| problem.detail("Send the body with Content-Type: application/json."));
    }
    let charset = parts.find_map(|part| Some(part.strip_prefix("charset=")?.trim_matches('"').to_owned()));
    if charset.is_some_and(|charset| !matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii")) {
        return refused("Content-Type", "must have the charset utf-8, or none");
    }
    Ok(())
}
