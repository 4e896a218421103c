//! SQS: standard queues in one SQLite file, spoken to in AWS JSON 1.0.
//!
//! It owns queues, messages, visibility, receive counts, dead-letter queues and their redrive. FIFO queues are
//! refused; `MessageGroupId` is kept and returned, without the fair ordering between groups. It must never
//! answer a send before the message is committed, or write a body to a log.

mod attributes;
mod batch;
mod errors;
mod message;
mod moves;
mod queues;
mod receipt;
mod receive;
mod schema;
mod send;
mod settings;
mod settle;
mod typed;
mod wakers;

pub(crate) use errors::throttled;

use crate::reply::{self, ApiError};
use crate::store::{Durability, Store};
use crate::{ACCOUNT, Clock, REGION, StartError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;
use tokio::sync::watch;
use wakers::Wakers;

/// The result of every operation: the JSON to answer with.
type Answer = Result<Value, ApiError>;

/// The queues of the embedded AWS.
#[derive(Debug)]
pub(crate) struct Sqs {
    store: Store,
    clock: Clock,
    wakers: Wakers,
    /// What queue URLs begin with, account included.
    base: String,
    /// Ends long polls when the endpoint stops.
    closed: watch::Receiver<bool>,
}

impl Sqs {
    /// Opens the file, or queues in memory.
    pub(crate) fn open(
        path: Option<&Path>,
        clock: Clock,
        base: String,
        closed: watch::Receiver<bool>,
    ) -> Result<Self, StartError> {
        let store = Store::open("sqs", path, Durability::Process, (schema::VERSION, schema::SCHEMA))
            .map_err(|error| StartError::Store { name: "sqs.db", reason: error.to_string() })?;
        Ok(Self { store, clock, wakers: Wakers::default(), base, closed })
    }

    /// Carries out one operation.
    pub(crate) async fn handle(&self, operation: &str, body: &[u8]) -> Answer {
        match operation {
            "SendMessage" => self.send(read(body)?).await,
            "SendMessageBatch" => self.send_batch(read(body)?).await,
            "ReceiveMessage" => self.receive(read(body)?).await,
            "DeleteMessage" => self.delete(read(body)?).await,
            "DeleteMessageBatch" => self.delete_batch(read(body)?).await,
            "ChangeMessageVisibility" => self.change_visibility(read(body)?).await,
            "ChangeMessageVisibilityBatch" => self.change_visibility_batch(read(body)?).await,
            "CreateQueue" => self.create_queue(read(body)?).await,
            "GetQueueUrl" => self.queue_url(read(body)?).await,
            "ListQueues" => self.list_queues(read(body)?).await,
            "GetQueueAttributes" => self.queue_attributes(read(body)?).await,
            "SetQueueAttributes" => self.set_queue_attributes(read(body)?).await,
            "PurgeQueue" => self.purge_queue(read(body)?).await,
            "DeleteQueue" => self.delete_queue(read(body)?).await,
            "ListDeadLetterSourceQueues" => self.list_sources(read(body)?).await,
            "ListQueueTags" => self.list_tags(read(body)?).await,
            "TagQueue" => self.tag(read(body)?).await,
            "UntagQueue" => self.untag(read(body)?).await,
            "StartMessageMoveTask" => self.start_move(read(body)?).await,
            "ListMessageMoveTasks" => self.list_moves(read(body)?).await,
            _ => Err(reply::unknown_operation(operation)),
        }
    }

    /// Removes what has outlived its queue's retention, and tells how many messages that were.
    pub(crate) async fn sweep(&self) -> usize {
        let now = self.clock.now_ms();
        match self.store.run(move |db| schema::remove_expired(db, now)).await {
            Ok(removed) => removed,
            Err(error) => {
                tracing::warn!(error = %error.message, "the sweep of expired messages failed");
                0
            }
        }
    }

    fn url_of(&self, queue: &str) -> String {
        format!("{}/{queue}", self.base)
    }
}

/// The ARN of a queue.
fn arn_of(queue: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
}

/// The queue an ARN names, if it is one of ours.
fn queue_of_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:aws:sqs:")?
        .strip_prefix(REGION)?
        .strip_prefix(':')?
        .strip_prefix(ACCOUNT)?
        .strip_prefix(':')
}

/// The queue a URL names. Only the last segment counts: the port changes from one start to the next.
fn queue_of_url(url: &str) -> Result<String, ApiError> {
    match url.trim_end_matches('/').rsplit('/').next() {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(errors::no_such_queue()),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| reply::unreadable(&error))
}
