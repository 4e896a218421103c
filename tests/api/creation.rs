//! Creations whose outcome is unknown: never two, never one that was there before, never "nothing was changed" unless that is so.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_tests::{Answer, Held, World};

/// RingCentral's own way of saying that it failed.
const FAILED: &str = r#"{"errorCode":"CMN-201","message":"Service Temporary Unavailable"}"#;

fn user(email: &str) -> Value {
    json!({"type": "User", "contact": {"firstName": "Una", "lastName": "Reed", "email": email}})
}

fn later(world: &World, seconds: u64) {
    world.time.advance(Duration::from_secs(seconds));
}

async fn create(world: &World, key: Option<&str>, body: &Value) -> Answer {
    let request = world.request("POST", "/api/extensions").json(body);
    Answer::of(match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    })
    .await
}

/// A creation that is on its way while its sender gives up.
async fn late(world: &World, key: Option<&str>, body: &Value) -> Held {
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let held = world.proxy().on("createExtension").times(1).hold();
    let give_up = async {
        held.arrived().await;
        later(world, 14);
    };
    let (answer, ()) = tokio::join!(create(world, key, body), give_up);
    assert_eq!((answer.status, answer.problem()), (502, "outcome-unknown"), "{answer:?}");
    held
}

async fn with_email(world: &World, email: &str) -> Vec<Value> {
    let list = world.get(&format!("/api/extensions?email={email}")).await;
    list.json["records"].as_array().unwrap().clone()
}

#[tokio::test]
async fn regression_a_creation_that_arrives_late_is_not_made_twice() {
    let world = World::proxied().await;
    let body = user("una@example.com");
    let held = late(&world, Some("c-1"), &body).await;
    later(&world, 36);
    let early = create(&world, Some("c-1"), &body).await;
    assert_eq!((early.status, early.problem()), (502, "outcome-unknown"), "{early:?}");
    assert!(early.header("retry-after").parse::<u64>().unwrap() > 20, "{early:?}");
    held.carried_out().await;
    let found = create(&world, Some("c-1"), &body).await;
    assert_eq!(found.status, 201, "{found:?}");
    assert_eq!((world.asked("createExtension"), with_email(&world, "una@example.com").await.len()), (1, 1));
    let again = create(&world, Some("c-1"), &body).await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &found.text));
}

#[tokio::test]
async fn regression_without_a_key_a_late_creation_is_told_as_unknown_and_made_once() {
    let world = World::proxied().await;
    let held = late(&world, None, &user("una@example.com")).await;
    held.carried_out().await;
    assert_eq!((world.asked("createExtension"), with_email(&world, "una@example.com").await.len()), (1, 1));
}

#[tokio::test]
async fn a_creation_that_never_arrived_is_made_once_it_can_not_arrive_any_more() {
    let world = World::proxied().await;
    world.proxy().on("createExtension").times(1).lose();
    let body = user("una@example.com");
    let unknown = create(&world, Some("c-2"), &body).await;
    assert_eq!((unknown.status, unknown.problem()), (502, "outcome-unknown"), "{unknown:?}");
    // However often it is asked meanwhile, the end is not put off.
    for _ in 0..2 {
        later(&world, 40);
        let early = create(&world, Some("c-2"), &body).await;
        assert_eq!((early.status, early.problem()), (502, "outcome-unknown"), "{early:?}");
    }
    later(&world, 20);
    assert_eq!(create(&world, Some("c-2"), &body).await.status, 201);
    assert_eq!(world.asked("createExtension"), 1);
}

#[tokio::test]
async fn regression_an_answer_without_a_body_is_no_reason_to_create_again() {
    let queue = json!({"type": "Department", "contact": {"firstName": "Night desk"}});
    for cut in [false, true] {
        let world = World::proxied().await;
        let rule = world.proxy().on("createExtension").after().times(1);
        if cut {
            rule.cut()
        } else {
            rule.empty()
        }
        let made = create(&world, Some("c-3"), &queue).await;
        assert_eq!(
            (made.status, &made.json["contact"]["firstName"]),
            (201, &json!("Night desk")),
            "{made:?}"
        );
        assert_eq!(world.asked("createExtension"), 1);
    }
    // Where nothing can be looked for, that is what is said.
    let world = World::proxied().await;
    world.proxy().on("createExtension").times(1).empty();
    let spare = json!({"type": "User", "status": "Unassigned"});
    for wait in [0, 36, 61] {
        later(&world, wait);
        let unknown = create(&world, Some("c-4"), &spare).await;
        assert_eq!((unknown.status, unknown.problem()), (502, "outcome-unknown"), "{unknown:?}");
    }
}

#[tokio::test]
async fn regression_a_change_whose_answer_is_empty_is_not_told_as_nothing_changed() {
    let world = World::proxied().await;
    let made = create(&world, None, &user("una@example.com")).await;
    let path = format!("/api/extensions/{}", made.json["id"]);
    world.proxy().on("updateExtension").after().times(1).empty();
    let changed = world.send("PUT", &path, &json!({"contact": {"lastName": "Stone"}})).await;
    assert_eq!((changed.status, changed.problem()), (502, "outcome-unknown"), "{changed:?}");
    assert!(!changed.text.contains("Nothing was changed"));
    assert_eq!(world.get(&path).await.json["contact"]["lastName"], "Stone");

    let subscription = world.subscribe(&["/restapi/v1.0/account/~/presence"]).await;
    let path = format!("/api/webhooks/subscriptions/{}/renew", subscription["id"].as_str().unwrap());
    for operation in ["renewSubscription", "updateSubscription"] {
        world.proxy().on(operation).after().empty();
    }
    let renewed = world.send("POST", &path, &json!({})).await;
    assert_eq!((renewed.status, renewed.problem()), (502, "outcome-unknown"), "{renewed:?}");
}

#[tokio::test]
async fn regression_a_change_that_can_not_be_sent_again_may_have_been_made() {
    let world = World::proxied().await;
    let made = create(&world, None, &user("una@example.com")).await;
    let path = format!("/api/extensions/{}", made.json["id"]);
    world.proxy().on("updateExtension").after().times(1).lose();
    let limits = [("retry-after", "60".to_owned())];
    world.proxy().on("updateExtension").after().times(1).stranger_with(429, limits.into(), "{}");
    let changed = world.send("PUT", &path, &json!({"contact": {"lastName": "Stone"}})).await;
    assert_eq!((changed.status, changed.problem()), (502, "outcome-unknown"), "{changed:?}");
    assert_eq!(world.asked("updateExtension"), 2);
}

#[tokio::test]
async fn regression_one_that_was_there_before_is_never_passed_off_as_the_result() {
    let world = World::proxied().await;
    let twin = create(&world, None, &user("Una@Example.com")).await;
    assert_eq!(twin.status, 201);
    later(&world, 60);
    // RingCentral says that it failed: the twin is older, so nothing was made, and one is made now.
    world.proxy().on("createExtension").times(1).stranger(503, FAILED);
    let made = create(&world, Some("c-5"), &user("una@example.com")).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_ne!(made.json["id"], twin.json["id"]);
    assert_eq!(with_email(&world, "una@example.com").await.len(), 2);
    // No answer came: whatever is there is older than the attempt.
    later(&world, 60);
    world.proxy().on("createExtension").times(1).lose();
    let unknown = create(&world, Some("c-6"), &user("una@example.com")).await;
    assert_eq!((unknown.status, unknown.problem()), (502, "outcome-unknown"), "{unknown:?}");
    later(&world, 36);
    let unknown = create(&world, Some("c-6"), &user("una@example.com")).await;
    assert_eq!((unknown.status, unknown.problem()), (502, "outcome-unknown"), "{unknown:?}");
}

#[tokio::test]
async fn regression_an_address_is_the_same_in_any_case() {
    let world = World::proxied().await;
    world.proxy().on("createExtension").after().times(1).lose();
    let made = create(&world, None, &user("UNA@example.com")).await;
    assert_eq!((made.status, world.asked("createExtension")), (201, 1), "{made:?}");
    // A platform that keeps addresses in lower case.
    let id = made.json["id"].as_u64().unwrap();
    world.proxy().on("createExtension").after().times(1).lose();
    world
        .send("PUT", &format!("/api/extensions/{id}"), &json!({"contact": {"email": "una@example.com"}}))
        .await;
    let unknown = create(&world, None, &user("UNA@example.com")).await;
    assert!([201, 502].contains(&unknown.status), "{unknown:?}");
    assert_eq!(world.asked("createExtension"), 2);
}

#[tokio::test]
async fn regression_an_older_site_of_the_same_name_is_not_told_as_created() {
    let world = World::proxied().await;
    let site = json!({"name": "Harbour"});
    let old = world.send("POST", "/api/sites", &site).await;
    assert_eq!(old.status, 201);
    world.proxy().on("createSite").times(1).stranger(503, FAILED);
    let unknown = world.send("POST", "/api/sites", &site).await;
    assert_eq!((unknown.status, unknown.problem()), (502, "outcome-unknown"), "{unknown:?}");
    assert_eq!(world.asked("createSite"), 1);
}

#[tokio::test]
async fn regression_two_slow_creations_of_a_subscription_leave_one() {
    let world = World::proxied().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let body = json!({"eventFilters": ["/restapi/v1.0/account/~/presence"]});
    let send = || {
        let request = world.request("POST", "/api/webhooks/subscriptions").header("idempotency-key", "c-7");
        Answer::of(request.json(&body))
    };
    let held = world.proxy().on("createSubscription").times(1).hold();
    let give_up = async {
        held.arrived().await;
        later(&world, 14);
    };
    let (unknown, ()) = tokio::join!(send(), give_up);
    assert_eq!((unknown.status, unknown.problem()), (502, "outcome-unknown"), "{unknown:?}");
    held.carried_out().await;
    later(&world, 36);
    assert_eq!(send().await.status, 201);
    let list = world.get("/api/webhooks/subscriptions").await;
    assert_eq!((world.asked("createSubscription"), list.json["records"].as_array().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn a_taken_number_is_told_and_never_quietly_another_one() {
    // C32, its end.
    let world = World::proxied().await;
    let body =
        json!({"extensionNumber": "7410", "contact": {"firstName": "Una", "email": "una@example.com"}});
    assert_eq!(create(&world, None, &body).await.status, 201);
    later(&world, 60);
    world.proxy().on("createExtension").times(1).stranger(503, FAILED);
    let taken = create(&world, None, &body).await;
    assert_eq!((taken.status, &taken.json["code"]), (400, &json!("CMN-406")), "{taken:?}");
    assert_eq!(taken.fields(), ["extensionNumber"]);
}

#[tokio::test]
async fn regression_a_creation_whose_process_was_killed_is_made_once() {
    // C38.
    let world = World::proxied().await;
    let body = user("una@example.com");
    let held = world.proxy().on("createExtension").times(1).after().hold();
    let killed = world.mortal().await;
    let request = world.http.post(format!("{}/api/extensions", killed.url));
    let request = request.bearer_auth(world.token(trunkline_http::Role::Admin));
    let sent = request.header("idempotency-key", "c-8").json(&body).send();
    let kill = async {
        held.arrived().await;
        killed.kill();
    };
    let (answer, ()) = tokio::join!(sent, kill);
    assert!(answer.is_err(), "{answer:?}");
    held.carried_out().await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        let answer = create(&world, Some("c-8"), &body).await;
        answers.push(answer.status);
        later(&world, 5);
    }
    assert_eq!(answers, [[409; 7].as_slice(), &[201; 5]].concat());
    assert_eq!((world.asked("createExtension"), with_email(&world, "una@example.com").await.len()), (1, 1));
}
