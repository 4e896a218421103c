//! JSON bodies: bounded, by content type, and with the path of what is wrong.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{BODY_LIMIT, Problem, Type, Violations};

/// What a body must satisfy beyond its types.
pub trait Accept: DeserializeOwned {
    /// Notes every field that is wrong.
    fn check(&self, violations: &mut Violations);
}

/// A JSON body that was read and accepted.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A JSON body that may be missing altogether.
#[derive(Debug)]
pub struct Optional<T>(pub Option<T>);

impl<T: Accept, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        read(&parts.headers, &bytes(&parts.headers, body).await?).map(Self)
    }
}

impl<T: Accept, S: Send + Sync> FromRequest<S> for Optional<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = bytes(&parts.headers, body).await?;
        if bytes.is_empty() {
            Ok(Self(None))
        } else {
            read(&parts.headers, &bytes).map(|body| Self(Some(body)))
        }
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

fn read<T: Accept>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence != "application/json" && !(essence.starts_with("application/") && essence.ends_with("+json")) {
        return Err(Problem::new(Type::UnsupportedMediaType)
            .detail("Send the body with Content-Type: application/json.")
            .errors(vec![crate::FieldError {
                field: "Content-Type".to_owned(),
                reason: "must be application/json".to_owned(),
            }]));
    }
    // serde would also read a list as the fields in their order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Problem::field("body", "must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        // What is no JSON at all has no fields yet.
        let field = if path == "." || !error.is_data() { "body".to_owned() } else { path };
        Problem::field(field, error.to_string())
    })?;
    deserializer.end().map_err(|_| Problem::field("body", "has something after the JSON value"))?;
    let mut violations = Violations::default();
    value.check(&mut violations);
    violations.finish()?;
    Ok(value)
}
