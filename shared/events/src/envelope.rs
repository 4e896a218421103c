//! RingCentral's envelope around an event, read as far as we reason about it.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tenant::TenantId;

use crate::Kind;

/// A body that is not a JSON object: nothing RingCentral ever sends.
#[derive(Debug, thiserror::Error)]
#[error("the body is not a JSON object")]
pub struct Unreadable(#[source] serde_json::Error);

/// One event as RingCentral wrapped it. Fields are missing in some of its own samples, so all of them may be.
#[derive(Clone)]
pub struct Envelope {
    /// RingCentral's id of the event, a GUID or a decimal number.
    pub uuid: Option<String>,
    /// The filter that matched, with ids instead of `~`.
    pub event: String,
    /// When it happened, as RingCentral wrote it (`Z` or `+0000`).
    pub timestamp: Option<String>,
    /// The subscription it was sent for.
    pub subscription_id: Option<String>,
    /// What it is about.
    pub kind: Kind,
    /// The event itself.
    pub body: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(default, deserialize_with = "text")]
    uuid: Option<String>,
    #[serde(default, deserialize_with = "text")]
    event: Option<String>,
    #[serde(default, deserialize_with = "text")]
    timestamp: Option<String>,
    #[serde(default, deserialize_with = "text")]
    subscription_id: Option<String>,
    #[serde(default)]
    body: Value,
    /// Mobile notifications wrap the whole envelope once more.
    #[serde(default, rename = "pn_apns", deserialize_with = "wrapped")]
    apns: Option<Box<Wire>>,
}

/// A string or a number as text; any other shape as nothing, because a strange field must not lose an event.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The wrapped envelope; anything but an object as nothing.
fn wrapped<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Box<Wire>>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        inner @ Value::Object(_) => Wire::deserialize(inner).ok().map(Box::new),
        _ => None,
    })
}

impl Envelope {
    /// Reads a delivery.
    ///
    /// # Errors
    /// [`Unreadable`] if it is no JSON object; unknown kinds and missing fields are no error.
    pub fn read(body: &str) -> Result<Self, Unreadable> {
        // Through a map, because serde would also read a list as the fields in their order.
        let object: serde_json::Map<String, Value> = serde_json::from_str(body).map_err(Unreadable)?;
        let wire = Wire::deserialize(object).map_err(Unreadable)?;
        let (outer_uuid, outer_subscription) = (wire.uuid.clone(), wire.subscription_id.clone());
        let wire = wire.apns.map_or(Wire { apns: None, ..wire }, |inner| *inner);
        let event = wire.event.unwrap_or_default();
        Ok(Self {
            uuid: wire.uuid.or(outer_uuid),
            kind: Kind::of(&event),
            event,
            timestamp: wire.timestamp,
            subscription_id: wire.subscription_id.or(outer_subscription),
            body: wire.body,
        })
    }

    /// What makes two deliveries the same event: subscription, uuid and filter, else the bytes themselves.
    ///
    /// The filter is part of it, because one subscription may ask for the same thing twice (`presence` and
    /// `presence?detailedTelephonyState=true`), and then two different notifications share a uuid.
    #[must_use]
    pub fn key(&self, tenant: &TenantId, raw: &str) -> String {
        let digest = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
        // Keys of a table have an end; RingCentral's ids are far shorter than this.
        let short = |id: &&String| id.len() <= 128;
        match (self.subscription_id.as_ref().filter(short), self.uuid.as_ref().filter(short)) {
            (Some(subscription), Some(uuid)) => {
                format!("{tenant}#{subscription}#{uuid}#{}", &digest(&self.event)[..16])
            }
            _ => format!("{tenant}#sha256#{}", digest(raw)),
        }
    }

    /// The telephony session and the place of this event in it.
    #[must_use]
    pub fn session(&self) -> Option<(&str, i64)> {
        if self.kind != Kind::TelephonySession {
            return None;
        }
        let id = self.body.get("telephonySessionId")?.as_str().filter(|id| (1..=256).contains(&id.len()))?;
        Some((id, self.body.get("sequence").and_then(Value::as_i64).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_with_anything_missing_or_strange_is_still_an_event() {
        for body in [
            "{}",
            r#"{"uuid":5,"event":["x"],"body":7}"#,
            r#"{"event":"/restapi/v9/new"}"#,
            r#"{"pn_apns":[1]}"#,
        ] {
            assert_eq!(Envelope::read(body).unwrap().kind, Kind::Unknown, "{body}");
        }
        assert!(Envelope::read("[]").is_err());
        assert!(Envelope::read("nonsense").is_err());
    }

    #[test]
    fn a_mobile_notification_is_unwrapped() {
        let envelope = Envelope::read(
            r#"{"uuid":"1","subscriptionId":"s","pn_apns":{"event":"/restapi/v1.0/account/1/telephony/sessions",
                "body":{"telephonySessionId":"t","sequence":3}}}"#,
        )
        .unwrap();
        assert_eq!(envelope.session(), Some(("t", 3)));
        assert!(envelope.key(&"acme".parse().unwrap(), "").starts_with("acme#s#1#"));
    }

    #[test]
    fn two_filters_that_match_the_same_event_are_two_notifications() {
        let acme = "acme".parse().unwrap();
        let key = |event: &str| {
            let raw = serde_json::json!({"uuid": "1", "subscriptionId": "s", "event": event}).to_string();
            Envelope::read(&raw).unwrap().key(&acme, &raw)
        };
        assert_eq!(key("/a/presence"), key("/a/presence"));
        assert_ne!(key("/a/presence"), key("/a/presence?detailedTelephonyState=true"));
    }

    #[test]
    fn without_ids_the_bytes_are_the_key() {
        let acme = "acme".parse().unwrap();
        let key = |raw: &str| Envelope::read(raw).unwrap().key(&acme, raw);
        assert_eq!(key("{}"), key("{}"));
        assert_ne!(key("{}"), key("{ }"));
    }
}
