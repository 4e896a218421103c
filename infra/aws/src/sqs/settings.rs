//! What can be set on a queue.
//!
//! It owns the names, limits and defaults of queue attributes. Values are kept as the strings the wire carries;
//! attributes without meaning on one machine (encryption, access policies) are kept and given back.

use super::{errors, queue_of_arn};
use crate::reply::ApiError;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The largest message SQS takes, and the default limit of a queue.
pub(super) const LARGEST_MESSAGE: usize = 1_048_576;

/// A numeric attribute: name, least, most, default.
type Limit = (&'static str, i64, i64, i64);

const DELAY: Limit = ("DelaySeconds", 0, 900, 0);
const SIZE: Limit = ("MaximumMessageSize", 1_024, 1_048_576, 1_048_576);
const RETENTION: Limit = ("MessageRetentionPeriod", 60, 1_209_600, 345_600);
const WAIT: Limit = ("ReceiveMessageWaitTimeSeconds", 0, 20, 0);
const VISIBILITY: Limit = ("VisibilityTimeout", 0, 43_200, 30);
const NUMBERS: [Limit; 5] = [DELAY, SIZE, RETENTION, WAIT, VISIBILITY];

const REDRIVE: &str = "RedrivePolicy";
const KEPT: [&str; 5] = [
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redrive {
    pub(super) target: String,
    pub(super) max_receives: i64,
}

/// The attributes set on a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Checks attributes from the wire. An empty value means "back to the default".
    pub(super) fn checked(given: BTreeMap<String, String>) -> Result<Self, ApiError> {
        for (name, value) in &given {
            let number = NUMBERS.iter().find(|limit| limit.0 == name);
            match (name.as_str(), number) {
                (_, _) if value.is_empty() => {}
                (_, Some((_, least, most, _))) => {
                    let fits = value.parse::<i64>().is_ok_and(|value| (*least..=*most).contains(&value));
                    if !fits {
                        return Err(errors::invalid_attribute_value(name));
                    }
                }
                (REDRIVE, None) => {
                    if redrive(value).is_none() {
                        return Err(errors::invalid_attribute_value(name));
                    }
                }
                (name, None) if KEPT.contains(&name) => {}
                (
                    "FifoQueue" | "ContentBasedDeduplication" | "DeduplicationScope" | "FifoThroughputLimit",
                    None,
                ) => {
                    return Err(errors::unsupported(
                        "The embedded AWS has standard queues only, no FIFO queues.",
                    ));
                }
                (name, None) => return Err(errors::invalid_attribute_name(name)),
            }
        }
        Ok(Self(given))
    }

    /// The settings a row holds.
    pub(super) fn stored(json: &str) -> Self {
        Self(serde_json::from_str(json).unwrap_or_default())
    }

    /// The settings as a row holds them.
    pub(super) fn to_json(&self) -> String {
        json!(self.0).to_string()
    }

    /// These settings with `changes` on top.
    pub(super) fn changed(mut self, changes: Self) -> Self {
        for (name, value) in changes.0 {
            match value.is_empty() {
                true => drop(self.0.remove(&name)),
                false => drop(self.0.insert(name, value)),
            }
        }
        self
    }

    /// Whether every attribute in `asked` has the value it has here: what makes `CreateQueue` idempotent.
    pub(super) fn agrees_with(&self, asked: &Self) -> bool {
        let (here, there) = (self.to_map(), Self::default().changed(asked.clone()));
        there.0.iter().all(|(name, value)| match name.as_str() {
            REDRIVE => redrive(value) == self.redrive(),
            name => here.get(name) == Some(value),
        })
    }

    /// Every attribute with its value, defaults included.
    pub(super) fn to_map(&self) -> BTreeMap<String, String> {
        let mut map = self.0.clone();
        for (name, _, _, default) in NUMBERS {
            map.entry(name.to_owned()).or_insert_with(|| default.to_string());
        }
        map.entry("SqsManagedSseEnabled".to_owned()).or_insert_with(|| "false".to_owned());
        map
    }

    pub(super) fn delay_ms(&self) -> i64 {
        self.number(DELAY) * 1_000
    }

    pub(super) fn visibility_ms(&self) -> i64 {
        self.number(VISIBILITY) * 1_000
    }

    pub(super) fn retention_ms(&self) -> i64 {
        self.number(RETENTION) * 1_000
    }

    pub(super) fn wait_ms(&self) -> i64 {
        self.number(WAIT) * 1_000
    }

    pub(super) fn largest_message(&self) -> usize {
        usize::try_from(self.number(SIZE)).unwrap_or(LARGEST_MESSAGE)
    }

    pub(super) fn redrive(&self) -> Option<Redrive> {
        redrive(self.0.get(REDRIVE)?)
    }

    fn number(&self, (name, _, _, default): Limit) -> i64 {
        self.0.get(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }
}

/// Reads a redrive policy; the receive count comes as a number or as a string.
fn redrive(json: &str) -> Option<Redrive> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        dead_letter_target_arn: String,
        max_receive_count: Value,
    }
    let policy: Policy = serde_json::from_str(json).ok()?;
    let max_receives = match &policy.max_receive_count {
        Value::String(text) => text.parse().ok()?,
        number => number.as_i64()?,
    };
    let target = queue_of_arn(&policy.dead_letter_target_arn)?.to_owned();
    (1..=1_000).contains(&max_receives).then_some(Redrive { target, max_receives })
}
