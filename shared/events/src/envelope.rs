//! RingCentral's envelope around an event, read as far as we reason about it.

use sha2::{Digest, Sha256};
use tenant::TenantId;

use crate::{
    Kind,
    json::{Json, Text, Unreadable},
};

/// One event as RingCentral wrapped it. Fields are missing in some of its own samples, so all of them may be.
#[derive(Clone)]
pub struct Envelope<'a> {
    /// RingCentral's id of the event, a GUID or a decimal number with all its digits.
    pub uuid: Option<String>,
    /// The filter that matched, with ids instead of `~`.
    pub event: String,
    /// When it happened, as RingCentral wrote it (`Z` or `+0000`).
    pub timestamp: Option<String>,
    /// The subscription it was sent for, as the delivery says; the address may be that of another.
    pub subscription_id: Option<String>,
    /// What it is about.
    pub kind: Kind,
    /// The event itself.
    pub(crate) body: Option<Json<'a>>,
    /// Whether what makes the event's identity is written in characters that can be told apart.
    exact: bool,
}

const FIELDS: [&str; 5] = ["uuid", "event", "timestamp", "subscriptionId", "body"];

impl<'a> Envelope<'a> {
    /// Whether a body is one that [`Envelope::read`] reads: the receiver takes no other.
    ///
    /// # Errors
    /// [`Unreadable`] says what it is instead.
    pub fn check(body: &str) -> Result<(), Unreadable> {
        Json::object(body).map(drop)
    }

    /// Reads a delivery.
    ///
    /// # Errors
    /// [`Unreadable`] if it is no JSON object; unknown kinds, missing and strange fields are no error.
    pub fn read(body: &'a str) -> Result<Self, Unreadable> {
        let object = Json::object(body)?;
        let outer = object.fields(FIELDS);
        // Mobile notifications wrap the whole envelope once more.
        let inner = object.at(&["pn_apns"]).filter(|inner| inner.is_object());
        let [uuid, event, timestamp, subscription, body] = inner.map_or(outer, |inner| inner.fields(FIELDS));
        let text = |field: Option<Json<'a>>| field.and_then(Json::text);
        let uuid = text(uuid).or_else(|| text(outer[0]));
        let subscription = text(subscription).or_else(|| text(outer[3]));
        let event = text(event);
        let exact = [&uuid, &subscription, &event].into_iter().flatten().all(|text| text.exact);
        let plain = |text: Text| text.text;
        let event = event.map(plain).unwrap_or_default();
        Ok(Self {
            uuid: uuid.map(plain),
            kind: Kind::of(&event),
            event,
            timestamp: text(timestamp).map(plain),
            subscription_id: subscription.map(plain),
            body,
            exact,
        })
    }

    /// What makes two deliveries the same event: subscription, uuid and filter, else the bytes themselves.
    ///
    /// The filter is part of it, because one subscription may ask for the same thing twice (`presence` and
    /// `presence?detailedTelephonyState=true`), and then two different notifications share a uuid.
    #[must_use]
    pub fn key(&self, tenant: &TenantId, raw: &str) -> String {
        let digest = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
        // Keys of a table have an end, and RingCentral's ids are far shorter than this. What could be mistaken for another
        // event's is no id.
        let names = |id: &&String| self.exact && (1..=128).contains(&id.len()) && !id.contains('#');
        match (self.subscription_id.as_ref().filter(names), self.uuid.as_ref().filter(names)) {
            (Some(subscription), Some(uuid)) => {
                format!("{tenant}#{subscription}#{uuid}#{}", &digest(&self.event)[..16])
            }
            _ => format!("{tenant}#sha256#{}", digest(raw)),
        }
    }

    /// The telephony session and the place of this event in it, if it says which.
    #[must_use]
    pub fn session(&self) -> Option<(String, Option<i64>)> {
        if self.kind != Kind::TelephonySession {
            return None;
        }
        let [id, sequence] = self.body?.fields(["telephonySessionId", "sequence"]);
        let id = id?.string().filter(|id| (1..=LONGEST_SESSION).contains(&id.len()))?;
        Some((id, sequence.and_then(Json::integer)))
    }
}

/// The longest id of a telephony session that events are found by (bytes).
pub const LONGEST_SESSION: usize = 256;

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
            r#"{"a":"\ud83d","b":1e400,"a":{}}"#,
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
        assert_eq!(envelope.session(), Some(("t".to_owned(), Some(3))));
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

    #[test]
    fn regression_two_events_never_share_a_key_because_their_ids_are_strange() {
        let acme = "acme".parse().unwrap();
        let key = |raw: &str| Envelope::read(raw).unwrap().key(&acme, raw);
        for (one, other) in [
            (
                r#"{"uuid":123456789012345678901,"subscriptionId":"s"}"#,
                r#"{"uuid":123456789012345678902,"subscriptionId":"s"}"#,
            ),
            (r#"{"uuid":"a\ud83d","subscriptionId":"s"}"#, r#"{"uuid":"a\ud83e","subscriptionId":"s"}"#),
            (
                r#"{"uuid":"1","subscriptionId":"s","event":"\ud83d"}"#,
                r#"{"uuid":"1","subscriptionId":"s","event":"\ud83e"}"#,
            ),
            (r#"{"uuid":"","subscriptionId":"s","body":1}"#, r#"{"uuid":"","subscriptionId":"s","body":2}"#),
            (r#"{"uuid":"b#c","subscriptionId":"a"}"#, r#"{"uuid":"c","subscriptionId":"a#b"}"#),
        ] {
            assert_ne!(key(one), key(other));
        }
    }
}
