//! Health, and the description of the API.

use std::io::Read;

use embedded_aws::Fault;
use flate2::read::GzDecoder;
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
async fn the_description_is_served_and_the_docs_page_needs_no_internet() {
    let world = World::new().await;
    let description = Answer::of(world.anonymous("GET", "/api/openapi.json")).await;
    assert_eq!((description.status, &description.json["openapi"]), (200, &json!("3.1.0")));
    let page = unpacked(&world, "/docs/").await;
    assert!(page.contains("swagger-ui") && !page.contains("https://"), "{page}");
    for (asset, part) in [
        ("/docs/swagger-ui.css", ".swagger-ui"),
        ("/docs/swagger-ui-bundle.js", "SwaggerUIBundle"),
        ("/docs/swagger-initializer.js", "/api/openapi.json"),
    ] {
        assert!(unpacked(&world, asset).await.contains(part), "{asset}");
    }
    assert_eq!(unpacked(&world, "/docs").await, page);
}

/// A file of the page, as a browser reads it: most of them are stored and sent compressed.
async fn unpacked(world: &World, path: &str) -> String {
    let answer = world.anonymous("GET", path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let packed = answer.headers().get("content-encoding").is_some_and(|encoding| encoding == "gzip");
    let bytes = answer.bytes().await.unwrap();
    let mut text = String::new();
    match packed {
        true => GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap(),
        false => (&bytes[..]).read_to_string(&mut text).unwrap(),
    };
    text
}
