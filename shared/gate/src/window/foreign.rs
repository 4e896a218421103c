//! Other tools on the same app and user: they ask nobody, and take from the same window.
//!
//! Two things tell of them. An answer's `X-Rate-Limit-Remaining` counts everybody's requests, so what is not ours is theirs. And a
//! 429 where our own ring had room is theirs, too; but whoever fills the window at a stroke learns nothing more by that, so
//! after the second one half of the window is left to them until their use of it has been counted.

use clock::Millis;
use serde::{Deserialize, Serialize};

use super::Window;

/// What was counted is believed for so many windows, at least.
const REMEMBERED: Millis = 10;
/// Two unexpected 429s within so many windows are no coincidence.
const SUSPICIOUS: Millis = 20;
/// After so many windows without one, what was counted is all there is to fear.
const CALM: Millis = 10;
/// An answer is compared with our own grants no later than this (ms).
const FRESH: Millis = 5_000;

/// What is known of others. Counts are requests in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Foreign {
    /// The most since `since`, and the most in the time before that.
    most: (u32, u32),
    since: Millis,
    /// The last 429 that was not our doing.
    struck: Millis,
    /// How often in a row.
    strikes: u32,
}

impl Window {
    /// What other tools were seen to use of one window.
    #[must_use]
    pub fn foreign(&self) -> u32 {
        self.foreign.most.0.max(self.foreign.most.1)
    }

    /// What other tools leave us of the limit. A count of n varies by about its root, so they may use that much more than was seen.
    #[must_use]
    pub fn ours(&self) -> u32 {
        let seen = self.foreign();
        let seen = if seen == 0 { 0 } else { seen.saturating_add(seen.isqrt()) };
        let feared = match self.foreign.strikes {
            0 | 1 => 0,
            2 => self.limit / 2,
            _ => self.limit - self.limit.div_ceil(4),
        };
        self.limit.saturating_sub(seen.max(feared)).max(1)
    }

    /// Makes room for other tools: the answer to the request granted at `granted`, which came at `answered`, had counted so many
    /// requests in the window, its own included.
    ///
    /// Only what is certain is theirs: our own grants count unless they had certainly left the server's window or were not sent yet.
    pub fn notice_foreign(&mut self, granted: Millis, answered: Millis, counted: u32) {
        // By now the grants of that time may be forgotten, and would look like somebody else's.
        if self.grants.last().is_none_or(|newest| newest.slot.at - granted > FRESH) {
            return;
        }
        let inside = |slot: super::Slot| slot.until() > granted - self.span() && slot.at <= answered;
        let ours = self.count(|grant| inside(grant.slot));
        let theirs = counted.saturating_sub(ours);
        let known = &mut self.foreign;
        if granted - known.since > REMEMBERED * self.length {
            let quiet = granted - known.since > 2 * REMEMBERED * self.length;
            known.most = (0, if quiet { 0 } else { known.most.0 });
            known.since = granted;
        }
        known.most.0 = known.most.0.max(theirs);
        // Counted for as long as that without another strike: what they use is known, and need not be feared.
        if known.strikes > 0 && granted - known.struck > CALM * self.length {
            known.strikes = u32::from(granted - known.struck <= SUSPICIOUS * self.length);
        }
    }

    /// Takes over what a closed window knew of others.
    pub(super) fn adopt_foreign(&mut self, closed: &Self) {
        if closed.foreign() > self.foreign() {
            self.foreign = closed.foreign;
        }
    }

    /// Notes a 429 at `now` about this window. Several of one moment are one.
    pub(super) fn struck(&mut self, now: Millis, probe: bool) {
        let used = self.count(|grant| grant.slot.until() > now - self.length);
        if self.blocked_until > now || used > self.limit {
            return;
        }
        let again = now - self.foreign.struck <= SUSPICIOUS * self.length;
        self.foreign.strikes = if again { self.foreign.strikes.saturating_add(1) } else { 1 };
        self.foreign.struck = now;
        // The window was full, but for a probe, which runs into a penalty that somebody else has kept alive.
        if again && !probe {
            let theirs = self.limit.saturating_sub(used);
            self.foreign.most.0 = self.foreign.most.0.max(theirs);
        }
    }
}
