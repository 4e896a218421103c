//! Who goes first.

use serde::{Deserialize, Serialize};

/// The class of a request. Interactive goes before events, events before batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Somebody waits for the answer.
    #[default]
    Interactive,
    /// An event waits to be processed.
    Event,
    /// Nightly and bulk work: paced, and the first to wait.
    Batch,
}

impl Priority {
    /// The letter it is stored as.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Interactive => 'i',
            Self::Event => 'e',
            Self::Batch => 'b',
        }
    }

    pub(crate) fn of_letter(letter: char) -> Option<Self> {
        [Self::Interactive, Self::Event, Self::Batch].into_iter().find(|known| known.letter() == letter)
    }
}
