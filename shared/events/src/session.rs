//! The state of a call, folded from events that come in any order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenant::TenantId;

use crate::Envelope;

/// A telephony session as far as its events have told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TelephonySession {
    /// Whose call it is.
    #[serde(skip_serializing)]
    pub tenant: TenantId,
    /// RingCentral's `telephonySessionId`.
    pub telephony_session_id: String,
    /// The highest sequence seen.
    pub sequence: i64,
    /// Each party as of its newest event.
    pub parties: BTreeMap<String, Party>,
    /// Events folded in, each once.
    pub events_applied: u64,
    /// Those of them that came after a newer one.
    pub events_late: u64,
    /// Counts writes; the condition of the next one.
    #[serde(skip_serializing, default)]
    pub version: u64,
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
    /// A session nobody has told about yet.
    #[must_use]
    pub fn new(tenant: TenantId, telephony_session_id: String) -> Self {
        Self {
            tenant,
            telephony_session_id,
            sequence: i64::MIN,
            parties: BTreeMap::new(),
            events_applied: 0,
            events_late: 0,
            version: 0,
        }
    }

    /// Takes an event in: a party is changed only by an event newer than what is known of it.
    pub fn fold(&mut self, envelope: &Envelope) {
        let sequence = envelope.session().map_or(0, |(_, sequence)| sequence);
        self.events_applied += 1;
        self.events_late += u64::from(sequence < self.sequence);
        self.sequence = self.sequence.max(sequence);
        let parties = envelope.body.get("parties").and_then(Value::as_array);
        for party in parties.into_iter().flatten() {
            let Some(id) = party.get("id").and_then(Value::as_str) else { continue };
            if self.parties.get(id).is_none_or(|known| known.sequence <= sequence) {
                self.parties.insert(id.to_owned(), Party::read(party, sequence));
            }
        }
    }
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

    fn event(sequence: i64, party: &str, status: &str) -> Envelope {
        let body = serde_json::json!({
            "event": "/restapi/v1.0/account/1/telephony/sessions",
            "body": {
                "telephonySessionId": "s", "sequence": sequence,
                "parties": [{"id": party, "status": {"code": status}}, {"noId": true}]
            }
        });
        Envelope::read(&body.to_string()).unwrap()
    }

    #[test]
    fn a_late_event_never_overwrites_a_newer_one_but_tells_of_others() {
        let mut session = TelephonySession::new("acme".parse().unwrap(), "s".to_owned());
        for event in [event(1, "p-1", "Setup"), event(5, "p-1", "Disconnected"), event(3, "p-1", "Answered")]
        {
            session.fold(&event);
        }
        session.fold(&event(2, "p-2", "Proceeding"));
        let status = |party: &str| session.parties[party].status.clone().unwrap();
        assert_eq!((status("p-1"), status("p-2")), ("Disconnected".to_owned(), "Proceeding".to_owned()));
        assert_eq!((session.sequence, session.events_applied, session.events_late), (5, 4, 2));
    }
}
