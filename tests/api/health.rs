//! Health, and the description of the API.

use embedded_aws::Fault;
use serde_json::json;
use simulator::FaultKind;
use trunkline_tests::{Answer, World};

#[tokio::test]
async fn a_shallow_check_needs_nothing_and_a_deep_one_names_what_is_broken() {
    let world = World::new().await;
    let shallow = Answer::of(world.anonymous("GET", "/api/health")).await;
    assert_eq!((shallow.status, &shallow.json["status"]), (200, &json!("healthy")));
    assert_eq!(world.asked_at_all(), 0);
    assert_eq!(Answer::of(world.anonymous("GET", "/api/health?deep=true")).await.status, 401);

    let deep = world.get("/api/health?deep=true").await;
    assert_eq!(deep.json["checks"], json!({"store": "ok", "queue": "ok", "ringcentral": "ok"}), "{deep:?}");

    world.simulator.add_fault(simulator::Fault::new(FaultKind::Error).with_status(500));
    world.aws().faults().fail_next("AmazonSQS.GetQueueAttributes", 9, Fault::Error);
    let broken = world.get("/api/health?deep=true").await;
    assert_eq!((broken.status, &broken.json["checks"]["store"]), (503, &json!("ok")), "{broken:?}");
    assert!(broken.json["checks"]["ringcentral"].as_str().unwrap().contains("readAPIVersions"));
    assert_ne!(broken.json["checks"]["queue"], json!("ok"));
}

#[tokio::test]
async fn the_description_is_served() {
    let world = World::new().await;
    let description = Answer::of(world.anonymous("GET", "/api/openapi.json")).await;
    assert_eq!((description.status, &description.json["openapi"]), (200, &json!("3.1.0")));
    assert_eq!(description.header("content-type"), "application/json");
}
