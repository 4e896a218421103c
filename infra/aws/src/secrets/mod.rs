//! Secrets Manager: secrets, their versions and staging labels in one SQLite file, in AWS JSON 1.1.
//!
//! It owns the file, which only its user may read. A secret value passes through [`SecretText`], which cannot be
//! printed; no value may reach a log or an error message.

mod describe;
mod errors;
mod lifecycle;
mod schema;
mod stages;
mod value;
mod versions;

use crate::reply::{self, ApiError};
use crate::store::{Durability, Store};
use crate::{Clock, StartError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// The result of every operation: the JSON to answer with.
type Answer = Result<Value, ApiError>;

/// The secrets of the embedded AWS.
#[derive(Debug)]
pub(crate) struct Secrets {
    store: Store,
    clock: Clock,
}

impl Secrets {
    /// Opens the file, or secrets in memory.
    pub(crate) fn open(path: Option<&Path>, clock: Clock) -> Result<Self, StartError> {
        let store = Store::open("secrets", path, Durability::Machine, (schema::VERSION, schema::SCHEMA))
            .map_err(|error| StartError::Store { name: "secrets.db", reason: error.to_string() })?;
        Ok(Self { store, clock })
    }

    /// Carries out one operation.
    pub(crate) async fn handle(&self, operation: &str, body: &[u8]) -> Answer {
        match operation {
            "GetSecretValue" => self.get_value(read(body)?).await,
            "PutSecretValue" => self.put_value(read(body)?).await,
            "CreateSecret" => self.create(read(body)?).await,
            "UpdateSecret" => self.update(read(body)?).await,
            "DescribeSecret" => self.describe(read(body)?).await,
            "ListSecrets" => self.list(read(body)?).await,
            "ListSecretVersionIds" => self.list_versions(read(body)?).await,
            "DeleteSecret" => self.delete(read(body)?).await,
            "RestoreSecret" => self.restore(read(body)?).await,
            "UpdateSecretVersionStage" => self.move_stage(read(body)?).await,
            _ => Err(reply::unknown_operation(operation)),
        }
    }

    /// Removes the secrets whose recovery window has passed, and tells how many those were.
    pub(crate) async fn sweep(&self) -> usize {
        let now = self.clock.now_ms();
        let remove = move |db: &rusqlite::Connection| {
            Ok::<_, ApiError>(db.execute("DELETE FROM secrets WHERE removal_ms <= ?1", [now])?)
        };
        match self.store.run(remove).await {
            Ok(removed) => removed,
            Err(error) => {
                tracing::warn!(error = %error.message, "the sweep of deleted secrets failed");
                0
            }
        }
    }
}

/// Reads a request. What serde says of a wrong type can quote the value, which may be the secret.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        ApiError::bad(
            "SerializationException",
            format!("The request could not be read at line {}, column {}.", error.line(), error.column()),
        )
    })
}

/// Seconds since the epoch, as the JSON protocol writes moments.
fn seconds(millis: i64) -> Value {
    // 53 bits of milliseconds reach beyond the year 200000.
    Value::from(millis as f64 / 1_000.0)
}
