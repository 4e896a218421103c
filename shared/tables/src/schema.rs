//! The tables as they must be created; the template is tested against this.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};

use crate::{TableError, Tables, client::failed};

/// The partition key of every table.
pub(crate) const KEY: &str = "pk";
/// The sort key of those that have one.
pub(crate) const SORT: &str = "sk";
/// When DynamoDB may delete an item, seconds since the epoch. Housekeeping only: reads compare times themselves.
pub(crate) const EXPIRES: &str = "expires_at";

/// A table: its name behind the deployment's prefix, and its keys, which are strings.
#[derive(Debug, Clone, Copy)]
pub struct TableSchema {
    /// The name behind the prefix and a dash.
    pub name: &'static str,
    /// The names of its keys: `pk`, and `sk` where items of a partition have an order.
    pub keys: &'static [&'static str],
    /// Items end by `expires_at`.
    pub expires: bool,
}

/// Every table.
pub const SCHEMA: &[TableSchema] = &[
    TableSchema { name: "windows", keys: &[KEY], expires: false },
    TableSchema { name: "tokens", keys: &[KEY], expires: false },
    TableSchema { name: "requests", keys: &[KEY], expires: true },
    TableSchema { name: "events", keys: &[KEY, SORT], expires: true },
];

impl Tables {
    /// Creates the tables that are missing. For one machine and tests; deployments get them from the template.
    ///
    /// # Errors
    /// [`TableError`] if a table can't be created, or is there with other keys.
    pub async fn create(&self) -> Result<(), TableError> {
        for table in SCHEMA {
            let name = self.name(table.name);
            let attributes = table.keys.iter().map(|name| attribute(name)).collect::<Result<Vec<_>, _>>()?;
            let created = self
                .client()
                .create_table()
                .table_name(&name)
                .billing_mode(BillingMode::PayPerRequest)
                .set_attribute_definitions(Some(attributes))
                .set_key_schema(Some(keys(table)?))
                .send()
                .await;
            match created.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
                Ok(_) => {}
                Err(error) if error.is_resource_in_use_exception() => {
                    self.expect_keys(table).await?;
                    continue;
                }
                Err(error) => return Err(TableError(Box::new(error))),
            }
            if table.expires {
                let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES).build();
                let ttl = ttl.map_err(|error| TableError(Box::new(error)))?;
                let request = self.client().update_time_to_live().table_name(&name);
                request.time_to_live_specification(ttl).send().await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// A table of an earlier version can't be used, and not be changed either.
    async fn expect_keys(&self, table: &TableSchema) -> Result<(), TableError> {
        let name = self.name(table.name);
        let known = self.client().describe_table().table_name(&name).send().await.map_err(failed)?;
        let known = known.table.and_then(|table| table.key_schema).unwrap_or_default();
        if known == keys(table)? {
            return Ok(());
        }
        let reason = format!(
            "the table {name} is of an earlier version, with other keys: delete it, or start with another data folder"
        );
        Err(TableError(reason.into()))
    }
}

fn keys(table: &TableSchema) -> Result<Vec<KeySchemaElement>, TableError> {
    let kinds = [KeyType::Hash, KeyType::Range];
    table.keys.iter().zip(kinds).map(|(name, kind)| key(name, kind)).collect()
}

fn attribute(name: &str) -> Result<AttributeDefinition, TableError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(|error| TableError(Box::new(error)))
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, TableError> {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()
        .map_err(|error| TableError(Box::new(error)))
}
