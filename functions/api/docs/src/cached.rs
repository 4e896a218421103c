//! What a browser may do with the page: keep it as long as it is the same, load nothing from elsewhere, show it in no frame.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
            IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Swagger UI writes styles into its elements and pictures into its styles; scripts come from here alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// On every answer, errors too.
const ALWAYS: [(HeaderName, &str); 3] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Adds the headers, and answers 304 to whoever has the same already.
pub(crate) async fn cached(request: Request, next: Next) -> Response {
    let known = request.headers().clone();
    let mut response = next.run(request).await;
    if let Some(tag) = response.headers().get(ETAG) {
        let same = has(&known, tag);
        // To be kept, and to be asked for again each time: a gateway of tomorrow answers at the same addresses.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if same {
            let (mut parts, _) = response.into_parts();
            parts.status = StatusCode::NOT_MODIFIED;
            for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH] {
                parts.headers.remove(name);
            }
            response = (parts.status, parts.headers).into_response();
        }
    }
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether `If-None-Match` names this tag, or any.
fn has(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(tag) = tag.to_str().map(opaque) else { return false };
    let named = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|one| one.trim() == "*" || opaque(one) == tag)
}
