//! Every answer that the gateway gives in a story, held against `docs/openapi.json`: path, method, status, headers, body.
//!
//! It stands between a function and the caller, so that no story has to ask for it. What does not fit is kept, and fails the
//! story at its end. The page of the docs is let through, and what the receiver says at addresses that it gives to nobody.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method,
        header::{CONTENT_TYPE, EXPECT, HOST},
        response::Parts,
    },
    middleware::Next,
    response::Response,
};
use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json, value::RawValue};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
/// Headers that a client must not find undescribed. The others are HTTP's own.
const TOLD: [&str; 7] = [
    "retry-after",
    "ratelimit",
    "ratelimit-policy",
    "x-request-id",
    "idempotency-replayed",
    "allow",
    "location",
];

/// The answers of this process that were held against the description.
static COUNT: AtomicU64 = AtomicU64::new(0);
static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    let text = fs::read_to_string(FILE).expect("the description is checked in");
    Description::new(serde_json::from_str(&text).expect("the description is JSON"))
});

/// What of a world's answers does not fit. Fails the story when it is dropped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described(Arc<Mutex<Vec<String>>>);

impl Described {
    /// Takes the answer of a function on its way to the caller.
    pub(crate) async fn pass(self, request: Request, next: Next) -> Response {
        let (method, path) = (request.method().clone(), spelt(request.uri().path()));
        let is_api = path.starts_with("/api/")
            && path != "/api/openapi.json"
            && !is_handshake(&method, &path)
            && is_request(request.headers());
        let response = next.run(request).await;
        if !is_api {
            return response;
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole answer");
        let wrong = DESCRIPTION.check(&method, &path, &parts, &body);
        self.wrong().extend(wrong.iter().map(|what| format!("{method} {path} → {}: {what}", parts.status)));
        COUNT.fetch_add(1, Ordering::Relaxed);
        Response::from_parts(parts, Body::from(body))
    }

    fn wrong(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The world's own, which ends its story; the servers have their copies.
#[derive(Debug, Default)]
pub(crate) struct Verdict(pub(crate) Described);

impl Drop for Verdict {
    fn drop(&mut self) {
        report();
        let wrong = std::mem::take(&mut *self.0.wrong());
        let fits = wrong.is_empty() || std::thread::panicking();
        assert!(fits, "answers that docs/openapi.json does not describe:\n{}", wrong.join("\n"));
    }
}

/// Whether a function is asked at all: what is no request by RFC 9112 is refused before.
fn is_request(headers: &HeaderMap) -> bool {
    let continues = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    headers.contains_key(HOST) && headers.get_all(EXPECT).iter().all(continues)
}

/// A path as functions get it, segment by segment.
fn spelt(path: &str) -> String {
    let plain = |segment| percent_decode_str(segment).decode_utf8_lossy().replace('/', "%2F");
    path.split('/').map(plain).collect::<Vec<_>>().join("/")
}

/// Whether a request is to one of the receiver's other addresses: it is described by the one that subscriptions get.
fn is_handshake(method: &Method, path: &str) -> bool {
    let posted = method == Method::POST;
    path == "/api/webhooks/validate"
        || path == "/api/webhooks/events" && posted
        || path.starts_with("/api/webhooks/events/") && !(posted && path.split('/').count() == 6)
}

/// Tells how many answers there were so far, by test binary: `answers/api` in the target folder.
fn report() {
    static WRITING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let binary = std::env::current_exe().expect("the path of this program");
    let target = binary.ancestors().nth(3).unwrap_or(Path::new("target"));
    let name = binary.file_stem().and_then(|name| name.to_str()).unwrap_or("unknown");
    let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
    fs::create_dir_all(target.join("answers")).expect("a folder for figures");
    let count = COUNT.load(Ordering::Relaxed).to_string();
    fs::write(target.join("answers").join(name), count).expect("a figure");
}

/// The description, and the schemas of bodies once they were compiled, by where they stand.
struct Description {
    whole: Value,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Description {
    fn new(whole: Value) -> Self {
        Self { whole, compiled: Mutex::default() }
    }

    /// What is wrong with an answer.
    fn check(&self, method: &Method, path: &str, parts: &Parts, body: &Bytes) -> Vec<String> {
        let (path, operation) = self.operation(method, path);
        let status = parts.status.as_str();
        let at = match operation.is_object() {
            true => format!("/paths/{}/{}/responses/{status}", escaped(path), asked(method)),
            false => format!("/components/responses/{}", elsewhere(status)),
        };
        let Some((at, response)) = self.resolved(at) else {
            return vec!["this status is not described".to_owned()];
        };
        let mut wrong = self.headers(response, &parts.headers);
        wrong.extend(self.body(method, &at, response, &parts.headers, body));
        wrong
    }

    /// The operation that serves a path, with its template. A template's fixed segments win over its parameters.
    fn operation(&self, method: &Method, path: &str) -> (&str, &Value) {
        let segments: Vec<&str> = path.split('/').collect();
        let mut best: Option<(usize, &str, &Value)> = None;
        for (template, item) in self.whole["paths"].as_object().into_iter().flatten() {
            let parts: Vec<&str> = template.split('/').collect();
            let fits = |(part, segment): (&&str, &&str)| part.starts_with('{') || part == segment;
            if parts.len() != segments.len() || !parts.iter().zip(&segments).all(fits) {
                continue;
            }
            let parameters = parts.iter().filter(|part| part.starts_with('{')).count();
            if best.is_none_or(|(known, ..)| parameters < known) {
                best = Some((parameters, template, item));
            }
        }
        best.map_or(("", &Value::Null), |(_, template, item)| (template, &item[asked(method)]))
    }

    /// What stands at a place, and where it really stands if that is a reference.
    fn resolved(&self, at: String) -> Option<(String, &Value)> {
        let value = self.whole.pointer(&at)?;
        match value["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
            Some(to) => self.resolved(to.to_owned()),
            None => Some((at, value)),
        }
    }

    fn headers(&self, response: &Value, given: &HeaderMap) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut told = Vec::new();
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let header = match header["$ref"].as_str().and_then(|to| to.strip_prefix('#')) {
                Some(to) => self.whole.pointer(to).unwrap_or(&Value::Null),
                None => header,
            };
            match given.get(name).map(|value| value.to_str().unwrap_or_default()) {
                Some(value) if header["schema"]["type"] == "integer" && value.parse::<u64>().is_err() => {
                    wrong.push(format!("the header {name} is no integer"));
                }
                None if header["required"] == true => wrong.push(format!("the header {name} is missing")),
                _ => {}
            }
            told.push(name.to_ascii_lowercase());
        }
        let untold =
            TOLD.iter().filter(|name| given.contains_key(**name) && !told.iter().any(|t| t == *name));
        wrong.extend(untold.map(|name| format!("the header {name} is not described")));
        wrong
    }

    fn body(
        &self,
        method: &Method,
        at: &str,
        response: &Value,
        given: &HeaderMap,
        body: &Bytes,
    ) -> Vec<String> {
        let kind = given.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let contents = response["content"].as_object();
        if contents.is_none() && body.is_empty() {
            return Vec::new();
        }
        let Some(content) = contents.and_then(|contents| contents.get(kind)) else {
            return vec![format!("the content type {kind:?} is not described")];
        };
        if method == Method::HEAD {
            return Vec::new();
        }
        let body = match serde_json::from_slice::<Value>(body) {
            Ok(body) => body,
            // What was received is listed byte for byte, and may hold what no value can: `1e400`, half of an emoji.
            Err(_) if serde_json::from_slice::<Box<RawValue>>(body).is_ok() => return Vec::new(),
            Err(error) => return vec![format!("the body is no JSON: {error}")],
        };
        let schema = self.schema(&format!("{at}/content/{}/schema", escaped(kind)), &content["schema"]);
        let mut wrong: Vec<String> =
            schema.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if let (Some(kinds), Some(kind)) = (response["x-problems"].as_array(), body["type"].as_str()) {
            let name = kind.rsplit(':').next().unwrap_or_default();
            if !kinds.iter().any(|kind| kind == name) {
                wrong.push(format!("the problem {name} is not described"));
            }
        }
        wrong
    }

    fn schema(&self, at: &str, schema: &Value) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let whole = json!({ "allOf": [schema], "components": self.whole["components"] });
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&whole).expect("a schema of the description"))
        };
        Arc::clone(compiled.entry(at.to_owned()).or_insert_with(new))
    }
}

/// The answer to what is no operation.
fn elsewhere(status: &str) -> &'static str {
    match status {
        // No path at all: one that climbs.
        "400" => "InvalidRequest",
        "401" => "Unauthorized",
        "404" => "NotFound",
        "405" => "MethodNotAllowed",
        "503" => "StoreUnavailable",
        _ => "none",
    }
}

/// The key of an operation; HEAD is GET without a body.
fn asked(method: &Method) -> String {
    // `get` is another method than `GET`.
    let known = method.as_str().bytes().all(|letter| letter.is_ascii_uppercase());
    match method == Method::HEAD {
        true => "get".to_owned(),
        false if known => method.as_str().to_ascii_lowercase(),
        false => "none".to_owned(),
    }
}

fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(method: &str, path: &str, response: axum::http::response::Builder, body: &str) -> Vec<String> {
        let (parts, body) =
            response.body(Bytes::copy_from_slice(body.as_bytes())).expect("an answer").into_parts();
        DESCRIPTION.check(&method.parse().expect("a method"), path, &parts, &body)
    }

    fn json(status: u16) -> axum::http::response::Builder {
        axum::http::Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("x-request-id", "one")
    }

    #[test]
    fn what_is_not_described_is_told() {
        let site = r#"{"id":"main-site","name":"Main Site"}"#;
        assert!(wrong("POST", "/api/sites", json(201), site).is_empty());
        for (what, found) in [
            ("status", wrong("POST", "/api/sites", json(202), site)),
            ("operation", wrong("POST", "/api/nothing", json(201), site)),
            ("body", wrong("POST", "/api/sites", json(201), r#"{"id":7}"#)),
            ("missing field", wrong("POST", "/api/sites", json(201), r#"{"name":"Main Site"}"#)),
            ("no JSON", wrong("POST", "/api/sites", json(201), "a site")),
            ("header", wrong("POST", "/api/sites", json(201).header("location", "/api/sites/1"), site)),
            ("content type", wrong("DELETE", "/api/extensions/1", json(204), "{}")),
        ] {
            assert_eq!(found.len(), 1, "{what}: {found:?}");
        }
    }

    #[test]
    fn a_problem_has_the_headers_and_the_type_that_its_operation_names() {
        let problem =
            |kind: &str| format!(r#"{{"type":"urn:trunkline:problem:{kind}","title":"…","status":429}}"#);
        let answer = || {
            axum::http::Response::builder()
                .status(429)
                .header("content-type", "application/problem+json")
                .header("x-request-id", "one")
        };
        let limited = problem("rate-limited");
        assert!(wrong("GET", "/api/sites", answer().header("retry-after", "3"), &limited).is_empty());
        for found in [
            wrong("GET", "/api/sites", answer(), &limited),
            wrong("GET", "/api/sites", answer().header("retry-after", "soon"), &limited),
            wrong("GET", "/api/sites", answer().header("retry-after", "3"), &problem("circuit-open")),
        ] {
            assert_eq!(found.len(), 1, "{found:?}");
        }
    }
}
