//! Answers to RingCentral: small, and always `application/json` (its SUB-525 asks for that even of empty bodies).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// What a delivery is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is stored.
    Stored,
    /// The handshake: RingCentral's token goes back to it.
    Handshake(HeaderValue),
    /// Wrong token, unknown tenant or no address: all the same from outside.
    Refused,
    /// Not a JSON object.
    NotJson,
    /// Larger than [`crate::BODY_LIMIT`].
    TooLarge,
    /// It could not be stored: RingCentral must send it again.
    NotStored,
}

impl Reply {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Stored | Self::Handshake(_) => StatusCode::OK,
            Self::Refused => StatusCode::UNAUTHORIZED,
            Self::NotJson => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) fn response(self) -> Response<http_body_util::Full<Bytes>> {
        let body: &'static str = match &self {
            Self::Stored | Self::Handshake(_) => "",
            Self::Refused => r#"{"title":"The delivery carries no valid token"}"#,
            Self::NotJson => {
                r#"{"title":"The delivery is not a JSON object","errors":[{"field":"body","reason":"must be a JSON object"}]}"#
            }
            Self::TooLarge => {
                r#"{"title":"The delivery is too large","errors":[{"field":"body","reason":"must have at most 262144 bytes"}]}"#
            }
            Self::NotStored => r#"{"title":"The delivery could not be stored; send it again"}"#,
        };
        let mut response = Response::new(http_body_util::Full::from(body));
        *response.status_mut() = self.status();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Self::Handshake(token) = self {
            response.headers_mut().insert("validation-token", token);
        }
        response
    }
}
