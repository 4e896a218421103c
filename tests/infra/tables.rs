//! The tables of the template are those of the code, and the other way round.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tables::{SCHEMA, TableSchema};

use crate::{environment::variable, statement::Statement, template::Template};

/// What the code expects of a table, in CloudFormation's words.
fn expected(table: &TableSchema) -> Value {
    let attributes: Vec<_> =
        table.keys.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect();
    let kinds = ["HASH", "RANGE"];
    let keys: Vec<_> = table
        .keys
        .iter()
        .zip(kinds)
        .map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind}))
        .collect();
    json!({
        "AttributeDefinitions": attributes,
        "KeySchema": keys,
        "GlobalSecondaryIndexes": Value::Null,
        "TimeToLiveSpecification": match table.expires {
            true => json!({"AttributeName": "expires_at", "Enabled": true}),
            false => Value::Null,
        },
        "BillingMode": "PAY_PER_REQUEST",
    })
}

fn deployed(properties: &Value) -> Value {
    let of = |name: &str| (name.to_owned(), properties[name].clone());
    let names = [
        "AttributeDefinitions",
        "KeySchema",
        "GlobalSecondaryIndexes",
        "TimeToLiveSpecification",
        "BillingMode",
    ];
    names.map(of).into_iter().collect::<serde_json::Map<_, _>>().into()
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

/// Who reads on from a cursor takes what is older than events are kept for gone: told otherwise than the dispatcher, it passes
/// over events that are there.
#[test]
fn regression_all_who_use_the_events_are_told_how_long_they_are_kept() {
    let template = Template::load();
    let events = template.resolved(&json!({ "Fn::GetAtt": ["EventsTable", "Arn"] }));
    let mut seen = 0;
    for function in template.functions() {
        let statements = template.statements(function.role());
        if statements.iter().flat_map(Statement::permissions).any(|(_, on)| on == events) {
            let told = variable(&template, &function, "EVENT_RETENTION_DAYS");
            assert_eq!(
                told,
                Some(template.resolved(&json!({ "Ref": "EventRetentionDays" }))),
                "{}",
                function.id
            );
            seen += 1;
        }
    }
    assert_eq!(seen, 2, "who reads them and who writes them");
}
