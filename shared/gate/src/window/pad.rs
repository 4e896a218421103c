//! The pad: what covers the way of a request and the small lateness of its sender. It follows the answers, for whoever answers
//! late may have counted late: wider at once and with room to spare, so that the next answer of that kind is no news, and
//! narrower again after calm windows.

use clock::Millis;
use serde::{Deserialize, Serialize};

use super::{MEMORY, Slot, Window};

/// A late answer is remembered for so many windows, at least.
const REMEMBERED: Millis = 3;

/// How late answers were, and which grants were made under another pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lag {
    /// The most since `since`, and the most in the time before that (ms).
    most: (Millis, Millis),
    since: Millis,
    /// Grants up to the first instant were made under a pad as wide as the second, and are kept apart by it.
    wide: (Millis, Millis),
}

impl Lag {
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Window {
    /// The pad of a window whose answers come soon (ms).
    pub(super) fn narrowest(&self) -> Millis {
        self.length / 120
    }

    /// The pad that a slot was granted with, or a wider one.
    #[must_use]
    pub fn pad_of(&self, slot: Slot) -> Millis {
        let (until, pad) = self.lag.wide;
        if slot.at <= until { self.pad.max(pad) } else { self.pad }
    }

    /// When a request of this slot has certainly left the window.
    pub(super) fn leaves(&self, slot: Slot) -> Millis {
        slot.until() + self.length + self.pad_of(slot)
    }

    /// How late an answer is that came at `answered` to the request of a slot; `None` if that is nothing to remember.
    #[must_use]
    pub fn lag_of(&self, slot: Slot, answered: Millis) -> Option<Millis> {
        Some(answered - slot.until()).filter(|late| *late > self.narrowest() / 2)
    }

    /// Notes an answer that was so late (ms), and widens the pad where half as much again is more.
    pub fn lags(&mut self, late: Millis, answered: Millis) {
        if late <= self.narrowest() / 2 {
            return;
        }
        if self.lag.most == (0, 0) {
            self.lag.since = answered;
        }
        self.lag.most.0 = self.lag.most.0.max(late.min(self.length));
        self.pad = self.pad.max(self.fitting());
    }

    /// Narrows the pad if the last windows were calm. What was granted until now keeps its own.
    pub(super) fn ease(&mut self, now: Millis) {
        let age = now - self.lag.since;
        if self.lag.most != (0, 0) && age > REMEMBERED * self.length {
            let last = if age > 2 * REMEMBERED * self.length { 0 } else { self.lag.most.0 };
            self.lag.most = (0, last);
            self.lag.since = if last == 0 { 0 } else { now };
        }
        if self.fitting() < self.pad {
            self.widest_until_now(now);
            self.pad = self.fitting();
        }
        if self.lag.wide.0 < now - self.span() - MEMORY {
            self.lag.wide = (0, 0);
        }
    }

    /// The window has another length: its pad begins anew, and what was granted keeps the one it had.
    pub(super) fn restart_pad(&mut self) {
        self.widest_until_now(Millis::MIN);
        (self.lag.most, self.lag.since, self.pad) = ((0, 0), 0, self.narrowest());
    }

    /// Takes over the pad of a closed window whose grants were added.
    pub(super) fn adopt_pad(&mut self, closed: &Self) {
        self.pad = self.pad.max(closed.pad).max(closed.lag.wide.1);
        self.lag.most.0 = self.lag.most.0.max(closed.lag.most.0).max(closed.lag.most.1);
        self.lag.since = self.lag.since.max(closed.lag.since);
    }

    fn widest_until_now(&mut self, now: Millis) {
        let Some(newest) = self.grants.last().map(|grant| grant.slot) else { return };
        let (until, pad) = self.lag.wide;
        let before = if until >= now.saturating_sub(self.span() + MEMORY) { pad } else { 0 };
        self.lag.wide = (newest.at, self.pad.max(before));
    }

    /// The pad that these answers ask for.
    fn fitting(&self) -> Millis {
        let most = self.lag.most.0.max(self.lag.most.1);
        (most + most / 2).clamp(self.narrowest(), self.length / 50)
    }
}
