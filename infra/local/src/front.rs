//! What API Gateway does with a request before it asks a function, for the one machine where it is not there.
//!
//! Owns how values of one header become one, how a path is spelt, and that a caller who is still sending hears the answer. It
//! must never decide about a request that API Gateway would hand over.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode, Uri, Version,
    header::{CONTENT_LENGTH, COOKIE, EXPECT, HOST},
    request::Parts,
    uri::PathAndQuery,
};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use trunkline_http::Problem;

/// The largest body that is read to its end although nobody wants it (bytes): API Gateway takes no larger one at all.
const READ_ON: u64 = 10 * 1024 * 1024;
/// How long such a body is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hands a request on as API Gateway would.
pub(crate) async fn front(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let rest = Rest(Arc::new(Mutex::new(body)));
    let wanted = reads_on(&parts.headers);
    let response = match refusal(&parts) {
        Some(problem) => problem.into_response(),
        None => {
            join(&mut parts.headers);
            parts.uri = spelt(parts.uri);
            next.run(Request::from_parts(parts, Body::new(rest.clone()))).await
        }
    };
    // A connection that closes while its caller still sends takes the answer with it.
    if wanted {
        let _ = tokio::time::timeout(PATIENCE, rest.read_on()).await;
    }
    response
}

/// What is no request by RFC 9112.
fn refusal(parts: &Parts) -> Option<Problem> {
    if parts.version == Version::HTTP_11 && !parts.headers.contains_key(HOST) {
        return Some(Problem::field("Host", "is required"));
    }
    let known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    let expects = parts.headers.get_all(EXPECT);
    let unknown = !expects.iter().all(known);
    unknown.then(|| Problem::field("Expect", "must be 100-continue").status(StatusCode::EXPECTATION_FAILED))
}

/// Whether the rest of a body is read. Not of one that was never asked for (`Expect`), and not of one that has no end in sight.
fn reads_on(headers: &HeaderMap) -> bool {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    !headers.contains_key(EXPECT) && announced.is_none_or(|length: u64| length <= READ_ON)
}

/// Several values of one name become one, as API Gateway joins them.
fn join(headers: &mut HeaderMap) {
    let names: Vec<_> =
        headers.keys().filter(|name| headers.get_all(*name).iter().count() > 1).cloned().collect();
    for name in names {
        let between: &[u8] = if name == COOKIE { b"; " } else { b"," };
        let values: Vec<_> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&values.join(between)) {
            headers.insert(name, joined);
        }
    }
}

/// A path in which nothing is encoded that stands for itself (RFC 3986, 6.2.2.2): API Gateway has it decoded.
fn spelt(uri: Uri) -> Uri {
    let mut parts = uri.path().split('%');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
        match code.filter(|c| c.is_ascii_alphanumeric() || "-._~".contains(*c)) {
            Some(plain) => {
                path.push(plain);
                path.push_str(&part[2..]);
            }
            None => path.extend(["%", part]),
        }
    }
    let text = uri.query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(text).ok();
    Uri::from_parts(parts).unwrap_or(uri)
}

/// A body that a function reads, or leaves.
#[derive(Clone)]
struct Rest(Arc<Mutex<Body>>);

impl Rest {
    /// Reads what is left, as far as anybody may send it.
    async fn read_on(mut self) {
        let mut read = 0;
        while let Some(Ok(frame)) = self.frame().await {
            read += frame.data_ref().map_or(0, |data| data.len() as u64);
            if read > READ_ON {
                return;
            }
        }
    }
}

impl http_body::Body for Rest {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Poll::Ready(ready!(Pin::new(&mut *body).poll_frame(context)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_for_itself_is_decoded() {
        for (sent, meant) in [
            ("/api/%65xtensions?a=%65", "/api/extensions?a=%65"),
            ("/api/%2e%2E/x", "/api/../x"),
            ("/a%2Fb%23%25%C3%A9%zz%", "/a%2Fb%23%25%C3%A9%zz%"),
            ("/%E2%82%AC%4", "/%E2%82%AC%4"),
        ] {
            assert_eq!(spelt(sent.parse().unwrap()).to_string(), meant);
        }
    }

    #[test]
    fn values_of_one_header_are_joined() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("a", "1"), ("a", "2"), ("b", "3"), ("cookie", "x=1"), ("cookie", "y=2")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        join(&mut headers);
        let of = |name: &str| headers.get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!((of("a"), of("b"), of("cookie")), (vec!["1,2"], vec!["3"], vec!["x=1; y=2"]));
    }
}
