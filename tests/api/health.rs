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
    let page = Answer::of(world.anonymous("GET", "/docs/")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("swagger-ui") && !page.text.contains("https://"), "{}", page.text);
    for (asset, part) in [
        ("/docs/swagger-ui.css", ".swagger-ui"),
        ("/docs/swagger-ui-bundle.js", "SwaggerUIBundle"),
        ("/docs/swagger-initializer.js", "/api/openapi.json"),
    ] {
        let answer = Answer::of(world.anonymous("GET", asset)).await;
        assert!(answer.status == 200 && answer.text.contains(part), "{asset}");
    }
    assert_eq!(Answer::of(world.anonymous("GET", "/docs")).await.text, page.text);
}

#[tokio::test]
async fn regression_the_docs_page_is_compressed_only_for_whoever_can_read_it() {
    let world = World::new().await;
    let path = "/docs/swagger-ui-bundle.js";
    let plain = Answer::of(world.anonymous("GET", path)).await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    let browser = world.anonymous("GET", path).header("accept-encoding", "gzip, br").send().await.unwrap();
    assert_eq!(browser.headers()["content-encoding"], "gzip");
    let packed = browser.bytes().await.unwrap();
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    assert!(packed.len() * 3 < text.len());
    assert_eq!(text, plain.text);
}
