//! How long an event can be read, and how long it is known: a dead letter may come back after fourteen days.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use trunkline::EventSource;
use trunkline_tests::World;

use crate::shapes::deliver;

const DAY: Duration = Duration::from_secs(86_400);

/// The dispatcher of a deployment that keeps events for so many days.
fn dispatcher(world: &World, days: u32) -> EventSource {
    let mut config = world.cloud.config(world.url.clone()).unwrap();
    config.event_retention_days = days;
    let clock = Arc::new(world.time.clone());
    let wiring = context::Wiring::new(&world.cloud.sdk, config, clock.clone()).unwrap();
    let dispatch = events_dispatch::Context::new(&wiring);
    EventSource::new(&world.cloud.sdk, world.cloud.events_queue.clone(), dispatch, clock)
}

async fn between(world: &World, from: i64, to: i64) -> Vec<Value> {
    let days_ago =
        |days: i64| (world.time.simulator.now() - jiff::SignedDuration::from_hours(24 * days)).to_string();
    world.events(&format!("&dateFrom={}&dateTo={}", days_ago(from), days_ago(to))).await
}

/// The table's items of events, as they are stored.
async fn items(world: &World) -> Vec<Value> {
    let items = world.items("trunkline-events").await.into_iter();
    items.filter(|item| !item["pk"]["S"].as_str().unwrap().contains("#journal#")).collect()
}

#[tokio::test]
async fn regression_a_dead_letter_that_comes_back_after_its_event_has_gone_is_still_recognised() {
    let world = World::new().await;
    let events = dispatcher(&world, 1);
    let call = "{\"uuid\":\"1\",\"subscriptionId\":\"s\",\"event\":\"/restapi/v1.0/account/1/telephony/sessions\",\
        \"body\":{\"telephonySessionId\":\"t\",\"sequence\":1,\"parties\":[]}}";
    assert_eq!(deliver(&world, call).await, 200);
    while events.step(0).await.unwrap() > 0 {}
    assert_eq!(between(&world, 1, 0).await.len(), 1);
    assert_eq!(world.get("/api/webhooks/sessions/t").await.status, 200);

    world.time.advance(2 * DAY);
    assert_eq!(between(&world, 10, 0).await, Vec::<Value>::new(), "its day is over");
    assert_eq!(world.events("&telephonySessionId=t").await, Vec::<Value>::new());
    assert_eq!(world.get("/api/webhooks/sessions/t").await.status, 404);

    let item = &items(&world).await[0];
    let expires: i64 = item["expires_at"]["N"].as_str().unwrap().parse().unwrap();
    world.time.advance(12 * DAY + DAY / 2);
    let now = world.time.simulator.now().as_second();
    assert!(expires >= now + 43_200, "DynamoDB may delete it after {} s", now - expires);
    // The letter lay with the dead ones for 14 days and a half.
    assert_eq!(deliver(&world, call).await, 200);
    while events.step(0).await.unwrap() > 0 {}
    assert_eq!(items(&world).await.len(), 1);
    assert_eq!(between(&world, 10, 0).await, Vec::<Value>::new(), "it was applied before");
}
