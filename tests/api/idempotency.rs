//! `Idempotency-Key`: a request is carried out once.

use embedded_aws::Fault;
use serde_json::{Value, json};
use simulator::FaultKind;
use trunkline_http::Role;
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
    let spare = json!({"type": "User", "status": "Unassigned"});
    world.simulator.add_fault(
        simulator::Fault::new(FaultKind::Error).on("createExtension").with_status(500).times(1).after_apply(),
    );
    let first = create(&world, "k-7", &spare).await;
    assert_eq!((first.status, first.problem()), (502, "outcome-unknown"), "{first:?}");
    world.time.advance(std::time::Duration::from_secs(60));
    let again = create(&world, "k-7", &spare).await;
    assert_eq!((again.status, again.problem()), (502, "outcome-unknown"), "{again:?}");
    assert_eq!(world.asked("createExtension"), 1);
}

/// An attempt that RingCentral carried out and of which neither the answer nor any search came through.
async fn lost(world: &World, key: &str, body: &Value) {
    world.simulator.add_fault(
        simulator::Fault::new(FaultKind::Error).on("createExtension").with_status(503).times(1).after_apply(),
    );
    world.simulator.add_fault(simulator::Fault::new(FaultKind::Error).on("listExtensions").with_status(500));
    let unknown = create(world, key, body).await;
    assert_eq!((unknown.status, unknown.problem()), (502, "outcome-unknown"), "{unknown:?}");
}

fn later(world: &World, seconds: u64) {
    world.time.advance(std::time::Duration::from_secs(seconds));
}

async fn with_number(world: &World, number: &str) -> usize {
    let list = world.get(&format!("/api/extensions?extensionNumber={number}")).await;
    list.json["records"].as_array().unwrap().len()
}

#[tokio::test]
async fn regression_a_repetition_that_can_not_look_forgets_nothing() {
    for (index, kind) in [FaultKind::Error, FaultKind::Force429, FaultKind::Down].into_iter().enumerate() {
        let (world, key, number) = (World::new().await, format!("k-8-{index}"), format!("716{index}"));
        lost(&world, &key, &user(&number)).await;
        world.simulator.clear_faults();
        world.simulator.add_fault(simulator::Fault::new(kind).on("listExtensions"));
        for _ in 0..3 {
            later(&world, 61);
            let failed = create(&world, &key, &user(&number)).await;
            assert!([429, 502, 503].contains(&failed.status), "{failed:?}");
            assert!(!failed.text.contains("Nothing was changed"), "{failed:?}");
        }
        world.simulator.clear_faults();
        later(&world, 61);
        let found = create(&world, &key, &user(&number)).await;
        assert_eq!((found.status, world.asked("createExtension")), (201, 1), "{kind:?}: {found:?}");
        assert_eq!(with_number(&world, &number).await, 1);
    }
}

#[tokio::test]
async fn regression_a_take_over_whose_answer_is_lost_looks_all_the_same() {
    let world = World::new().await;
    lost(&world, "k-9", &user("7170")).await;
    world.simulator.clear_faults();
    later(&world, 60);
    // The first write finds the item, the second takes it over.
    let writes = "DynamoDB_20120810.PutItem";
    world.aws().faults().fail_next(writes, 1, Fault::Pass);
    world.aws().faults().fail_next(writes, 1, Fault::LoseAnswer);
    let found = create(&world, "k-9", &user("7170")).await;
    assert_eq!((found.status, world.asked("createExtension")), (201, 1), "{found:?}");
    assert_eq!(world.aws().faults().pending(writes), 0);
}

#[tokio::test]
async fn regression_what_was_refused_keeps_nothing_under_its_key() {
    let world = World::new().await;
    let wrong = json!({"extensionNumber": "12345678901", "contact": {"firstName": "Kay"}});
    assert_eq!(create(&world, "k-10", &wrong).await.status, 400);
    let text = world.request("POST", "/api/extensions").header("idempotency-key", "k-10");
    assert_eq!(Answer::of(text.body("{}").header("content-type", "text/plain")).await.status, 415);
    let large = json!({"note": "x".repeat(300_000)});
    assert_eq!(create(&world, "k-10", &large).await.status, 413);
    assert_eq!(world.asked("createExtension"), 0);
    let right = create(&world, "k-10", &user("7180")).await;
    assert_eq!((right.status, right.header("idempotency-replayed")), (201, ""), "{right:?}");

    // A refusal of RingCentral may not hold any more when it is asked again.
    let refused = create(&world, "k-11", &user("7180")).await;
    assert_eq!((refused.status, &refused.json["code"]), (400, &json!("CMN-406")), "{refused:?}");
    let id = right.json["id"].as_u64().unwrap();
    let gone = world.request("DELETE", &format!("/api/extensions/{id}")).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(create(&world, "k-11", &user("7180")).await.status, 201);
}

#[tokio::test]
async fn regression_no_stored_answer_gets_past_the_role_check() {
    let world = World::new().await;
    let create = async |role, key: &str, body: &Value| {
        let request = world.http.post(format!("{}/api/extensions", world.url));
        let request = request.bearer_auth(world.token(role)).header("idempotency-key", key);
        Answer::of(request.json(body)).await
    };
    assert_eq!(create(Role::Viewer, "k-12", &user("7190")).await.status, 403);
    let made = create(Role::Operator, "k-12", &user("7190")).await;
    assert_eq!((made.status, made.header("idempotency-replayed")), (201, ""), "{made:?}");
    for body in [user("7190"), user("7191")] {
        let demoted = create(Role::Viewer, "k-12", &body).await;
        assert_eq!((demoted.status, demoted.problem()), (403, "forbidden"), "{demoted:?}");
        assert!(!demoted.text.contains("kay@example.com"), "{demoted:?}");
    }
    let again = create(Role::Admin, "k-12", &user("7190")).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!(world.asked("createExtension"), 1);
}

#[tokio::test]
async fn regression_a_key_past_its_time_is_as_good_as_unused() {
    let world = World::new().await;
    assert_eq!(create(&world, "k-13", &user("7195")).await.status, 201);
    later(&world, 24 * 3_600 - 5);
    assert_eq!(create(&world, "k-13", &user("7196")).await.status, 422);
    // The item is still there: DynamoDB removes what has ended within days.
    later(&world, 10);
    let other = create(&world, "k-13", &user("7196")).await;
    assert_eq!((other.status, other.header("idempotency-replayed")), (201, ""), "{other:?}");
}
