//! The delivery engine: what is due, what follows from success and failure, and what time alone does to a
//! subscription. It decides on times it is given; sending is done by [`crate::simulator`].
//!
//! RingCentral publishes no schedule of retries. Ours: after the first failure of a notification it is tried again
//! after 5 s, 30 s, 2 min and 5 min of simulated time, then given up.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::log::EventRecord;
use super::{EventsStatus, RawEvent};
use crate::clock::{Clock, between, iso, later};
use crate::state::State;
use crate::subscriptions::filter::Topic;
use crate::subscriptions::webhook::Failure;
use crate::subscriptions::{Blacklisted, Delivery, PATIENCE};

const RETRIES: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(300)];

/// A delivery that is to be tried now.
#[derive(Debug)]
pub(crate) struct Attempt {
    epoch: Uuid,
    pub(crate) subscription: String,
    pub(crate) address: String,
    pub(crate) verification_token: Option<String>,
    pub(crate) delivery: Delivery,
}

/// An event about to be published to one subscription.
#[derive(Debug)]
pub(crate) struct Happening {
    pub(crate) uuid: Uuid,
    pub(crate) kind: &'static str,
    /// Path with query.
    pub(crate) event: String,
    pub(crate) body: Value,
}

impl State {
    /// Writes an event down and returns the delivery of it, to be enqueued as often as it is to be sent.
    pub(crate) fn publish(&mut self, id: &str, happening: Happening, now: Timestamp) -> Option<Delivery> {
        let subscription = self.subscriptions.find(id)?;
        let envelope = json!({
            "uuid": happening.uuid.to_string(),
            "event": happening.event,
            "timestamp": iso(now),
            "subscriptionId": id,
            "ownerId": subscription.owner.user.to_string(),
            "body": happening.body,
        });
        let body = &envelope["body"];
        let event = self.events.add(EventRecord {
            uuid: happening.uuid.to_string(),
            kind: happening.kind.to_owned(),
            event: happening.event,
            subscription_id: id.to_owned(),
            telephony_session_id: body["telephonySessionId"].as_str().map(str::to_owned),
            sequence: if happening.kind == "telephony" { body["sequence"].as_u64() } else { None },
            sends: 0,
            delivered: 0,
            failed: 0,
        });
        Some(Delivery { event, body: Bytes::from(envelope.to_string()), failures: 0 })
    }

    /// Enqueues one notification of a published event.
    pub(crate) fn send(&mut self, id: &str, delivery: Delivery, now: Timestamp) {
        if let Some(record) = self.events.records.get_mut(delivery.event) {
            record.sends += 1;
        }
        self.subscriptions.enqueue(id, now, delivery);
    }

    /// Publishes a crafted event to every active subscription that listens to its path.
    pub(crate) fn publish_raw(&mut self, raw: &RawEvent, now: Timestamp) -> Vec<String> {
        let path = raw.event.split('?').next().unwrap_or_default();
        let listening = self.subscriptions.list.iter().filter(|one| one.is_active());
        let listening = listening.filter(|one| one.filters.iter().any(|filter| filter.matches(path)));
        let ids: Vec<String> = listening.map(|one| one.id.clone()).collect();
        let mut uuids = Vec::new();
        for id in ids {
            let uuid = Uuid::new_v4();
            let happening = Happening { uuid, kind: "raw", event: raw.event.clone(), body: raw.body.clone() };
            let Some(delivery) = self.publish(&id, happening, now) else { continue };
            for _ in 0..raw.sends {
                self.send(&id, delivery.clone(), now);
            }
            uuids.push(uuid.to_string());
        }
        uuids
    }

    /// What time alone does: subscriptions expire, reminders fall due, and one that did nothing but fail for ten
    /// minutes and has nothing left to try is blacklisted.
    pub(crate) fn sweep(&mut self, clock: &Clock, now: Timestamp) {
        let over: Vec<String> = self
            .subscriptions
            .list
            .iter()
            .filter(|one| one.expires <= now)
            .map(|one| one.id.clone())
            .collect();
        for id in over {
            if let Some(owner) = self.subscriptions.find(&id).map(|one| one.owner.clone()) {
                self.subscriptions.expired.insert(id.clone(), owner);
            }
            self.drop_subscription(&id);
        }
        for one in self.subscriptions.list.iter_mut().filter(|one| one.blacklisted.is_none()) {
            let idle = one.queue.is_empty() && one.in_flight == 0;
            let Some((since, reason)) = one.failing.clone().filter(|_| idle) else { continue };
            let at = later(since, PATIENCE);
            if at <= now {
                one.blacklisted = Some(Blacklisted { reason, at });
            }
        }
        self.remind(clock, now);
    }

    fn remind(&mut self, clock: &Clock, now: Timestamp) {
        let mut due = Vec::new();
        for one in self.subscriptions.list.iter_mut().filter(|one| one.blacklisted.is_none()) {
            let left = between(now, one.expires);
            for filter in one.filters.iter().filter(|filter| filter.topic == Topic::Reminder) {
                let seconds = |name| filter.query.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
                let threshold = clock.from_client_seconds(seconds("threshold"));
                let interval = clock.from_client_seconds(seconds("interval"));
                let again = one.reminded.is_none_or(|reminded| later(reminded, interval) <= now);
                if left <= threshold && again {
                    due.push((one.id.clone(), filter.text.clone(), clock.client_lifetime(left)));
                    one.reminded = Some(now);
                }
            }
        }
        for (id, event, seconds) in due {
            let kind = Topic::Reminder.kind();
            let happening =
                Happening { uuid: Uuid::new_v4(), kind, event, body: json!({"expiresIn": seconds}) };
            if let Some(delivery) = self.publish(&id, happening, now) {
                self.send(&id, delivery, now);
            }
        }
    }

    /// Takes what is due now, as far as every subscription has room in flight.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Attempt> {
        let most = self.config.deliveries_in_flight.max(1);
        let mut attempts = Vec::new();
        for one in self.subscriptions.list.iter_mut().filter(|one| one.blacklisted.is_none()) {
            while one.in_flight < most {
                let Some(entry) = one.queue.first_entry().filter(|entry| entry.key().0 <= now) else { break };
                let delivery = entry.remove();
                let event = self.events.records.get(delivery.event).map(|record| record.event.as_str());
                if self.faults.drops(event.unwrap_or_default()) {
                    self.counters.deliveries.dropped += 1;
                    self.events.given_up(delivery.event);
                    continue;
                }
                one.in_flight += 1;
                let counted = &mut self.counters.deliveries;
                counted.attempted += 1;
                counted.largest_in_flight = counted.largest_in_flight.max(one.in_flight);
                attempts.push(Attempt {
                    epoch: self.epoch,
                    subscription: one.id.clone(),
                    address: one.address.clone(),
                    verification_token: one.verification_token.clone(),
                    delivery,
                });
            }
        }
        attempts
    }

    /// Settles an attempt: success clears what failed before, failure is tried again later or given up, and too long
    /// a failure blacklists the subscription.
    pub(crate) fn settle(&mut self, attempt: Attempt, outcome: Result<(), Failure>, now: Timestamp) {
        if attempt.epoch != self.epoch {
            return;
        }
        let event = attempt.delivery.event;
        match outcome {
            Ok(()) => {
                self.counters.deliveries.accepted += 1;
                self.events.delivered(event);
                if let Some(one) = self.subscriptions.find(&attempt.subscription) {
                    one.in_flight = one.in_flight.saturating_sub(1);
                    one.failing = None;
                }
            }
            Err(failure) => {
                self.counters.deliveries.failed += 1;
                self.failed(attempt, &failure, now);
            }
        }
    }

    fn failed(&mut self, attempt: Attempt, failure: &Failure, now: Timestamp) {
        let event = attempt.delivery.event;
        let Some(one) = self.subscriptions.find(&attempt.subscription) else {
            self.events.given_up(event);
            return;
        };
        one.in_flight = one.in_flight.saturating_sub(1);
        let since = one.failing.as_ref().map_or(now, |(since, _)| *since);
        one.failing = Some((since, failure.reason()));
        if one.blacklisted.is_none() && later(since, PATIENCE) <= now {
            one.blacklisted = Some(Blacklisted { reason: failure.reason(), at: now });
        }
        if one.blacklisted.is_some() {
            let lost: Vec<usize> =
                std::mem::take(&mut one.queue).into_values().map(|owed| owed.event).collect();
            lost.into_iter().chain([event]).for_each(|event| self.events.given_up(event));
            return;
        }
        let delivery = Delivery { failures: attempt.delivery.failures + 1, ..attempt.delivery };
        match RETRIES.get(delivery.failures - 1) {
            Some(delay) => self.subscriptions.enqueue(&attempt.subscription, later(now, *delay), delivery),
            None => self.events.given_up(event),
        }
    }

    /// How the notifications fare.
    pub(crate) fn events_status(&self) -> EventsStatus {
        let sum =
            |count: fn(&EventRecord) -> usize| self.events.records.iter().map(count).sum::<usize>() as u64;
        let (sends, delivered, failed) =
            (sum(|one| one.sends), sum(|one| one.delivered), sum(|one| one.failed));
        EventsStatus { pending: sends.saturating_sub(delivered + failed), delivered, failed }
    }
}
