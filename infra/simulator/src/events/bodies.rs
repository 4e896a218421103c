//! Bodies of notifications other than telephony. Those about messages also put the message into its mailbox, so
//! that whoever follows the event finds it.

use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::subscriptions::filter::{Filter, Topic};
use crate::world::World;
use crate::world::messages::TYPES;

/// A body for a filter, about `extension`. Absent for telephony and for what cannot be made up.
pub(super) fn body(
    world: &mut World,
    filter: &Filter,
    extension: u64,
    sequence: u64,
    now: Timestamp,
    rng: &mut StdRng,
) -> Option<Value> {
    match filter.topic {
        Topic::Presence => Some(presence(extension, sequence, rng)),
        Topic::MessageStore => Some(message_store(world, filter, extension, now, rng)),
        Topic::InstantMessage => Some(message(world, extension, "SMS", true, now, rng)),
        Topic::Voicemail => Some(message(world, extension, "VoiceMail", true, now, rng)),
        Topic::Fax => {
            let inbound = filter.query.get("direction").map_or(rng.random_bool(0.7), |one| one == "Inbound");
            Some(message(world, extension, "Fax", inbound, now, rng))
        }
        Topic::ExtensionList => Some(json!({"extensionId": extension.to_string(), "eventType": "Update"})),
        Topic::ExtensionInfo => {
            let hints = ["ExtensionInfo", "ProfileImage", "AnsweringRules", "Permissions"];
            let hint = hints.choose(rng).copied().unwrap_or("ExtensionInfo");
            Some(json!({"extensionId": extension.to_string(), "eventType": "Update", "hints": [hint]}))
        }
        Topic::Telephony | Topic::Reminder | Topic::Other => None,
    }
}

fn presence(extension: u64, sequence: u64, rng: &mut StdRng) -> Value {
    let (telephony, aggregated) = match rng.random_range(0..4) {
        0 => ("Ringing", "Busy"),
        1 => ("CallConnected", "Busy"),
        2 => ("OnHold", "Busy"),
        _ => ("NoCall", "Available"),
    };
    json!({
        "extensionId": extension.to_string(),
        "telephonyStatus": telephony,
        "sequence": sequence,
        "presenceStatus": aggregated,
        "userStatus": "Available",
        "meetingStatus": "Disconnected",
        "dndStatus": "TakeAllCalls",
        "allowSeeMyPresence": true,
        "ringOnMonitoredCall": false,
        "pickUpCallsOnHold": false,
    })
}

fn message_store(
    world: &mut World,
    filter: &Filter,
    extension: u64,
    now: Timestamp,
    rng: &mut StdRng,
) -> Value {
    let wanted: Vec<&'static str> = TYPES
        .into_iter()
        .filter(|kind| filter.query.get("type").is_none_or(|wanted| wanted == *kind))
        .collect();
    let kind = wanted.choose(rng).copied().unwrap_or("SMS");
    let inbound = filter.query.get("direction").map_or(rng.random_bool(0.8), |one| one == "Inbound");
    let new = world.message(extension, kind, inbound, now, rng);
    let id = new.id;
    world.deliver(new);
    json!({
        "accountId": world.account_id.to_string(),
        "extensionId": extension.to_string(),
        "lastUpdated": iso(now),
        "changes": [{"type": kind, "newCount": 1, "updatedCount": 0, "newMessageIds": [id.to_string()]}],
    })
}

fn message(
    world: &mut World,
    extension: u64,
    kind: &'static str,
    inbound: bool,
    now: Timestamp,
    rng: &mut StdRng,
) -> Value {
    let mut new = world.message(extension, kind, inbound, now, rng);
    new.read = !inbound;
    let mut body = new.render(world, "");
    body["id"] = json!(new.id.to_string());
    world.deliver(new);
    body
}
