//! RingCentral in trouble: a clear problem or a correct repetition, and full service as soon as it is back.

use embedded_aws::Fault as AwsFault;
use serde_json::{Value, json};
use simulator::{Config, Fault, FaultKind, Limits};
use trunkline_tests::World;

fn user(number: &str) -> Value {
    json!({"extensionNumber": number, "contact": {"firstName": "Joe", "email": "joe@example.com"}})
}

#[tokio::test]
async fn a_passing_failure_of_a_read_is_not_noticed() {
    for fault in [
        Fault::new(FaultKind::Error).with_status(500),
        Fault::new(FaultKind::Error).with_status(503),
        Fault::new(FaultKind::Truncate),
        Fault { close: true, ..Fault::new(FaultKind::Truncate) },
        Fault::new(FaultKind::Down),
        Fault::new(FaultKind::Reset),
    ] {
        let world = World::new().await;
        world.simulator.add_fault(fault.clone().on("listExtensions").times(2));
        let list = world.get("/api/extensions").await;
        assert_eq!((list.status, world.asked("listExtensions")), (200, 3), "{fault:?}: {list:?}");
    }
}

#[tokio::test]
async fn a_lasting_failure_is_a_problem_and_passes_without_a_restart() {
    let world = World::new().await;
    world.simulator.add_fault(Fault::new(FaultKind::Error).on("listExtensions").with_status(502));
    let down = world.get("/api/extensions").await;
    assert_eq!((down.status, down.problem()), (502, "ringcentral-unavailable"), "{down:?}");
    assert!(
        down.json["hint"].is_string() && down.json["detail"].as_str().unwrap().contains("listExtensions")
    );
    assert_eq!(world.asked("listExtensions"), 3, "three attempts");
    world.simulator.clear_faults();
    assert_eq!(world.get("/api/extensions").await.status, 200);
}

#[tokio::test]
async fn a_creation_is_repeated_only_after_looking() {
    for (status, made, creations) in [(500, true, 1), (500, false, 2), (503, true, 1), (503, false, 2)] {
        let world = World::new().await;
        let fault = Fault::new(FaultKind::Error).on("createExtension").with_status(status).times(1);
        world.simulator.add_fault(if made { fault.after_apply() } else { fault });
        let created = world.send("POST", "/api/extensions", &user("7200")).await;
        assert_eq!((created.status, &created.json["extensionNumber"]), (201, &json!("7200")), "{created:?}");
        assert_eq!((world.asked("createExtension"), world.asked("listExtensions")), (creations, 1));
        let list = world.get("/api/extensions?extensionNumber=7200").await;
        assert_eq!(list.json["records"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_creation_that_can_not_be_looked_for_has_an_unknown_outcome() {
    let world = World::new().await;
    world
        .simulator
        .add_fault(Fault::new(FaultKind::Error).on("createExtension").with_status(500).after_apply());
    let unassigned = json!({"status": "Unassigned", "type": "User"});
    let answer = world.send("POST", "/api/extensions", &unassigned).await;
    assert_eq!((answer.status, answer.problem()), (502, "outcome-unknown"), "{answer:?}");
    assert_eq!(world.asked("createExtension"), 1);
}

#[tokio::test]
async fn a_revoked_token_is_replaced_in_the_middle_of_a_call() {
    let world = World::new().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    world.simulator.revoke_tokens();
    assert_eq!(world.get("/api/extensions").await.status, 200);
    assert_eq!(world.simulator.stats().tokens_issued, 2);
}

#[tokio::test]
async fn a_token_is_refreshed_before_it_ends_and_no_request_meets_a_dead_one() {
    let world = World::new().await;
    for _ in 0..30 {
        assert_eq!(world.get("/api/extensions").await.status, 200);
        world.time.advance(std::time::Duration::from_secs(300));
    }
    let stats = world.simulator.stats();
    assert_eq!(stats.answers.get(&401).copied().unwrap_or(0), 0);
    assert!((3..=5).contains(&stats.tokens_issued), "{} tokens in 150 minutes", stats.tokens_issued);
}

#[tokio::test]
async fn a_penalty_stops_everybody_once() {
    let config =
        Config { limits: Limits::default(), extensions: 20, calls: 5, messages: 5, ..Config::default() };
    let world = World::with(config).await;
    world.simulator.add_fault(Fault::new(FaultKind::Force429).on("listExtensions").times(1));
    let first = world.get("/api/extensions").await;
    assert_eq!(
        (first.status, first.problem(), &first.json["rateGroup"]),
        (429, "rate-limited", &json!("medium"))
    );
    assert_eq!(first.header("retry-after"), "60");
    for _ in 0..20 {
        assert_eq!(world.get("/api/extensions").await.status, 429);
    }
    assert_eq!(world.asked("listExtensions"), 1, "nobody asked during the penalty");
    world.time.advance(std::time::Duration::from_secs(60));
    assert_eq!(world.get("/api/extensions").await.status, 200);
}

#[tokio::test]
async fn wrong_credentials_are_tried_once_and_say_what_to_fix() {
    let mut wrong = simulator::Credentials::default();
    wrong.jwt.push_str("-of-another");
    let config = Config { credentials: wrong, limits: Limits::none(), extensions: 5, ..Config::default() };
    let world = World::with(config).await;
    for _ in 0..10 {
        let refused = world.get("/api/extensions").await;
        assert_eq!((refused.status, refused.problem()), (503, "credentials-refused"), "{refused:?}");
        assert!(refused.json["hint"].as_str().unwrap().contains("JWT"));
    }
    assert_eq!(world.asked("getToken"), 1);
}

#[tokio::test]
async fn without_the_store_nothing_is_sent() {
    let world = World::new().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let asked = world.asked_at_all();
    world.aws().faults().fail_next("DynamoDB_20120810.PutItem", 9, AwsFault::Error);
    let closed = world.get("/api/extensions").await;
    assert_eq!((closed.status, closed.problem(), world.asked_at_all()), (503, "store-unavailable", asked));
    world.aws().faults().clear();
    assert_eq!(world.get("/api/extensions").await.status, 200);
}
