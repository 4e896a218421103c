//! Requests of strangers: what they cost, and what keys they could make use of.

use serde_json::{Value, json};
use trunkline::TENANT;
use trunkline_tests::{Answer, World};

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";

#[tokio::test]
async fn regression_unknown_tenants_are_looked_up_once_a_minute() {
    let world = World::new().await;
    let reads = || world.aws().stats().requests("secretsmanager.GetSecretValue");
    let probe = async || {
        let path = format!("/api/webhooks/events/nobody/{}", "0".repeat(32));
        let request = world.anonymous("POST", &path).header("verification-token", "0".repeat(64));
        assert_eq!(Answer::of(request.body("{}")).await.status, 401);
    };
    let before = reads();
    for _ in 0..5 {
        probe().await;
    }
    assert_eq!(reads() - before, 1, "for five probes");
    world.time.advance(std::time::Duration::from_secs(61));
    probe().await;
    assert_eq!(reads() - before, 2, "for another, a minute later");
}

/// Stores these webhook keys for the tenant, as an operator does.
async fn store(world: &World, keys: &Value) {
    let client = aws_sdk_secretsmanager::Client::new(&world.cloud.sdk);
    let id = format!("trunkline/tenants/{TENANT}");
    let known = client.get_secret_value().secret_id(&id).send().await.unwrap().secret_string.unwrap();
    let mut secret: Value = serde_json::from_str(&known).unwrap();
    secret["webhooks"] = keys.clone();
    client.put_secret_value().secret_id(&id).secret_string(secret.to_string()).send().await.unwrap();
}

/// A key that is known signs deliveries of anybody: an empty one, a short one, and the one that the playbook printed.
#[tokio::test]
async fn regression_a_key_that_can_be_guessed_opens_nothing() {
    let mut world = World::new().await;
    let (path, _) = world.signed_address().await;
    let good = "x7".repeat(16);
    let short = ["", "abc", "at least 32 random characters", &"x7".repeat(15)];
    for secret in short {
        for keys in [
            json!({"current": {"id": "1", "secret": secret}}),
            json!({"current": {"id": "2", "secret": good}, "previous": {"id": "1", "secret": secret}}),
        ] {
            store(&world, &keys).await;
            let cold = world.container().await;
            let token = token(secret, &path);
            let delivery = world.http.post(format!("{cold}{path}")).header("verification-token", token);
            assert_eq!(Answer::of(delivery.body("{}")).await.status, 503, "{keys}");
            let create = world.http.post(format!("{cold}/api/webhooks/subscriptions"));
            let create = create.bearer_auth(world.token(trunkline_http::Role::Admin));
            let answer = Answer::of(create.json(&json!({"eventFilters": [CALLS]}))).await;
            assert_eq!(answer.status / 100, 5, "{answer:?}");
            assert!(secret.is_empty() || !answer.text.contains(secret), "{answer:?}");
        }
    }
    assert_eq!(world.depth(&world.cloud.events_queue).await, 0);
    store(&world, &json!({"current": {"id": "2", "secret": good}})).await;
    let cold = world.container().await;
    let delivery = world.http.post(format!("{cold}{path}"));
    let delivery = delivery.header("verification-token", token_of("2", &good, &path)).body("{}");
    assert_eq!(Answer::of(delivery).await.status, 200);
}

fn token(secret: &str, path: &str) -> String {
    token_of("1", secret, path)
}

/// The token of a subscription, as docs/adr/0003 says it is derived.
fn token_of(id: &str, secret: &str, path: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    for part in [id, TENANT, path.rsplit('/').next().unwrap()] {
        mac.update(part.as_bytes());
        mac.update(b"\n");
    }
    hex::encode(mac.finalize().into_bytes())
}
