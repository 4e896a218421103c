//! Who goes first.

use serde::{Deserialize, Serialize};

/// The class of a request. Interactive goes before events, events before batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Priority {
    /// Somebody waits for the answer.
    #[default]
    #[serde(rename = "i")]
    Interactive,
    /// An event waits to be processed.
    #[serde(rename = "e")]
    Event,
    /// Nightly and bulk work: paced, and the first to wait.
    #[serde(rename = "b")]
    Batch,
}
