//! How often each operation was asked for.
//!
//! It owns the counters. It counts requests as they arrive, faults included, and never looks inside them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Targets come from the wire, so the table of them is bounded.
const MOST_TARGETS: usize = 1_024;
const OTHER: &str = "other";

/// A snapshot of the request counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    by_target: BTreeMap<String, u64>,
}

impl Stats {
    /// Requests seen for a target such as `AmazonSQS.SendMessage`.
    pub fn requests(&self, target: &str) -> u64 {
        self.by_target.get(target).copied().unwrap_or(0)
    }

    /// Requests seen for every target that starts with `prefix`, such as `DynamoDB_20120810.`.
    pub fn requests_to(&self, prefix: &str) -> u64 {
        self.targets().filter(|(target, _)| target.starts_with(prefix)).map(|(_, count)| count).sum()
    }

    /// All requests seen.
    pub fn total(&self) -> u64 {
        self.by_target.values().sum()
    }

    /// Every target seen and its count, by name.
    pub fn targets(&self) -> impl Iterator<Item = (&str, u64)> {
        self.by_target.iter().map(|(target, count)| (target.as_str(), *count))
    }
}

/// The live counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<Stats>);

impl Counters {
    /// Counts one request.
    pub(crate) fn count(&self, target: &str) {
        let counts = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).by_target;
        if let Some(count) = counts.get_mut(target) {
            *count += 1;
        } else {
            let name = if counts.len() < MOST_TARGETS && target.len() <= 128 { target } else { OTHER };
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }

    /// The counts so far.
    pub(crate) fn snapshot(&self) -> Stats {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
