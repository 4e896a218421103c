//! One leg of a call: what its newest event says, and what earlier ones said that it does not repeat.

use std::fmt;

use serde::Serialize;

use crate::json::Json;

/// One leg of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// The sequence of the event that told its status; null if that event had none.
    pub sequence: Option<i64>,
    /// `Setup`, `Proceeding`, `Answered`, `Disconnected`, … An open set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why it is in that state: `BlindTransfer`, `AttendedTransfer`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `Inbound` or `Outbound`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// The extension, if the party is one of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_id: Option<String>,
    /// Who calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Correspondent>,
    /// Who is called; of a queue's call the queue, until a member takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Correspondent>,
    /// Whether the call came by a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_call: Option<bool>,
    /// Whether it ended unanswered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_call: Option<bool>,
    /// Recordings of the leg.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<Recording>,
}

/// Either end of a leg. It names a person, so it can't be printed.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Correspondent {
    /// The number, of the public network or an extension's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The extension, if it is one of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension_id: Option<String>,
}

/// A recording of a leg.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// RingCentral's id of it.
    pub id: String,
    /// Whether it is being made; false while it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// Reasons of `Disconnected` with which a call goes on at another party (SPEC `CallStatusInfo.reason`).
const GOES_ON: [&str; 12] = [
    "Pickup",
    "TakeOver",
    "BlindTransfer",
    "RccTransfer",
    "AttendedTransfer",
    "CallerInputRedirect",
    "CallFlip",
    "ParkLocation",
    "DtmfTransfer",
    "CallPark",
    "CallRedirected",
    "CallSwitch",
];

/// What a party does, as far as it makes a happening.
pub(super) fn state(party: Json<'_>) -> [Option<String>; 2] {
    let [code, reason] = party.at(&["status"]).map_or([None; 2], |status| status.fields(["code", "reason"]));
    [code, reason].map(|value| value.and_then(Json::string))
}

impl Party {
    /// Takes over what an event says of the party that is newer than all before.
    pub(super) fn learn(&mut self, party: Json<'_>, sequence: Option<i64>) {
        let [status, reason] = state(party);
        if status.is_some() || self.status.is_none() {
            (self.sequence, self.status, self.reason) = (sequence, status, reason);
        }
        let names = ["direction", "extensionId", "from", "to", "queueCall", "missedCall", "recordings"];
        let [direction, extension_id, from, to, queue_call, missed_call, recordings] = party.fields(names);
        // What an event leaves out, the ones before have told.
        fn keep<T>(known: &mut Option<T>, told: Option<T>) {
            if told.is_some() {
                *known = told;
            }
        }
        keep(&mut self.direction, direction.and_then(Json::string));
        keep(&mut self.extension_id, extension_id.and_then(Json::string));
        keep(&mut self.from, from.and_then(Correspondent::read));
        keep(&mut self.to, to.and_then(Correspondent::read));
        keep(&mut self.queue_call, queue_call.and_then(Json::boolean));
        keep(&mut self.missed_call, missed_call.and_then(Json::boolean));
        let recordings: Vec<_> =
            recordings.map(Json::items).unwrap_or_default().into_iter().filter_map(Recording::read).collect();
        if !recordings.is_empty() {
            self.recordings = recordings;
        }
    }

    /// Whether the leg has left the call.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.status.as_deref(), Some("Disconnected" | "Gone"))
    }

    /// Whether the call goes on, here or at another party.
    pub(super) fn goes_on(&self) -> bool {
        !self.is_gone() || self.reason.as_deref().is_some_and(|reason| GOES_ON.contains(&reason))
    }
}

impl Correspondent {
    fn read(end: Json<'_>) -> Option<Self> {
        let [phone_number, name, extension_id] = end.fields(["phoneNumber", "name", "extensionId"]);
        let text = |field: Option<Json<'_>>| Some(field?.text()?.text);
        let read =
            Self { phone_number: text(phone_number), name: text(name), extension_id: text(extension_id) };
        let nothing = Self { phone_number: None, name: None, extension_id: None };
        (read != nothing).then_some(read)
    }
}

impl fmt::Debug for Correspondent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Correspondent").finish_non_exhaustive()
    }
}

impl Recording {
    fn read(recording: Json<'_>) -> Option<Self> {
        let [id, active] = recording.fields(["id", "active"]);
        Some(Self { id: id?.text()?.text, active: active.and_then(Json::boolean) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correspondent_can_not_be_printed() {
        let end =
            Json::object(r#"{"phoneNumber":"+14155550144","name":"Ida Cole","extensionId":7}"#).unwrap();
        let end = Correspondent::read(end).unwrap();
        assert_eq!(end.extension_id.as_deref(), Some("7"));
        let printed = format!("{end:?}");
        assert!(!printed.contains("4155") && !printed.contains("Ida"), "{printed}");
        assert_eq!(Correspondent::read(Json::object("{}").unwrap()), None);
    }
}
