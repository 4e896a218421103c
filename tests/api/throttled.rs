//! RingCentral's own 429 and whom it stops, and what a tenant without its secret is told.

use clock::{Clock, Millis};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Scope};
use trunkline_http::Role;
use trunkline_tests::{Answer, World};

const SECRET: &str = "trunkline/tenants/default";

/// A 429 with this code and without `X-Rate-Limit-*`.
async fn struck(code: &str) -> (World, Answer) {
    let world = World::proxied().await;
    let body = json!({ "errorCode": code, "message": "too many" }).to_string();
    world.proxy().on("listExtensions").times(1).stranger(429, body);
    let answer = world.get("/api/extensions").await;
    assert_eq!((answer.status, answer.problem()), (429, "rate-limited"), "{answer:?}");
    assert_eq!(answer.json["code"], code);
    (world, answer)
}

#[tokio::test]
async fn regression_a_duplicate_of_a_request_under_way_stops_nobody() {
    let (world, answer) = struck("CMN-304").await;
    assert_eq!((&answer.json["rateScope"], answer.header("retry-after")), (&json!("call"), "2"));
    assert_eq!(answer.json["rateGroup"], Value::Null);
    assert_eq!(world.get("/api/extensions").await.status, 200);
    assert_eq!(world.get("/api/sites").await.status, 200);
}

#[tokio::test]
async fn regression_a_limit_of_a_service_of_its_own_stops_its_group_alone() {
    for code in ["MSG-305", "CMN-303"] {
        let (world, answer) = struck(code).await;
        assert_eq!(
            (&answer.json["rateScope"], &answer.json["rateGroup"]),
            (&json!("group"), &json!("medium"))
        );
        assert_eq!(world.get("/api/sites").await.status, 200, "{code}");
        let later = world.get("/api/extensions").await;
        assert_eq!((later.status, &later.json["rateScope"]), (429, &Value::Null), "{later:?}");
    }
}

#[tokio::test]
async fn regression_ringcentrals_own_429_is_told_apart_from_not_yet() {
    for (scope, named, group) in [
        (Scope::User, "group", json!("medium")),
        (Scope::Account, "account", Value::Null),
        (Scope::Address, "address", Value::Null),
    ] {
        let world = World::new().await;
        world.simulator.add_fault(Fault::new(FaultKind::Force429).on("listExtensions").times(1).about(scope));
        let theirs = world.get("/api/extensions").await;
        assert_eq!((theirs.status, &theirs.json["rateScope"]), (429, &json!(named)), "{theirs:?}");
        assert_eq!(theirs.json["rateGroup"], group);
        assert!(theirs.json["code"].is_string() && theirs.json["ringcentralRequestId"].is_string());
        assert!(!theirs.header("retry-after").is_empty());
        let asked = world.asked_at_all();
        let ours = world.get("/api/extensions").await;
        assert_eq!(
            (ours.status, &ours.json["code"], &ours.json["rateScope"]),
            (429, &Value::Null, &Value::Null)
        );
        assert!(ours.json["detail"].as_str().unwrap().contains("429"), "{ours:?}");
        let other = world.get("/api/sites").await;
        assert_eq!(other.status, if named == "group" { 200 } else { 429 }, "{other:?}");
        assert_eq!(world.asked_at_all() - asked, u64::from(named == "group"), "{named}");
    }
}

/// GET or POST at a container that has not read the secret before.
async fn fresh(world: &mut World, method: &str, path: &str, body: Value) -> Answer {
    let url = world.container().await;
    let request = world.http.request(method.parse().unwrap(), format!("{url}{path}"));
    let request = if method == "POST" { request.json(&body) } else { request };
    Answer::of(request.bearer_auth(world.token(Role::Admin))).await
}

#[tokio::test]
async fn regression_a_tenant_without_a_secret_hears_which_one_to_create() {
    let mut world = World::new().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&world.cloud.sdk);
    let credentials = secrets.get_secret_value().secret_id(SECRET).send().await.unwrap();
    let mut secret: Value = serde_json::from_str(credentials.secret_string().unwrap()).unwrap();
    secret.as_object_mut().unwrap().remove("webhooks");
    secrets.put_secret_value().secret_id(SECRET).secret_string(secret.to_string()).send().await.unwrap();
    let filters = json!({ "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"] });
    let keyless = fresh(&mut world, "POST", "/api/webhooks/subscriptions", filters).await;
    assert_eq!((keyless.status, keyless.problem()), (503, "tenant-unknown"), "{keyless:?}");
    let detail = keyless.json["detail"].as_str().unwrap();
    assert!(detail.contains(SECRET) && detail.contains("webhooks"), "{detail}");

    secrets.delete_secret().secret_id(SECRET).force_delete_without_recovery(true).send().await.unwrap();
    let unknown = fresh(&mut world, "GET", "/api/extensions", Value::Null).await;
    assert_eq!((unknown.status, unknown.problem()), (503, "tenant-unknown"), "{unknown:?}");
    assert!(unknown.json["detail"].as_str().unwrap().contains(SECRET), "{unknown:?}");
}

fn now(world: &World) -> Millis {
    Clock::now(&world.time)
}

/// Who is told that RingCentral is left alone waits for nothing, and hears when to come back.
#[tokio::test]
async fn regression_without_ringcentral_nobody_waits_once_it_is_left_alone() {
    let world = World::new().await;
    world.simulator.add_fault(Fault::new(FaultKind::Error).on("getToken").with_status(503));
    for _ in 0..2 {
        assert_ne!(world.get("/api/extensions").await.status, 200);
    }
    let (began, asked) = (now(&world), world.asked_at_all());
    let open = world.get("/api/extensions").await;
    assert_eq!((open.status, open.problem(), &open.json["rateGroup"]), (503, "circuit-open", &json!("auth")));
    assert!(!open.header("retry-after").is_empty());
    assert_eq!((now(&world), world.asked_at_all()), (began, asked));
}
