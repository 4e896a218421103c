//! A slot of the ring, and the ring as text.
//!
//! The stored item holds its grants as one short string, `1795000000000i 0i 1200b~350`: the first instant, then what each
//! one adds to the one before it, who took it, and its slack. Fifty of them stay under the kilobyte that one write unit pays for. Several
//! requests that share a slot are one word, `500i*42~500`, which only a large limit has.

use std::fmt::Write;

use clock::Millis;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

use crate::Priority;

/// The right to send one request: when, and how certain that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The request is not sent before this instant, milliseconds since the epoch.
    pub at: Millis,
    /// By how much more it may be late (ms): what the sender's clock leaves open, or what its answer proved.
    pub slack: Millis,
}

impl Slot {
    /// Its request is sent by then, but for what the pad covers.
    #[must_use]
    pub fn until(self) -> Millis {
        self.at + self.slack
    }
}

/// A slot that was taken, by whom, and for how many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// When it may be used.
    pub slot: Slot,
    /// The class of whoever took it.
    pub priority: Priority,
    /// How many requests share it.
    pub count: u32,
}

pub(super) fn serialize<S: Serializer>(grants: &[Grant], serializer: S) -> Result<S::Ok, S::Error> {
    let (mut text, mut last) = (String::with_capacity(8 * grants.len()), 0);
    for Grant { slot, priority, count } in grants {
        let separator = if text.is_empty() { "" } else { " " };
        // Writing to a string can't fail.
        let _ = write!(text, "{separator}{}{}", slot.at - last, priority.letter());
        if *count != 1 {
            let _ = write!(text, "*{count}");
        }
        if slot.slack != 0 {
            let _ = write!(text, "~{}", slot.slack);
        }
        last = slot.at;
    }
    serializer.serialize_str(&text)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Grant>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut last = 0;
    let grants = text.split_whitespace().map(|word| {
        let mut grant = grant(word).ok_or_else(|| D::Error::custom(format!("{word:?} is no grant")))?;
        grant.slot.at += last;
        last = grant.slot.at;
        Ok(grant)
    });
    grants.collect()
}

/// One word, its instant still counted from the grant before.
fn grant(word: &str) -> Option<Grant> {
    let (taken, slack) = word.split_once('~').unwrap_or((word, "0"));
    let (taken, count) = taken.split_once('*').unwrap_or((taken, "1"));
    let mut letters = taken.chars();
    let priority = Priority::of_letter(letters.next_back()?)?;
    let slot = Slot { at: letters.as_str().parse().ok()?, slack: slack.parse().ok()? };
    Some(Grant { slot, priority, count: count.parse().ok().filter(|count| *count > 0)? })
}
