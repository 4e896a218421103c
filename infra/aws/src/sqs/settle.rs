//! What a consumer does with a message it holds: delete it, or change how long it stays hidden.
//!
//! It owns the meaning of a receipt handle after the receive, which is the documented one of standard queues:
//! the handle of the latest receive deletes the message, even once its visibility timeout has passed; an older
//! handle is accepted and deletes nothing, because another consumer may hold the message by now.

use super::receipt::Receipt;
use super::schema::Queue;
use super::{Answer, Sqs, batch, errors, queue_of_url};
use crate::reply::ApiError;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::{Map, json};

/// SQS lets nobody hold a message longer than this after receiving it.
const LONGEST_HOLD_MS: i64 = 43_200_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settle {
    queue_url: String,
    #[serde(flatten)]
    hold: Hold,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SettleBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    #[serde(flatten)]
    hold: Hold,
}

/// The receipt, and for a change of visibility the seconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Hold {
    #[serde(default)]
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

type Act = fn(&Connection, &Queue, &Hold, i64) -> Result<(), ApiError>;

impl Sqs {
    pub(super) async fn delete(&self, request: Settle) -> Answer {
        self.settle(request, delete).await
    }

    pub(super) async fn delete_batch(&self, request: SettleBatch) -> Answer {
        self.settle_batch(request, delete).await
    }

    pub(super) async fn change_visibility(&self, request: Settle) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let answer = self.settle(request, change_visibility).await?;
        // A deletion shows nobody anything new; a changed timeout may.
        self.wakers.ring(&name);
        Ok(answer)
    }

    pub(super) async fn change_visibility_batch(&self, request: SettleBatch) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let answer = self.settle_batch(request, change_visibility).await?;
        self.wakers.ring(&name);
        Ok(answer)
    }

    async fn settle(&self, request: Settle, act: Act) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let now = self.clock.now_ms();
        self.store.run(move |db| act(db, &Queue::load(db, &name)?, &request.hold, now)).await?;
        Ok(json!({}))
    }

    async fn settle_batch(&self, request: SettleBatch, act: Act) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        batch::check_ids(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let now = self.clock.now_ms();
        let results = self
            .store
            .run(move |db| {
                let queue = Queue::load(db, &name)?;
                let settle =
                    |entry: Entry| (entry.id, act(db, &queue, &entry.hold, now).map(|()| Map::new()));
                Ok::<_, ApiError>(request.entries.into_iter().map(settle).collect())
            })
            .await?;
        Ok(batch::answer(results))
    }
}

fn delete(db: &Connection, queue: &Queue, hold: &Hold, _now: i64) -> Result<(), ApiError> {
    let receipt = Receipt::read(&hold.receipt_handle, queue.id)?;
    db.prepare_cached("DELETE FROM messages WHERE seq = ?1 AND queue = ?2 AND receipt = ?3")?
        .execute(params![receipt.seq, receipt.queue, receipt.nonce])?;
    Ok(())
}

fn change_visibility(db: &Connection, queue: &Queue, hold: &Hold, now: i64) -> Result<(), ApiError> {
    let receipt = Receipt::read(&hold.receipt_handle, queue.id)?;
    let seconds = hold.visibility_timeout.ok_or_else(|| errors::missing("VisibilityTimeout"))?;
    if !(0..=43_200).contains(&seconds) {
        return Err(errors::out_of_range("VisibilityTimeout", seconds, "Must be between 0 and 43200"));
    }
    let held: Option<(i64, i64)> = db
        .prepare_cached(
            "SELECT visible_ms, received_ms FROM messages WHERE seq = ?1 AND queue = ?2 AND receipt = ?3",
        )?
        .query_row(params![receipt.seq, receipt.queue, receipt.nonce], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((visible_ms, received_ms)) = held else {
        let reason = "Message does not exist or is not available for visibility timeout change";
        return Err(errors::out_of_range("ReceiptHandle", &hold.receipt_handle, reason));
    };
    if visible_ms <= now {
        return Err(errors::not_in_flight());
    }
    let until = now.saturating_add(seconds * 1_000);
    if until > received_ms.saturating_add(LONGEST_HOLD_MS) {
        let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
        return Err(errors::out_of_range("VisibilityTimeout", seconds, reason));
    }
    db.prepare_cached("UPDATE messages SET visible_ms = ?2 WHERE seq = ?1")?
        .execute(params![receipt.seq, until])?;
    Ok(())
}
