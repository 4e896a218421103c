//! An answer as API Gateway takes it.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Response, StatusCode, header};
use http_body_util::BodyExt;
use serde::Serialize;

/// An answer in payload format 2.0. It is never printed: it holds people.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The HTTP status.
    pub status_code: u16,
    /// The headers; values of one name are joined by commas.
    pub headers: BTreeMap<String, String>,
    /// The body: text, or base64.
    pub body: String,
    /// Which of both.
    pub is_base64_encoded: bool,
}

impl Answer {
    /// Puts a response into the format.
    pub async fn of<B: http_body::Body>(response: Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        let mut headers = BTreeMap::new();
        for (name, value) in &parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            let joined: &mut String = headers.entry(name.as_str().to_owned()).or_default();
            if !joined.is_empty() {
                joined.push_str(", ");
            }
            joined.push_str(&value);
        }
        let Ok(body) = body.collect().await else {
            let status_code = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
            return Self {
                status_code,
                headers: BTreeMap::new(),
                body: String::new(),
                is_base64_encoded: false,
            };
        };
        let bytes = body.to_bytes();
        let packed = parts.headers.contains_key(header::CONTENT_ENCODING);
        let (body, is_base64_encoded) = match std::str::from_utf8(&bytes) {
            Ok(text) if !packed => (text.to_owned(), false),
            _ => (STANDARD.encode(&bytes), true),
        };
        Self { status_code: parts.status.as_u16(), headers, body, is_base64_encoded }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[tokio::test]
    async fn text_stays_text_and_everything_else_is_base64() {
        let of = async |body: &'static [u8], encoding: Option<&str>| {
            let mut response = Response::builder().status(201).header("vary", "a").header("vary", "b");
            if let Some(encoding) = encoding {
                response = response.header(header::CONTENT_ENCODING, encoding);
            }
            Answer::of(response.body(Body::from(body)).unwrap()).await
        };
        let text = of(b"{}", None).await;
        assert_eq!((text.status_code, text.body.as_str(), text.is_base64_encoded), (201, "{}", false));
        assert_eq!(text.headers["vary"], "a, b");
        for (body, encoding) in [(&b"\xff"[..], None), (&b"{}"[..], Some("gzip"))] {
            let binary = of(body, encoding).await;
            assert!(binary.is_base64_encoded);
            assert_eq!(STANDARD.decode(binary.body).unwrap(), body);
        }
    }
}
