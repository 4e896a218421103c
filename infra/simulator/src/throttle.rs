//! The rate limits: one sliding window per (app, user, group), kept as the log of arrival times, and the
//! penalty that every further request restarts. It decides on times it is given and never reads a clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{between, later};
use crate::config::{Group, Limits};

/// Whose budget it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BucketKey {
    pub(crate) client_id: String,
    /// Extension id of the user; 0 where a token request named none.
    pub(crate) user: u64,
    pub(crate) group: Group,
}

/// What the throttle says about one arrival. Durations are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) group: Group,
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) window: Duration,
    /// Present when the request is rejected: how long the penalty lasts from now.
    pub(crate) retry_after: Option<Duration>,
}

#[derive(Debug, Default)]
pub(crate) struct Bucket {
    accepted_log: VecDeque<Timestamp>,
    arrival_log: VecDeque<Timestamp>,
    penalty_until: Option<Timestamp>,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) largest_accepted: usize,
    pub(crate) largest_arrivals: usize,
}

impl Bucket {
    fn arrive(&mut self, now: Timestamp, limits: &Limits, group: Group) -> Verdict {
        let limit = limits.of(group);
        // A request exactly one window old has left it.
        let stale = |at: &Timestamp| later(*at, limit.window) <= now;
        while self.arrival_log.front().is_some_and(stale) {
            self.arrival_log.pop_front();
        }
        while self.accepted_log.front().is_some_and(stale) {
            self.accepted_log.pop_front();
        }
        self.arrival_log.push_back(now);
        self.largest_arrivals = self.largest_arrivals.max(self.arrival_log.len());

        let in_penalty = self.penalty_until.is_some_and(|until| until > now);
        let full = self.accepted_log.len() >= limit.requests as usize;
        if limits.enabled && (in_penalty || full) {
            let until = later(now, limit.window);
            self.penalty_until = Some(until);
            self.rejected += 1;
            return Verdict {
                group,
                limit: limit.requests,
                remaining: 0,
                window: limit.window,
                retry_after: Some(between(now, until)),
            };
        }
        self.penalty_until = None;
        self.accepted_log.push_back(now);
        self.accepted += 1;
        self.largest_accepted = self.largest_accepted.max(self.accepted_log.len());
        let remaining =
            limit.requests.saturating_sub(u32::try_from(self.accepted_log.len()).unwrap_or(u32::MAX));
        Verdict { group, limit: limit.requests, remaining, window: limit.window, retry_after: None }
    }
}

/// All buckets.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    pub(crate) limits: Limits,
    pub(crate) buckets: BTreeMap<BucketKey, Bucket>,
}

impl Throttle {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, buckets: BTreeMap::new() }
    }

    /// Counts an arrival and accepts or rejects it.
    pub(crate) fn arrive(&mut self, key: BucketKey, now: Timestamp) -> Verdict {
        let group = key.group;
        self.buckets.entry(key).or_default().arrive(now, &self.limits, group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn key() -> BucketKey {
        BucketKey { client_id: "app".into(), user: 1, group: Group::Auth }
    }

    #[test]
    fn a_request_leaves_the_window_exactly_when_it_is_one_window_old() {
        let mut throttle = Throttle::new(Limits::default());
        for ms in [0, 1, 2, 3, 4] {
            assert_eq!(throttle.arrive(key(), at(ms)).retry_after, None);
        }
        let verdict = throttle.arrive(key(), at(60_000));
        assert_eq!((verdict.retry_after, verdict.remaining), (None, 0));
        assert!(throttle.arrive(key(), at(60_000)).retry_after.is_some());
    }

    #[test]
    fn every_request_during_the_penalty_restarts_it() {
        let mut throttle = Throttle::new(Limits::default());
        for _ in 0..6 {
            throttle.arrive(key(), at(0));
        }
        assert!(throttle.arrive(key(), at(59_999)).retry_after.is_some());
        assert!(throttle.arrive(key(), at(119_998)).retry_after.is_some());
        assert_eq!(throttle.arrive(key(), at(179_998)).retry_after, None);
    }

    #[test]
    fn switched_off_it_counts_and_accepts() {
        let mut throttle = Throttle::new(Limits::none());
        for _ in 0..9 {
            assert_eq!(throttle.arrive(key(), at(0)).retry_after, None);
        }
        assert_eq!(throttle.buckets[&key()].largest_accepted, 9);
    }
}
