//! What all tables share: the client, the names, reading and writing typed items.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::AttributeValue,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::schema::KEY;

/// An item on the wire.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A table could not be read or written; the cause is kept.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB failed")]
pub struct TableError(#[source] pub(crate) Box<dyn std::error::Error + Send + Sync>);

/// A client that is built when it is first needed: a function that never asks for it does not pay for it when it starts.
type LazyClient = LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>;

/// The tables of one deployment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tables {
    client: Arc<LazyClient>,
    prefix: String,
}

impl Tables {
    /// Tables named `<prefix>-<table>`, behind a client that is built for the first request.
    #[must_use]
    pub fn new(client: impl FnOnce() -> Client + Send + 'static, prefix: impl Into<String>) -> Self {
        Self { client: Arc::new(LazyClient::new(Box::new(client))), prefix: prefix.into() }
    }

    /// Whether the tables can be reached; reads one item that does not exist.
    ///
    /// # Errors
    /// [`TableError`] if they can't.
    pub async fn ping(&self) -> Result<(), TableError> {
        self.get::<serde_json::Value>("windows", "ping").await.map(drop)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn name(&self, table: &str) -> String {
        format!("{}-{table}", self.prefix)
    }

    /// Reads an item, with what was written last.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        table: &str,
        key: &str,
    ) -> Result<Option<T>, TableError> {
        let request = self.client.get_item().table_name(self.name(table)).consistent_read(true);
        let output = request.key(KEY, text(key)).send().await.map_err(failed)?;
        output.item.map(read).transpose()
    }

    /// The keys of all items of a table; for small tables only.
    pub(crate) async fn keys(&self, table: &str) -> Result<Vec<String>, TableError> {
        let scan = self.client.scan().table_name(self.name(table)).consistent_read(true);
        let mut pages = scan.projection_expression(KEY).into_paginator().items().send();
        let mut keys = Vec::new();
        while let Some(item) = pages.next().await {
            let mut item = item.map_err(failed)?;
            keys.extend(item.remove(KEY).and_then(|key| key.as_s().ok().cloned()));
        }
        Ok(keys)
    }
}

/// What a conditional write came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Written; what stood there before, where that was asked for.
    Written(Option<Item>),
    /// The condition failed; what stands there.
    Refused(Option<Item>),
}

pub(crate) fn put_outcome<T>(
    result: Result<T, SdkError<PutItemError>>,
    old: impl FnOnce(T) -> Option<Item>,
) -> Result<Outcome, TableError> {
    match result {
        Ok(output) => Ok(Outcome::Written(old(output))),
        Err(error) => match error.into_service_error() {
            PutItemError::ConditionalCheckFailedException(refused) => Ok(Outcome::Refused(refused.item)),
            other => Err(TableError(Box::new(other))),
        },
    }
}

pub(crate) fn update_outcome<T>(
    result: Result<T, SdkError<UpdateItemError>>,
    new: impl FnOnce(T) -> Option<Item>,
) -> Result<Outcome, TableError> {
    match result {
        Ok(output) => Ok(Outcome::Written(new(output))),
        Err(error) => match error.into_service_error() {
            UpdateItemError::ConditionalCheckFailedException(refused) => Ok(Outcome::Refused(refused.item)),
            other => Err(TableError(Box::new(other))),
        },
    }
}

pub(crate) fn failed<E: std::error::Error + Send + Sync + 'static>(error: E) -> TableError {
    TableError(Box::new(error))
}

pub(crate) fn read<T: DeserializeOwned>(item: Item) -> Result<T, TableError> {
    serde_dynamo::from_item(item).map_err(failed)
}

pub(crate) fn item(of: &impl Serialize) -> Result<Item, TableError> {
    serde_dynamo::to_item(of).map_err(failed)
}

pub(crate) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
