//! DynamoDB: requests of the wire carried out by `dynoxide` in this process.
//!
//! It owns the mapping from operation names to the engine's calls and the engine's file. All semantics are the
//! engine's; nothing here may interpret an item or an expression.

use crate::reply::{self, Service};
use crate::{Clock, StartError};
use axum::response::Response;
use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;

/// The tables of the embedded AWS.
#[derive(Clone)]
pub(crate) struct DynamoDb(Database);

impl DynamoDb {
    /// Opens the file, or tables in memory. The engine takes a clock in memory only; with a file it reads the
    /// system's.
    pub(crate) fn open(path: Option<&Path>, clock: &Clock) -> Result<Self, StartError> {
        let failed =
            |error: DynoxideError| StartError::Store { name: "dynamodb.db", reason: error.to_string() };
        let database = match path {
            Some(path) => Database::new(&path.to_string_lossy()),
            None => Database::memory_with_clock(Arc::new(clock.clone())),
        }
        .map_err(failed)?;
        // The engine's name for "no fsync per commit, sync at checkpoints": its default syncs every write.
        database.disable_bulk_loading().map_err(failed)?;
        Ok(Self(database))
    }

    /// Deletes the items whose time to live has passed; the engine never does so by itself.
    pub(crate) async fn sweep(&self) -> usize {
        let database = self.0.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(deleted)) => deleted,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the sweep of expired items failed");
                0
            }
            Err(_) => 0,
        }
    }

    /// Carries out one operation.
    pub(crate) async fn handle(&self, operation: String, body: axum::body::Bytes) -> Response {
        let database = self.0.clone();
        // The engine blocks on its lock and on the disk.
        let done = tokio::task::spawn_blocking(move || dispatch(&database, &operation, &body)).await;
        match done {
            Ok(Ok(json)) => reply::respond(Service::DynamoDb, StatusCode::OK, json),
            Ok(Err(error)) => {
                let status = StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST);
                reply::respond(Service::DynamoDb, status, error.to_json())
            }
            Err(_) => reply::ApiError::internal("InternalServerError", "The table engine failed.")
                .into_response(Service::DynamoDb),
        }
    }
}

impl dynoxide::storage_backend::Clock for Clock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.now_ms() / 1_000).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        // 53 bits of milliseconds reach beyond the year 200000.
        self.now_ms() as f64 / 1_000.0
    }
}

/// Whether the engine has an operation of this name.
pub(crate) fn knows(operation: &str) -> bool {
    OPERATIONS.contains(&operation)
}

macro_rules! operations {
    ($($name:literal => $method:ident),+ $(,)?) => {
        const OPERATIONS: &[&str] = &[$($name),+];

        fn dispatch(database: &Database, operation: &str, body: &[u8]) -> dynoxide::Result<String> {
            match operation {
                $($name => run(body, |request| database.$method(request)),)+
                _ => Err(DynoxideError::SerializationException(String::new())),
            }
        }
    };
}

operations! {
    "CreateTable" => create_table,
    "DeleteTable" => delete_table,
    "DescribeTable" => describe_table,
    "ListTables" => list_tables,
    "UpdateTable" => update_table,
    "PutItem" => put_item,
    "GetItem" => get_item,
    "DeleteItem" => delete_item,
    "UpdateItem" => update_item,
    "Query" => query,
    "Scan" => scan,
    "BatchGetItem" => batch_get_item,
    "BatchWriteItem" => batch_write_item,
    "TransactWriteItems" => transact_write_items,
    "TransactGetItems" => transact_get_items,
    "UpdateTimeToLive" => update_time_to_live,
    "DescribeTimeToLive" => describe_time_to_live,
    "ExecuteStatement" => execute_statement,
    "ExecuteTransaction" => execute_transaction,
    "BatchExecuteStatement" => batch_execute_statement,
    "ListStreams" => list_streams,
    "DescribeStream" => describe_stream,
    "GetShardIterator" => get_shard_iterator,
    "GetRecords" => get_records,
    "TagResource" => tag_resource,
    "UntagResource" => untag_resource,
    "ListTagsOfResource" => list_tags_of_resource,
}

fn run<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl FnOnce(I) -> dynoxide::Result<O>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body).map_err(refusal)?;
    serde_json::to_string(&operation(request)?)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// The engine marks what its readers refuse with the class of the error; no mark may reach the wire.
fn refusal(error: serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let marked =
        [("SERIALIZATION_AS_READ:", false), ("SERIALIZATION:", false), ("VALIDATION_AS_READ:", true)]
            .into_iter()
            .chain([("VALIDATION_REQUEST:", true), ("VALIDATION:", true)])
            .find_map(|(mark, validation)| text.strip_prefix(mark).map(|message| (message, validation)));
    match marked {
        Some((message, true)) => DynoxideError::ValidationException(message.to_owned()),
        Some((message, false)) => DynoxideError::SerializationException(message.to_owned()),
        None if ["missing field", "unknown variant", "invalid type: null", "AttributeValue"]
            .iter()
            .any(|hint| text.contains(hint)) =>
        {
            DynoxideError::ValidationException(text.to_owned())
        }
        None => DynoxideError::SerializationException(text.to_owned()),
    }
}
