//! `ReceiveMessage`: long polls, visibility, and the way to the dead-letter queue.
//!
//! It owns the wait and the taking. A message that would be received more often than its queue allows moves
//! to the dead-letter queue instead, in the same transaction.

use super::attributes::{Received, Wanted};
use super::receipt::Receipt;
use super::schema::Queue;
use super::{Answer, Sqs, arn_of, errors, queue_of_url};
use crate::reply::ApiError;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receive {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

/// What one look into a queue came to.
struct Taken {
    messages: Vec<Received>,
    /// The dead-letter queue that got messages.
    moved_to: Option<String>,
    /// When the next message becomes visible, if nothing else happens.
    next_ms: Option<i64>,
    wait_ms: i64,
}

impl Sqs {
    pub(super) async fn receive(&self, request: Receive) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let most = in_range("MaxNumberOfMessages", request.max_number_of_messages, 1, 10)?.unwrap_or(1);
        let visibility = in_range("VisibilityTimeout", request.visibility_timeout, 0, 43_200)?;
        let wait = in_range("WaitTimeSeconds", request.wait_time_seconds, 0, 20)?;
        let mut system = request.attribute_names;
        system.extend(request.message_system_attribute_names);
        let wanted = Wanted { system, typed: request.message_attribute_names };

        let started = self.clock.now_ms();
        let mut closed = self.closed.clone();
        let bell = self.wakers.of(&name);
        loop {
            let rung = bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();

            let (now, queue) = (self.clock.now_ms(), name.clone());
            let taken =
                self.store.run(move |db| take(db, &Queue::load(db, &queue)?, now, most, visibility)).await?;
            if let Some(target) = &taken.moved_to {
                self.wakers.ring(target);
            }
            let deadline = started.saturating_add(wait.map_or(taken.wait_ms, |seconds| seconds * 1_000));
            if !taken.messages.is_empty() || now >= deadline || *closed.borrow() {
                let messages: Vec<_> =
                    taken.messages.into_iter().map(|message| message.tell(&wanted)).collect();
                return Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) });
            }
            let until = taken.next_ms.map_or(deadline, |next| next.min(deadline));
            tokio::select! {
                () = rung => {}
                () = self.clock.sleep_until(until) => {}
                _ = closed.wait_for(|closed| *closed) => {}
            }
        }
    }
}

fn in_range(name: &str, value: Option<i64>, least: i64, most: i64) -> Result<Option<i64>, ApiError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(errors::out_of_range(
            name,
            value,
            &format!("Must be between {least} and {most}, if provided"),
        )),
        value => Ok(value),
    }
}

fn take(
    db: &Connection,
    queue: &Queue,
    now: i64,
    most: i64,
    visibility: Option<i64>,
) -> Result<Taken, ApiError> {
    let (visible, moved_to) = visible_messages(db, queue, now, most)?;
    let visible_again = now
        .saturating_add(visibility.map_or_else(|| queue.settings.visibility_ms(), |seconds| seconds * 1_000));
    let mut messages = Vec::with_capacity(visible.len());
    for mut message in visible {
        let receipt = Receipt::new(queue.id, message.seq);
        db.prepare_cached(
            "UPDATE messages SET visible_ms = ?2, receives = receives + 1, receives_here = receives_here + 1,
                 first_received_ms = ifnull(first_received_ms, ?3), received_ms = ?3, receipt = ?4
             WHERE seq = ?1",
        )?
        .execute(params![message.seq, visible_again, now, receipt.nonce])?;
        message.receives += 1;
        message.first_received_ms.get_or_insert(now);
        message.handle = receipt.handle();
        messages.push(message);
    }
    let next_ms = match messages.is_empty() {
        false => None,
        true => db
            .prepare_cached("SELECT min(visible_ms) FROM messages WHERE queue = ?1 AND visible_ms > ?2")?
            .query_row(params![queue.id, now], |row| row.get(0))?,
    };
    Ok(Taken { messages, moved_to, next_ms, wait_ms: queue.settings.wait_ms() })
}

/// The messages to hand out, oldest visible first. Those received too often go to the dead-letter queue first.
fn visible_messages(
    db: &Connection,
    queue: &Queue,
    now: i64,
    most: i64,
) -> Result<(Vec<Received>, Option<String>), ApiError> {
    // Without its target a policy cannot act: messages then stay, as AWS keeps them.
    let redrive = match queue.settings.redrive() {
        Some(policy) => Queue::find(db, &policy.target)?.map(|target| (target, policy.max_receives)),
        None => None,
    };
    let mut moved_to = None;
    loop {
        let found: Vec<Received> = db
            .prepare_cached(
                "SELECT seq, id, body, body_md5, attributes, group_id, trace, sent_ms, receives, receives_here,
                     first_received_ms, source
                 FROM messages WHERE queue = ?1 AND visible_ms <= ?2 AND sent_ms > ?3
                 ORDER BY visible_ms, seq LIMIT ?4",
            )?
            .query_map(params![queue.id, now, queue.expired_until(now), most], Received::read)?
            .collect::<rusqlite::Result<_>>()?;
        let Some((target, max_receives)) = &redrive else { return Ok((found, moved_to)) };
        let (spent, usable): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|message| message.receives_here >= *max_receives);
        if spent.is_empty() {
            return Ok((usable, moved_to));
        }
        for message in spent {
            db.prepare_cached(
                "UPDATE messages SET queue = ?2, visible_ms = ?3, receives_here = 0, receipt = NULL, source = ?4
                 WHERE seq = ?1",
            )?
            .execute(params![message.seq, target.id, now, arn_of(&queue.name)])?;
        }
        moved_to = Some(target.name.clone());
    }
}
