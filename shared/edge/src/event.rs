//! A request as API Gateway or a function URL hands it over.

use std::collections::HashMap;

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header::COOKIE, uri::PathAndQuery};
use serde::Deserialize;
use trunkline_http::{Problem, Refused};

use crate::path;

/// An event of an HTTP API or of a function URL, in payload format 2.0 (AWS: *Working with AWS Lambda proxy integrations for
/// HTTP APIs*). Only what a request is made of; each part may be missing. It is never printed: it holds tokens and people.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Event {
    pub(crate) route_key: Option<String>,
    pub(crate) raw_path: Option<String>,
    pub(crate) path_parameters: Option<HashMap<String, String>>,
    pub(crate) request_context: Option<Context>,
    raw_query_string: Option<String>,
    headers: Option<HashMap<String, String>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Context {
    pub(crate) stage: Option<String>,
    http: Option<Http>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Http {
    method: Option<String>,
}

impl Event {
    /// The request that the caller sent. An event that can't be one becomes a request that every route refuses.
    pub fn request(mut self) -> Request<Body> {
        let body = body(self.body.take(), self.is_base64_encoded.unwrap_or(false));
        let mut refused = None;
        let mut request = Request::new(body);
        *request.headers_mut() = self.headers(&mut refused);
        match self.uri() {
            Some(uri) => *request.uri_mut() = uri,
            None => refused = Some(("path", "is no path of a URL")),
        }
        match self.method() {
            Some(method) => *request.method_mut() = method,
            None => refused = Some(("method", "is no method of HTTP")),
        }
        if let Some((field, reason)) = refused {
            request.extensions_mut().insert(Refused(Problem::field(field, reason)));
        }
        request
    }

    fn method(&self) -> Option<Method> {
        let name = self.request_context.as_ref()?.http.as_ref()?.method.as_deref()?;
        Method::from_bytes(name.as_bytes()).ok()
    }

    fn uri(&self) -> Option<Uri> {
        let mut text = path::of(self);
        if let Some(query) = self.raw_query_string.as_deref().filter(|query| !query.is_empty()) {
            text.push('?');
            text.push_str(&path::query(query));
        }
        PathAndQuery::try_from(text).ok().map(Uri::from)
    }

    /// API Gateway has joined values of one name by commas, and moved cookies to where nobody else's are.
    fn headers(&mut self, refused: &mut Option<(&str, &str)>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.take().unwrap_or_default() {
            match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                (Ok(name), Ok(value)) => drop(headers.insert(name, value)),
                _ => *refused = Some(("headers", "have a name or a value that no header has")),
            }
        }
        let cookies = self.cookies.take().unwrap_or_default().join("; ");
        if let Some(cookies) = HeaderValue::try_from(cookies).ok().filter(|cookies| !cookies.is_empty()) {
            headers.insert(COOKIE, cookies);
        }
        headers
    }
}

/// The body. Base64 that is none is a body that breaks off: whoever reads it says so.
fn body(text: Option<String>, base64: bool) -> Body {
    let text = text.unwrap_or_default();
    if !base64 {
        return Body::from(text);
    }
    match STANDARD.decode(text) {
        Ok(bytes) => Body::from(bytes),
        Err(error) => Body::from_stream(futures::stream::iter([Err::<Vec<u8>, _>(error)])),
    }
}
