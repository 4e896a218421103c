//! The state of a call, folded from events that come in any order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Envelope, Event};

/// A telephony session as far as its events have told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelephonySession {
    /// RingCentral's `telephonySessionId`.
    pub telephony_session_id: String,
    /// The highest sequence seen.
    pub sequence: i64,
    /// Each party as of its newest event.
    pub parties: BTreeMap<String, Party>,
    /// Events folded in, each once.
    pub events_applied: u64,
    /// Those of them that were received after a newer one.
    pub events_late: u64,
}

/// One leg of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// The sequence of the event that told this.
    pub sequence: i64,
    /// `Setup`, `Proceeding`, `Answered`, `Disconnected`, … An open set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why it is in that state: `BlindTransfer`, `AttendedTransfer`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `Inbound` or `Outbound`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// The extension, if the party is one of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension_id: Option<String>,
}

impl TelephonySession {
    /// The state that the events of a call tell, in whatever order they were received; `None` without any.
    #[must_use]
    pub fn of(id: &str, events: &[Event]) -> Option<Self> {
        let mut told: Vec<(i64, &Event)> =
            events.iter().map(|event| (event.session.as_ref().map_or(0, |(_, at)| *at), event)).collect();
        // The key decides between two notifications of the same moment, so that the state depends on nothing else.
        told.sort_by(|(a, of_a), (b, of_b)| (a, &of_a.key).cmp(&(b, &of_b.key)));
        let mut session = Self {
            telephony_session_id: id.to_owned(),
            sequence: told.last()?.0,
            parties: BTreeMap::new(),
            events_applied: told.len() as u64,
            events_late: late(&told),
        };
        for (sequence, event) in told {
            // What is stored was read before it was.
            let Ok(envelope) = Envelope::read(&event.raw) else { continue };
            let parties = envelope.body.get("parties").and_then(Value::as_array);
            for party in parties.into_iter().flatten() {
                let Some(id) = party.get("id").and_then(Value::as_str) else { continue };
                session.parties.insert(id.to_owned(), Party::read(party, sequence));
            }
        }
        Some(session)
    }
}

/// How many events were received after one with a higher sequence.
fn late(told: &[(i64, &Event)]) -> u64 {
    let mut received: Vec<_> = told.iter().map(|(sequence, event)| (event.received_at, *sequence)).collect();
    received.sort_unstable();
    let mut newest = i64::MIN;
    let mut late = 0;
    for (_, sequence) in received {
        late += u64::from(sequence < newest);
        newest = newest.max(sequence);
    }
    late
}

impl Party {
    fn read(party: &Value, sequence: i64) -> Self {
        let text = |pointer: &str| party.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Self {
            sequence,
            status: text("/status/code"),
            reason: text("/status/reason"),
            direction: text("/direction"),
            extension_id: text("/extensionId"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: i64, party: &str, status: &str, received_at: i64) -> Event {
        let body = serde_json::json!({
            "event": "/restapi/v1.0/account/1/telephony/sessions",
            "body": {
                "telephonySessionId": "s", "sequence": sequence,
                "parties": [{"id": party, "status": {"code": status}}, {"noId": true}]
            }
        });
        Event::read("acme".parse().unwrap(), body.to_string(), received_at, received_at).unwrap()
    }

    #[test]
    fn a_late_event_never_overwrites_a_newer_one_but_tells_of_others() {
        let events = [
            event(1, "p-1", "Setup", 10),
            event(5, "p-1", "Disconnected", 20),
            event(3, "p-1", "Answered", 30),
            event(2, "p-2", "Proceeding", 40),
        ];
        let session = TelephonySession::of("s", &events).unwrap();
        let status = |party: &str| session.parties[party].status.clone().unwrap();
        assert_eq!((status("p-1"), status("p-2")), ("Disconnected".to_owned(), "Proceeding".to_owned()));
        assert_eq!((session.sequence, session.events_applied, session.events_late), (5, 4, 2));
    }

    #[test]
    fn whatever_order_events_are_read_in_they_tell_the_same() {
        // Two filters tell of sequence 2, and not quite the same.
        let mut events = vec![
            event(1, "p-1", "Setup", 10),
            event(2, "p-1", "Proceeding", 11),
            event(2, "p-1", "Answered", 12),
            event(3, "p-2", "Setup", 13),
        ];
        let told = TelephonySession::of("s", &events).unwrap();
        for _ in 0..events.len() {
            events.rotate_left(1);
            assert_eq!(TelephonySession::of("s", &events).unwrap(), told);
            events.swap(0, 2);
            assert_eq!(TelephonySession::of("s", &events).unwrap(), told);
        }
        assert_eq!(TelephonySession::of("s", &[]), None);
    }
}
