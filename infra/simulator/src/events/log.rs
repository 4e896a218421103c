//! The log of events: what was sent to whom, and what became of it.

use serde::Serialize;

/// One event of one subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventRecord {
    /// Same in every copy and every try.
    pub uuid: String,
    /// Kind, as in an order of events; `reminder` and `raw` besides.
    pub kind: String,
    /// Path of the event.
    pub event: String,
    /// Subscription it was made for.
    pub subscription_id: String,
    /// Telephony session and sequence, for telephony events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telephony_session_id: Option<String>,
    /// Sequence in its telephony session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// Notifications sent for it, duplicates included, retries not.
    pub sends: usize,
    /// Notifications a webhook accepted.
    pub delivered: usize,
    /// Notifications given up or lost.
    pub failed: usize,
}

/// All events since the start or the last reset, in the order they happened.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    pub(crate) records: Vec<EventRecord>,
}

impl EventLog {
    /// Adds an event and returns its index.
    pub(crate) fn add(&mut self, record: EventRecord) -> usize {
        self.records.push(record);
        self.records.len() - 1
    }

    pub(crate) fn delivered(&mut self, index: usize) {
        if let Some(record) = self.records.get_mut(index) {
            record.delivered += 1;
        }
    }

    pub(crate) fn given_up(&mut self, index: usize) {
        if let Some(record) = self.records.get_mut(index) {
            record.failed += 1;
        }
    }
}
