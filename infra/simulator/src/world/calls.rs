//! One call of the call log. A record is a function of time: while the call lasts it is unfinished, afterwards
//! its result may still change and its recording appears late, and `lastModifiedTime` tells the last of these.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use crate::clock::{between, iso, later};

/// A recording that becomes available some time after the call.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) id: u64,
    /// `Automatic` or `OnDemand`.
    pub(crate) kind: &'static str,
    pub(crate) appears: Timestamp,
}

/// Further legs of a call, beside the master leg.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    pub(crate) leg_type: &'static str,
    pub(crate) action: &'static str,
    /// Offset from the start of the call.
    pub(crate) after: Duration,
}

/// A call.
#[derive(Clone, Debug)]
pub(crate) struct CallRecord {
    pub(crate) id: String,
    pub(crate) extension: u64,
    pub(crate) extension_number: String,
    pub(crate) session_id: String,
    pub(crate) telephony_session_id: String,
    pub(crate) start: Timestamp,
    pub(crate) duration: Duration,
    /// `Voice` or `Fax`.
    pub(crate) kind: &'static str,
    pub(crate) direction: &'static str,
    pub(crate) action: &'static str,
    /// `PSTN` or `VoIP`.
    pub(crate) transport: &'static str,
    /// Result right after the call.
    pub(crate) first_result: &'static str,
    /// Result from `settles` on.
    pub(crate) result: &'static str,
    pub(crate) settles: Timestamp,
    pub(crate) recording: Option<Recording>,
    pub(crate) legs: Vec<Leg>,
    pub(crate) from: Value,
    pub(crate) to: Value,
}

impl CallRecord {
    fn ends(&self) -> Timestamp {
        later(self.start, self.duration)
    }

    pub(crate) fn finished(&self, now: Timestamp) -> bool {
        self.ends() <= now
    }

    fn result_at(&self, now: Timestamp) -> &'static str {
        match (self.finished(now), self.settles <= now) {
            (false, _) => "In Progress",
            (true, false) => self.first_result,
            (true, true) => self.result,
        }
    }

    /// The recording, once it can be listened to.
    pub(crate) fn recording_at(&self, now: Timestamp) -> Option<&Recording> {
        self.recording.as_ref().filter(|recording| recording.appears <= now)
    }

    fn last_modified(&self, now: Timestamp) -> Timestamp {
        let settled = (self.first_result != self.result).then_some(self.settles);
        let recorded = self.recording.as_ref().map(|recording| recording.appears);
        let moments = [Some(self.ends()), settled, recorded];
        moments.into_iter().flatten().filter(|at| *at <= now).max().unwrap_or(now)
    }

    /// Whether one of the two parties has this number, given with or without `+`.
    pub(crate) fn involves(&self, number: &str) -> bool {
        let bare = number.trim_start_matches('+');
        [&self.from, &self.to].iter().any(|party| {
            let text = party.get("phoneNumber").and_then(Value::as_str);
            text.is_some_and(|text| text.trim_start_matches('+') == bare)
        })
    }

    /// The record as it stands at `now`. `log` is the path of the log it is read from.
    pub(crate) fn render(
        &self,
        world: &World,
        base: &str,
        log: &str,
        detailed: bool,
        now: Timestamp,
    ) -> Value {
        let view = if detailed { "Detailed" } else { "Simple" };
        let lasted = between(self.start, self.ends().min(now));
        let extension = format!("{base}{}", world.extension_path(self.extension));
        let mut record = json!({
            "uri": format!("{base}{log}/{}?view={view}", self.id),
            "id": self.id,
            "sessionId": self.session_id,
            "telephonySessionId": self.telephony_session_id,
            "partyId": format!("p-{}-1", self.telephony_session_id.trim_start_matches("s-")),
            "extension": {"uri": extension, "id": self.extension},
            "startTime": iso(self.start),
            "duration": lasted.as_secs(),
            "durationMs": u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
            "type": self.kind,
            "direction": self.direction,
            "action": self.action,
            "result": self.result_at(now),
            "transport": self.transport,
            "from": self.from,
            "to": self.to,
            "finished": self.finished(now),
        });
        if let Some(recording) = self.recording_at(now) {
            let uri = format!("{base}{}/recording/{}", world.account_path(), recording.id);
            record["recording"] = json!({
                "uri": uri,
                "id": recording.id.to_string(),
                "type": recording.kind,
                "contentUri": format!("{uri}/content"),
            });
        }
        if detailed {
            let legs = self.render_legs(&record, now);
            record["legs"] = legs;
            record["lastModifiedTime"] = json!(iso(self.last_modified(now)));
            let cost = if self.transport == "PSTN" { 0.019 } else { 0.0 };
            record["billing"] = json!({"costIncluded": cost, "costPurchased": 0});
        }
        record
    }

    fn render_legs(&self, record: &Value, now: Timestamp) -> Value {
        let mut master = record.clone();
        if let Value::Object(fields) = &mut master {
            for own in ["uri", "id", "sessionId", "finished", "recording"] {
                fields.remove(own);
            }
        }
        master["legType"] = json!(if self.direction == "Inbound" { "Accept" } else { "SipToPstnMetered" });
        master["master"] = json!(true);
        let mut legs = vec![master.clone()];
        for leg in &self.legs {
            let start = later(self.start, leg.after);
            if start > now {
                continue;
            }
            let mut further = master.clone();
            let lasted = between(start, self.ends().min(now));
            further["startTime"] = json!(iso(start));
            further["duration"] = json!(lasted.as_secs());
            further["durationMs"] = json!(u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX));
            further["legType"] = json!(leg.leg_type);
            further["action"] = json!(leg.action);
            further["master"] = json!(false);
            legs.push(further);
        }
        Value::Array(legs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_changes_after_the_call() {
        let at = |seconds: i64| Timestamp::from_second(1_700_000_000 + seconds).unwrap();
        let call = CallRecord {
            id: "A".into(),
            extension: 1,
            extension_number: "101".into(),
            session_id: "2".into(),
            telephony_session_id: "s-3".into(),
            start: at(0),
            duration: Duration::from_secs(60),
            kind: "Voice",
            direction: "Inbound",
            action: "Phone Call",
            transport: "PSTN",
            first_result: "Accepted",
            result: "Missed",
            settles: at(90),
            recording: Some(Recording { id: 9, kind: "Automatic", appears: at(120) }),
            legs: Vec::new(),
            from: Value::Null,
            to: Value::Null,
        };
        assert_eq!((call.result_at(at(59)), call.finished(at(59))), ("In Progress", false));
        assert_eq!((call.result_at(at(60)), call.last_modified(at(60))), ("Accepted", at(60)));
        assert_eq!((call.result_at(at(90)), call.last_modified(at(90))), ("Missed", at(90)));
        assert!(call.recording_at(at(119)).is_none());
        assert_eq!(
            (call.recording_at(at(120)).map(|one| one.id), call.last_modified(at(999))),
            (Some(9), at(120))
        );
    }
}
