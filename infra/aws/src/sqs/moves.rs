//! Redrive: messages of a dead-letter queue back to where they came from, or to another queue.
//!
//! It owns the move tasks and their history. A move is one transaction, so a task has ended before its start is
//! answered; there is nothing to cancel, and a rate limit is refused rather than ignored.

use super::queues::sources_of;
use super::schema::Queue;
use super::{Answer, Sqs, errors, queue_of_arn};
use crate::reply::ApiError;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    source_arn: String,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMoves {
    source_arn: String,
    max_results: Option<i64>,
}

/// What one task did.
struct Outcome {
    moved: usize,
    to_move: usize,
    failure: Option<&'static str>,
    reached: BTreeSet<String>,
}

impl Sqs {
    pub(super) async fn start_move(&self, request: Start) -> Answer {
        if request.max_number_of_messages_per_second.is_some() {
            return Err(errors::unsupported(
                "The embedded AWS moves all messages at once and takes no MaxNumberOfMessagesPerSecond.",
            ));
        }
        let now = self.clock.now_ms();
        let handle = Uuid::new_v4().to_string();
        let task = handle.clone();
        let start = move |db: &Connection| {
            let source = by_arn(db, &request.source_arn)?;
            if sources_of(db, &source.name)?.is_empty() {
                return Err(errors::invalid_value("Source queue must be configured as a Dead Letter Queue."));
            }
            let destination = match &request.destination_arn {
                Some(arn) => Some(by_arn(db, arn)?),
                None => None,
            };
            let outcome = relocate(db, &source, destination.as_ref(), now)?;
            db.execute(
                "INSERT INTO moves (handle, source, destination, started_ms, moved, to_move, failure)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    task,
                    request.source_arn,
                    request.destination_arn,
                    now,
                    outcome.moved,
                    outcome.to_move,
                    outcome.failure
                ],
            )?;
            Ok(outcome.reached)
        };
        for queue in self.store.run(start).await? {
            self.wakers.ring(&queue);
        }
        Ok(json!({"TaskHandle": handle}))
    }

    pub(super) async fn list_moves(&self, request: ListMoves) -> Answer {
        let most = request.max_results.unwrap_or(1).clamp(1, 10);
        let list = move |db: &Connection| {
            by_arn(db, &request.source_arn)?;
            let mut statement = db.prepare_cached(
                "SELECT source, destination, started_ms, moved, to_move, failure FROM moves
                 WHERE source = ?1 ORDER BY id DESC LIMIT ?2",
            )?;
            let rows = statement.query_map(params![request.source_arn, most], |row| {
                let failure: Option<String> = row.get(5)?;
                let mut task = json!({
                    "Status": if failure.is_some() { "FAILED" } else { "COMPLETED" },
                    "SourceArn": row.get::<_, String>(0)?,
                    "StartedTimestamp": row.get::<_, i64>(2)?,
                    "ApproximateNumberOfMessagesMoved": row.get::<_, i64>(3)?,
                    "ApproximateNumberOfMessagesToMove": row.get::<_, i64>(4)?,
                });
                if let Some(destination) = row.get::<_, Option<String>>(1)? {
                    task["DestinationArn"] = json!(destination);
                }
                if let Some(failure) = failure {
                    task["FailureReason"] = json!(failure);
                }
                Ok(task)
            })?;
            Ok::<_, ApiError>(rows.collect::<rusqlite::Result<Vec<Value>>>()?)
        };
        Ok(json!({"Results": self.store.run(list).await?}))
    }
}

fn by_arn(db: &Connection, arn: &str) -> Result<Queue, ApiError> {
    let gone = || errors::no_such_resource("The resource that you specified for the ARN does not exist.");
    let name = queue_of_arn(arn).ok_or_else(gone)?;
    Queue::find(db, name)?.ok_or_else(gone)
}

/// Moves what is visible. Moved messages are new ones: another id, sent now, never received.
fn relocate(db: &Connection, source: &Queue, to: Option<&Queue>, now: i64) -> Result<Outcome, ApiError> {
    let visible: Vec<(i64, Option<String>)> = db
        .prepare_cached(
            "SELECT seq, source FROM messages
             WHERE queue = ?1 AND visible_ms <= ?2 AND sent_ms > ?3 ORDER BY visible_ms, seq",
        )?
        .query_map(params![source.id, now, source.expired_until(now)], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut outcome = Outcome { moved: 0, to_move: visible.len(), failure: None, reached: BTreeSet::new() };
    for (seq, origin) in visible {
        let home = match (to, origin.as_deref().and_then(queue_of_arn)) {
            (Some(_), _) | (None, None) => None,
            (None, Some(name)) => Queue::find(db, name)?,
        };
        let Some(target) = to.or(home.as_ref()) else {
            outcome.failure = Some("CouldNotDetermineMessageSource");
            break;
        };
        db.prepare_cached(
            "INSERT INTO messages (queue, id, body, body_md5, attributes, group_id, trace, sent_ms, visible_ms)
             SELECT ?2, ?3, body, body_md5, attributes, group_id, trace, ?4, ?4 FROM messages WHERE seq = ?1",
        )?
        .execute(params![seq, target.id, Uuid::new_v4().to_string(), now])?;
        db.prepare_cached("DELETE FROM messages WHERE seq = ?1")?.execute([seq])?;
        outcome.moved += 1;
        outcome.reached.insert(target.name.clone());
    }
    Ok(outcome)
}
