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
