//! The arithmetic of one sliding window. Pure: no clock, no store, no waiting.
//!
//! Why the ring is exact. The server accepts a request at arrival `a` if fewer than N accepted arrivals lie in
//! `(a - W, a]`. A new grant is placed at the earliest instant at which any N + 1 neighbouring grants still span at
//! least `W + pad`. If every arrival lies within `pad` after its grant, N + 1 neighbouring arrivals span more than W, so no
//! window of length W ever holds N + 1 of them. What the pad must cover is the *difference* of two delays between
//! grant and arrival; an arrival that may have been later is written back ([`Window::correct`]), and whoever sleeps looks again
//! before sending ([`Window::holds`]), because a correction may have closed the gap it was promised.
//!
//! What a crash costs: the slots its process had been granted and not used, each for one window. What it can't do is
//! make another process send too early.

use clock::Millis;
use serde::{Deserialize, Serialize};

use crate::{Group, Policy, Priority};

/// A grant this far behind can't be part of any window that is still to come, even between skewed clocks (ms).
const MEMORY: Millis = 10_000;
/// The ring holds no more grants than this; a larger limit than any known of RingCentral's is not used up.
const RING: u32 = 1_000;
/// What an answer counted is compared with our own grants no later than this (ms).
const FRESH: Millis = 5_000;
/// A late arrival may have moved its grant by as much as a request may take (ms).
const MOVED: Millis = 15_000;
/// How long a probe may be under way before another one may try (ms).
const PROBE: Millis = 20_000;

/// A slot: when it may be used, and by whom it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant(pub Millis, pub Priority);

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
    pub grants: Vec<Grant>,
    /// Requests per window, as announced by `X-Rate-Limit-Limit` or the group's default.
    pub limit: u32,
    /// Length of the window in milliseconds, as announced by `X-Rate-Limit-Window`.
    pub length: Millis,
    /// What covers the jitter between grant and arrival (ms): a 120th of the window, raised up to a 50th when answers ask.
    pub pad: Millis,
    /// When an interactive caller was last seen.
    #[serde(default)]
    pub interactive_seen: Millis,
    /// Requests of other tools on the same app and user, seen in one window.
    #[serde(default)]
    pub foreign: u32,
    /// When that many were last seen.
    #[serde(default)]
    pub foreign_seen: Millis,
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
}

/// What a window says to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// A slot was taken; send at this instant. `probe`: the others wait for what comes back.
    Go {
        /// When to send.
        at: Millis,
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
            pad: 60_000 / 120,
            interactive_seen: 0,
            foreign: 0,
            foreign_seen: 0,
            blocked_until: 0,
            cause: None,
            probation: Probation::Over,
            failures: 0,
        }
    }

    /// How far N + 1 neighbouring grants are kept apart.
    #[must_use]
    pub fn span(&self) -> Millis {
        self.length + self.pad
    }

    /// When a request of this priority may be sent, seen from `now`, and what is in the way until then.
    #[must_use]
    pub fn next_free(&self, now: Millis, priority: Priority) -> (Millis, Cause) {
        let blocked = self.cause.filter(|_| self.blocked_until > now);
        let from = now.max(self.blocked_until);
        let batch = self.grants.iter().rev().find(|grant| grant.1 == Priority::Batch);
        // Batch work is spread over the window, so that it never fills one at a stroke.
        let paced = batch
            .filter(|_| priority == Priority::Batch)
            .map(|grant| grant.0 + self.span() / i64::from(self.ours()));
        let at = self.earliest(paced.map_or(from, |paced| from.max(paced)), self.share(now, priority));
        (at, blocked.unwrap_or(Cause::Window))
    }

    /// Takes the next slot if it opens by `deadline`.
    pub fn reserve(&mut self, now: Millis, deadline: Millis, priority: Priority) -> Reservation {
        if priority == Priority::Interactive {
            // Rounded, so that a refused caller does not change the item each time.
            self.interactive_seen = self.interactive_seen.max(now - now.rem_euclid(self.length.max(1)));
        }
        let (at, cause) = self.next_free(now, priority);
        if at > deadline {
            return Reservation::Later { at, cause };
        }
        let probe = match self.probation {
            Probation::Over => false,
            Probation::Running(until) if now < until => {
                // Nobody knows how long the probe takes: look again soon.
                let again = (now + self.length / 60).min(until);
                return Reservation::Later { at: again, cause: self.cause.unwrap_or(Cause::Penalty) };
            }
            Probation::Due | Probation::Running(_) => true,
        };
        if probe {
            self.probation = Probation::Running(at + PROBE);
        }
        self.forget(now);
        let index = self.grants.partition_point(|grant| grant.0 <= at);
        self.grants.insert(index, Grant(at, priority));
        Reservation::Go { at, probe }
    }

    /// Whether a promised slot still keeps its distance, after what was corrected since.
    #[must_use]
    pub fn holds(&self, at: Millis) -> bool {
        let Some(index) = self.grants.iter().position(|grant| grant.0 == at) else { return false };
        at >= self.blocked_until
            && self.apart(|i| self.grants.get(i).map(|grant| grant.0), index, self.ours())
    }

    /// Gives a slot back that was not and will not be used; if it was the probe's, the next request is the probe.
    pub fn release(&mut self, at: Millis, probe: bool) {
        if probe {
            self.probation = Probation::Due;
        }
        if let Some(index) = self.grants.iter().position(|grant| grant.0 == at) {
            self.grants.remove(index);
        }
    }

    /// Moves a grant to the instant by which its request had certainly arrived, and widens the pad if that was late.
    pub fn correct(&mut self, granted: Millis, arrived: Millis) {
        if let Some(index) = self.grants.iter().position(|grant| grant.0 == granted) {
            self.grants[index].0 = arrived.max(granted);
            self.grants.sort_by_key(|grant| grant.0);
        }
        self.pad = (arrived - granted).clamp(self.pad, self.length / 50);
    }

    /// Whether an announced limit or window length differs from what is known.
    #[must_use]
    pub fn is_news(&self, limit: u32, length: Millis) -> bool {
        (limit.clamp(1, RING), length.max(1)) != (self.limit, self.length)
    }

    /// Takes over an announced limit and window length.
    pub fn learn(&mut self, limit: u32, length: Millis) {
        self.limit = limit.clamp(1, RING);
        if self.length != length.max(1) {
            self.length = length.max(1);
            self.pad = self.length / 120;
        }
    }

    /// Makes room for other tools: at `granted` the server had counted `counted` requests, the permit's own included.
    ///
    /// Only what is certain is counted: our grants near the edges of the server's window are taken as inside of it.
    pub fn notice_foreign(&mut self, granted: Millis, counted: u32) {
        // By now the grants of that time may be forgotten, and would look like somebody else's.
        if self.grants.last().is_none_or(|newest| newest.0 - granted > FRESH) {
            return;
        }
        let inside =
            |grant: &&Grant| grant.0 > granted - self.length - 2 * self.pad && grant.0 <= granted + MOVED;
        let ours = u32::try_from(self.grants.iter().filter(inside).count()).unwrap_or(u32::MAX);
        let foreign = counted.saturating_sub(ours);
        if foreign >= self.foreign || granted - self.foreign_seen > 3 * self.length {
            self.foreign = foreign;
            self.foreign_seen = granted;
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
        }
    }

    /// How many requests of an interactive caller may be sent at `now`, one after the other without a wait.
    #[must_use]
    pub fn remaining(&self, now: Millis) -> u32 {
        if self.blocked_until > now {
            return 0;
        }
        let near = |grant: &&Grant| grant.0 > now - self.span() && grant.0 < now + self.span();
        let times: Vec<Millis> = self.grants.iter().filter(near).map(|grant| grant.0).collect();
        // The fullest window that `now` would be part of; each begins with a grant up to now, or with now itself.
        let starts = times.iter().copied().filter(|at| *at <= now).chain([now]);
        let inside = |start: Millis| {
            times.partition_point(|at| *at < start + self.span()) - times.partition_point(|at| *at < start)
        };
        let fullest = starts.map(inside).max().unwrap_or(0);
        self.ours().saturating_sub(u32::try_from(fullest).unwrap_or(u32::MAX))
    }

    /// Grants whose time lies within the last window, and those still to come.
    #[must_use]
    pub fn usage(&self, now: Millis) -> (Vec<Grant>, Vec<Grant>) {
        let recent = self.grants.iter().filter(|grant| grant.0 > now - self.length);
        recent.partition(|grant| grant.0 <= now)
    }

    /// What other tools leave us of the limit: one less than they were seen to, for the next of them may be early.
    #[must_use]
    pub fn ours(&self) -> u32 {
        let theirs = if self.foreign == 0 { 0 } else { self.foreign + 1 };
        self.limit.saturating_sub(theirs).max(1)
    }

    /// What a priority may use of the window: while interactive callers are about, one slot is kept free for them.
    fn share(&self, now: Millis, priority: Priority) -> u32 {
        let about = self.interactive_seen > 0 && now - self.interactive_seen < 3 * self.length;
        match priority {
            Priority::Event | Priority::Batch if about => self.ours().saturating_sub(1).max(1),
            _ => self.ours(),
        }
    }

    /// The earliest instant from `from` on at which one more grant keeps any `limit + 1` neighbours a span apart.
    fn earliest(&self, from: Millis, limit: u32) -> Millis {
        let mut at = from;
        loop {
            let index = self.grants.partition_point(|grant| grant.0 <= at);
            // The sequence as it would be with the new grant in its place.
            let with = |i: usize| match i.cmp(&index) {
                std::cmp::Ordering::Less => Some(self.grants[i].0),
                std::cmp::Ordering::Equal => Some(at),
                std::cmp::Ordering::Greater => self.grants.get(i - 1).map(|grant| grant.0),
            };
            let Some(first) = self.crowded(with, index, limit) else { return at };
            at = match with(first) {
                // The crowd begins with an older grant: nothing fits before that one has left the window.
                Some(older) if first < index => older + self.span(),
                // It lies ahead: go behind its first member and look again.
                _ => with(index + 1).map_or(at + 1, |next| next.max(at + 1)),
            };
        }
    }

    /// The first of `limit + 1` neighbours around `index` that are less than a span apart; of several crowds the last.
    fn crowded(&self, at: impl Fn(usize) -> Option<Millis>, index: usize, limit: u32) -> Option<usize> {
        let limit = limit.max(1) as usize;
        (index.saturating_sub(limit)..=index).find(|first| {
            at(first + limit).zip(at(*first)).is_some_and(|(last, first)| last - first < self.span())
        })
    }

    fn apart(&self, at: impl Fn(usize) -> Option<Millis>, index: usize, limit: u32) -> bool {
        self.crowded(at, index, limit).is_none()
    }

    fn forget(&mut self, now: Millis) {
        let horizon = now - self.span() - MEMORY;
        self.grants.retain(|grant| grant.0 > horizon);
    }
}

#[cfg(test)]
mod tests;
