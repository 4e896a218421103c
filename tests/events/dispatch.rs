//! From the queue to what can be read: each event once, whatever is repeated, reordered or killed.

use std::{collections::BTreeSet, time::Duration};

use embedded_aws::Fault;
use serde_json::{Value, json};
use simulator::EventsOrder;
use trunkline_tests::{Answer, World};

const FILTERS: &[&str] = &[
    "/restapi/v1.0/account/~/telephony/sessions",
    "/restapi/v1.0/account/~/extension/~/message-store",
    "/restapi/v1.0/account/~/presence",
];

fn uuids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["uuid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn of_repeated_and_reordered_events_each_is_processed_once() {
    let world = World::new().await;
    world.subscribe(FILTERS).await;
    let order = EventsOrder { count: 300, duplicates: 0.1, reorder: true, ..EventsOrder::default() };
    let made = world.simulator.generate_events(&order);
    assert!(made.sends > made.distinct);
    world.settle().await;

    let events = world.events("").await;
    assert_eq!(events.len(), made.distinct);
    assert_eq!(uuids(&events), made.uuids.iter().cloned().collect());

    let sent = world.simulator.events();
    let mut calls: Vec<_> = sent.iter().filter_map(|event| event.telephony_session_id.clone()).collect();
    calls.sort();
    for call in calls.chunk_by(|a, b| a == b) {
        let session = world.get(&format!("/api/webhooks/sessions/{}", call[0])).await;
        assert_eq!(session.json["eventsApplied"], json!(call.len()), "{session:?}");
        let of_call = world.events(&format!("&telephonySessionId={}", call[0])).await;
        let sequences: Vec<_> = of_call.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
        assert_eq!(sequences.len(), call.len());
        assert!(sequences.is_sorted(), "{sequences:?}");
        assert_eq!(session.json["sequence"], json!(sequences.last()));
    }
    for kind in ["telephony-session", "message-store", "presence"] {
        let of_kind = world.events(&format!("&kind={kind}")).await;
        let expected = events.iter().filter(|event| event["kind"] == kind).count();
        assert_eq!(of_kind.len(), expected, "{kind}");
        assert!(expected > 0, "{kind}");
    }
}

#[tokio::test]
async fn events_are_read_by_the_time_they_came() {
    let world = World::new().await;
    world.subscribe(FILTERS).await;
    for _ in 0..3 {
        world.simulator.generate_events(&EventsOrder { count: 10, ..EventsOrder::default() });
        world.settle().await;
        world.time.advance(Duration::from_secs(20 * 3_600));
    }
    assert_eq!(world.events("").await.len(), 10, "the last day, unless asked for more");
    let now = world.time.simulator.now();
    let hours_ago = |hours: i64| (now - jiff::SignedDuration::from_hours(hours)).to_string();
    assert_eq!(world.events(&format!("&dateFrom={}", hours_ago(100))).await.len(), 30);
    let middle = format!("&dateFrom={}&dateTo={}", hours_ago(50), hours_ago(30));
    let events = world.events(&middle).await;
    assert_eq!(events.len(), 10);
    let received: Vec<_> = events.iter().map(|event| event["receivedAt"].as_str().unwrap()).collect();
    assert!(received.iter().rev().is_sorted(), "newest first: {received:?}");
    assert!(
        received.iter().all(|at| at.len() == "2026-11-20T08:00:00.000Z".len()),
        "they sort as text: {received:?}"
    );
}

#[tokio::test]
async fn what_the_store_refuses_comes_again_and_is_applied_once() {
    let world = World::new().await;
    world.subscribe(FILTERS).await;
    world.simulator.generate_events(&EventsOrder { count: 40, ..EventsOrder::default() });
    // Without its announcement a batch fails as a whole.
    let announcement = "DynamoDB_20120810.PutItem";
    world.aws().faults().fail_next(announcement, 9, Fault::Error);
    world.aws().faults().fail_next(announcement, 9, Fault::Drop);
    world.settle().await;
    assert_eq!(world.events("").await.len(), 0);
    for _ in 0..3 {
        // What failed is visible again.
        world.time.advance(Duration::from_secs(60));
        world.dispatch().await;
    }
    assert_eq!(world.events("").await.len(), 40);
    assert_eq!(world.depth(&world.cloud.dead_letters).await, 0);
}

#[tokio::test]
async fn regression_an_answer_lost_after_the_write_does_not_apply_an_event_twice() {
    let world = World::new().await;
    world.subscribe(&FILTERS[..1]).await;
    world.simulator.generate_events(&EventsOrder { count: 30, sessions: Some(3), ..EventsOrder::default() });
    world.aws().faults().fail_next("DynamoDB_20120810.PutItem", 5, Fault::LoseAnswer);
    world.settle().await;
    for _ in 0..3 {
        world.time.advance(Duration::from_secs(60));
        world.dispatch().await;
    }
    let events = world.events("").await;
    assert_eq!(events.len(), 30);
    let calls: BTreeSet<_> =
        events.iter().map(|event| event["telephonySessionId"].as_str().unwrap()).collect();
    let mut applied = 0;
    for call in calls {
        applied += world.get(&format!("/api/webhooks/sessions/{call}")).await.json["eventsApplied"]
            .as_u64()
            .unwrap();
    }
    assert_eq!(applied, 30);
}

#[tokio::test]
async fn a_message_that_is_none_of_ours_goes_to_the_dead_letters_with_its_reason() {
    let world = World::new().await;
    let client = aws_sdk_sqs::Client::new(&world.cloud.sdk);
    client.send_message().queue_url(&world.cloud.events_queue).message_body("hello").send().await.unwrap();
    let (path, token) = world.signed_address().await;
    let good =
        world.anonymous("POST", &path).header("verification-token", &token).body("{\"uuid\":\"good\"}");
    assert_eq!(Answer::of(good).await.status, 200);
    world.dispatch().await;
    assert_eq!(world.events("").await.len(), 1, "the good one is not held up");
    let dead = client
        .receive_message()
        .queue_url(&world.cloud.dead_letters)
        .message_attribute_names("All")
        .send()
        .await;
    let dead = dead.unwrap().messages.unwrap();
    assert_eq!(dead[0].body.as_deref(), Some("hello"));
    let reason = dead[0].message_attributes.as_ref().unwrap()["reason"].string_value.clone().unwrap();
    assert!(reason.contains("encoding"), "{reason}");
}

/// One tenant's flood must not keep the others waiting, on the way in and after it was among the dead letters.
#[tokio::test]
async fn every_message_is_in_the_group_of_its_tenant() {
    let world = World::new().await;
    let client = aws_sdk_sqs::Client::new(&world.cloud.sdk);
    let group = async |queue: &str| {
        let request = client.receive_message().queue_url(queue).visibility_timeout(0);
        let all = aws_sdk_sqs::types::MessageSystemAttributeName::All;
        let messages = request.message_system_attribute_names(all).send().await.unwrap().messages.unwrap();
        let attributes = messages[0].attributes.clone().unwrap();
        attributes.get(&aws_sdk_sqs::types::MessageSystemAttributeName::MessageGroupId).cloned()
    };
    let (path, token) = world.signed_address().await;
    let delivery = world.anonymous("POST", &path).header("verification-token", token).body("{}");
    assert_eq!(Answer::of(delivery).await.status, 200);
    assert_eq!(group(&world.cloud.events_queue).await.as_deref(), Some("default"));
    // What says whose it is, and not when it came, is given up on.
    let tenant =
        aws_sdk_sqs::types::MessageAttributeValue::builder().data_type("String").string_value("default");
    let broken = client.send_message().queue_url(&world.cloud.events_queue).message_body("{}");
    broken.message_attributes("tenant", tenant.build().unwrap()).send().await.unwrap();
    world.dispatch().await;
    assert_eq!(group(&world.cloud.dead_letters).await.as_deref(), Some("default"));
}
