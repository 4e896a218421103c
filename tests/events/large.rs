//! Events that are larger than any RingCentral sends: taken as long as the queue takes them, and never in the way of others.

use std::time::Duration;

use trunkline_tests::World;

use crate::shapes::{deliver, listed};

/// Text that can't be packed below three quarters of its size.
fn noise(bytes: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[(state % 64) as usize])
    };
    (0..bytes).map(|_| letter()).collect()
}

#[tokio::test]
async fn regression_an_event_beyond_256_kib_is_taken_and_listed() {
    let world = World::new().await;
    let plain = format!("{{\"uuid\":\"plain\",\"body\":\"{}\"}}", "é ".repeat(300_000));
    let dense = format!("{{\"uuid\":\"dense\",\"body\":\"{}\"}}", noise(450_000));
    // Characters that SQS refuses make a body a third larger on its way.
    let encoded = format!("{{\"uuid\":\"encoded\",\"body\":\"\u{ffff}{}\"}}", "x".repeat(700_000));
    for body in [&plain, &dense, &encoded] {
        assert_eq!(deliver(&world, body).await, 200);
    }
    world.dispatch().await;
    let listed = listed(&world, "").await;
    assert_eq!(listed.len(), 3);
    for body in [plain, dense, encoded] {
        assert!(listed.iter().any(|record| record["delivery"] == body), "{}", &body[..20]);
    }
}

#[tokio::test]
async fn what_the_queue_can_not_take_is_refused_before_it_is_asked() {
    let world = World::new().await;
    let most = events_receive::BODY_LIMIT;
    let body = |first: &str, bytes: usize| {
        let head = format!("{{\"a\":\"{first}");
        let rest = bytes - head.len() - 2;
        format!("{head}{}\"}}", "x".repeat(rest))
    };
    assert_eq!(deliver(&world, &body("", most)).await, 200);
    assert_eq!(deliver(&world, &body("", most + 1)).await, 413);
    assert_eq!(deliver(&world, &body("\u{ffff}", most)).await, 413);
    assert_eq!(world.depth(&world.cloud.events_queue).await, 1);
}

/// An item of DynamoDB has 400 KB. What does not fit can't be stored by any repetition.
#[tokio::test]
async fn regression_an_event_that_fits_no_item_is_buried_with_its_reason() {
    let world = World::new().await;
    let huge = format!("{{\"uuid\":\"huge\",\"body\":\"{}\"}}", noise(900_000));
    assert_eq!(deliver(&world, &huge).await, 200);
    for uuid in ["a", "b"] {
        assert_eq!(deliver(&world, &format!("{{\"uuid\":\"{uuid}\"}}")).await, 200);
    }
    world.dispatch().await;
    world.time.advance(Duration::from_secs(60));
    world.dispatch().await;
    assert_eq!(world.events("").await.len(), 2);
    let client = aws_sdk_sqs::Client::new(&world.cloud.sdk);
    let dead = client.receive_message().queue_url(&world.cloud.dead_letters).message_attribute_names("All");
    let dead = dead.send().await.unwrap().messages.unwrap_or_default();
    assert_eq!(dead.len(), 1, "after its first try");
    assert_eq!(dead[0].body.as_deref(), Some(huge.as_str()));
    let reason = dead[0].message_attributes.as_ref().unwrap()["reason"].string_value.clone().unwrap();
    assert!(reason.contains("400 KB"), "{reason}");
}

/// A function of Lambda may answer 6 MB, as a text within JSON. Three ways to read, all of them by small pages.
#[tokio::test]
async fn regression_a_page_of_large_events_is_one_that_lambda_can_answer() {
    let world = World::new().await;
    let sessions = "/restapi/v1.0/account/1/telephony/sessions";
    let quotes = "\\\"".repeat(250_000);
    for sequence in 1..=12 {
        let call =
            format!("{{\"telephonySessionId\":\"s-1\",\"sequence\":{sequence},\"note\":\"{quotes}\"}}");
        let event = format!("{{\"uuid\":\"{sequence}\",\"event\":\"{sessions}\",\"body\":{call}}}");
        assert_eq!(deliver(&world, &event).await, 200);
        world.dispatch().await;
    }
    world.time.advance(Duration::from_secs(60));
    for list in ["perPage=500", "perPage=500&telephonySessionId=s-1", "perPage=500&order=asc"] {
        let (mut found, mut token) = (Vec::new(), String::new());
        while found.len() < 12 {
            let page = world.get(&format!("/api/webhooks/events?{list}{token}")).await;
            assert_eq!(page.status, 200, "{list}: {}", page.status);
            assert!(
                serde_json::to_string(&page.text).unwrap().len() < 6_000_000,
                "{list}: {}",
                page.text.len()
            );
            let records = page.json["records"].as_array().unwrap();
            assert!(!records.is_empty(), "{list}: after {}", found.len());
            found.extend(records.iter().map(|one| one["uuid"].as_str().unwrap().parse::<u32>().unwrap()));
            token = match page.json["navigation"]["nextPageToken"].as_str() {
                Some(token) => format!("&pageToken={token}"),
                None => break,
            };
        }
        found.sort_unstable();
        assert_eq!(found, (1..=12).collect::<Vec<_>>(), "{list}");
    }
}
