//! Subscriptions: created with an address and a token of our own, renewed, deleted.

use serde_json::json;
use trunkline_tests::{Answer, World};

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";

#[tokio::test]
async fn a_subscription_lives_ten_years_unless_asked_otherwise() {
    let world = World::new().await;
    let created = world.subscribe(&[CALLS]).await;
    assert_eq!((&created["status"], &created["expiresIn"]), (&json!("Active"), &json!(315_360_000)));
    let address = created["deliveryMode"]["address"].as_str().unwrap();
    assert!(address.starts_with(&format!("{}/api/webhooks/events/default/", world.url)), "{address}");
    assert!(!created.to_string().contains("verificationToken"), "the token never comes back");

    let id = created["id"].as_str().unwrap();
    let path = format!("/api/webhooks/subscriptions/{id}");
    assert_eq!(world.get(&path).await.json["id"], json!(id));
    let listed = world.get("/api/webhooks/subscriptions").await;
    assert_eq!(listed.json["records"].as_array().unwrap().len(), 1);

    let renewed = world.send("POST", &format!("{path}/renew"), &json!({"expiresIn": 3600})).await;
    assert_eq!((renewed.status, &renewed.json["expiresIn"]), (200, &json!(3600)), "{renewed:?}");
    let plain = world.request("POST", &format!("{path}/renew")).send().await.unwrap();
    assert_eq!(plain.status(), 200);

    assert_eq!(world.request("DELETE", &path).send().await.unwrap().status(), 204);
    let gone = world.get(&path).await;
    assert_eq!((gone.status, gone.problem()), (404, "not-found"));
}

#[tokio::test]
async fn a_client_of_gateway_v2_may_name_the_old_address() {
    let world = World::new().await;
    let body = json!({
        "eventFilters": [CALLS],
        "deliveryMode": {"transportType": "WebHook", "address": "https://your-domain.com/api/webhooks/events"}
    });
    let created = world.send("POST", "/api/webhooks/subscriptions", &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    let address = created.json["deliveryMode"]["address"].as_str().unwrap();
    assert!(address.starts_with(&world.url), "{address}");
}

#[tokio::test]
async fn a_filter_that_ringcentral_does_not_know_is_told_with_its_code() {
    let world = World::new().await;
    let body = json!({"eventFilters": ["/restapi/v1.0/account/~/gossip"]});
    let refused = world.send("POST", "/api/webhooks/subscriptions", &body).await;
    assert_eq!((refused.status, &refused.json["code"]), (400, &json!("SUB-508")), "{refused:?}");
}

#[tokio::test]
async fn regression_a_subscription_whose_answer_was_lost_is_found_and_not_made_twice() {
    let world = World::new().await;
    let body = json!({"eventFilters": [CALLS]});
    let create =
        || world.request("POST", "/api/webhooks/subscriptions").header("idempotency-key", "s-1").json(&body);
    let lost =
        |operation: &str| simulator::Fault::new(simulator::FaultKind::Error).on(operation).with_status(500);

    // Made, and found at once.
    world.simulator.add_fault(lost("createSubscription").times(1).after_apply());
    assert_eq!(Answer::of(create()).await.status, 201);
    // Made, and found by the repetition.
    world.simulator.add_fault(lost("createSubscription").times(1).after_apply());
    world.simulator.add_fault(lost("listSubscriptions").times(3));
    let other =
        || world.request("POST", "/api/webhooks/subscriptions").header("idempotency-key", "s-2").json(&body);
    assert_eq!(Answer::of(other()).await.problem(), "outcome-unknown");
    world.time.advance(std::time::Duration::from_secs(60));
    let found = Answer::of(other()).await;
    assert_eq!(found.status, 201, "{found:?}");
    let listed = world.get("/api/webhooks/subscriptions").await;
    assert_eq!(listed.json["records"].as_array().unwrap().len(), 2);
}
