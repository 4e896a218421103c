//! Answers to RingCentral: small, and always `application/json` (its SUB-525 asks for that even of empty bodies).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// What a delivery is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is stored.
    Stored,
    /// The handshake: RingCentral's token goes back to it.
    Handshake(HeaderValue),
    /// Wrong token, unknown tenant or no address: all the same from outside.
    Refused,
    /// Not an event, for this reason.
    Unreadable(&'static str),
    /// Larger than what the queue takes.
    TooLarge,
    /// It could not be stored: RingCentral must send it again.
    NotStored,
    /// Another method than POST.
    NotPosted,
}

impl Reply {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Stored | Self::Handshake(_) => StatusCode::OK,
            Self::Refused => StatusCode::UNAUTHORIZED,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotStored => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotPosted => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// The answer. One that says more than that all is well also says which request it answers.
    pub(crate) fn response(self, request_id: &str) -> Response<Full<Bytes>> {
        let body: Bytes = match &self {
            Self::Stored | Self::Handshake(_) => Bytes::new(),
            Self::Refused => r#"{"title":"The delivery carries no valid token"}"#.into(),
            Self::Unreadable(reason) => told("The delivery is not a JSON object", reason),
            Self::TooLarge => {
                let reason = format!("must have at most {} bytes", crate::BODY_LIMIT);
                told("The delivery is too large", &reason)
            }
            Self::NotStored => r#"{"title":"The delivery could not be stored; send it again"}"#.into(),
            Self::NotPosted => r#"{"title":"A delivery is sent with POST"}"#.into(),
        };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.status() != StatusCode::OK
            && let Ok(id) = HeaderValue::from_str(request_id)
        {
            headers.insert("x-request-id", id);
        }
        match self {
            Self::Handshake(token) => drop(headers.insert("validation-token", token)),
            Self::NotPosted => drop(headers.insert(header::ALLOW, HeaderValue::from_static("POST"))),
            _ => {}
        }
        response
    }
}

fn told(title: &str, reason: &str) -> Bytes {
    format!(r#"{{"title":"{title}","errors":[{{"field":"body","reason":"{reason}"}}]}}"#).into()
}
