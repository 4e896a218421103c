//! What the stories share: a simulator with a clock moved by hand, a client that speaks to its router, and a webhook
//! whose behaviour can be chosen.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;
use trunkline_simulator::{Clock, Config, Credentials, Simulator};

pub(crate) const ACCOUNT: &str = "/restapi/v1.0/account/~";
pub(crate) const SUBSCRIPTION: &str = "/restapi/v1.0/subscription";
pub(crate) const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A small world whose clock stands still at noon.
pub(crate) fn config() -> Config {
    let noon = "2026-03-01T12:00:00Z".parse().unwrap();
    Config { clock: Clock::manual(noon), extensions: 60, calls: 400, messages: 300, ..Config::default() }
}

pub(crate) fn simulator() -> Simulator {
    Simulator::new(config())
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn code(&self) -> &str {
        self.body["errors"][0]["errorCode"].as_str().unwrap_or_default()
    }

    pub(crate) fn records(&self) -> &Vec<Value> {
        self.body["records"].as_array().unwrap()
    }

    /// The path and query of a link in `navigation`.
    pub(crate) fn link(&self, name: &str) -> Option<String> {
        let uri = self.body["navigation"][name]["uri"].as_str()?;
        Some(uri.strip_prefix("http://rc.test").unwrap().to_owned())
    }
}

/// Sends a request to the router and reads the answer.
pub(crate) async fn ask(simulator: &Simulator, request: Request<Body>) -> Answer {
    let response = simulator.router().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 24).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: head.status, headers: head.headers, body }
}

/// A token request of an app.
pub(crate) async fn token_request(simulator: &Simulator, app: &Credentials, form: &[(&str, &str)]) -> Answer {
    oauth_request(simulator, "token", app, form).await
}

pub(crate) async fn oauth_request(
    simulator: &Simulator,
    endpoint: &str,
    app: &Credentials,
    form: &[(&str, &str)],
) -> Answer {
    let basic = format!("{}:{}", app.client_id, app.client_secret);
    let basic = base64::engine::general_purpose::STANDARD.encode(basic);
    let request = Request::post(format!("/restapi/oauth/{endpoint}"))
        .header("authorization", format!("Basic {basic}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(serde_urlencoded::to_string(form).unwrap()))
        .unwrap();
    ask(simulator, request).await
}

/// A client that is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) simulator: Simulator,
    pub(crate) token: String,
}

impl Client {
    pub(crate) async fn login(simulator: &Simulator) -> Self {
        Self::login_as(simulator, &Credentials::default()).await
    }

    pub(crate) async fn login_as(simulator: &Simulator, app: &Credentials) -> Self {
        let answer = token_request(simulator, app, &[("grant_type", JWT), ("assertion", &app.jwt)]).await;
        let token = answer.body["access_token"].as_str().unwrap().to_owned();
        Self { simulator: simulator.clone(), token }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "rc.test")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        ask(&self.simulator, request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null).await
    }

    pub(crate) async fn account(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, &format!("{ACCOUNT}{path}"), body).await
    }

    pub(crate) async fn subscribe(&self, filters: &[&str], address: &str) -> Answer {
        let mode = json!({"transportType": "WebHook", "address": address, "verificationToken": "s3cret"});
        self.send("POST", SUBSCRIPTION, json!({"eventFilters": filters, "deliveryMode": mode})).await
    }
}

/// How a webhook answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Good,
    NoEcho,
    WrongStatus(u16),
    NoMedia,
    Large,
    Silent,
}

#[derive(Debug)]
struct Heard {
    manner: Manner,
    calls: Vec<(HeaderMap, Value)>,
}

/// A webhook on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) address: String,
    heard: Arc<Mutex<Heard>>,
}

impl Hook {
    pub(crate) async fn open() -> Self {
        let heard = Arc::new(Mutex::new(Heard { manner: Manner::Good, calls: Vec::new() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&heard));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, heard }
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.heard.lock().unwrap().manner = manner;
    }

    /// Notifications so far, handshakes excluded.
    pub(crate) fn notifications(&self) -> Vec<(HeaderMap, Value)> {
        let heard = self.heard.lock().unwrap();
        heard.calls.iter().filter(|(headers, _)| !headers.contains_key("validation-token")).cloned().collect()
    }

    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.notifications().into_iter().map(|(_, body)| body).collect()
    }
}

async fn answer(State(heard): State<Arc<Mutex<Heard>>>, headers: HeaderMap, body: Bytes) -> Response {
    let token = headers.get("validation-token").cloned();
    let manner = {
        let mut heard = heard.lock().unwrap();
        heard.calls.push((headers, serde_json::from_slice(&body).unwrap_or(Value::Null)));
        heard.manner
    };
    let mut response = StatusCode::OK.into_response();
    if manner == Manner::Silent {
        return std::future::pending().await;
    }
    if manner != Manner::NoMedia {
        response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    }
    if let Some(token) = token.filter(|_| manner != Manner::NoEcho) {
        response.headers_mut().insert("validation-token", token);
    }
    match manner {
        Manner::WrongStatus(status) => *response.status_mut() = StatusCode::from_u16(status).unwrap(),
        Manner::Large => *response.body_mut() = Body::from("x".repeat(1024)),
        _ => {}
    }
    response
}
