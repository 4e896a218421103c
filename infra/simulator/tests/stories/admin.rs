//! The same levers over HTTP.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use trunkline_simulator::Simulator;

use crate::support::*;

async fn sim(simulator: &Simulator, method: &str, path: &str, body: Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/_sim/{path}"))
        .header("host", "127.0.0.1")
        .header("authorization", format!("Bearer {}", simulator.admin_key().expose()))
        .header("content-type", "application/json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    ask(simulator, request.body(body).unwrap()).await
}

#[tokio::test]
async fn the_world_can_be_watched_and_steered_from_outside() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let hook = Hook::open().await;
    client.subscribe(&["/restapi/v1.0/account/~/telephony/sessions"], &hook.address).await;

    let order = json!({"count": 20, "kinds": ["telephony"], "duplicates": 0.5, "reorder": true, "seed": 5});
    let made = sim(&simulator, "POST", "events", order).await.body;
    assert_eq!(made["distinct"], 20);
    assert_eq!(sim(&simulator, "GET", "events/status", Value::Null).await.body["pending"], made["sends"]);
    let clock = sim(&simulator, "POST", "clock", json!({"advance_ms": 1500})).await.body;
    assert_eq!(clock, json!({"now": "2026-03-01T12:00:01.500Z", "scale": 1.0, "manual": true}));
    let status = sim(&simulator, "GET", "events/status", Value::Null).await.body;
    assert_eq!(status, json!({"pending": 0, "delivered": made["sends"], "failed": 0}));
    let events = sim(&simulator, "GET", "truth/events", Value::Null).await.body;
    assert_eq!(events.as_array().unwrap().len(), 20);
    assert!(events[0]["subscriptionId"].is_string() && events[0]["telephonySessionId"].is_string());

    let account = simulator.truth()["account_id"].clone();
    let event = format!("/restapi/v1.0/account/{account}/extension/{account}/telephony/sessions");
    let raw = sim(&simulator, "POST", "events/raw", json!({"event": event, "body": {"x": 1}, "sends": 2}))
        .await
        .body;
    assert_eq!((&raw["distinct"], &raw["sends"]), (&1.into(), &2.into()));
    sim(&simulator, "POST", "tick", Value::Null).await;
    assert_eq!(hook.bodies().iter().filter(|one| one["uuid"] == raw["uuids"][0]).count(), 2);

    let stats = sim(&simulator, "GET", "stats", Value::Null).await.body;
    assert_eq!(stats["requests"], json!({"getToken": 1, "createSubscription": 1}));
    assert_eq!((&stats["throttled"], &stats["tokens_issued"]), (&0.into(), &1.into()));
    assert_eq!(stats["deliveries"]["accepted"], made["sends"].as_u64().unwrap() + 2);
    let medium = stats["buckets"].as_array().unwrap().iter().find(|one| one["group"] == "medium").unwrap();
    assert_eq!((&medium["limit"], &medium["largest_in_window"]), (&40.into(), &1.into()));
}

#[tokio::test]
async fn faults_limits_and_reset_over_http() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let fault =
        json!({"kind": "error", "match": {"path": "/restapi/v1.0/account", "method": "get"}, "count": 2});
    let id = sim(&simulator, "POST", "faults", fault).await.body["id"].clone();
    assert_eq!(client.get(ACCOUNT).await.status, 503);
    let listed = sim(&simulator, "GET", "faults", Value::Null).await.body;
    assert_eq!((&listed[0]["id"], &listed[0]["count"]), (&id, &1.into()));
    assert_eq!(sim(&simulator, "DELETE", "faults", Value::Null).await.status, 204);
    assert_eq!(client.get(ACCOUNT).await.status, 200);
    assert_eq!(sim(&simulator, "POST", "faults", json!({"kind": "meteor"})).await.status, 422);
    assert_eq!(sim(&simulator, "POST", "faults", json!({"kind": "error", "status": 200})).await.status, 422);

    let unknown = sim(&simulator, "POST", "events", json!({"count": 1, "kinds": ["weather"]})).await;
    assert_eq!(unknown.status, 422);

    let limits = json!({"light": {"limit": 3, "window_seconds": 10.0}});
    assert_eq!(sim(&simulator, "POST", "limits", limits.clone()).await.body["light"], limits["light"]);
    assert_eq!(client.get(ACCOUNT).await.header("x-rate-limit-limit"), "3");

    let before = simulator.truth();
    let created = json!({"contact": {"firstName": "Ada", "email": "ada@acme.example"}});
    let id = client.account("POST", "/extension", created).await.body["id"].clone();
    let seen = sim(&simulator, "GET", &format!("truth/extensions/{id}"), Value::Null).await;
    assert_eq!(seen.body["contact"]["firstName"], "Ada");
    sim(&simulator, "POST", "reset", Value::Null).await;
    assert_eq!(sim(&simulator, "GET", "truth", Value::Null).await.body, before);
    assert_eq!(client.get(ACCOUNT).await.code(), "OAU-149");
    assert_eq!(simulator.limits().light.requests, 50);
    let calls = sim(&simulator, "GET", "truth/calls", Value::Null).await.body;
    assert_eq!(calls.as_array().unwrap().len(), 400);
    let messages = sim(&simulator, "GET", "truth/messages", Value::Null).await.body;
    assert_eq!(
        messages.as_object().unwrap().values().map(|one| one.as_array().unwrap().len()).sum::<usize>(),
        300
    );
}

#[tokio::test]
async fn regression_the_levers_are_for_who_has_the_key_and_asks_this_machine() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let created = json!({"contact": {"firstName": "Ada", "email": "ada@acme.example"}});
    let id = client.account("POST", "/extension", created).await.body["id"].clone();
    let key = format!("Bearer {}", simulator.admin_key().expose());
    let reset = async |headers: &[(&str, &str)]| {
        let request = headers
            .iter()
            .fold(Request::post("/_sim/reset"), |request, (name, value)| request.header(*name, *value));
        ask(&simulator, request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    let (here, key) = (("host", "127.0.0.1:8180"), ("authorization", key.as_str()));
    assert_eq!(reset(&[here]).await, 401, "without the key");
    assert_eq!(reset(&[here, ("authorization", "Bearer 0123456789ABCDEF")]).await, 401, "with another key");
    assert_eq!(reset(&[("host", "evil.example"), key]).await, 403, "a foreign host");
    assert_eq!(reset(&[here, ("origin", "https://evil.example"), key]).await, 403, "a foreign page");
    assert_eq!(client.account("GET", &format!("/extension/{id}"), Value::Null).await.status, 200);
    assert_eq!(reset(&[here, key]).await, 200);
    assert_eq!(client.get(ACCOUNT).await.code(), "OAU-149");
}

#[tokio::test]
async fn the_index_names_every_lever() {
    let index = sim(&simulator(), "GET", "", Value::Null).await;
    assert_eq!(index.status, 200);
    let text = index.body.to_string();
    for lever in ["stats", "truth/subscriptions", "events/raw", "faults", "clock", "limits", "reset"] {
        assert!(text.contains(lever), "{lever}");
    }
}
