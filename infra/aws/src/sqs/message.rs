//! A message on its way in: what the caller drafts, and what is left once every rule is checked.
//!
//! It owns the rules for a single message. It never touches the store.

use super::errors;
use super::schema::Queue;
use super::typed::{self, TypedMap};
use crate::reply::ApiError;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

const TRACE: &str = "AWSTraceHeader";

/// A message as `SendMessage` and each entry of `SendMessageBatch` describe it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Draft {
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: TypedMap,
    #[serde(default)]
    message_system_attributes: TypedMap,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

/// A message that may be stored.
#[derive(Debug)]
pub(super) struct Sendable {
    body: String,
    body_md5: String,
    attributes: Option<String>,
    attributes_md5: Option<String>,
    system_md5: Option<String>,
    trace: Option<String>,
    group: Option<String>,
    delay_ms: Option<i64>,
    /// Bytes that count towards the limits: body and attributes.
    pub(super) size: usize,
}

impl Draft {
    /// Checks everything that does not depend on the queue.
    pub(super) fn check(self) -> Result<Sendable, ApiError> {
        if self.message_body.is_empty() {
            return Err(errors::missing("MessageBody"));
        }
        if !self.message_body.chars().all(allowed) {
            return Err(errors::invalid_contents());
        }
        if let Some(delay) = self.delay_seconds.filter(|delay| !(0..=900).contains(delay)) {
            return Err(errors::out_of_range("DelaySeconds", delay, "DelaySeconds must be >= 0 and <= 900"));
        }
        if let Some(id) = &self.message_deduplication_id {
            let reason = "The request includes a parameter that is not valid for this queue type";
            return Err(errors::out_of_range("MessageDeduplicationId", id, reason));
        }
        if let Some(group) = self.message_group_id.as_ref().filter(|group| !valid_group(group)) {
            let reason = "MessageGroupId can only include 1 to 128 alphanumeric and punctuation characters";
            return Err(errors::out_of_range("MessageGroupId", group, reason));
        }
        if let Some(name) = self.message_system_attributes.keys().find(|name| *name != TRACE) {
            return Err(errors::invalid_value(format!("Message system attribute name '{name}' is invalid.")));
        }
        let measured = typed::measure(&self.message_attributes)?;
        let system = typed::measure(&self.message_system_attributes)?;
        let trace = self.message_system_attributes.get(TRACE).and_then(|typed| typed.string_value.clone());
        let attributes =
            (!self.message_attributes.is_empty()).then(|| json!(self.message_attributes).to_string());
        Ok(Sendable {
            size: self.message_body.len() + measured.size,
            body_md5: typed::body_digest(&self.message_body),
            body: self.message_body,
            attributes,
            attributes_md5: measured.md5,
            system_md5: system.md5,
            trace,
            group: self.message_group_id,
            delay_ms: self.delay_seconds.map(|delay| delay * 1_000),
        })
    }
}

impl Sendable {
    /// Stores the message in `queue` and returns what the sender is told.
    pub(super) fn store(
        self,
        db: &Connection,
        queue: &Queue,
        now_ms: i64,
    ) -> Result<Map<String, Value>, ApiError> {
        let limit = queue.settings.largest_message();
        if self.size > limit {
            return Err(errors::invalid_value(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes; \
                 it has {} with its attributes.",
                self.size
            )));
        }
        let id = Uuid::new_v4().to_string();
        let visible_ms = now_ms.saturating_add(self.delay_ms.unwrap_or_else(|| queue.settings.delay_ms()));
        db.prepare_cached(
            "INSERT INTO messages (queue, id, body, body_md5, attributes, group_id, trace, sent_ms, visible_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            queue.id,
            id,
            self.body,
            self.body_md5,
            self.attributes,
            self.group,
            self.trace,
            now_ms,
            visible_ms
        ])?;
        let digests = [
            ("MD5OfMessageBody", Some(self.body_md5)),
            ("MD5OfMessageAttributes", self.attributes_md5),
            ("MD5OfMessageSystemAttributes", self.system_md5),
        ];
        let mut told = Map::from_iter([("MessageId".to_owned(), Value::String(id))]);
        told.extend(
            digests.into_iter().filter_map(|(name, md5)| Some((name.to_owned(), Value::String(md5?)))),
        );
        Ok(told)
    }
}

/// The characters of XML 1.0, which is what SQS lets through.
fn allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn valid_group(group: &str) -> bool {
    (1..=128).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_graphic())
}
