//! One deadline for a whole request: no path takes longer than API Gateway and Lambda let it.

use std::time::Duration;

use clock::{Clock, Deadline};
use serde_json::json;
use simulator::{Fault, FaultKind};
use trunkline_tests::{Answer, Held, World};

/// Lambda ends a function at 29 s.
const END: i64 = 29_000;

fn user(number: &str) -> serde_json::Value {
    json!({"extensionNumber": number, "contact": {"firstName": "Lea", "email": "lea@example.com"}})
}

/// Moves the clock while requests are held, one step for each that arrives.
async fn passes(world: &World, held: &Held, steps: &[u64]) {
    for (index, seconds) in steps.iter().enumerate() {
        held.arrivals(u32::try_from(index).unwrap() + 1).await;
        world.time.advance(Duration::from_secs(*seconds));
    }
}

#[tokio::test]
async fn regression_a_creation_ends_with_its_request_however_slow_ringcentral_is() {
    let world = World::proxied().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let creation = world.proxy().on("createExtension").hold();
    let list = world.proxy().on("listExtensions").hold();
    let began = world.time.now();
    let body = user("7300");
    let slow = async {
        passes(&world, &creation, &[14]).await;
        passes(&world, &list, &[12]).await;
    };
    let (answer, ()) = tokio::join!(world.send("POST", "/api/extensions", &body), slow);
    assert_eq!((answer.status, answer.problem()), (502, "outcome-unknown"), "{answer:?}");
    assert!(world.time.now() - began < END, "{} ms", world.time.now() - began);
}

#[tokio::test]
async fn regression_a_second_creation_that_can_not_finish_is_not_begun() {
    let world = World::proxied().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let failure = r#"{"errorCode":"CMN-201","message":"Service Temporary Unavailable"}"#;
    let creation = world.proxy().on("createExtension").times(1).hold();
    world.proxy().on("createExtension").after().times(1).stranger(503, failure);
    let body = user("7304");
    let slow = async {
        creation.arrived().await;
        world.time.advance(Duration::from_secs(13));
        world.simulator.add_fault(Fault::new(FaultKind::Error).on("createExtension"));
        creation.release();
    };
    let (answer, ()) = tokio::join!(world.send("POST", "/api/extensions", &body), slow);
    assert_eq!((answer.status, answer.problem()), (502, "outcome-unknown"), "{answer:?}");
    assert_eq!((world.asked("createExtension"), world.asked("listExtensions")), (1, 2));
}

#[tokio::test]
async fn regression_a_list_and_its_repetitions_end_with_the_request() {
    let world = World::proxied().await;
    let list = world.proxy().on("listExtensions").hold();
    let began = world.time.now();
    let slow = async {
        passes(&world, &list, &[14]).await;
        list.arrivals(2).await;
        world.time.advance(Duration::from_millis((began + 26_000 - world.time.now()).unsigned_abs()));
    };
    let (answer, ()) = tokio::join!(world.get("/api/extensions"), slow);
    assert_eq!((answer.status, answer.problem()), (502, "ringcentral-unavailable"), "{answer:?}");
    assert!(world.time.now() - began < END, "{} ms", world.time.now() - began);
}

#[tokio::test]
async fn regression_waiting_for_a_token_ends_with_the_request() {
    let world = World::proxied().await;
    let token = world.proxy().on("getToken").hold();
    let began = world.time.now();
    let body = user("7301");
    let slow = passes(&world, &token, &[8]);
    let (answer, ()) = tokio::join!(world.send("POST", "/api/extensions", &body), slow);
    assert_eq!((answer.status, answer.problem()), (502, "ringcentral-unavailable"), "{answer:?}");
    assert!(world.time.now() - began < END, "{} ms", world.time.now() - began);
    assert_eq!(world.asked("createExtension"), 0);
}

#[tokio::test]
async fn regression_a_store_that_hangs_ends_with_the_request() {
    let world = World::new().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let writes = "DynamoDB_20120810.PutItem";
    let before = world.aws().stats().requests(writes);
    world.aws().faults().set_latency(writes, Duration::from_secs(3_600));
    let body = user("7305");
    let slow = async {
        while world.aws().stats().requests(writes) == before {
            tokio::task::yield_now().await;
        }
        world.time.advance(Duration::from_secs(28));
    };
    let (answer, ()) = tokio::join!(world.send("POST", "/api/extensions", &body), slow);
    assert_eq!((answer.status, answer.problem()), (502, "outcome-unknown"), "{answer:?}");
    assert_eq!(world.asked("createExtension"), 0);
}

#[tokio::test]
async fn a_worker_sets_its_own_deadline_and_nothing_starts_that_can_not_end_before_it() {
    let world = World::new().await;
    let ringcentral = world.wiring.ringcentral();
    let tenant = trunkline::TENANT.parse().unwrap();
    let list = ringcentral::Request::of(&ringcentral::operations::LIST_EXTENSIONS);
    let within = |left| Deadline(world.time.now() + left).during(ringcentral.page(&tenant, &list));
    assert!(within(500).await.is_err());
    assert_eq!(world.asked_at_all(), 0);
    assert!(within(20_000).await.is_ok());
    assert!(!Deadline(world.time.now() + 13_999).during(async { ringcentral.can_finish() }).await);
    assert!(Deadline(world.time.now() + 14_000).during(async { ringcentral.can_finish() }).await);
}

#[tokio::test]
async fn a_held_request_is_carried_out_although_its_sender_has_given_up() {
    let world = World::proxied().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let held = world.proxy().on("createExtension").times(1).hold();
    let body = user("7302");
    let sent = world.send("POST", "/api/extensions", &body);
    let give_up = async {
        held.arrived().await;
        world.time.advance(Duration::from_secs(15));
    };
    let (answer, ()): (Answer, ()) = tokio::join!(sent, give_up);
    assert_eq!((answer.status, answer.problem()), (502, "outcome-unknown"), "{answer:?}");
    assert_eq!(world.asked("createExtension"), 0);
    held.carried_out().await;
    assert_eq!(world.asked("createExtension"), 1);
}
