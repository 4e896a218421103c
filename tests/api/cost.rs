//! What a call costs that finds everything in memory.

use trunkline_tests::World;

#[tokio::test]
async fn a_warm_call_is_one_write_and_one_request_to_ringcentral() {
    let world = World::new().await;
    for _ in 0..2 {
        assert_eq!(world.get("/api/extensions").await.status, 200);
    }
    let (aws, asked) = (world.aws().stats(), world.asked_at_all());
    for _ in 0..10 {
        assert_eq!(world.get("/api/extensions").await.status, 200);
    }
    let after = world.aws().stats();
    assert_eq!(after.total() - aws.total(), 10);
    let writes = "DynamoDB_20120810.PutItem";
    assert_eq!(after.requests(writes) - aws.requests(writes), 10);
    assert_eq!(world.asked_at_all() - asked, 10);
}

#[tokio::test]
async fn a_key_costs_one_write_to_take_it_and_one_to_keep_the_answer() {
    let world = World::new().await;
    assert_eq!(world.get("/api/extensions").await.status, 200);
    let (aws, asked) = (world.aws().stats(), world.asked_at_all());
    let body = serde_json::json!({"contact": {"firstName": "Kay", "email": "kay@example.com"}});
    let request = world.request("POST", "/api/extensions").header("idempotency-key", "cost-1").json(&body);
    assert_eq!(trunkline_tests::Answer::of(request).await.status, 201);
    let after = world.aws().stats();
    let cost = |operation: &str| after.requests(operation) - aws.requests(operation);
    // The window's write is every call's.
    assert_eq!((cost("DynamoDB_20120810.PutItem"), cost("DynamoDB_20120810.UpdateItem")), (2, 1));
    assert_eq!((after.total() - aws.total(), world.asked_at_all() - asked), (3, 1));
}
