//! What a delivery costs in DynamoDB, counted in what the store holds afterwards: `trunkline cost` must not promise less.

use serde_json::{Value, json};
use simulator::EventsOrder;
use trunkline_tests::{Answer, World};

/// All items of a table.
async fn items(world: &World, table: &str) -> Vec<Value> {
    let scan = world.http.post(world.aws().url()).header("x-amz-target", "DynamoDB_20120810.Scan");
    let answer = Answer::of(scan.json(&json!({ "TableName": format!("trunkline-{table}") }))).await;
    answer.json["Items"].as_array().unwrap().clone()
}

/// How large DynamoDB says an item is (bytes). All attributes are text, numbers, truth values, and lists and maps of these.
fn size(value: &Value) -> usize {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" => value.as_str().unwrap().len(),
        "N" => value.as_str().unwrap().len().div_ceil(2) + 1,
        "M" => 3 + attributes(value) + value.as_object().unwrap().len(),
        "L" => 3 + value.as_array().unwrap().iter().map(|item| size(item) + 1).sum::<usize>(),
        "BOOL" | "NULL" => 1,
        other => panic!("{other}"),
    }
}

fn attributes(item: &Value) -> usize {
    item.as_object().unwrap().iter().map(|(name, value)| name.len() + size(value)).sum()
}

fn units(item: &Value) -> u32 {
    u32::try_from(attributes(item).div_ceil(1_024)).unwrap()
}

/// The write units of one event of a kind, as the store is written: a lease, the event, and the event in each index it is in.
async fn written(kind: &str) -> u32 {
    let world = World::new().await;
    world
        .subscribe(&[
            "/restapi/v1.0/account/~/telephony/sessions",
            "/restapi/v1.0/account/~/extension/~/message-store",
        ])
        .await;
    let before = world.aws().stats();
    let order =
        EventsOrder { count: 1, kinds: vec![kind.to_owned()], seed: Some(1), ..EventsOrder::default() };
    world.simulator.generate_events(&order);
    world.settle().await;
    let after = world.aws().stats();
    let asked = |operation: &str| {
        let target = format!("DynamoDB_20120810.{operation}");
        after.requests(&target) - before.requests(&target)
    };
    let (events, sessions) = (items(&world, "events").await, items(&world, "sessions").await);
    let event = units(&events[0]);
    let lease = 1;
    match sessions.as_slice() {
        [session] => {
            assert_eq!((asked("PutItem"), asked("GetItem"), asked("TransactWriteItems")), (1, 1, 1));
            // Twice for what is in the transaction, and both indexes.
            lease + 2 * event + 2 * units(session) + 2 * event
        }
        [] => {
            assert_eq!((asked("PutItem"), asked("GetItem"), asked("TransactWriteItems")), (2, 0, 0));
            lease + event + event
        }
        more => panic!("{more:?}"),
    }
}

#[tokio::test]
async fn a_delivery_writes_what_the_bill_says() {
    assert_eq!(written("telephony").await, trunkline::WRITES_OF_A_CALL_EVENT);
    assert_eq!(written("message-store").await, trunkline::WRITES_OF_ANOTHER_EVENT);
}
