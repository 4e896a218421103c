//! Webhook keys change: a new one counts within a minute, one that was taken out holds for a quarter of an hour.

use std::time::Duration;

use events::SigningKeys;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use trunkline::TENANT;
use trunkline_tests::{Answer, World};

/// Stores these keys for the tenant, as an operator does.
async fn store(world: &World, keys: &Value) {
    let client = aws_sdk_secretsmanager::Client::new(&world.cloud.sdk);
    let id = format!("trunkline/tenants/{TENANT}");
    let known = client.get_secret_value().secret_id(&id).send().await.unwrap().secret_string.unwrap();
    let mut secret: Value = serde_json::from_str(&known).unwrap();
    secret["webhooks"] = keys.clone();
    client.put_secret_value().secret_id(&id).secret_string(secret.to_string()).send().await.unwrap();
}

/// What a delivery by the current of these keys is answered with.
async fn deliver(world: &World, keys: &Value) -> u16 {
    let (path, _) = world.signed_address().await;
    let subscription = path.rsplit('/').next().unwrap().parse().unwrap();
    let keys: SigningKeys = serde_json::from_value(keys.clone()).unwrap();
    let token = keys.token(&TENANT.parse().unwrap(), &subscription);
    let delivery = world.anonymous("POST", &path).header("verification-token", token.expose_secret());
    Answer::of(delivery.body("{}")).await.status
}

fn reads(world: &World) -> u64 {
    world.aws().stats().requests("secretsmanager.GetSecretValue")
}

#[tokio::test]
async fn a_new_key_counts_within_a_minute_and_an_old_one_holds_for_a_quarter_of_an_hour() {
    let world = World::new().await;
    let key = |id: &str| json!({"id": id, "secret": format!("{id}-{}", "x".repeat(32))});
    let old = json!({"current": key("1")});
    let both = json!({"current": key("2"), "previous": key("1")});
    let new = json!({"current": key("2")});
    store(&world, &old).await;
    world.time.advance(Duration::from_secs(61));
    assert_eq!(deliver(&world, &old).await, 200);
    store(&world, &both).await;
    world.time.advance(Duration::from_secs(61));
    assert_eq!(deliver(&world, &new).await, 200, "the new key");
    assert_eq!(deliver(&world, &old).await, 200, "the previous key");
    store(&world, &new).await;
    world.time.advance(Duration::from_secs(16 * 60));
    assert_eq!(deliver(&world, &old).await, 401, "the key that was taken out");
    assert_eq!(deliver(&world, &new).await, 200);
}

#[tokio::test]
async fn deliveries_read_their_keys_once_in_a_quarter_of_an_hour_and_forgeries_once_a_minute() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    let deliver = async |token: &str| {
        let delivery = world.anonymous("POST", &path).header("verification-token", token).body("{}");
        Answer::of(delivery).await.status
    };
    assert_eq!(deliver(&token).await, 200);
    let before = reads(&world);
    for _ in 0..14 {
        world.time.advance(Duration::from_secs(60));
        assert_eq!(deliver(&token).await, 200);
    }
    assert_eq!(reads(&world) - before, 0, "in 14 minutes");
    world.time.advance(Duration::from_secs(60));
    assert_eq!(deliver(&token).await, 200);
    assert_eq!(reads(&world) - before, 1, "in 15 minutes");
    for _ in 0..5 {
        world.time.advance(Duration::from_secs(61));
        for _ in 0..10 {
            assert_eq!(deliver(&"0".repeat(64)).await, 401);
        }
    }
    assert_eq!(reads(&world) - before, 6, "and five more minutes of forgeries");
}
