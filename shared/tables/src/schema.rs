//! The tables as they must be created; the template is tested against this.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};

use crate::{TableError, Tables, client::failed};

/// The partition key of every table.
pub(crate) const KEY: &str = "pk";
/// When DynamoDB may delete an item, seconds since the epoch. Housekeeping only: reads compare times themselves.
pub(crate) const EXPIRES: &str = "expires_at";

/// A table: its name behind the deployment's prefix, and its indexes. All keys are strings.
#[derive(Debug, Clone, Copy)]
pub struct TableSchema {
    /// The name behind the prefix and a dash.
    pub name: &'static str,
    /// Secondary indexes; all of them project everything.
    pub indexes: &'static [Index],
    /// Items end by `expires_at`.
    pub expires: bool,
}

/// A secondary index.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// The attribute it is partitioned by.
    pub partition: &'static str,
    /// The attribute it is sorted by.
    pub sort: &'static str,
}

/// Every table.
pub const SCHEMA: &[TableSchema] = &[
    TableSchema { name: "windows", indexes: &[], expires: false },
    TableSchema { name: "tokens", indexes: &[], expires: false },
    TableSchema { name: "requests", indexes: &[], expires: true },
    TableSchema {
        name: "events",
        indexes: &[
            Index { name: "by-day", partition: "day", sort: "day_place" },
            Index { name: "by-session", partition: "session", sort: "session_place" },
        ],
        expires: true,
    },
    TableSchema { name: "sessions", indexes: &[], expires: true },
];

impl Tables {
    /// Creates the tables that are missing. For one machine and tests; deployments get them from the template.
    ///
    /// # Errors
    /// [`TableError`] if a table can't be created.
    pub async fn create(&self) -> Result<(), TableError> {
        for table in SCHEMA {
            let name = self.name(table.name);
            let sorts = table.indexes.iter().flat_map(|index| [index.partition, index.sort]);
            let attributes =
                std::iter::once(KEY).chain(sorts).map(attribute).collect::<Result<Vec<_>, _>>()?;
            let indexes = table.indexes.iter().map(index).collect::<Result<Vec<_>, _>>()?;
            let created = self
                .client()
                .create_table()
                .table_name(&name)
                .billing_mode(BillingMode::PayPerRequest)
                .set_attribute_definitions(Some(attributes))
                .key_schema(key(KEY, KeyType::Hash)?)
                .set_global_secondary_indexes(Some(indexes).filter(|indexes| !indexes.is_empty()))
                .send()
                .await;
            match created.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
                Ok(_) => {}
                Err(error) if error.is_resource_in_use_exception() => continue,
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

fn index(index: &Index) -> Result<GlobalSecondaryIndex, TableError> {
    GlobalSecondaryIndex::builder()
        .index_name(index.name)
        .key_schema(key(index.partition, KeyType::Hash)?)
        .key_schema(key(index.sort, KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .map_err(|error| TableError(Box::new(error)))
}
