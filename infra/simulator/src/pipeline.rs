//! The way of a request: which operation, whose, counted, within the window, met by which fault, answered by whom.
//! The order is the contract: a request counts as arrived before anything can go wrong with it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use uuid::Uuid;

use crate::api;
use crate::api::subscriptions::Draft;
use crate::call::{Call, Owner, Query, Reply};
use crate::clock::Clock;
use crate::config::Group;
use crate::error::ApiError;
use crate::faults::{Fault, FaultKind, Plan, Scope, Target};
use crate::line::Switch;
use crate::oauth::{self, TokenRequest};
use crate::operation::{self, Operation};
use crate::simulator::Simulator;
use crate::state::State;
use crate::subscriptions::webhook;
use crate::throttle::{BucketKey, Verdict};

const LARGEST_BODY: usize = 1 << 20;
/// How long limits that are nobody's window stop their callers, simulated.
const PENALTY: Duration = Duration::from_secs(60);
const JSON: &str = "application/json;charset=utf-8";

/// Who was let in.
enum Caller {
    Client(TokenRequest),
    User(Owner),
}

/// Answers a request to the platform.
pub(crate) async fn handle(simulator: Simulator, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let switch = head.extensions.get::<ConnectInfo<Switch>>().map(|info| info.0.clone());
    let path = head.uri.path().to_owned();
    let Some((row, parameters)) = operation::find(&head.method, &path) else {
        let mut state = simulator.lock();
        state.counters.arrived("unknown", None);
        state.counters.answered(404);
        return respond(ApiError::new(StatusCode::NOT_FOUND, "CMN-120", "Invalid URI").into(), None);
    };
    let host = head.headers.get(HOST).and_then(|value| value.to_str().ok());
    let host = host.or(head.uri.authority().map(http::uri::Authority::as_str)).unwrap_or("127.0.0.1");
    let body = to_bytes(body, LARGEST_BODY).await;
    let mut call = Call {
        row,
        parameters,
        query: Query::parse(head.uri.query().unwrap_or_default()),
        base: format!("http://{host}"),
        path,
        headers: head.headers,
        body: body.as_ref().cloned().unwrap_or_default(),
        now: simulator.clock().now(),
    };
    let (caller, verdict, plan) = {
        let mut state = simulator.lock();
        // Read under the lock, so that the windows see time in order.
        call.now = simulator.clock().now();
        state.sweep(simulator.clock(), call.now);
        let group = state.group_of(row);
        state.counters.arrived(row.id, group);
        let (caller, verdict) = admit(&mut state, &call);
        let target = Target { path: &call.path, operation: row.id, method: row.method.as_str() };
        let plan = state.faults.plan(&target, caller.is_err());
        if let Ok(Caller::User(owner)) = &caller {
            call.path = canonical(&call, state.world.account_id, owner.user);
        }
        (caller, verdict, plan)
    };
    let caller = match body {
        Ok(_) => caller,
        Err(_) => Err(ApiError::bad_request("CMN-104", "Request cannot be parsed")),
    };
    let reply = carry_out(&simulator, &call, caller, &plan).await;
    let Some(mut reply) = reply else {
        simulator.lock().counters.answered(0);
        return cut(switch.as_ref(), plan.cut.as_ref());
    };
    if plan.empty && reply.status.is_success() {
        reply.body = None;
    }
    match plan.force_429 {
        Some(Scope::Account | Scope::Address) => {
            let wait = simulator.clock().client_seconds(PENALTY);
            reply.headers.push((RETRY_AFTER, wait.to_string()));
        }
        forced => {
            if let Some(verdict) = verdict {
                label(&mut reply, &verdict, forced.is_some(), simulator.clock());
            }
        }
    }
    simulator.lock().counters.answered(reply.status.as_u16());
    respond(reply, plan.truncate.as_ref())
}

/// The path as answers show it: ids in the place of `~`.
fn canonical(call: &Call, account: u64, user: u64) -> String {
    let own = [("accountId", account), ("extensionId", user)];
    let mut path = call.row.path.to_owned();
    for (name, given) in &call.parameters {
        let id =
            own.iter().find(|(parameter, _)| parameter == name && given == "~").map(|(_, id)| id.to_string());
        path = path.replace(&format!("{{{name}}}"), id.as_deref().unwrap_or(given));
    }
    path
}

/// Authenticates and counts: whoever is known spends a place in a window.
fn admit(state: &mut State, call: &Call) -> (Result<Caller, ApiError>, Option<Verdict>) {
    let group = state.group_of(call.row);
    let (caller, client_id, user) = if group == Some(Group::Auth) {
        match TokenRequest::read(call, &state.logins) {
            Ok(request) => {
                let user = request.user(&state.logins, &state.sessions).unwrap_or_default();
                let client_id = request.client_id.clone();
                (Caller::Client(request), client_id, user)
            }
            Err(error) => return (Err(error), None),
        }
    } else {
        let owner = oauth::bearer(call).and_then(|token| state.sessions.authenticate(token, call.now));
        match owner {
            Ok(owner) => (Caller::User(owner.clone()), owner.client_id, owner.user),
            Err(error) => return (Err(error), None),
        }
    };
    let Some(group) = group else { return (Ok(caller), None) };
    let verdict = state.throttle.arrive(BucketKey { client_id, user, group }, call.now);
    if verdict.retry_after.is_some() {
        return (Err(rate_exceeded()), Some(verdict));
    }
    let lacking = call.row.permission.filter(|wanted| !operation::allows(&state.config.permissions, wanted));
    match lacking {
        Some(permission) => (Err(ApiError::lacks_permission(permission)), Some(verdict)),
        None => (Ok(caller), Some(verdict)),
    }
}

fn rate_exceeded() -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "CMN-301", "Request rate exceeded")
}

/// Answers, with the faults that were planned. Absent: the client gets no answer.
async fn carry_out(
    simulator: &Simulator,
    call: &Call,
    caller: Result<Caller, ApiError>,
    plan: &Plan,
) -> Option<Reply> {
    let before = |fault: &Option<Fault>| fault.as_ref().is_some_and(|fault| !fault.after_apply);
    let slow = plan.slow.as_ref().map(|fault| Duration::from_millis(fault.delay_ms));
    if let Some(delay) = slow.filter(|_| before(&plan.slow)) {
        tokio::time::sleep(delay).await;
    }
    if before(&plan.cut) {
        return None;
    }
    let reply = match &plan.error {
        _ if plan.force_429 == Some(Scope::Address) => {
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "CMN-310", "Global request rate exceeded").into()
        }
        _ if plan.force_429.is_some() => rate_exceeded().into(),
        Some(fault) if !fault.after_apply => broken(fault),
        fault => {
            let answered = match caller {
                Ok(caller) => answer(simulator, call, &caller).await,
                Err(error) => Err(error),
            };
            // Before the answer, and before anything can cut it off.
            if call.row.method != Method::GET {
                simulator.keep();
            }
            let reply = answered.unwrap_or_else(Reply::from);
            fault.as_ref().map_or(reply, broken)
        }
    };
    if let Some(delay) = slow.filter(|_| !before(&plan.slow)) {
        tokio::time::sleep(delay).await;
    }
    if plan.cut.is_some() { None } else { Some(reply) }
}

async fn answer(simulator: &Simulator, call: &Call, caller: &Caller) -> Result<Reply, ApiError> {
    let clock = simulator.clock();
    match caller {
        Caller::Client(request) => {
            let mut guard = simulator.lock();
            let State { config, logins, sessions, .. } = &mut *guard;
            match call.row.operation {
                Operation::RevokeToken => Ok(request.revoke(call, sessions)),
                _ => request.token(call, config, clock, logins, sessions),
            }
        }
        Caller::User(owner) if call.row.operation == Operation::CreateSubscription => {
            let draft = {
                let state = simulator.lock();
                Draft::read(&state, &state.config, call, owner)?
            };
            let both = simulator.lock().config.verification_in_handshake;
            let verification = draft.verification_token().filter(|_| both);
            webhook::handshake(simulator.webhooks(), draft.address(), verification).await?;
            draft.store(&mut simulator.lock(), clock, call)
        }
        Caller::User(owner) => api::answer(&mut simulator.lock(), clock, call, owner),
    }
}

/// The answer of an `error` fault.
fn broken(fault: &Fault) -> Reply {
    let status = fault.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    match status {
        StatusCode::SERVICE_UNAVAILABLE => ApiError::new(status, "CMN-201", "Service Temporary Unavailable"),
        _ => ApiError::new(status, "CMN-203", status.canonical_reason().unwrap_or("Internal Server Error")),
    }
    .into()
}

/// Adds the headers of the rate limit; a rejection tells when to come back.
fn label(reply: &mut Reply, verdict: &Verdict, forced: bool, clock: &Clock) {
    let remaining = if forced { 0 } else { verdict.remaining };
    let window = clock.client_seconds(verdict.window);
    let name = HeaderName::from_static;
    reply.headers.push((name("x-rate-limit-group"), verdict.group.name().to_owned()));
    reply.headers.push((name("x-rate-limit-limit"), verdict.limit.to_string()));
    reply.headers.push((name("x-rate-limit-remaining"), remaining.to_string()));
    reply.headers.push((name("x-rate-limit-window"), window.to_string()));
    let retry_after = verdict.retry_after.or(forced.then_some(verdict.window));
    if let Some(wait) = retry_after.filter(|_| reply.status == StatusCode::TOO_MANY_REQUESTS) {
        reply.headers.push((RETRY_AFTER, clock.client_seconds(wait).to_string()));
    }
}

fn respond(reply: Reply, truncate: Option<&Fault>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("rcrequestid", id);
    }
    let Some(body) = reply.body else { return response };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    let whole = Bytes::from(body.to_string());
    let half = whole.slice(..whole.len() / 2);
    *response.body_mut() = match truncate {
        None => Body::from(whole),
        Some(fault) if fault.close => {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
            let broken = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
            Body::from_stream(stream::iter([Ok(half), Err(broken)]))
        }
        Some(_) => Body::from(half),
    };
    response
}

/// Ends the connection. In process there is none to end: a body that fails stands for it.
fn cut(switch: Option<&Switch>, fault: Option<&Fault>) -> Response {
    match switch {
        Some(switch) if fault.is_some_and(|fault| fault.kind == FaultKind::Reset) => switch.reset(),
        Some(switch) => switch.close(),
        None => {}
    }
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    let mut response = Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(broken)])));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
