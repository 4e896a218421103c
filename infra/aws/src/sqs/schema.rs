//! The tables of `sqs.db`, and the reading of a queue's row.
//!
//! It owns the schema. A message's row says all there is about it, so that a restart changes nothing: when it
//! is visible again, how often it was received, and which receipt is the latest.

use super::errors;
use super::settings::Settings;
use crate::reply::ApiError;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

pub(super) const VERSION: i64 = 1;

/// `AUTOINCREMENT` keeps a new queue from taking a deleted one's id, and with it the receipts of its messages.
/// A message with `receives_here = 0` that is not visible yet is delayed; any other that is not visible is in flight.
pub(super) const SCHEMA: &str = "
CREATE TABLE queues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    tags TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    modified_ms INTEGER NOT NULL
);
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL REFERENCES queues (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    body_md5 TEXT NOT NULL,
    attributes TEXT,
    group_id TEXT,
    trace TEXT,
    sent_ms INTEGER NOT NULL,
    visible_ms INTEGER NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0,
    receives_here INTEGER NOT NULL DEFAULT 0,
    first_received_ms INTEGER,
    received_ms INTEGER,
    receipt TEXT,
    source TEXT
);
CREATE INDEX messages_by_visibility ON messages (queue, visible_ms, seq);
CREATE INDEX messages_by_age ON messages (queue, sent_ms);
CREATE TABLE moves (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    handle TEXT NOT NULL,
    source TEXT NOT NULL,
    destination TEXT,
    started_ms INTEGER NOT NULL,
    moved INTEGER NOT NULL,
    to_move INTEGER NOT NULL,
    failure TEXT
);
";

/// A queue as it is stored.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
}

const COLUMNS: &str = "SELECT id, name, settings, created_ms, modified_ms FROM queues";

impl Queue {
    /// The queue of that name, if there is one.
    pub(super) fn find(db: &Connection, name: &str) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?.query_row([name], Self::read).optional()
    }

    /// The queue of that name.
    pub(super) fn load(db: &Connection, name: &str) -> Result<Self, ApiError> {
        Self::find(db, name)?.ok_or_else(errors::no_such_queue)
    }

    /// Every queue, by name.
    pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<Self>> {
        db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?.query_map([], Self::read)?.collect()
    }

    /// Messages sent at this moment or before have outlived the queue's retention.
    pub(super) fn expired_until(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.settings.retention_ms())
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            settings: Settings::stored(&row.get::<_, String>(2)?),
            created_ms: row.get(3)?,
            modified_ms: row.get(4)?,
        })
    }
}

/// Deletes the messages that have outlived their queue's retention.
pub(super) fn remove_expired(db: &Connection, now_ms: i64) -> Result<usize, ApiError> {
    let mut removed = 0;
    for queue in Queue::all(db)? {
        removed += db
            .prepare_cached("DELETE FROM messages WHERE queue = ?1 AND sent_ms <= ?2")?
            .execute(params![queue.id, queue.expired_until(now_ms)])?;
    }
    Ok(removed)
}
