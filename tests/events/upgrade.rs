//! A folder that an earlier version has left behind.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use embedded_aws::{EmbeddedAws, Options};
use trunkline::Cloud;
use trunkline_tests::World;

#[tokio::test]
async fn a_table_with_other_keys_is_named_together_with_what_to_do() {
    let world = World::new().await;
    let old = EmbeddedAws::start(Options::default()).await.unwrap();
    let key = old.access_key().expose();
    let credentials = aws_sdk_dynamodb::config::Credentials::new(key, "any", None, None, "a story");
    let provider = aws_sdk_dynamodb::config::SharedCredentialsProvider::new(credentials);
    let sdk = world.cloud.sdk.to_builder().endpoint_url(old.url()).credentials_provider(provider).build();
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build().unwrap();
    let attribute =
        AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
    let create = aws_sdk_dynamodb::Client::new(&sdk).create_table().table_name("trunkline-events");
    let create = create.billing_mode(BillingMode::PayPerRequest).key_schema(key);
    create.attribute_definitions(attribute.build().unwrap()).send().await.unwrap();
    let error = Cloud::over(old).await.unwrap_err();
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    assert!(told.contains("trunkline-events is of an earlier version"), "{told}");
    assert!(told.contains("another data folder"), "{told}");
}

#[tokio::test]
async fn tables_that_are_right_are_left_alone() {
    let world = World::new().await;
    assert!(context::tables(&world.cloud.sdk, trunkline::PREFIX).create().await.is_ok());
}
