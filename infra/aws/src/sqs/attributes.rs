//! A received message and what of it the consumer asked to see.
//!
//! It owns the selection of system and message attributes by name.

use super::typed::{self, TypedMap};
use rusqlite::Row;
use serde_json::{Map, Value, json};

/// The attribute names of a `ReceiveMessage` request.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) system: Vec<String>,
    pub(super) typed: Vec<String>,
}

/// A message as it leaves the store.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) seq: i64,
    pub(super) receives: i64,
    pub(super) receives_here: i64,
    pub(super) first_received_ms: Option<i64>,
    pub(super) handle: String,
    id: String,
    body: String,
    body_md5: String,
    attributes: Option<String>,
    group: Option<String>,
    trace: Option<String>,
    sent_ms: i64,
    source: Option<String>,
}

impl Wanted {
    fn wants_system(&self, name: &str) -> bool {
        self.system.iter().any(|wanted| wanted == "All" || wanted == name)
    }

    /// `All`, `.*`, a name, or a prefix followed by `.*`.
    fn wants_typed(&self, name: &str) -> bool {
        self.typed.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => wanted == "All" || wanted == name,
        })
    }
}

impl Received {
    /// Reads a row of `visible_messages`; the handle comes with the receive.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: row.get(1)?,
            body: row.get(2)?,
            body_md5: row.get(3)?,
            attributes: row.get(4)?,
            group: row.get(5)?,
            trace: row.get(6)?,
            sent_ms: row.get(7)?,
            receives: row.get(8)?,
            receives_here: row.get(9)?,
            first_received_ms: row.get(10)?,
            source: row.get(11)?,
            handle: String::new(),
        })
    }

    /// The message as its consumer gets it.
    pub(super) fn tell(self, wanted: &Wanted) -> Value {
        let system = self.system(wanted);
        let mut typed: TypedMap =
            self.attributes.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        typed.retain(|name, _| wanted.wants_typed(name));

        let mut told = Map::from_iter([
            ("MessageId".to_owned(), Value::String(self.id)),
            ("ReceiptHandle".to_owned(), Value::String(self.handle)),
            ("MD5OfBody".to_owned(), Value::String(self.body_md5)),
            ("Body".to_owned(), Value::String(self.body)),
        ]);
        if !system.is_empty() {
            told.insert("Attributes".to_owned(), Value::Object(system));
        }
        if let Some(md5) = typed::digest(&typed) {
            told.insert("MD5OfMessageAttributes".to_owned(), Value::String(md5));
            told.insert("MessageAttributes".to_owned(), json!(typed));
        }
        Value::Object(told)
    }

    fn system(&self, wanted: &Wanted) -> Map<String, Value> {
        let all = [
            ("ApproximateReceiveCount", Some(self.receives.to_string())),
            ("ApproximateFirstReceiveTimestamp", self.first_received_ms.map(|at| at.to_string())),
            ("SentTimestamp", Some(self.sent_ms.to_string())),
            ("SenderId", Some(crate::ACCOUNT.to_owned())),
            ("MessageGroupId", self.group.clone()),
            ("AWSTraceHeader", self.trace.clone()),
            ("DeadLetterQueueSourceArn", self.source.clone()),
        ];
        all.into_iter()
            .filter(|(name, _)| wanted.wants_system(name))
            .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
            .collect()
    }
}
