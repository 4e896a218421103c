//! Notifications on their way: envelope, retries, blacklisting, many at once.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_simulator::{Clock, Config, EventsOrder, RawEvent, Simulator};

use crate::support::*;

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";

async fn subscribed(simulator: &Simulator, hook: &Hook) -> (Client, String) {
    let client = Client::login(simulator).await;
    let created = client.subscribe(&[CALLS], &hook.address).await;
    assert_eq!(created.status, 200, "{}", created.body);
    (client, created.body["id"].as_str().unwrap().to_owned())
}

fn crafted(simulator: &Simulator) -> RawEvent {
    let account = simulator.truth()["account_id"].to_string();
    let event = format!("/restapi/v1.0/account/{account}/extension/{account}/telephony/sessions");
    RawEvent { event, body: json!({"sequence": 1, "surprise": {"deep": [1]}}), sends: 1 }
}

#[tokio::test]
async fn a_notification_has_its_envelope_and_headers() {
    let simulator = simulator();
    let hook = Hook::open().await;
    let (_, id) = subscribed(&simulator, &hook).await;
    let event = crafted(&simulator);
    let uuids = simulator.send_event(&event);
    assert!(hook.notifications().is_empty());
    simulator.tick().await;

    let (headers, envelope) = hook.notifications().remove(0);
    assert_eq!(headers["verification-token"], "s3cret");
    assert_eq!(headers["user-agent"], "RingCentral-Webhook/8.3");
    assert_eq!(headers["content-type"], "application/json; charset=UTF-8");
    assert_eq!(
        envelope,
        json!({
            "uuid": uuids[0],
            "event": event.event,
            "timestamp": "2026-03-01T12:00:00.000Z",
            "subscriptionId": id,
            "ownerId": simulator.truth()["account_id"].to_string(),
            "body": event.body,
        })
    );
    let elsewhere = RawEvent { event: event.event.replace("telephony/sessions", "presence"), ..event };
    assert!(simulator.send_event(&elsewhere).is_empty());
}

#[tokio::test]
async fn a_failed_notification_is_tried_again_with_the_same_uuid() {
    let simulator = simulator();
    let hook = Hook::open().await;
    subscribed(&simulator, &hook).await;
    hook.behave(Manner::WrongStatus(503));
    simulator.send_event(&crafted(&simulator));
    simulator.tick().await;
    let mut tries = 1;
    for (wait, more) in [(4, 0), (1, 1), (30, 1), (119, 0), (1, 1)] {
        simulator.advance(Duration::from_secs(wait)).await;
        tries += more;
        assert_eq!(hook.notifications().len(), tries);
    }
    hook.behave(Manner::Good);
    simulator.advance(Duration::from_secs(300)).await;
    assert_eq!(hook.notifications().len(), 5);
    let uuids: BTreeSet<String> = hook.bodies().iter().map(|one| one["uuid"].to_string()).collect();
    assert_eq!(uuids.len(), 1);
    let status = simulator.events_status();
    assert_eq!((status.pending, status.delivered, status.failed), (0, 1, 0));
    let deliveries = simulator.stats().deliveries;
    assert_eq!((deliveries.attempted, deliveries.accepted, deliveries.failed), (5, 1, 4));
}

#[tokio::test]
async fn an_answer_that_is_too_large_counts_as_a_failure() {
    let simulator = simulator();
    let hook = Hook::open().await;
    subscribed(&simulator, &hook).await;
    hook.behave(Manner::Large);
    simulator.send_event(&crafted(&simulator));
    simulator.tick().await;
    assert_eq!(simulator.stats().deliveries.failed, 1);
}

#[tokio::test]
async fn ten_minutes_of_failures_blacklist() {
    let simulator = simulator();
    let hook = Hook::open().await;
    let (client, id) = subscribed(&simulator, &hook).await;
    let path = format!("{SUBSCRIPTION}/{id}");
    hook.behave(Manner::WrongStatus(404));
    simulator.send_event(&crafted(&simulator));
    simulator.tick().await;
    for _ in 0..9 {
        simulator.advance(Duration::from_secs(60)).await;
        simulator.send_event(&crafted(&simulator));
        simulator.tick().await;
    }
    assert_eq!(client.get(&path).await.body["status"], "Active");
    simulator.advance(Duration::from_secs(60)).await;
    let shown = client.get(&path).await.body;
    assert_eq!(shown["status"], "Blacklisted");
    let reason = "Webhook responses with code: [404], reason: [Not Found]";
    assert_eq!(
        shown["blacklistedData"],
        json!({"reason": reason, "blacklistedAt": "2026-03-01T12:10:00.000Z"})
    );

    hook.behave(Manner::Good);
    let heard = hook.notifications().len();
    assert!(simulator.send_event(&crafted(&simulator)).is_empty());
    simulator.advance(Duration::from_secs(3600)).await;
    assert_eq!(hook.notifications().len(), heard);
    assert_eq!(simulator.events_status().pending, 0);
}

#[tokio::test]
async fn one_success_in_ten_minutes_is_forgiveness() {
    let simulator = simulator();
    let hook = Hook::open().await;
    let (client, id) = subscribed(&simulator, &hook).await;
    for _ in 0..4 {
        hook.behave(Manner::WrongStatus(500));
        simulator.send_event(&crafted(&simulator));
        simulator.advance(Duration::from_secs(299)).await;
        hook.behave(Manner::Good);
        simulator.advance(Duration::from_secs(299)).await;
    }
    assert_eq!(client.get(&format!("{SUBSCRIPTION}/{id}")).await.body["status"], "Active");
}

#[tokio::test]
async fn a_clock_that_runs_delivers_by_itself() {
    let simulator = Simulator::new(Config { clock: Clock::scaled(60.0), ..config() });
    let hook = Hook::open().await;
    subscribed(&simulator, &hook).await;
    let order = EventsOrder { count: 200, seed: Some(3), ..EventsOrder::default() };
    let made = simulator.generate_events(&order);
    while simulator.events_status().pending > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hook.notifications().len(), made.sends);
    let largest = simulator.stats().deliveries.largest_in_flight;
    assert!((2..=16).contains(&largest), "{largest}");
}

#[tokio::test]
async fn a_deleted_subscription_owes_nothing() {
    let simulator = simulator();
    let hook = Hook::open().await;
    let (client, id) = subscribed(&simulator, &hook).await;
    simulator.send_event(&crafted(&simulator));
    client.send("DELETE", &format!("{SUBSCRIPTION}/{id}"), Value::Null).await;
    simulator.tick().await;
    assert!(hook.notifications().is_empty());
    assert_eq!((simulator.events_status().pending, simulator.events_status().failed), (0, 1));
}
