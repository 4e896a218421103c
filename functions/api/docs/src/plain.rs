//! The page's files for whoever reads no gzip: they lie in the binary compressed, and are sent so to browsers.

use std::io::{self, Read};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{
        HeaderMap, HeaderValue,
        header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, VARY},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use flate2::read::GzDecoder;
use trunkline_http::{Problem, Type};

/// The largest file of the page has a tenth of this, compressed (bytes).
const LIMIT: usize = 4 * 1024 * 1024;

/// Unpacks what the caller could not.
pub(crate) async fn readable(request: Request, next: Next) -> Response {
    let unpacks = accepts_gzip(request.headers());
    let mut response = next.run(request).await;
    if response.headers().get(CONTENT_ENCODING).is_none_or(|encoding| encoding != "gzip") {
        return response;
    }
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    if unpacks {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    match unpacked(body).await {
        Ok(text) => {
            parts.headers.remove(CONTENT_ENCODING);
            parts.headers.remove(CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(text))
        }
        Err(error) => Problem::new(Type::Internal).caused_by(&error).into_response(),
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = named.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let refused =
            quality.trim().strip_prefix("q=").and_then(|quality| quality.parse::<f32>().ok()) == Some(0.0);
        ["gzip", "*"].contains(&name.trim()) && !refused
    })
}

async fn unpacked(body: Body) -> io::Result<Vec<u8>> {
    let packed = to_bytes(body, LIMIT).await.map_err(io::Error::other)?;
    let mut text = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_does_not_say_gzip_gets_none() {
        let accepts = |value: &'static str| {
            accepts_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        assert!(accepts("gzip") && accepts("br, gzip;q=0.5") && accepts("*"));
        assert!(
            !accepts("")
                && !accepts("identity")
                && !accepts("gzip;q=0, br")
                && !accepts_gzip(&HeaderMap::new())
        );
    }
}
