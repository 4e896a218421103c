//! Sites.

use serde_json::json;
use trunkline_tests::World;

#[tokio::test]
async fn a_site_is_created_and_listed() {
    let world = World::new().await;
    let before = world.get("/api/sites").await.json["records"].as_array().unwrap().len();
    let created =
        world.send("POST", "/api/sites", &json!({"name": "Harbour", "extensionNumber": "880"})).await;
    assert_eq!((created.status, &created.json["name"]), (201, &json!("Harbour")), "{created:?}");
    let after = world.get("/api/sites").await;
    let names: Vec<_> =
        after.json["records"].as_array().unwrap().iter().map(|site| site["name"].clone()).collect();
    assert_eq!((names.len(), names.contains(&json!("Harbour"))), (before + 1, true));
}
