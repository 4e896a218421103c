//! Telephony sessions: calls told step by step, each step with the next sequence number.

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::world::World;
use crate::world::seed::phone;

/// A call that is under way.
#[derive(Debug)]
pub(super) struct TelephonySession {
    pub(super) extension: u64,
    id: u128,
    session_id: u64,
    direction: &'static str,
    own: Value,
    other: Value,
    /// Steps that are left, last one first.
    steps: Vec<&'static str>,
    answered: bool,
    sequence: u64,
}

impl TelephonySession {
    /// A call of an extension that is told in `length` steps.
    pub(super) fn new(world: &mut World, extension: u64, length: usize, rng: &mut StdRng) -> Self {
        let inbound = rng.random_bool(0.6);
        let found = world.extensions.get(&extension);
        let name = found.and_then(|one| one.text("name")).unwrap_or_default();
        let own =
            json!({"phoneNumber": world.main_number, "name": name, "extensionId": extension.to_string()});
        Self {
            extension,
            id: rng.random(),
            session_id: world.fresh_id(),
            direction: if inbound { "Inbound" } else { "Outbound" },
            own,
            other: json!({"phoneNumber": phone(rng)}),
            steps: script(length),
            answered: false,
            sequence: 0,
        }
    }

    /// Whether the call is over.
    pub(super) fn is_over(&self) -> bool {
        self.steps.is_empty()
    }

    /// The next step as a notification body; absent when the call is over.
    pub(super) fn step(&mut self, world: &World, now: Timestamp) -> Option<Value> {
        let code = self.steps.pop()?;
        self.sequence += 1;
        self.answered |= code == "Answered";
        let (from, to) = match self.direction {
            "Inbound" => (&self.other, &self.own),
            _ => (&self.own, &self.other),
        };
        let missed = code == "Disconnected" && !self.answered && self.direction == "Inbound";
        Some(json!({
            "sequence": self.sequence,
            "sessionId": self.session_id.to_string(),
            "telephonySessionId": format!("s-{:032x}", self.id),
            "serverId": "10.13.22.28.TAM",
            "eventTime": iso(now),
            "parties": [{
                "accountId": world.account_id.to_string(),
                "extensionId": self.extension.to_string(),
                "id": format!("p-{:032x}-1", self.id),
                "direction": self.direction,
                "from": from,
                "to": to,
                "status": {"code": code, "rcc": false},
                "park": {},
                "missedCall": missed,
                "standAlone": false,
                "muted": false,
            }],
            "origin": {"type": "Call"},
        }))
    }
}

/// The steps of a call, last one first: it rings, is answered, held as often as it takes, and ends. Three steps
/// are a call nobody answers.
fn script(length: usize) -> Vec<&'static str> {
    let mut steps = match length {
        0 | 1 => vec!["Setup"],
        2 => vec!["Setup", "Disconnected"],
        3 => vec!["Setup", "Proceeding", "Disconnected"],
        _ => {
            let mut steps = vec!["Setup", "Proceeding", "Answered"];
            steps.extend(["Hold", "Answered"].iter().cycle().take(length - 4));
            steps.push("Disconnected");
            steps
        }
    };
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_in_as_many_steps_as_asked_for() {
        for length in 1..12 {
            assert_eq!(script(length).len(), length);
        }
        let told: Vec<_> = script(6).into_iter().rev().collect();
        assert_eq!(told, ["Setup", "Proceeding", "Answered", "Hold", "Answered", "Disconnected"]);
    }
}
