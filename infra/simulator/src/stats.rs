//! What was counted: requests, rejections, windows, sessions and deliveries.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Group;
use crate::state::State;

/// Counters of a simulator since its start or last reset.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Requests by `operationId`, counted at arrival, rejected ones included; `unknown` counts 404s of no operation.
    pub requests: BTreeMap<String, u64>,
    /// Requests by group.
    pub requests_by_group: BTreeMap<String, u64>,
    /// Answers by status. An answer that never went out, cut off by a fault, counts as 0.
    pub answers: BTreeMap<u16, u64>,
    /// Number of 429 answers.
    pub throttled: u64,
    /// Windows by app, user and group.
    pub buckets: Vec<BucketStats>,
    /// Access tokens issued, refreshes included.
    pub tokens_issued: u64,
    /// Sessions that can still be used or refreshed.
    pub sessions_active: usize,
    /// Sessions that a newer one of the same app and user evicted.
    pub sessions_evicted: u64,
    /// Subscriptions that exist.
    pub subscriptions: usize,
    /// Faults carried out.
    pub faults: u64,
    /// Deliveries to webhooks.
    pub deliveries: DeliveryStats,
}

/// One window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BucketStats {
    /// App.
    pub client_id: String,
    /// Extension id of the user; 0 where a token request named none.
    pub user: u64,
    /// Group.
    pub group: Group,
    /// Requests a window holds.
    pub limit: u32,
    /// Length of the window, simulated seconds.
    pub window_seconds: f64,
    /// Requests accepted in all.
    pub accepted: u64,
    /// Requests rejected with 429 in all.
    pub rejected: u64,
    /// Largest number of accepted requests in any window.
    pub largest_in_window: usize,
    /// Largest number of requests in any window, rejected ones included.
    pub arrivals_largest_in_window: usize,
}

/// Deliveries to webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryStats {
    /// Requests sent to webhooks, handshakes excluded.
    pub attempted: u64,
    /// Requests a webhook accepted.
    pub accepted: u64,
    /// Requests a webhook did not accept.
    pub failed: u64,
    /// Notifications lost by a `webhook_drop` fault.
    pub dropped: u64,
    /// Notifications that wait or are under way.
    pub pending: u64,
    /// Largest number of deliveries in flight for one subscription.
    pub largest_in_flight: usize,
}

/// The counters that are kept as they happen; the rest is read where it lives.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: BTreeMap<String, u64>,
    pub(crate) requests_by_group: BTreeMap<String, u64>,
    pub(crate) answers: BTreeMap<u16, u64>,
    pub(crate) deliveries: DeliveryStats,
}

impl Counters {
    pub(crate) fn arrived(&mut self, operation: &str, group: Option<Group>) {
        *self.requests.entry(operation.to_owned()).or_default() += 1;
        if let Some(group) = group {
            *self.requests_by_group.entry(group.name().to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn answered(&mut self, status: u16) {
        *self.answers.entry(status).or_default() += 1;
    }
}

impl State {
    /// The counters as they stand.
    pub(crate) fn stats(&mut self, now: jiff::Timestamp) -> Stats {
        let buckets = self.throttle.buckets.iter().map(|(key, bucket)| {
            let limit = self.throttle.limits.of(key.group);
            BucketStats {
                client_id: key.client_id.clone(),
                user: key.user,
                group: key.group,
                limit: limit.requests,
                window_seconds: limit.window.as_secs_f64(),
                accepted: bucket.accepted,
                rejected: bucket.rejected,
                largest_in_window: bucket.largest_accepted,
                arrivals_largest_in_window: bucket.largest_arrivals,
            }
        });
        let owed = self.subscriptions.list.iter().map(|one| (one.queue.len() + one.in_flight) as u64);
        let deliveries = DeliveryStats { pending: owed.sum(), ..self.counters.deliveries };
        Stats {
            requests: self.counters.requests.clone(),
            requests_by_group: self.counters.requests_by_group.clone(),
            answers: self.counters.answers.clone(),
            throttled: self.counters.answers.get(&429).copied().unwrap_or_default(),
            buckets: buckets.collect(),
            tokens_issued: self.sessions.issued,
            sessions_active: self.sessions.active(now),
            sessions_evicted: self.sessions.evicted,
            subscriptions: self.subscriptions.list.len(),
            faults: self.faults.carried_out,
            deliveries,
        }
    }
}
