//! Tables: the conditional writes everything else is built on.

use crate::support::World;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TransactWriteItem, Update,
};

const TABLE: &str = "orders";

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) async fn create(world: &World) {
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().unwrap();
    let definition = AttributeDefinition::builder()
        .attribute_name("pk")
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap();
    let create = world.dynamodb.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    create.key_schema(key).attribute_definitions(definition).send().await.unwrap();
}

pub(crate) async fn put(world: &World, id: &str, state: &str) {
    let put = world.dynamodb.put_item().table_name(TABLE);
    put.item("pk", text(id)).item("state", text(state)).send().await.unwrap();
}

pub(crate) async fn state(world: &World, id: &str) -> String {
    let got =
        world.dynamodb.get_item().table_name(TABLE).key("pk", text(id)).consistent_read(true).send().await;
    got.unwrap().item().unwrap()["state"].as_s().unwrap().clone()
}

#[tokio::test]
async fn a_failed_condition_returns_what_was_there() {
    let world = World::in_memory().await;
    create(&world).await;
    put(&world, "order-1", "paid").await;
    let update = world
        .dynamodb
        .update_item()
        .table_name(TABLE)
        .key("pk", text("order-1"))
        .update_expression("SET #s = :next")
        .condition_expression("#s = :new")
        .expression_attribute_names("#s", "state")
        .expression_attribute_values(":next", text("shipped"))
        .expression_attribute_values(":new", text("new"))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = update.send().await.unwrap_err().into_service_error();
    assert!(error.is_conditional_check_failed_exception());
    let aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(failed) =
        error
    else {
        panic!("another error: {error:?}")
    };
    assert_eq!(failed.item().unwrap()["state"], text("paid"));
    assert_eq!(world.aws.stats().requests("DynamoDB_20120810.UpdateItem"), 1);
}

#[tokio::test]
async fn a_transaction_happens_wholly_or_not_at_all() {
    let world = World::in_memory().await;
    create(&world).await;
    put(&world, "order-1", "paid").await;
    let write = |id: &str| {
        let put = Put::builder().table_name(TABLE).item("pk", text(id)).item("state", text("new"));
        let put = put.condition_expression("attribute_not_exists(pk)").build().unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let ship = Update::builder()
        .table_name(TABLE)
        .key("pk", text("order-1"))
        .update_expression("SET #s = :s")
        .expression_attribute_names("#s", "state")
        .expression_attribute_values(":s", text("shipped"))
        .build()
        .unwrap();
    let ship = TransactWriteItem::builder().update(ship).build();

    let transact = world.dynamodb.transact_write_items();
    let both = transact.transact_items(write("order-2")).transact_items(ship.clone());
    both.send().await.unwrap();
    assert_eq!(state(&world, "order-1").await, "shipped");

    put(&world, "order-1", "paid").await;
    let transact = world.dynamodb.transact_write_items();
    let error = transact.transact_items(ship).transact_items(write("order-2")).send().await.unwrap_err();
    let error = error.into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        canceled,
    ) = error
    else {
        panic!("another error: {error:?}")
    };
    let codes: Vec<_> = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(state(&world, "order-1").await, "paid");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let world = World::in_memory().await;
    create(&world).await;
    let missing =
        world.dynamodb.get_item().table_name("nowhere").key("pk", text("x")).send().await.unwrap_err();
    assert!(missing.into_service_error().is_resource_not_found_exception());

    use aws_sdk_dynamodb::error::ProvideErrorMetadata;
    let wrong = world.dynamodb.put_item().table_name(TABLE).item("pk", text("")).send().await.unwrap_err();
    assert_eq!(wrong.code(), Some("ValidationException"));
    let wrong = world.dynamodb.put_item().table_name(TABLE);
    let wrong = wrong
        .item("pk", text("a"))
        .item("n", AttributeValue::N("seven".to_owned()))
        .send()
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("ValidationException"));
    assert!(!wrong.message().unwrap().contains("VALIDATION"), "{wrong:?}");
}

#[tokio::test]
async fn expired_items_go_with_the_sweep_each_minute() {
    use aws_sdk_dynamodb::types::TimeToLiveSpecification;
    let world = World::in_memory().await;
    create(&world).await;
    let spec = TimeToLiveSpecification::builder().attribute_name("ttl").enabled(true).build().unwrap();
    world
        .dynamodb
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(spec)
        .send()
        .await
        .unwrap();
    let put = world.dynamodb.put_item().table_name(TABLE).item("pk", text("old"));
    let in_an_hour = world.aws.clock().now().as_second() + 3_600;
    put.item("ttl", AttributeValue::N(in_an_hour.to_string())).send().await.unwrap();

    let count = async || world.dynamodb.scan().table_name(TABLE).send().await.unwrap().count();
    world.step(60);
    assert_eq!(count().await, 1);
    world.step(3_600);
    while count().await > 0 {
        world.step(60);
    }
}
