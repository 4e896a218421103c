//! What Lambda hears of a batch: the ids of the records that come again, and nothing else (C70).

use aws_lambda_events::event::sqs::SqsEvent;
use embedded_aws::Fault;
use serde_json::{Value, json};
use trunkline_tests::World;

fn record(id: &str, body: &str) -> Value {
    let text = |value: &str| json!({"dataType": "String", "stringValue": value});
    json!({"messageId": id, "receiptHandle": "handle", "body": body, "eventSource": "aws:sqs", "messageAttributes": {
        "tenant": text("default"), "receivedAt": text("1763600000000"), "requestId": text(id), "encoding": text("text")}})
}

/// What the dispatcher says of these records, as Lambda reads it.
async fn told(world: &World, records: &[Value]) -> Value {
    let batch: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
    let context = events_dispatch::Context::new(&world.wiring);
    let response = events_dispatch::dispatch(&context, batch, "request".to_owned()).await;
    serde_json::to_value(response).unwrap()
}

fn failed(ids: &[&str]) -> Value {
    let of: Vec<_> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": of })
}

#[tokio::test]
async fn only_what_failed_is_named_and_only_by_ids_of_the_batch() {
    let world = World::new().await;
    let healthy = [record("m-1", "{\"uuid\":\"1\"}"), record("m-2", "{\"uuid\":\"2\",\"a\":\"\\ud83d\"}")];
    let unreadable = record("m-3", "[1]");
    let foreign =
        json!({"messageId": "m-4", "receiptHandle": "handle", "body": "hello", "eventSource": "aws:sqs"});
    let all = [healthy[0].clone(), unreadable, healthy[1].clone(), foreign];
    assert_eq!(told(&world, &[]).await, failed(&[]));

    // What can't be put away comes again; its neighbours are done.
    world.aws().faults().fail_next("AmazonSQS.SendMessage", 99, Fault::Error);
    assert_eq!(told(&world, &all).await, failed(&["m-3", "m-4"]));
    world.aws().faults().clear();
    assert_eq!(told(&world, &all).await, failed(&[]));
    assert_eq!(world.depth(&world.cloud.dead_letters).await, 2);

    // What can't be stored comes again; what is unreadable is put away all the same.
    world.aws().faults().fail_next("DynamoDB_20120810.PutItem", 99, Fault::Error);
    assert_eq!(told(&world, &all).await, failed(&["m-1", "m-2"]));
    world.aws().faults().clear();
    assert_eq!(world.depth(&world.cloud.dead_letters).await, 4);
    assert_eq!(told(&world, &healthy).await, failed(&[]));
}
