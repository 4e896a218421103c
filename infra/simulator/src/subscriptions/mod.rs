//! Subscriptions: what each one listens to, where it delivers, how it fares, and the deliveries it still owes.
//! It holds state only; [`webhook`] talks to the addresses and [`crate::events`] decides what happens when.

pub(crate) mod filter;
pub(crate) mod webhook;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::Owner;
use crate::clock::{Clock, between, iso};
use filter::Filter;

/// Subscriptions a user may have in an app.
pub(crate) const MOST: usize = 30;
/// Lifetime when none is asked for, simulated.
pub(crate) const DEFAULT_LIFE: Duration = Duration::from_secs(604_799);
/// Longest lifetime, seconds: ten years.
pub(crate) const LONGEST: u64 = 315_360_000;
/// Nothing but failures for this long blacklists a subscription.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// One notification on its way to one subscription.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// Index into the event log.
    pub(crate) event: usize,
    pub(crate) body: Bytes,
    /// Failed tries so far.
    pub(crate) failures: usize,
}

/// A filter the subscription did not get.
#[derive(Clone, Debug)]
pub(crate) struct DisabledFilter {
    pub(crate) filter: String,
}

/// Why and when deliveries stopped.
#[derive(Clone, Debug)]
pub(crate) struct Blacklisted {
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
}

/// A subscription.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) owner: Owner,
    pub(crate) filters: Vec<Filter>,
    pub(crate) disabled: Vec<DisabledFilter>,
    pub(crate) address: String,
    pub(crate) verification_token: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) blacklisted: Option<Blacklisted>,
    /// First failure since the last success, and what the latest one was.
    pub(crate) failing: Option<(Timestamp, String)>,
    pub(crate) reminded: Option<Timestamp>,
    /// By due time and order of creation.
    pub(crate) queue: BTreeMap<(Timestamp, u64), Delivery>,
    pub(crate) in_flight: usize,
}

impl Subscription {
    pub(crate) fn is_active(&self) -> bool {
        self.blacklisted.is_none()
    }

    /// The resource as it is answered; the verification token never comes back.
    pub(crate) fn render(&self, base: &str, clock: &Clock, now: Timestamp) -> Value {
        let texts: Vec<&str> = self.filters.iter().map(|filter| filter.text.as_str()).collect();
        let mut resource = json!({
            "uri": format!("{base}/restapi/v1.0/subscription/{}", self.id),
            "id": self.id,
            "creationTime": iso(self.created),
            "status": if self.is_active() { "Active" } else { "Blacklisted" },
            "eventFilters": texts,
            "expirationTime": iso(self.expires),
            "expiresIn": clock.client_lifetime(between(now, self.expires)),
            "deliveryMode": {"transportType": "WebHook", "encryption": false, "address": self.address},
        });
        if !self.disabled.is_empty() {
            let message = "Application has no permission for this event filter";
            let disabled = self.disabled.iter();
            let disabled =
                disabled.map(|one| json!({"filter": one.filter, "reason": "SUB-402", "message": message}));
            resource["disabledFilters"] = disabled.collect();
        }
        if let Some(blacklisted) = &self.blacklisted {
            resource["blacklistedData"] =
                json!({"reason": blacklisted.reason, "blacklistedAt": iso(blacklisted.at)});
        }
        resource
    }
}

/// All subscriptions, in the order of their creation, and the owners of those that expired.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    pub(crate) list: Vec<Subscription>,
    pub(crate) expired: HashMap<String, Owner>,
    pub(crate) next_delivery: u64,
}

impl Subscriptions {
    pub(crate) fn find(&mut self, id: &str) -> Option<&mut Subscription> {
        self.list.iter_mut().find(|one| one.id == id)
    }

    pub(crate) fn count_of(&self, owner: &Owner) -> usize {
        self.list.iter().filter(|one| one.owner == *owner).count()
    }

    /// Appends a delivery that is due at `due`.
    pub(crate) fn enqueue(&mut self, id: &str, due: Timestamp, delivery: Delivery) {
        self.next_delivery += 1;
        let order = self.next_delivery;
        if let Some(subscription) = self.find(id) {
            subscription.queue.insert((due, order), delivery);
        }
    }

    /// The earliest time something is due anywhere that has room for it.
    pub(crate) fn next_due(&self, in_flight: usize) -> Option<Timestamp> {
        let ready = self.list.iter().filter(|one| one.is_active() && one.in_flight < in_flight);
        ready.filter_map(|one| one.queue.keys().next().map(|(due, _)| *due)).min()
    }
}
