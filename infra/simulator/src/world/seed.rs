//! Makes a world from a seed. The same seed and the same start give the same world, down to every id.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use super::calls::{CallRecord, Leg, Recording};
use super::extensions::{Extension, is_person, regional_settings};
use super::messages::Message;
use super::sites::{MAIN, Site};
use super::{World, names};
use crate::clock::{earlier, later};
use crate::config::Config;

const DAYS: u64 = 30;
const ACCOUNT: u64 = 400_131_426_008;

impl World {
    /// The world of a configuration, seen from `start`: all calls and messages began before it.
    pub(crate) fn seeded(config: &Config, start: Timestamp) -> Self {
        // Whole milliseconds, as everything is written with them.
        let start = Timestamp::from_millisecond(start.as_millisecond()).unwrap_or(start);
        let mut rng = StdRng::seed_from_u64(config.seed);
        let mut world = World {
            account_id: ACCOUNT,
            main_number: "+18885550100".to_owned(),
            extensions: BTreeMap::new(),
            sites: Vec::new(),
            calls: Vec::new(),
            mailboxes: BTreeMap::new(),
            next_id: ACCOUNT,
        };
        world.seed_sites();
        for index in 0..config.extensions.max(1) {
            world.seed_extension(index, &mut rng);
        }
        world.seed_calls(config.calls, start, &mut rng);
        world.seed_messages(config.messages, start, &mut rng);
        world
    }

    fn seed_sites(&mut self) {
        for (index, (city, state, zip)) in names::CITIES.iter().take(3).enumerate() {
            let id = if index == 0 { MAIN.to_owned() } else { self.fresh_id().to_string() };
            let mut document = Map::new();
            document.insert("name".into(), json!(if index == 0 { "Main Site" } else { city }));
            document.insert("extensionNumber".into(), json!((9001 + index).to_string()));
            document.insert("email".into(), json!(format!("{}@acme.example", city.to_lowercase())));
            let address = json!({"street": "20 Davis Drive", "city": city, "state": state, "zip": zip,
                "country": "United States"});
            document.insert("businessAddress".into(), address);
            document.insert("regionalSettings".into(), regional_settings());
            document.insert("siteAccess".into(), json!("Unlimited"));
            self.sites.push(Site { id, document });
        }
    }

    fn seed_extension(&mut self, index: usize, rng: &mut StdRng) {
        let kind = match index % 20 {
            5 | 14 => "Department",
            12 => "IvrMenu",
            16 => "VirtualUser",
            19 => "ParkLocation",
            _ => "User",
        };
        let status = match index % 40 {
            0 => "Enabled",
            7 | 23 => "Disabled",
            9 => "NotActivated",
            31 if kind == "User" => "Unassigned",
            _ => "Enabled",
        };
        let id = if index == 0 { self.account_id } else { self.fresh_id() };
        let mut document = Map::new();
        document.insert("contact".into(), contact(index, kind, rng));
        document.insert("type".into(), json!(kind));
        document.insert("status".into(), json!(status));
        if status != "Unassigned" {
            document.insert("extensionNumber".into(), json!((101 + index).to_string()));
        }
        document.insert("hidden".into(), json!(false));
        document.insert("creationTime".into(), json!("2024-06-06T07:01:14.123Z"));
        document.insert("setupWizardState".into(), json!("Completed"));
        document.insert("regionalSettings".into(), regional_settings());
        let permissions =
            json!({"admin": {"enabled": index == 0}, "internationalCalling": {"enabled": true}});
        document.insert("permissions".into(), permissions);
        let site = self.sites.get(index % self.sites.len().max(1)).map(|site| site.id.clone());
        if let Some(site) = site.and_then(|id| self.site_reference(&id)) {
            document.insert("site".into(), site);
        }
        if index % 10 == 3 {
            // Fields of a platform newer than its clients.
            let extra =
                json!({"level": rng.random_range(1..9), "tags": ["beta", "öko"], "nested": {"on": true}});
            document.insert("holographicDesk".into(), extra);
            document
                .insert("externalReference".into(), json!(format!("HR-{:05}", rng.random_range(0..99_999))));
        }
        let mut extension = Extension { id, document };
        extension.rename();
        self.extensions.insert(id, extension);
    }

    fn seed_calls(&mut self, count: usize, start: Timestamp, rng: &mut StdRng) {
        let users = self.enabled_users();
        let oldest = DAYS * 86_400_000;
        let mut began = start;
        for index in 0..count {
            // Every 60th call shares its millisecond with the three after it, and the latest one in fifty,
            // at least five, began within the last five minutes.
            began = match index {
                _ if index % 60 < 4 && index % 60 != 0 => began,
                _ if index < (count / 50).max(5) => {
                    earlier(start, Duration::from_millis(rng.random_range(0..300_000)))
                }
                _ => earlier(start, Duration::from_millis(rng.random_range(0..oldest))),
            };
            let Some(user) = users.choose(rng) else { return };
            let call = self.seed_call(index, *user, began, rng);
            self.calls.push(call);
        }
        self.calls.sort_by(|one, other| other.start.cmp(&one.start).then_with(|| one.id.cmp(&other.id)));
    }

    fn seed_call(&mut self, index: usize, user: u64, start: Timestamp, rng: &mut StdRng) -> CallRecord {
        let inbound = rng.random_bool(0.55);
        let fax = rng.random_bool(0.04);
        let duration = Duration::from_millis(rng.random_range(1_000..600_000));
        let ends = later(start, duration);
        let late = rng.random_bool(0.15);
        let (first_result, result) = match (inbound, fax) {
            (true, true) => ("Received", "Received"),
            (false, true) => ("Sent", if late { "Send Error" } else { "Sent" }),
            (true, false) => ("Accepted", if late { "Missed" } else { "Accepted" }),
            (false, false) => ("Call connected", if late { "Hang Up" } else { "Call connected" }),
        };
        let settles = if late { later(ends, Duration::from_secs(rng.random_range(5..180))) } else { ends };
        let recording = (!fax && duration.as_secs() >= 30 && rng.random_bool(0.4)).then(|| Recording {
            id: self.fresh_id(),
            kind: if rng.random_bool(0.8) { "Automatic" } else { "OnDemand" },
            appears: later(ends, Duration::from_secs(rng.random_range(20..300))),
        });
        let legs = (0..rng.random_range(0..3u32)).map(|leg| Leg {
            leg_type: if leg == 0 { "FindMe" } else { "CallForwarding" },
            action: "FindMe",
            after: duration.mul_f64(0.25 * f64::from(leg + 1)),
        });
        let extension = self.extensions.get(&user);
        let number = extension.and_then(|one| one.text("extensionNumber")).unwrap_or_default().to_owned();
        let name = extension.and_then(|one| one.text("name")).unwrap_or_default();
        let own = json!({"name": name, "phoneNumber": self.main_number, "extensionNumber": number,
            "extensionId": user.to_string()});
        let (city, state, _) = names::CITIES[rng.random_range(0..names::CITIES.len())];
        let other = json!({"phoneNumber": phone(rng), "location": format!("{city}, {state}")});
        let (from, to) = if inbound { (other, own) } else { (own, other) };
        CallRecord {
            id: format!("I{:08X}{index:06}U", rng.random::<u32>()),
            extension: user,
            extension_number: number,
            session_id: self.fresh_id().to_string(),
            telephony_session_id: format!("s-{:032x}", rng.random::<u128>()),
            start,
            duration,
            kind: if fax { "Fax" } else { "Voice" },
            direction: if inbound { "Inbound" } else { "Outbound" },
            action: match (fax, inbound) {
                (true, true) => "Incoming Fax",
                (true, false) => "Outgoing Fax",
                (false, true) => "Phone Call",
                (false, false) => "VoIP Call",
            },
            transport: if inbound { "PSTN" } else { "VoIP" },
            first_result,
            result,
            settles,
            recording,
            legs: legs.collect(),
            from,
            to,
        }
    }

    fn seed_messages(&mut self, count: usize, start: Timestamp, rng: &mut StdRng) {
        let users = self.enabled_users();
        let mut created = start;
        for index in 0..count {
            if index % 50 >= 3 || index % 50 == 0 {
                created = earlier(start, Duration::from_millis(rng.random_range(0..DAYS * 86_400_000)));
            }
            let Some(user) = users.choose(rng) else { return };
            let kind = match rng.random_range(0..20) {
                0..10 => "SMS",
                10..15 => "VoiceMail",
                15..18 => "Fax",
                _ => "Pager",
            };
            let message = self.message(*user, kind, rng.random_bool(0.7), created, rng);
            self.mailboxes.entry(*user).or_default().push(message);
        }
        for mailbox in self.mailboxes.values_mut() {
            mailbox.sort_by(|one, other| other.created.cmp(&one.created).then_with(|| one.id.cmp(&other.id)));
        }
    }

    /// A new message of a user. Voicemail is always inbound.
    pub(crate) fn message(
        &mut self,
        user: u64,
        kind: &'static str,
        inbound: bool,
        created: Timestamp,
        rng: &mut StdRng,
    ) -> Message {
        let inbound = inbound || kind == "VoiceMail";
        let extension = self.extensions.get(&user);
        let name = extension.and_then(|one| one.text("name")).unwrap_or_default();
        let number = extension.and_then(|one| one.text("extensionNumber")).unwrap_or_default();
        let (own, other) = if kind == "Pager" {
            (
                json!({"extensionNumber": number, "extensionId": user.to_string(), "name": name}),
                json!({"extensionNumber": "101", "extensionId": self.account_id.to_string()}),
            )
        } else {
            (json!({"phoneNumber": self.main_number, "name": name}), json!({"phoneNumber": phone(rng)}))
        };
        let (from, to) = if inbound { (other, own) } else { (own, other) };
        let chat = matches!(kind, "SMS" | "Pager");
        Message {
            id: self.fresh_id(),
            extension: user,
            kind,
            direction: if inbound { "Inbound" } else { "Outbound" },
            read: !inbound || rng.random_bool(0.6),
            created,
            from,
            to: json!([to]),
            subject: if chat { names::TEXTS.choose(rng).copied() } else { None },
            conversation: chat
                .then(|| rng.random_range(1_000_000_000_000_000_000..8_000_000_000_000_000_000)),
            size: rng.random_range(1..40),
        }
    }
}

fn contact(index: usize, kind: &str, rng: &mut StdRng) -> Value {
    let first = names::FIRST[rng.random_range(0..names::FIRST.len())];
    let last = names::LAST[rng.random_range(0..names::LAST.len())];
    let mailbox: String = format!("{first}.{last}.{index}").chars().filter(|one| one.is_ascii()).collect();
    let email = format!("{}@acme.example", mailbox.to_lowercase().replace('\'', ""));
    if is_person(kind) {
        json!({
            "firstName": first, "lastName": last, "company": "Acme, Inc.", "email": email,
            "jobTitle": names::TITLES[index % names::TITLES.len()],
            "department": names::QUEUES[index % names::QUEUES.len()],
            "businessPhone": phone(rng), "emailAsLoginName": true,
            "pronouncedName": {"type": "Default", "text": format!("{first} {last}")},
        })
    } else {
        let name = match kind {
            "IvrMenu" => format!("Menu {index}"),
            "ParkLocation" => format!("Park {index}"),
            _ => format!("{} {index}", names::QUEUES[index % names::QUEUES.len()]),
        };
        json!({"firstName": name, "company": "Acme, Inc.", "email": email,
            "pronouncedName": {"type": "Default", "text": name}})
    }
}

/// A number that rings nowhere.
pub(crate) fn phone(rng: &mut StdRng) -> String {
    format!("+1{}555{:04}", rng.random_range(201..990), rng.random_range(100..10_000))
}
