//! The arithmetic of one sliding window. Pure: no clock, no store, no waiting.
//!
//! Why the ring is exact: the server accepts a request at arrival `a` if fewer than N accepted
//! arrivals lie in `(a - W, a]`. Grants are made in order, and grant i is at least `W + pad` after
//! grant i - N. If every arrival lies within `pad` after its grant, arrival i is more than `W`
//! after arrival i - N, so no window of length W ever holds N + 1. The pad covers the difference
//! of two delays; a delay beyond it is written back ([`Window::correct`]) before its slot comes
//! round again.

use clock::Millis;
use serde::{Deserialize, Serialize};

use crate::Group;

/// The state of one bucket; all of it lives in one stored item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Counts writes; the condition of the next one.
    pub version: u64,
    /// Grant times in ascending order, at most `limit` of them.
    pub grants: Vec<Millis>,
    /// Requests per window, as announced by `X-Rate-Limit-Limit` or the group's default.
    pub limit: u32,
    /// Length of the window in milliseconds, as announced by `X-Rate-Limit-Window`.
    pub length: Millis,
    /// No request before this instant: a penalty is running.
    pub blocked_until: Millis,
}

/// What a window says to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// A slot was taken; send at this instant.
    Go(Millis),
    /// Nothing was taken; the next slot opens at this instant.
    Later(Millis),
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
            blocked_until: 0,
        }
    }

    /// The share of the window that covers jitter between grant and arrival: 0.5 s of 60 s.
    #[must_use]
    pub fn pad(&self) -> Millis {
        self.length / 120
    }

    /// When the next request may be sent, seen from `now`.
    #[must_use]
    pub fn next_free(&self, now: Millis) -> Millis {
        let limit = self.limit.max(1) as usize;
        let reopened = match self.grants.len().checked_sub(limit) {
            Some(oldest) => self.grants[oldest] + self.length + self.pad(),
            None => now,
        };
        // Never before the latest grant: order is what the proof rests on, even between skewed clocks.
        let latest = self.grants.last().copied().unwrap_or(now);
        now.max(reopened).max(self.blocked_until).max(latest)
    }

    /// Takes the next slot if it opens by `deadline`.
    pub fn reserve(&mut self, now: Millis, deadline: Millis) -> Reservation {
        let at = self.next_free(now);
        if at > deadline {
            return Reservation::Later(at);
        }
        self.grants.push(at);
        self.trim();
        Reservation::Go(at)
    }

    /// Moves a grant to the instant by which its request had certainly arrived.
    pub fn correct(&mut self, granted: Millis, arrived: Millis) {
        if let Ok(index) = self.grants.binary_search(&granted) {
            self.grants[index] = arrived.max(granted);
            self.grants.sort_unstable();
        }
    }

    /// Takes over an announced limit and window length.
    pub fn learn(&mut self, limit: u32, length: Millis) {
        self.limit = limit.max(1);
        self.length = length.max(1);
        self.trim();
    }

    /// Blocks the bucket until `until`; a running block is never shortened.
    pub fn block(&mut self, until: Millis) {
        self.blocked_until = self.blocked_until.max(until);
    }

    fn trim(&mut self) {
        let surplus = self.grants.len().saturating_sub(self.limit.max(1) as usize);
        self.grants.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heavy() -> Window {
        Window::unused(&Group::named("Heavy"))
    }

    #[test]
    fn a_full_window_reopens_when_its_oldest_grant_leaves_it() {
        let mut window = heavy();
        for _ in 0..10 {
            assert_eq!(window.reserve(1_000, 1_000), Reservation::Go(1_000));
        }
        assert_eq!(window.reserve(1_000, 5_000), Reservation::Later(61_500));
        assert_eq!(window.reserve(58_000, 62_000), Reservation::Go(61_500));
    }

    #[test]
    fn a_block_holds_everybody_and_is_never_shortened() {
        let mut window = heavy();
        window.block(90_000);
        window.block(70_000);
        assert_eq!(window.reserve(60_000, 60_000), Reservation::Later(90_000));
    }

    #[test]
    fn a_late_arrival_moves_its_slot() {
        let mut window = heavy();
        window.learn(1, 60_000);
        assert_eq!(window.reserve(0, 0), Reservation::Go(0));
        window.correct(0, 4_000);
        assert_eq!(window.next_free(10_000), 64_500);
    }

    #[test]
    fn a_raised_limit_is_used_at_once() {
        let mut window = heavy();
        for _ in 0..10 {
            window.reserve(0, 0);
        }
        window.learn(100, 60_000);
        assert_eq!(window.reserve(5, 5), Reservation::Go(5));
    }

    proptest! {
        /// Whatever the callers' times and the delays within the pad, no window of the server holds more than N.
        #[test]
        fn never_more_than_the_limit_in_any_window(
            limit in 1_u32..12,
            steps in prop::collection::vec((0_i64..9_000, 0_i64..500, any::<bool>()), 1..200),
        ) {
            let mut window = heavy();
            window.learn(limit, 60_000);
            let mut now = 0;
            let mut arrivals = Vec::new();
            for (idle, delay, patient) in steps {
                now += idle;
                let deadline = if patient { now + 70_000 } else { now };
                if let Reservation::Go(at) = window.reserve(now, deadline) {
                    arrivals.push(at + delay);
                }
            }
            arrivals.sort_unstable();
            for (index, arrival) in arrivals.iter().enumerate() {
                let inside = arrivals[..=index].iter().filter(|a| **a > arrival - 60_000).count();
                prop_assert!(inside <= limit as usize, "{inside} of {limit} in the window before {arrival}");
            }
        }
    }
}
