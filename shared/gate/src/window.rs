//! The arithmetic of one sliding window. Pure: no clock, no store, no waiting.

mod fit;
mod foreign;
mod grain;
mod grant;
mod moved;
mod pad;

use clock::Millis;
use serde::{Deserialize, Serialize};

use crate::{Group, Policy, Priority};

/// A grant this far behind can't be part of any window that is still to come, whatever a clock leaves open (ms).
const MEMORY: Millis = 10_000;
/// How long a probe may be under way before another one may try (ms).
const PROBE: Millis = 20_000;
/// So many writes are known again. A store that repeats a write whose answer was lost does so while few others write.
const MARKS: usize = 4;

pub use foreign::Foreign;
pub use grant::{Grant, Slot};
pub use pad::Lag;

/// What a caller asks of a window.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// The instant that has certainly been reached, milliseconds since the epoch.
    pub now: Millis,
    /// A slot that opens later is of no use.
    pub deadline: Millis,
    /// The caller's class.
    pub priority: Priority,
    /// What the caller's clock leaves open (ms).
    pub slack: Millis,
}

/// Why nobody may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The window is full.
    Window,
    /// RingCentral answered 429.
    Penalty,
    /// RingCentral failed too often in a row: the circuit is open.
    Breaker,
}

/// After a block one request goes ahead and tells whether the others may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Probation {
    /// There was no block, or its probe came back well.
    #[default]
    Over,
    /// Nobody has tried since the block.
    Due,
    /// Somebody is trying, until this instant at the latest.
    Running(Millis),
}

/// The state of one bucket; all of it lives in one stored item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Counts writes; the condition of the next one.
    pub version: u64,
    /// Grants in the order of their times: those of the last window, and those still to come.
    #[serde(with = "grant")]
    pub grants: Vec<Grant>,
    /// Requests per window, as announced by `X-Rate-Limit-Limit` or the group's default.
    pub limit: u32,
    /// Length of the window in milliseconds, as announced by `X-Rate-Limit-Window`.
    pub length: Millis,
    /// When these two were announced for the first time.
    #[serde(default)]
    pub learned: Millis,
    /// What covers the jitter between grant and arrival (ms): a 120th of the window, raised up to a 50th while answers ask.
    pub pad: Millis,
    /// How late answers were.
    #[serde(default, skip_serializing_if = "Lag::is_none")]
    pub lag: Lag,
    /// When an interactive caller was last seen.
    #[serde(default)]
    pub interactive_seen: Millis,
    /// What other tools on the same app and user use of it.
    #[serde(default)]
    pub foreign: Foreign,
    /// No request before this instant.
    pub blocked_until: Millis,
    /// Why, if there is or was a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Whether a block still has to be probed.
    #[serde(default)]
    pub probation: Probation,
    /// Failures in a row.
    #[serde(default)]
    pub failures: u32,
    /// Probes in a row that were answered 429 themselves.
    #[serde(default)]
    pub vain: u32,
    /// Names the last writes, the newest first, so that whoever made one knows it again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<u32>,
    /// The identity whose window is asked instead of this one, which is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<String>,
    /// The identities whose windows were added to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adopted: Vec<String>,
}

/// What a window says to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// A slot was taken. `probe`: the others wait for what comes back.
    Go {
        /// When to send.
        slot: Slot,
        /// The latest instant at which to send; half of the pad is the way's.
        until: Millis,
        /// Whether this is the probe after a block.
        probe: bool,
    },
    /// Nothing was taken; ask again at this instant.
    Later {
        /// When to ask again.
        at: Millis,
        /// What is in the way.
        cause: Cause,
    },
    /// Another window is asked instead of this one.
    Closed,
}

impl Window {
    /// A window nobody has used yet, with the group's defaults.
    #[must_use]
    pub fn unused(group: &Group) -> Self {
        Self {
            version: 0,
            grants: Vec::new(),
            limit: group.default_limit(),
            length: 60_000,
            learned: 0,
            pad: 60_000 / 120,
            lag: Lag::default(),
            interactive_seen: 0,
            foreign: Foreign::default(),
            blocked_until: 0,
            cause: None,
            probation: Probation::Over,
            failures: 0,
            vain: 0,
            marks: Vec::new(),
            moved: None,
            adopted: Vec::new(),
        }
    }

    /// The window as it is offered to the store, under a name that no other write has.
    pub(crate) fn marked(mut self, mark: u32) -> Self {
        self.version += 1;
        self.marks.insert(0, mark);
        self.marks.truncate(MARKS);
        self
    }

    /// How far N + 1 neighbouring grants are kept apart.
    #[must_use]
    pub fn span(&self) -> Millis {
        self.length + self.pad
    }

    /// The time between two requests if the window were used evenly (ms).
    #[must_use]
    pub fn pace(&self) -> Millis {
        self.span() / i64::from(self.ours())
    }

    /// When a request of this priority may be sent, seen from `now`, and what is in the way until then.
    #[must_use]
    pub fn next_free(&self, now: Millis, priority: Priority) -> (Millis, Cause) {
        let (slot, cause) = self.next_slot(Ask { now, deadline: now, priority, slack: 0 });
        (slot.at, cause)
    }

    fn next_slot(&self, Ask { now, priority, slack, .. }: Ask) -> (Slot, Cause) {
        let blocked = self.cause.filter(|_| self.blocked_until > now);
        let from = now.max(self.blocked_until);
        let batch = self.grants.iter().rev().find(|grant| grant.priority == Priority::Batch);
        // Batch work is spread over the window, so that it never fills one at a stroke.
        let paced = batch.filter(|_| priority == Priority::Batch).map(|grant| grant.slot.at + self.pace());
        let wish = self.grained(Slot { at: paced.map_or(from, |paced| from.max(paced)), slack });
        (self.earliest(wish, self.share(now, priority)), blocked.unwrap_or(Cause::Window))
    }

    /// Takes up to `count` slots that open by the deadline, one after the other; a refusal only if there is none.
    pub fn reserve_several(&mut self, ask: Ask, count: usize) -> Vec<Reservation> {
        let mut taken = Vec::new();
        while taken.len() < count.max(1) {
            match self.reserve(ask) {
                go @ Reservation::Go { .. } => taken.push(go),
                refusal if taken.is_empty() => return vec![refusal],
                Reservation::Later { .. } | Reservation::Closed => break,
            }
        }
        taken
    }

    /// Takes the next slot if it opens by the deadline.
    pub fn reserve(&mut self, ask: Ask) -> Reservation {
        let Ask { now, priority, .. } = ask;
        if self.moved.is_some() {
            return Reservation::Closed;
        }
        let (slot, cause) = self.next_slot(ask);
        // Batch never holds more than the next slot: whoever somebody waits for finds the one after it.
        let deadline = match priority {
            Priority::Batch => ask.deadline.min(now + self.pace()),
            Priority::Interactive | Priority::Event => ask.deadline,
        };
        let free = slot.at <= deadline;
        // A refused caller is only noted when that is news: it must not cost a write each time.
        if priority == Priority::Interactive && (free || now - self.interactive_seen >= 2 * self.length) {
            self.interactive_seen = self.interactive_seen.max(now - now.rem_euclid(self.length.max(1)));
        }
        if !free {
            return Reservation::Later { at: slot.at, cause };
        }
        let probe = match self.probation {
            Probation::Over => false,
            Probation::Running(until) if now < until => {
                // Nobody knows how long the probe takes: look again when it has taken half as long again.
                let taken = (now - (until - PROBE)).clamp(self.length / 240, self.length / 30);
                let again = (now + taken / 2).min(until);
                return Reservation::Later { at: again, cause: self.cause.unwrap_or(Cause::Penalty) };
            }
            Probation::Due | Probation::Running(_) => true,
        };
        if probe {
            self.probation = Probation::Running(slot.at + PROBE);
        }
        self.forget(now);
        self.put(Grant { slot, priority, count: 1 });
        let until = self.latest(slot);
        self.ease(now);
        Reservation::Go { slot, until, probe }
    }

    /// Gives a slot back that was not and will not be used; if it was the probe's, the next request is the probe.
    /// A closed window stays as it is: what it had granted is given back where it is counted.
    pub fn release(&mut self, slot: Slot, probe: bool) {
        if self.moved.is_some() {
            return;
        }
        if probe {
            self.probation = Probation::Due;
        }
        self.take_out(slot);
    }

    /// Counts a request that was sent without having been granted here.
    pub fn charge(&mut self, grant: Grant) {
        self.put(Grant { slot: self.grained(grant.slot), ..grant });
    }

    /// Notes by when the request of a slot had certainly arrived, and widens the pad if that was late.
    pub fn correct(&mut self, slot: Slot, arrived: Millis) {
        let slack = slot.slack.max(arrived - slot.at);
        if let Some(grant) = self.take_out(slot) {
            self.put(Grant { slot: Slot { slack, ..slot }, ..grant });
        }
        self.lags(arrived - slot.until(), arrived);
    }

    /// Takes over the limit and the window length that an answer announced at `heard`, unless they changed after it.
    pub fn learn(&mut self, limit: u32, length: Millis, heard: Millis) {
        let (limit, length) = (limit.max(1), length.max(1));
        if (limit, length) == (self.limit, self.length) || heard < self.learned {
            return;
        }
        self.learned = heard;
        self.limit = limit;
        if self.length != length {
            self.length = length;
            self.restart_pad();
        }
    }

    /// Stops everybody until `until`; a running block is never shortened. The first request afterwards is a probe.
    pub fn block(&mut self, until: Millis, cause: Cause) {
        if until > self.blocked_until {
            self.blocked_until = until;
            self.cause = Some(cause);
        }
        self.probation = Probation::Due;
    }

    /// RingCentral answered 429 at `now` and asks for this long a pause (ms). After a probe that fared so it is doubled, up to
    /// sixteen times: somebody else restarts the penalty, and must be let out of it first.
    pub fn punish(&mut self, now: Millis, penalty: Millis, probe: bool) {
        self.struck(now, probe);
        self.vain = if probe { (self.vain + 1).min(4) } else { self.vain };
        self.block(now + (penalty.max(1) << self.vain), Cause::Penalty);
    }

    /// Counts a failure of RingCentral; enough of them in a row, or a failed probe, open the circuit.
    pub fn fail(&mut self, now: Millis, probe: bool, policy: Policy) {
        self.failures = self.failures.saturating_add(1);
        if probe || self.failures >= policy.threshold {
            self.block(now + policy.cool_down, Cause::Breaker);
        }
    }

    /// RingCentral answered: whatever failed before is over.
    pub fn succeed(&mut self, probe: bool) {
        self.failures = 0;
        if probe {
            self.probation = Probation::Over;
            self.cause = None;
            self.vain = 0;
        }
    }

    /// Grants whose time lies within the last window, and those still to come.
    #[must_use]
    pub fn usage(&self, now: Millis) -> (Vec<Grant>, Vec<Grant>) {
        let recent = self.grants.iter().filter(|grant| grant.slot.until() > now - self.length);
        recent.partition(|grant| grant.slot.at <= now)
    }

    /// How many requests the grants stand for that fit.
    pub(crate) fn count(&self, fits: impl Fn(&Grant) -> bool) -> u32 {
        let counts = self.grants.iter().filter(|grant| fits(grant)).map(|grant| grant.count);
        counts.fold(0, u32::saturating_add)
    }

    /// What a priority may use of the window: while interactive callers are about, one slot is kept free for them.
    fn share(&self, now: Millis, priority: Priority) -> u32 {
        let about = self.interactive_seen > 0 && now - self.interactive_seen < 3 * self.length;
        match priority {
            Priority::Event | Priority::Batch if about => self.ours().saturating_sub(1).max(1),
            _ => self.ours(),
        }
    }

    fn forget(&mut self, now: Millis) {
        let horizon = now - self.span() - MEMORY;
        self.grants.retain(|grant| grant.slot.until() > horizon);
    }
}

#[cfg(test)]
mod tests;
