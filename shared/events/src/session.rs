//! The state of a call, folded from events that come in any order.

mod party;

use std::collections::{BTreeMap, HashMap};

use clock::Millis;
use serde::Serialize;

use crate::{Envelope, Event, json::Json};

pub use party::{Correspondent, Party, Recording};

/// A telephony session as far as its events have told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TelephonySession {
    /// RingCentral's `telephonySessionId`.
    pub telephony_session_id: String,
    /// The highest sequence seen; null if no event told one.
    pub sequence: Option<i64>,
    /// The `eventTime` of the first event by sequence, as RingCentral wrote it.
    pub start_time: Option<String>,
    /// Whether every party is gone, and the last one not to another party.
    pub ended: bool,
    /// The `eventTime` of the event that said so.
    pub end_time: Option<String>,
    /// Each party as of its newest event.
    pub parties: BTreeMap<String, Party>,
    /// What happened in the call, each happening once, by however many subscriptions and filters it was told.
    pub events_applied: u64,
    /// Those of them that were first heard of after something newer.
    pub events_late: u64,
    /// The notifications that told it: what the list of the call's events shows.
    pub notifications: u64,
}

/// A notification, and what it says.
struct Told<'a> {
    sequence: Option<i64>,
    event: &'a Event,
    time: Option<String>,
    parties: Vec<(String, Json<'a>)>,
}

impl<'a> Told<'a> {
    fn of(event: &'a Event) -> Self {
        let sequence = event.session.as_ref().and_then(|(_, sequence)| *sequence);
        // What is stored was read before it was.
        let body = Envelope::read(&event.raw).ok().and_then(|envelope| envelope.body);
        let [time, parties] = body.map_or([None; 2], |body| body.fields(["eventTime", "parties"]));
        let named = |party: Json<'a>| Some((party.at(&["id"])?.string()?, party));
        Self {
            sequence,
            event,
            time: time.and_then(Json::string),
            parties: parties.map(Json::items).unwrap_or_default().into_iter().filter_map(named).collect(),
        }
    }

    /// What two notifications of one happening have in common. What tells no place in its call is a happening of its own.
    fn happening(&self) -> String {
        let Some(sequence) = self.sequence else { return self.event.key.clone() };
        let mut parties: Vec<_> =
            self.parties.iter().map(|(id, party)| (id.as_str(), party::state(*party))).collect();
        parties.sort();
        format!("{:?}", (sequence, &self.time, parties))
    }
}

impl TelephonySession {
    /// The state that the events of a call tell, in any order; `None` without any.
    #[must_use]
    pub fn of(id: &str, events: &[Event]) -> Option<Self> {
        let mut told: Vec<Told<'_>> = events.iter().map(Told::of).collect();
        // The key decides between two notifications of the same moment, so that the state depends on nothing else.
        told.sort_by(|a, b| (a.sequence, &a.event.key).cmp(&(b.sequence, &b.event.key)));
        let (events_applied, events_late) = counted(&told);
        let mut session = Self {
            telephony_session_id: id.to_owned(),
            sequence: told.last()?.sequence,
            start_time: told.iter().find_map(|told| told.time.clone()),
            ended: false,
            end_time: None,
            parties: BTreeMap::new(),
            events_applied,
            events_late,
            notifications: told.len() as u64,
        };
        for Told { sequence, time, parties, .. } in told {
            let mut last = None;
            for (id, party) in parties {
                let known = session.parties.entry(id).or_default();
                known.learn(party, sequence);
                last = Some(known.goes_on());
            }
            let Some(goes_on) = last else { continue };
            let over = !goes_on && session.parties.values().all(Party::is_gone);
            // A second notification of the end does not move it.
            session.end_time = session.end_time.take().or(time).filter(|_| over);
            session.ended = over;
        }
        Some(session)
    }
}

/// How many happenings there were, and how many of them were first received after one with a higher sequence.
fn counted(told: &[Told<'_>]) -> (u64, u64) {
    let mut happenings: HashMap<String, (Millis, Option<i64>)> = HashMap::new();
    for told in told {
        let first = happenings.entry(told.happening()).or_insert((Millis::MAX, told.sequence));
        first.0 = first.0.min(told.event.received_at);
    }
    let applied = happenings.len() as u64;
    let mut received: Vec<_> =
        happenings.into_values().filter_map(|(at, sequence)| Some((at, sequence?))).collect();
    received.sort_unstable();
    let mut newest = i64::MIN;
    let mut late = 0;
    for (_, sequence) in received {
        late += u64::from(sequence < newest);
        newest = newest.max(sequence);
    }
    (applied, late)
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
        assert_eq!((session.sequence, session.events_applied, session.events_late), (Some(5), 4, 2));
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

    /// Another filter may tell more of a party, or write it otherwise.
    #[test]
    fn a_happening_is_known_by_what_its_parties_do_and_not_by_its_bytes() {
        let tell = |filter: &str, parties: &str, received_at| {
            let raw = format!(
                r#"{{"event":"/restapi/v1.0/account/1/{filter}telephony/sessions","body":{{"telephonySessionId":"s",
                    "sequence":4,"eventTime":"2026-11-20T08:00:00Z","parties":{parties}}}}}"#
            );
            Event::read("acme".parse().unwrap(), raw, received_at, received_at).unwrap()
        };
        let events = [
            tell(
                "",
                r#"[{"id":"p-1","status":{"code":"Answered"}},{"id":"p-2","status":{"code":"Hold"}}]"#,
                1,
            ),
            tell(
                "extension/2/",
                r#"[{"status":{"code":"Hold"},"id":"p-2","sipData":{}},
                {"id":"p-1", "status":{"code":"Answered"}}]"#,
                2,
            ),
        ];
        let session = TelephonySession::of("s", &events).unwrap();
        assert_eq!((session.events_applied, session.notifications), (1, 2));
    }
}
