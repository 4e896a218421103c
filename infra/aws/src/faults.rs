//! Faults on demand, so that a test can see what its code does when AWS misbehaves.
//!
//! It owns which request meets which fault. It decides before a request is carried out; the endpoint acts on
//! the decision. With nothing programmed it must cost nothing and change nothing.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Answer with the service's internal error, status 500. Nothing was done.
    Error,
    /// Answer with the service's throttling error. Nothing was done.
    Throttle,
    /// Close the connection without an answer. Nothing was done.
    Drop,
    /// Carry the request out, then close the connection without an answer: the caller cannot know.
    LoseAnswer,
    /// Nothing: the request is counted, so that a later one meets the next fault.
    Pass,
}

/// The switchboard of faults of a running embedded AWS.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Board>);

#[derive(Clone, Debug, Default, Serialize)]
struct Board {
    down: bool,
    /// By target: faults left to hand out, oldest first.
    next: BTreeMap<String, Vec<Planned>>,
    /// By target, `*` for all.
    latency_ms: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Serialize)]
struct Planned {
    fault: Fault,
    left: u32,
}

/// What the endpoint does with one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) delay: Option<Duration>,
    pub(crate) fault: Option<Fault>,
}

impl Faults {
    /// The target that stands for every request.
    pub const EVERY: &str = "*";

    /// Lets the next `count` requests of `target` (such as `AmazonSQS.SendMessage`, or [`Faults::EVERY`]) meet
    /// `fault`. Faults of one target follow each other in the order they were asked for.
    pub fn fail_next(&self, target: &str, count: u32, fault: Fault) {
        if count > 0 {
            self.with(|board| {
                board.next.entry(target.to_owned()).or_default().push(Planned { fault, left: count });
            });
        }
    }

    /// While down, every connection is closed without an answer, as when the region cannot be reached.
    pub fn set_down(&self, down: bool) {
        self.with(|board| board.down = down);
    }

    /// Makes requests of `target` (or [`Faults::EVERY`]) wait on the clock first; zero ends it.
    pub fn set_latency(&self, target: &str, latency: Duration) {
        let millis = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.with(|board| match millis {
            0 => drop(board.latency_ms.remove(target)),
            _ => drop(board.latency_ms.insert(target.to_owned(), millis)),
        });
    }

    /// Back to an AWS that behaves.
    pub fn clear(&self) {
        self.with(|board| *board = Board::default());
    }

    /// How many planned failures of `target` have not been met yet.
    pub fn pending(&self, target: &str) -> u32 {
        self.with(|board| board.next.get(target).map_or(0, |planned| planned.iter().map(|p| p.left).sum()))
    }

    /// Takes the decision for one request, using up a planned fault if there is one.
    pub(crate) fn judge(&self, target: &str) -> Verdict {
        self.with(|board| {
            let latency = board.latency_ms.get(target).or_else(|| board.latency_ms.get(Self::EVERY));
            let delay = latency.copied().map(Duration::from_millis);
            let fault = if board.down {
                Some(Fault::Drop)
            } else {
                board.take(target).or_else(|| board.take(Self::EVERY))
            };
            Verdict { delay, fault }
        })
    }

    /// The board as the control page shows it.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        self.with(|board| serde_json::to_value(&*board).unwrap_or_default())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Board) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Board {
    fn take(&mut self, target: &str) -> Option<Fault> {
        let planned = self.next.get_mut(target)?;
        let first = planned.first_mut()?;
        let fault = first.fault;
        first.left = first.left.saturating_sub(1);
        if first.left == 0 {
            planned.remove(0);
        }
        if planned.is_empty() {
            self.next.remove(target);
        }
        Some(fault)
    }
}
