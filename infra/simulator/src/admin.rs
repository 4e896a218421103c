//! The admin endpoints under `/_sim`: figures, the truth, faults, events, clock, limits, reset. They have no rate limit and are no
//! part of the platform: they are for tests and operators on the same machine, who have their key.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, Request, State as Extract};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::{HeaderValue, StatusCode, header};
use loopback::{Guard, Refusal};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::iso;
use crate::config::{Group, Limit, Limits};
use crate::events::log::EventRecord;
use crate::events::{EventsMade, EventsOrder, EventsStatus, RawEvent};
use crate::faults::Fault;
use crate::simulator::Simulator;
use crate::state::State;
use crate::stats::Stats;
use crate::subscriptions::filter::Topic;

type Sim = Extract<Simulator>;

/// The routes, all of them under `/_sim`.
pub(crate) fn router(simulator: Simulator) -> Router {
    let guard = Guard::new(simulator.admin_key().clone());
    Router::new()
        .route(
            "/_sim/",
            get(async || {
                Json(
                    json!({ "endpoints": INDEX.map(|(what, how)| json!({ "endpoint": what, "does": how })) }),
                )
            }),
        )
        .route("/_sim/stats", get(stats))
        .route("/_sim/truth", get(async |Extract(sim): Sim| Json(sim.truth())))
        .route("/_sim/truth/extensions/{id}", get(extension))
        .route("/_sim/truth/calls", get(calls))
        .route("/_sim/truth/messages", get(messages))
        .route("/_sim/truth/subscriptions", get(subscriptions))
        .route("/_sim/truth/events", get(all_events))
        .route("/_sim/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_sim/faults/{id}", delete(remove_fault))
        .route("/_sim/events", post(events))
        .route("/_sim/events/raw", post(raw_event))
        .route("/_sim/events/status", get(events_status))
        .route("/_sim/clock", get(clock).post(set_clock))
        .route("/_sim/tick", post(tick))
        .route("/_sim/limits", get(limits).post(set_limits))
        .route("/_sim/reset", post(reset))
        .layer(middleware::from_fn_with_state(guard, guarded))
        .with_state(simulator)
}

/// What there is, for who asks for nothing in particular.
const INDEX: [(&str, &str); 19] = [
    ("GET stats", "what was counted: requests, 429, windows, sessions, deliveries"),
    ("GET truth", "the account as it is: ids, sites, all extensions"),
    ("GET truth/extensions/{id}", "one extension"),
    ("GET truth/calls", "the call log"),
    ("GET truth/messages", "the mailboxes"),
    ("GET truth/subscriptions", "the subscriptions, with their owners and what is under way"),
    ("GET truth/events", "every event so far"),
    (
        "POST events",
        r#"makes events up: {"count": 100, "kinds": ["telephony"], "duplicates": 0.05, "reorder": true}"#,
    ),
    (
        "POST events/raw",
        r#"one delivery by hand: {"event": "/restapi/v1.0/account/ID/telephony/sessions", "body": {}, "sends": 1}"#,
    ),
    ("GET events/status", "how the notifications fare"),
    ("GET faults", "what goes wrong on demand"),
    (
        "POST faults",
        r#"lets something go wrong: {"kind": "force_429", "count": 1, "match": {"operation": "listExtensions"}}"#,
    ),
    ("DELETE faults", "ends all faults; DELETE faults/{id} one"),
    ("GET clock", "the simulated time"),
    ("POST clock", r#"{"advance_ms": 60000} or {"scale": 10}"#),
    ("POST tick", "carries out what is due, where the clock is moved by hand"),
    ("GET limits", "the rate limits"),
    ("POST limits", r#"changes them: {"light": {"limit": 5, "window_seconds": 60}}"#),
    ("POST reset", "a clean world from the same seed"),
];

/// Lets in who has the key.
async fn guarded(Extract(guard): Extract<Guard>, request: Request, next: Next) -> Response {
    let refusal = match guard.check(request.headers(), request.uri()) {
        Ok(()) => return next.run(request).await,
        Err(refusal) => refusal,
    };
    let status = match refusal {
        Refusal::Foreign => StatusCode::FORBIDDEN,
        Refusal::Stranger => StatusCode::UNAUTHORIZED,
    };
    let hint = "Use the URL in <data>/simulator-endpoint, or the second line that ringcentral-simulator prints: both carry the key.";
    let mut response = (status, Json(json!({ "error": refusal.to_string(), "hint": hint }))).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"simulator\""));
    }
    response
}

async fn stats(Extract(sim): Sim) -> Json<Stats> {
    Json(sim.stats())
}

/// The account as it is, extensions without the host of their links.
pub(crate) fn truth(state: &State) -> Value {
    let world = &state.world;
    let extensions: Vec<Value> = world.extensions.values().map(|one| one.render(world, "")).collect();
    let sites: Vec<Value> = world.sites.iter().map(|one| one.render(world, "")).collect();
    json!({
        "account_id": world.account_id,
        "seed": state.config.seed,
        "counts": {
            "extensions": extensions.len(),
            "sites": sites.len(),
            "calls": world.calls.len(),
            "messages": world.mailboxes.values().map(Vec::len).sum::<usize>(),
            "subscriptions": state.subscriptions.list.len(),
            "events": state.events.records.len(),
        },
        "users": world.enabled_users(),
        "sites": sites,
        "extensions": extensions,
    })
}

async fn extension(Extract(sim): Sim, Path(id): Path<u64>) -> Result<Json<Value>, StatusCode> {
    sim.extension(id).map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn calls(Extract(sim): Sim) -> Json<Value> {
    let (state, now) = (sim.lock(), sim.clock().now());
    let log = format!("{}/call-log", state.world.account_path());
    let calls = state.world.calls.iter();
    Json(calls.map(|one| one.render(&state.world, "", &log, true, now)).collect())
}

async fn messages(Extract(sim): Sim) -> Json<Value> {
    let state = sim.lock();
    let owned = |(extension, mailbox): (&u64, &Vec<_>)| {
        let rendered: Vec<Value> = mailbox
            .iter()
            .map(|one: &crate::world::messages::Message| one.render(&state.world, ""))
            .collect();
        (extension.to_string(), Value::Array(rendered))
    };
    Json(Value::Object(state.world.mailboxes.iter().map(owned).collect::<Map<_, _>>()))
}

async fn subscriptions(Extract(sim): Sim) -> Json<Value> {
    let (state, now) = (sim.lock(), sim.clock().now());
    let all = state.subscriptions.list.iter().map(|one| {
        let mut shown = one.render("", sim.clock(), now);
        shown["owner"] = json!({"client_id": one.owner.client_id, "user": one.owner.user});
        shown["pending"] = json!(one.queue.len() + one.in_flight);
        shown
    });
    Json(all.collect())
}

async fn all_events(Extract(sim): Sim) -> Json<Vec<EventRecord>> {
    Json(sim.events())
}

async fn faults(Extract(sim): Sim) -> Json<Value> {
    let all = sim.faults().into_iter().map(|(id, fault)| {
        let mut shown = json!(fault);
        shown["id"] = json!(id);
        shown
    });
    Json(all.collect())
}

async fn add_fault(Extract(sim): Sim, Json(fault): Json<Fault>) -> Result<Json<Value>, StatusCode> {
    if fault.status.is_some_and(|status| !(400..600).contains(&status)) {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    Ok(Json(json!({"id": sim.add_fault(fault)})))
}

async fn clear_faults(Extract(sim): Sim) -> StatusCode {
    sim.clear_faults();
    StatusCode::NO_CONTENT
}

async fn remove_fault(Extract(sim): Sim, Path(id): Path<u64>) -> StatusCode {
    if sim.remove_fault(id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

async fn events(Extract(sim): Sim, Json(order): Json<EventsOrder>) -> Result<Json<EventsMade>, StatusCode> {
    if order.kinds.iter().any(|kind| !Topic::KINDS.contains(&kind.as_str())) {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    Ok(Json(sim.generate_events(&order)))
}

async fn raw_event(Extract(sim): Sim, Json(raw): Json<RawEvent>) -> Json<Value> {
    let uuids = sim.send_event(&raw);
    Json(json!({"distinct": uuids.len(), "sends": uuids.len() * raw.sends, "uuids": uuids}))
}

async fn events_status(Extract(sim): Sim) -> Json<EventsStatus> {
    Json(sim.events_status())
}

/// A change of the clock. Both fields may be absent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    /// Simulated milliseconds to move forward.
    #[serde(default)]
    advance_ms: u64,
    /// New speed of a scaled clock.
    #[serde(default)]
    scale: Option<f64>,
}

async fn clock(Extract(sim): Sim) -> Json<Value> {
    Json(shown_clock(&sim))
}

fn shown_clock(sim: &Simulator) -> Value {
    let clock = sim.clock();
    json!({"now": iso(clock.now()), "scale": clock.scale(), "manual": clock.is_manual()})
}

async fn set_clock(Extract(sim): Sim, Json(change): Json<ClockChange>) -> Json<Value> {
    if let Some(scale) = change.scale {
        sim.clock().set_scale(scale);
    }
    sim.clock().advance(Duration::from_millis(change.advance_ms));
    if sim.clock().is_manual() {
        sim.tick().await;
    } else {
        sim.wake();
    }
    Json(shown_clock(&sim))
}

async fn tick(Extract(sim): Sim) -> Json<EventsStatus> {
    sim.tick().await;
    Json(sim.events_status())
}

/// A change of limits. Whatever is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LimitsChange {
    enabled: Option<bool>,
    light: Option<LimitChange>,
    medium: Option<LimitChange>,
    heavy: Option<LimitChange>,
    auth: Option<LimitChange>,
    /// Operations that are counted in another group than their description says.
    operations: BTreeMap<String, Group>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitChange {
    limit: Option<u32>,
    /// Simulated seconds.
    window_seconds: Option<f64>,
}

async fn limits(Extract(sim): Sim) -> Json<Value> {
    Json(shown_limits(&sim.limits()))
}

fn shown_limits(limits: &Limits) -> Value {
    let mut shown = json!({"enabled": limits.enabled});
    for group in Group::ALL {
        let limit = limits.of(group);
        shown[group.name()] = json!({"limit": limit.requests, "window_seconds": limit.window.as_secs_f64()});
    }
    shown
}

async fn set_limits(Extract(sim): Sim, Json(change): Json<LimitsChange>) -> Result<Json<Value>, StatusCode> {
    let changes = [
        (Group::Light, change.light),
        (Group::Medium, change.medium),
        (Group::Heavy, change.heavy),
        (Group::Auth, change.auth),
    ];
    let current = sim.limits();
    let mut wanted = Vec::new();
    for (group, change) in changes {
        let Some(change) = change else { continue };
        let old = current.of(group);
        let window = match change.window_seconds.map(Duration::try_from_secs_f64) {
            None => old.window,
            Some(window) => window.map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?,
        };
        wanted.push((group, Limit { requests: change.limit.unwrap_or(old.requests), window }));
    }
    for (group, limit) in wanted {
        sim.set_limit(group, limit);
    }
    for (operation, group) in change.operations {
        sim.regroup(&operation, group);
    }
    if let Some(enabled) = change.enabled {
        sim.enforce_limits(enabled);
    }
    Ok(Json(shown_limits(&sim.limits())))
}

async fn reset(Extract(sim): Sim) -> Json<Value> {
    sim.reset();
    Json(json!({"reset": true}))
}
