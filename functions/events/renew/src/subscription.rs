//! Which of RingCentral's subscriptions are ours, which of those are near their end, and which deliver to one address.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde_json::{Value, value::RawValue};
use tenant::TenantId;

/// A subscription with less life left than this is renewed (seconds): half of the seven days (604,799 s) that RingCentral gives
/// where no life is chosen. After that, a schedule of an hour has eighty-four more tries before events are lost.
///
/// It is a constant because RingCentral does not tell how long a life was meant to be: `creationTime` stays as it is through
/// renewals.
pub const LEAST: i64 = 604_799 / 2;

/// Where a subscription delivers. Half of what authenticates a delivery is in it, so it can't be printed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Address(String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// A subscription that delivers to this deployment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    address: Address,
    /// Seconds it has left, by RingCentral's own clock.
    pub(crate) left: Option<i64>,
    /// Why RingCentral has stopped delivering, if it has.
    pub(crate) blacklisted: Option<String>,
}

impl Subscription {
    /// Reads a record of RingCentral's list; `None` if it delivers anywhere but to this tenant's addresses under one of these URLs. Other
    /// tools and other deployments may have the same app and user.
    pub(crate) fn ours(record: &RawValue, doors: &[Arc<str>], tenant: &TenantId) -> Option<Self> {
        let record: Value = serde_json::from_str(record.get()).ok()?;
        let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
        let path = format!("/api/webhooks/events/{tenant}/");
        let is_here = |address: &str| {
            doors.iter().any(|door| address.strip_prefix(&**door).is_some_and(|rest| rest.starts_with(&path)))
        };
        let address = text("/deliveryMode/address").filter(|address| is_here(address))?;
        if text("/deliveryMode/transportType") != Some("WebHook") {
            return None;
        }
        let blacklisted = (text("/status") == Some("Blacklisted"))
            .then(|| text("/blacklistedData/reason").unwrap_or("it does not say why").to_owned());
        let (id, address) = (text("/id")?.to_owned(), Address(address.to_owned()));
        Some(Self { id, address, left: record["expiresIn"].as_i64(), blacklisted })
    }

    /// Whether it is near its end. One that does not say is renewed: that harms nothing.
    pub(crate) fn is_due(&self) -> bool {
        self.left.is_none_or(|left| left < LEAST)
    }
}

/// The ids of those that deliver to one address, a list for each address that has several.
pub(crate) fn doubles(subscriptions: &[Subscription]) -> Vec<Vec<&str>> {
    let mut ids = BTreeMap::<&Address, Vec<&str>>::new();
    for one in subscriptions {
        ids.entry(&one.address).or_default().push(&one.id);
    }
    ids.into_values().filter(|ids| ids.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ours(record: &Value) -> Option<Subscription> {
        let record = RawValue::from_string(record.to_string()).unwrap();
        let doors = ["https://abc.lambda-url.us-east-1.on.aws", "https://gateway.example.com"].map(Arc::from);
        Subscription::ours(&record, &doors, &"acme".parse().unwrap())
    }

    fn at(transport: &str, address: &str) -> Value {
        json!({"id": "s-1", "deliveryMode": {"transportType": transport, "address": address}})
    }

    #[test]
    fn what_delivers_elsewhere_is_none_of_ours() {
        let here = "https://gateway.example.com/api/webhooks/events/acme/0";
        assert!(ours(&at("WebHook", here)).is_some_and(|one| one.id == "s-1"));
        assert!(
            ours(&at("WebHook", "https://abc.lambda-url.us-east-1.on.aws/api/webhooks/events/acme/0"))
                .is_some()
        );
        for (transport, address) in [
            ("WebSocket", here),
            ("WebHook", "https://gateway.example.com.evil.example/api/webhooks/events/acme/0"),
            ("WebHook", "https://staging.example.com/api/webhooks/events/acme/0"),
            ("WebHook", "https://gateway.example.com/api/webhooks/events/acme-2/0"),
            ("WebHook", "https://gateway.example.com/crm/hook"),
        ] {
            assert_eq!(ours(&at(transport, address)), None, "{transport} {address}");
        }
        assert_eq!(ours(&json!({"id": "s-1"})), None);
        assert_eq!(ours(&json!("nothing")), None);
    }

    #[test]
    fn half_of_a_life_is_where_renewing_begins() {
        let mut record = at("WebHook", "https://gateway.example.com/api/webhooks/events/acme/0");
        assert!(ours(&record).unwrap().is_due(), "it does not say how long it lives");
        for (left, due) in [(0, true), (LEAST - 1, true), (LEAST, false), (604_799, false)] {
            record["expiresIn"] = json!(left);
            assert_eq!(ours(&record).unwrap().is_due(), due, "{left}");
        }
    }
}
