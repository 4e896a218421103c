//! Who may ask for what.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;
use trunkline_http::{Claims, Role, TokenKeySource, TokenKeys};
use trunkline_tests::{Answer, World};

#[tokio::test]
async fn without_a_valid_token_nothing_is_answered_and_nothing_is_sent() {
    let world = World::new().await;
    for path in
        ["/api/extensions", "/api/users", "/api/sites", "/api/webhooks/subscriptions", "/api/webhooks/events"]
    {
        let none = Answer::of(world.anonymous("GET", path)).await;
        assert_eq!(
            (none.status, none.problem(), none.header("www-authenticate")),
            (401, "unauthorized", "Bearer")
        );
        let forged = Answer::of(world.anonymous("GET", path).bearer_auth("e30.e30.c2ln")).await;
        assert_eq!(
            (forged.status, forged.header("www-authenticate")),
            (401, "Bearer error=\"invalid_token\"")
        );
    }
    assert_eq!(world.asked_at_all(), 0);
}

#[tokio::test]
async fn regression_a_401_says_what_is_wrong_with_the_token() {
    let world = World::new().await;
    let keys = world.wiring.secrets().token_keys().await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = Claims::new("storyteller", "default".parse().unwrap(), Role::Viewer, now + 600);
    let asked = async |token: &str| {
        Answer::of(world.anonymous("GET", "/api/platform/limits").bearer_auth(token)).await
    };
    let issued = |keys: &TokenKeys, claims: &Claims| keys.issue(claims).unwrap().expose_secret().to_owned();
    assert_eq!(asked(&issued(&keys, &claims)).await.status, 200);
    let theirs = TokenKeys::hs256("somebody else's key, long enough too".to_owned().into());
    for (token, told) in [
        (issued(&keys, &Claims { exp: now - 5, ..claims.clone() }), "has ended (exp)"),
        (
            issued(&keys, &Claims { aud: "else".to_owned(), ..claims.clone() }),
            "is for another audience (aud)",
        ),
        (issued(&theirs, &claims), "was signed with a key that does not hold here"),
        // Whose signature does not hold hears nothing about the rest.
        (issued(&theirs, &Claims { exp: 1, ..claims }), "was signed with a key that does not hold here"),
        ("e30.e30.c2ln".to_owned(), "is not one of this gateway's tokens"),
    ] {
        let answer = asked(&token).await;
        assert_eq!((answer.status, answer.problem()), (401, "unauthorized"), "{answer:?}");
        assert!(answer.json["detail"].as_str().unwrap().contains(told), "{told}: {answer:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
}

#[tokio::test]
async fn a_role_allows_what_it_says_and_no_more() {
    let world = World::new().await;
    let as_role =
        |role, method: &str, path: &str| world.anonymous(method, path).bearer_auth(world.token(role));
    assert_eq!(Answer::of(as_role(Role::Viewer, "GET", "/api/extensions")).await.status, 200);
    let new = json!({"contact": {"firstName": "Ann", "email": "ann@example.com"}});
    let refused = Answer::of(as_role(Role::Viewer, "POST", "/api/extensions").json(&new)).await;
    assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
    assert_eq!(refused.json["detail"], "This needs the role operator; your token has viewer.");
    let created = Answer::of(as_role(Role::Operator, "POST", "/api/extensions").json(&new)).await;
    assert_eq!(created.status, 201, "{created:?}");
    let path = format!("/api/extensions/{}", created.json["id"]);
    assert_eq!(Answer::of(as_role(Role::Operator, "DELETE", &path)).await.status, 403);
    assert_eq!(Answer::of(as_role(Role::Admin, "DELETE", &path)).await.status, 204);
    assert_eq!((world.asked("createExtension"), world.asked("deleteExtension")), (1, 1));
}

#[tokio::test]
async fn a_key_is_replaced_while_everything_runs() {
    let world = World::new().await;
    let old = world.wiring.secrets().token_keys().await.unwrap();
    let new = TokenKeys::hs256("a new key, as random as the one before".to_owned().into());
    let claims = Claims::new("storyteller", "default".parse().unwrap(), Role::Viewer, 4_000_000_000);
    let status = async |keys: &TokenKeys| {
        let token = keys.issue(&claims).unwrap();
        let request = world.anonymous("GET", "/api/platform/limits").bearer_auth(token.expose_secret());
        Answer::of(request).await.status
    };
    let store = async |secret: serde_json::Value| {
        let secrets = aws_sdk_secretsmanager::Client::new(&world.cloud.sdk);
        let put = secrets.put_secret_value().secret_id("trunkline/auth").secret_string(secret.to_string());
        put.send().await.unwrap();
        world.time.advance(Duration::from_secs(61));
    };
    assert_eq!((status(&old).await, status(&new).await), (200, 401));
    store(json!({"hs256": new.hs256.expose_secret(), "previous": old.hs256.expose_secret()})).await;
    assert_eq!((status(&old).await, status(&new).await), (200, 200));
    store(json!({"hs256": new.hs256.expose_secret()})).await;
    assert_eq!((status(&old).await, status(&new).await), (401, 200));
}

#[tokio::test]
async fn request_ids_are_taken_over_or_made() {
    let world = World::new().await;
    let given = Answer::of(world.request("GET", "/api/health").header("x-request-id", "caller-7")).await;
    assert_eq!(given.header("x-request-id"), "caller-7");
    let hostile = Answer::of(world.request("GET", "/api/health").header("x-request-id", "a b\"{}")).await;
    assert_eq!(hostile.header("x-request-id").len(), 36);
    let nowhere = world.get("/api/nowhere").await;
    assert_eq!(
        (nowhere.status, nowhere.problem(), nowhere.header("x-request-id").len()),
        (404, "not-found", 36)
    );
}
