//! What callers see of the rate budget, the penalty and the circuit.

use std::time::Duration;

use embedded_aws::Fault as AwsFault;
use serde_json::{Value, json};
use simulator::{Config, Fault, FaultKind, Group, Limit, Limits, Scope};
use trunkline_tests::World;

async fn limited() -> World {
    let limits = Limits { medium: Limit::per_minute(4), ..Limits::default() };
    World::with(Config { limits, extensions: 5, calls: 5, messages: 5, ..Config::default() }).await
}

async fn medium(world: &World) -> Value {
    let limits = world.get("/api/platform/limits").await;
    assert_eq!(limits.status, 200, "{limits:?}");
    limits.json["records"]
        .as_array()
        .unwrap()
        .iter()
        .find(|limit| limit["group"] == "medium")
        .unwrap()
        .clone()
}

#[tokio::test]
async fn every_answer_tells_what_is_left_and_when_more_comes() {
    let world = limited().await;
    for left in [3, 2, 1, 0] {
        let answer = world.get("/api/extensions").await;
        assert_eq!(
            (answer.status, answer.header("ratelimit-policy")),
            (200, "\"medium\";q=4;w=60"),
            "{answer:?}"
        );
        assert!(answer.header("ratelimit").starts_with(&format!("\"medium\";r={left};t=")), "{answer:?}");
    }
    let refused = world.get("/api/extensions").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "61"));
    assert_eq!(refused.header("ratelimit"), "\"medium\";r=0;t=61");
    let medium = medium(&world).await;
    assert_eq!(
        (&medium["limit"], &medium["used"]["interactive"], &medium["remaining"]),
        (&json!(4), &json!(4), &json!(0))
    );
    assert_eq!((&medium["windowSeconds"], &medium["circuit"]["state"]), (&json!(60.0), &json!("closed")));
    assert_eq!(world.simulator.stats().throttled, 0);
}

#[tokio::test]
async fn a_raised_limit_is_used_and_a_lowered_one_is_kept() {
    let world = limited().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    world.simulator.set_limit(Group::Medium, Limit::per_minute(30));
    for _ in 0..20 {
        assert_eq!(world.get("/api/extensions").await.status, 200);
    }
    world.time.advance(Duration::from_secs(61));
    world.simulator.set_limit(Group::Medium, Limit::per_minute(2));
    let statuses = [200, 200, 429, 429];
    for status in statuses {
        assert_eq!(world.get("/api/extensions").await.status, status);
    }
    assert_eq!(world.simulator.stats().throttled, 0);
}

#[tokio::test]
async fn after_a_penalty_one_request_goes_ahead_and_the_others_follow() {
    let world = limited().await;
    world.simulator.add_fault(Fault::new(FaultKind::Force429).on("listExtensions").times(1));
    assert_eq!(world.get("/api/extensions").await.status, 429);
    let blocked = medium(&world).await;
    assert_eq!((&blocked["cause"], blocked["blockedUntil"].is_string()), (&json!("penalty"), true));
    world.time.advance(Duration::from_secs(60));
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let second = world.get("/api/extensions").await;
    assert_eq!(second.status, 200, "{second:?} {}", medium(&world).await);
    assert!(medium(&world).await["blockedUntil"].is_null());
    assert_eq!(world.asked("listExtensions"), 3);
}

#[tokio::test]
async fn failures_in_a_row_open_the_circuit_for_everybody_until_one_request_succeeds() {
    let mut world = World::new().await;
    let other = world.container().await;
    world.simulator.add_fault(Fault::new(FaultKind::Error).on("listExtensions").with_status(500));
    for _ in 0..2 {
        world.get("/api/extensions").await;
    }
    assert_eq!(world.asked("listExtensions"), 5, "the fifth failure opens it");
    let open = trunkline_tests::Answer::of(
        world
            .http
            .get(format!("{other}/api/extensions"))
            .bearer_auth(world.token(trunkline_http::Role::Viewer)),
    )
    .await;
    assert_eq!(
        (open.status, open.problem(), open.header("retry-after").is_empty()),
        (503, "circuit-open", false)
    );
    assert_eq!(
        (&medium(&world).await["circuit"]["state"], world.asked("listExtensions")),
        (&json!("open"), 5)
    );
    assert_eq!(world.get("/api/sites").await.status, 200, "other groups are not touched");

    world.time.advance(Duration::from_secs(61));
    assert_eq!(
        world.get("/api/extensions").await.status,
        503,
        "one tries, fails, and the circuit stays open"
    );
    assert_eq!(world.asked("listExtensions"), 6);
    world.simulator.clear_faults();
    world.time.advance(Duration::from_secs(61));
    assert_eq!(world.get("/api/extensions").await.status, 200);
    assert_eq!(world.get("/api/extensions").await.status, 200);
    assert_eq!(medium(&world).await["circuit"], json!({"state": "closed", "failures": 0}));
}

#[tokio::test]
async fn another_tool_on_the_same_budget_is_made_room_for() {
    let limits = Limits { medium: Limit::per_minute(10), ..Limits::default() };
    let world =
        World::with(Config { limits, extensions: 5, calls: 5, messages: 5, ..Config::default() }).await;
    let mut served = 0;
    for second in 0..720 {
        if second % 15 == 0 {
            world.foreign_request().await;
        }
        // Two quiet minutes in which it is noticed, then ten in which everything is asked for.
        if second > 120 || second % 20 == 0 {
            served += u32::from(world.get("/api/extensions").await.status == 200);
        }
        world.time.advance(Duration::from_secs(1));
    }
    assert_eq!(world.simulator.stats().throttled, 0);
    let foreign = medium(&world).await["foreign"].as_u64();
    assert!(
        matches!(foreign, Some(3 | 4)),
        "four a minute, one of them at the edge of the window: {foreign:?}"
    );
    assert!(served >= 50, "{served} of the 60 that were left in ten minutes");
}

#[tokio::test]
async fn a_429_that_names_no_window_stops_every_group_of_the_account() {
    for scope in [Scope::Account, Scope::Address] {
        let world = World::new().await;
        assert_eq!(world.get("/api/sites").await.status, 200);
        let asked = world.asked("listSites");
        let fault = Fault::new(FaultKind::Force429).about(scope).on("listExtensions").times(1);
        world.simulator.add_fault(fault);
        assert_eq!(world.get("/api/extensions").await.status, 429);
        let refused = world.get("/api/sites").await;
        assert_eq!((refused.status, refused.problem()), (429, "rate-limited"), "{scope:?} {refused:?}");
        assert_eq!(world.asked("listSites"), asked, "{scope:?}");
        world.time.advance(Duration::from_secs(62));
        assert_eq!(world.get("/api/sites").await.status, 200, "{scope:?}");
        assert_eq!(world.get("/api/extensions").await.status, 200, "{scope:?}");
    }
}

#[tokio::test]
async fn an_operation_is_counted_in_the_group_that_its_answers_name() {
    let world = limited().await;
    world.simulator.regroup("listExtensions", Group::Light);
    for _ in 0..10 {
        assert_eq!(world.get("/api/extensions").await.status, 200);
    }
    let limits = world.get("/api/platform/limits").await.json;
    let used = |group: &str| {
        let limit = limits["records"].as_array().unwrap().iter().find(|limit| limit["group"] == group);
        limit.unwrap()["used"]["interactive"].clone()
    };
    assert_eq!((used("light"), used("medium")), (json!(10), json!(0)), "{limits}");
    assert_eq!(world.simulator.stats().throttled, 0);
}

#[tokio::test]
async fn regression_a_429_is_kept_though_the_windows_can_t_be_listed() {
    let world = World::new().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let account = Fault::new(FaultKind::Force429).about(Scope::Account).on("listExtensions");
    world.simulator.add_fault(account.times(1));
    world.aws().faults().fail_next("DynamoDB_20120810.Scan", 9, AwsFault::Throttle);
    assert_eq!(world.get("/api/extensions").await.status, 429);
    let asked = world.asked_at_all();
    for path in ["/api/extensions", "/api/sites", "/api/extensions"] {
        assert_eq!((world.get(path).await.status, world.asked_at_all()), (429, asked), "{path}");
    }
}
