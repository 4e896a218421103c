//! The tables of the template are those of the code, and the other way round.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tables::{SCHEMA, TableSchema};

use crate::template::Template;

/// What the code expects of a table, in CloudFormation's words.
fn expected(table: &TableSchema) -> Value {
    let sorts = table.indexes.iter().flat_map(|index| [index.partition, index.sort]);
    let mut names: Vec<_> = std::iter::once("pk").chain(sorts).collect();
    names.sort_unstable();
    let attributes: Vec<_> =
        names.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect();
    let indexes: Vec<_> = table
        .indexes
        .iter()
        .map(|index| {
            json!({
                "IndexName": index.name,
                "KeySchema": [
                    {"AttributeName": index.partition, "KeyType": "HASH"},
                    {"AttributeName": index.sort, "KeyType": "RANGE"}
                ],
                "Projection": {"ProjectionType": "ALL"}
            })
        })
        .collect();
    json!({
        "AttributeDefinitions": attributes,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": indexes,
        "TimeToLiveSpecification": match table.expires {
            true => json!({"AttributeName": "expires_at", "Enabled": true}),
            false => Value::Null,
        },
        "BillingMode": "PAY_PER_REQUEST",
    })
}

fn deployed(properties: &Value) -> Value {
    let mut attributes = properties["AttributeDefinitions"].as_array().cloned().unwrap_or_default();
    attributes.sort_by_key(|attribute| attribute["AttributeName"].to_string());
    let indexes = properties["GlobalSecondaryIndexes"].as_array().cloned().unwrap_or_default();
    json!({
        "AttributeDefinitions": attributes,
        "KeySchema": properties["KeySchema"],
        "GlobalSecondaryIndexes": indexes,
        "TimeToLiveSpecification": properties["TimeToLiveSpecification"],
        "BillingMode": properties["BillingMode"],
    })
}

#[test]
fn the_tables_are_those_the_code_expects() {
    let template = Template::load();
    let expected: BTreeMap<_, _> =
        SCHEMA.iter().map(|table| (format!("trunkline-{}", table.name), expected(table))).collect();
    let deployed: BTreeMap<_, _> = template
        .all("AWS::DynamoDB::Table")
        .into_iter()
        .map(|(_, properties)| (template.resolved(&properties["TableName"]), deployed(properties)))
        .collect();
    assert_eq!(
        deployed.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>(),
        "deployed, and expected by the code"
    );
    for (name, table) in expected {
        assert_eq!(deployed[&name], table, "{name}: deployed, and expected by the code");
    }
}

#[test]
fn the_functions_are_told_how_their_tables_are_named() {
    let template = Template::load();
    for function in template.functions() {
        let prefix = template.resolved(&function.properties["Environment"]["Variables"]["TRUNKLINE_TABLES"]);
        for (id, table) in template.all("AWS::DynamoDB::Table") {
            let name = template.resolved(&table["TableName"]);
            assert!(name.starts_with(&format!("{prefix}-")), "{}: {id} is named {name}", function.id);
        }
    }
}
