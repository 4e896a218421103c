//! `Idempotency-Key`: a request is carried out once.

use embedded_aws::Fault;
use serde_json::{Value, json};
use simulator::FaultKind;
use trunkline_tests::{Answer, World};

fn user(number: &str) -> Value {
    json!({"extensionNumber": number, "contact": {"firstName": "Kay", "email": "kay@example.com"}})
}

async fn create(world: &World, key: &str, body: &Value) -> Answer {
    Answer::of(world.request("POST", "/api/extensions").header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_creates_nothing_twice() {
    let world = World::new().await;
    let first = create(&world, "k-1", &user("7100")).await;
    let again = create(&world, "\"k-1\"", &user("7100")).await;
    assert_eq!((first.status, again.status, &first.text), (201, 201, &again.text));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!(world.asked("createExtension"), 1);

    let other = create(&world, "k-1", &user("7101")).await;
    assert_eq!(
        (other.status, other.problem(), other.fields()),
        (422, "idempotency-key-reused", vec!["Idempotency-Key"])
    );
    for wrong in ["", "has space", "a#b", &"x".repeat(256)] {
        let refused = create(&world, wrong, &user("7102")).await;
        assert_eq!((refused.status, refused.fields()), (400, vec!["Idempotency-Key"]), "{wrong:?}");
    }
    assert_eq!(world.asked("createExtension"), 1);
}

#[tokio::test]
async fn while_the_first_is_under_way_the_second_is_told_so() {
    let world = World::new().await;
    world.simulator.add_fault(simulator::Fault {
        delay_ms: 500,
        ..simulator::Fault::new(FaultKind::Slow).on("createExtension").times(1)
    });
    let body = user("7110");
    let (one, two) = tokio::join!(create(&world, "k-2", &body), create(&world, "k-2", &body));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!((statuses, world.asked("createExtension")), ([201, 409], 1));
}

#[tokio::test]
async fn a_failure_that_may_pass_gives_the_key_back() {
    let world = World::new().await;
    world.aws().faults().fail_next("DynamoDB_20120810.GetItem", 9, Fault::Error);
    let failed = create(&world, "k-3", &user("7120")).await;
    assert_eq!((failed.status, failed.problem()), (503, "store-unavailable"));
    world.aws().faults().clear();
    assert_eq!(create(&world, "k-3", &user("7120")).await.status, 201);
}

#[tokio::test]
async fn after_an_unknown_outcome_the_repetition_looks_before_it_creates() {
    let world = World::new().await;
    // The extension is made, but neither its answer nor any answer to the search for it comes through.
    world.simulator.add_fault(
        simulator::Fault::new(FaultKind::Error).on("createExtension").with_status(500).after_apply(),
    );
    world.simulator.add_fault(simulator::Fault::new(FaultKind::Error).on("listExtensions").with_status(500));
    let unknown = create(&world, "k-4", &user("7130")).await;
    assert_eq!((unknown.status, unknown.problem()), (502, "outcome-unknown"), "{unknown:?}");
    assert_eq!(world.asked("createExtension"), 1);
    world.simulator.clear_faults();

    let early = create(&world, "k-4", &user("7130")).await;
    assert_eq!((early.status, early.problem()), (409, "request-in-flight"));
    world.time.advance(std::time::Duration::from_secs(60));
    let resumed = create(&world, "k-4", &user("7130")).await;
    assert_eq!((resumed.status, &resumed.json["extensionNumber"]), (201, &json!("7130")), "{resumed:?}");
    assert_eq!(world.asked("createExtension"), 1, "it was found, not made again");
}

#[tokio::test]
async fn regression_a_lost_answer_of_the_store_does_not_lock_a_caller_out_of_their_key() {
    let world = World::new().await;
    world.aws().faults().fail_next("DynamoDB_20120810.PutItem", 1, Fault::LoseAnswer);
    assert_eq!(create(&world, "k-5", &user("7140")).await.status, 201);
    assert_eq!(create(&world, "k-5", &user("7140")).await.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn regression_a_failure_that_changed_nothing_gives_the_key_back_at_once() {
    let world = World::new().await;
    // Neither the creation nor the search for it can be sent: nothing was changed.
    world.simulator.add_fault(simulator::Fault::new(FaultKind::Error).on("getToken").with_status(500));
    let failed = create(&world, "k-6", &user("7150")).await;
    assert_eq!((failed.status, failed.problem()), (502, "ringcentral-unavailable"), "{failed:?}");
    world.simulator.clear_faults();
    world.time.advance(std::time::Duration::from_secs(61));
    assert_eq!(create(&world, "k-6", &user("7150")).await.status, 201);
}

#[tokio::test]
async fn regression_what_can_not_be_looked_for_is_not_made_twice_by_the_same_key() {
    let world = World::new().await;
    let queue = json!({"type": "Department", "contact": {"firstName": "Night desk"}});
    world.simulator.add_fault(
        simulator::Fault::new(FaultKind::Error).on("createExtension").with_status(500).times(1).after_apply(),
    );
    let first = create(&world, "k-7", &queue).await;
    assert_eq!((first.status, first.problem()), (502, "outcome-unknown"), "{first:?}");
    world.time.advance(std::time::Duration::from_secs(60));
    let again = create(&world, "k-7", &queue).await;
    assert_eq!((again.status, again.problem()), (502, "outcome-unknown"), "{again:?}");
    assert_eq!(world.asked("createExtension"), 1);
}
