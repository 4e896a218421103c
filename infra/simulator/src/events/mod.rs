//! Events: the log of all that happened, the engine that delivers them, and the generators that make them up.

mod bodies;
pub(crate) mod delivery;
mod generate;
pub(crate) mod log;
mod telephony;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Events to make up. On the wire: `{"count":100,"kinds":["telephony"],"duplicates":0.05,"reorder":true,
/// "sessions":10,"seed":7}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsOrder {
    /// Distinct events for every active subscription that has a filter for one of the kinds.
    pub count: usize,
    /// `telephony`, `presence`, `message-store`, `instant-message`, `voicemail`, `fax`, `extension-list`,
    /// `extension-info`; empty: whatever the filters of the subscription are for.
    pub kinds: Vec<String>,
    /// Share of the events that are sent twice with the same uuid, 0 to 1.
    pub duplicates: f64,
    /// Whether neighbours change places, within windows of eight.
    pub reorder: bool,
    /// Telephony sessions the telephony events of a subscription belong to; absent: as many as it takes.
    pub sessions: Option<usize>,
    /// Seed of the generator; absent: another one every time.
    pub seed: Option<u64>,
}

/// What was made up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventsMade {
    /// Number of distinct events, that is of uuids.
    pub distinct: usize,
    /// Number of notifications, duplicates included.
    pub sends: usize,
    /// The uuids, in the order in which the events happened.
    pub uuids: Vec<String>,
}

/// One crafted event. It goes to every active subscription with a filter that matches its path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEvent {
    /// Path of the event, ids instead of `~`; a query is kept and not matched.
    #[serde(alias = "filter")]
    pub event: String,
    /// Body of the notification.
    #[serde(default)]
    pub body: Value,
    /// How often it is sent; default once.
    #[serde(default = "once")]
    pub sends: usize,
}

fn once() -> usize {
    1
}

/// How the notifications fare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventsStatus {
    /// Notifications that wait, for their turn or for another try, or are under way.
    pub pending: u64,
    /// Notifications a webhook accepted.
    pub delivered: u64,
    /// Notifications that were given up or lost.
    pub failed: u64,
}
