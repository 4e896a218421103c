//! Event filters: which exist, what `~` stands for, what a subscription may not have, and which events match.

use serde_json::Value;

use crate::call::Query;
use crate::error::ApiError;
use crate::world::World;

/// What a filter is about, as far as the simulator can make such events up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    Telephony,
    Presence,
    MessageStore,
    InstantMessage,
    Voicemail,
    Fax,
    ExtensionList,
    ExtensionInfo,
    Reminder,
    /// A filter RingCentral knows and for which only raw events are sent.
    Other,
}

impl Topic {
    /// The kinds that can be made up.
    pub(crate) const KINDS: [&str; 8] = [
        "telephony",
        "presence",
        "message-store",
        "instant-message",
        "voicemail",
        "fax",
        "extension-list",
        "extension-info",
    ];

    /// The name of the kind in the orders and logs of events.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Topic::Telephony => "telephony",
            Topic::Presence => "presence",
            Topic::MessageStore => "message-store",
            Topic::InstantMessage => "instant-message",
            Topic::Voicemail => "voicemail",
            Topic::Fax => "fax",
            Topic::ExtensionList => "extension-list",
            Topic::ExtensionInfo => "extension-info",
            Topic::Reminder => "reminder",
            Topic::Other => "other",
        }
    }
}

/// A stored filter, `~` expanded.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    /// As it is shown, query included.
    pub(crate) text: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: Query,
    pub(crate) topic: Topic,
    /// The extension it is limited to; absent for a filter of the whole account.
    pub(crate) extension: Option<u64>,
}

impl Filter {
    /// Reads a filter of `user`. `subscription` is what `subscription/~` stands for.
    ///
    /// # Errors
    /// SUB-508 for what is no filter, SUB-406 for another account, SUB-516 for senseless reminders.
    pub(crate) fn parse(raw: &str, world: &World, user: u64, subscription: &str) -> Result<Self, ApiError> {
        let (path, query) = raw.split_once('?').map_or((raw, None), |(path, query)| (path, Some(query)));
        let path = expand(path, world.account_id, user, subscription);
        let topic = topic(&path, world)?;
        let mut segments = path.split('/').skip_while(|segment| *segment != "extension").skip(1);
        let extension = segments.next().and_then(|id| id.parse().ok());
        if extension.is_some_and(|id| !world.extensions.contains_key(&id)) {
            return Err(invalid(raw));
        }
        let parsed = Query::parse(query.unwrap_or_default());
        if topic == Topic::Reminder {
            check_reminder(&parsed)?;
        }
        let text = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        Ok(Self { text, path, query: parsed, topic, extension })
    }

    /// Whether an event of this path is for the filter: the same path, or any extension's path for the account's
    /// telephony and presence filters.
    pub(crate) fn matches(&self, event_path: &str) -> bool {
        if self.path == event_path {
            return true;
        }
        let account_wide =
            matches!(self.topic, Topic::Telephony | Topic::Presence) && self.extension.is_none();
        let tail = if self.topic == Topic::Telephony { "telephony/sessions" } else { "presence" };
        let within = || {
            let account = self.path.strip_suffix(tail)?;
            let (_, rest) = event_path.strip_prefix(account)?.strip_prefix("extension/")?.split_once('/')?;
            Some(rest == tail)
        };
        account_wide && within().unwrap_or(false)
    }

    /// Whether the query of a telephony or message-store filter admits a body.
    pub(crate) fn admits(&self, body: &Value) -> bool {
        let parties = body.get("parties").and_then(Value::as_array).cloned().unwrap_or_default();
        let some_party = |test: &dyn Fn(&Value) -> bool| parties.iter().any(test);
        let is = |name: &str, test: &dyn Fn(&Value, &str) -> bool| {
            self.query.get(name).is_none_or(|wanted| some_party(&|party| test(party, wanted)))
        };
        match self.topic {
            Topic::Telephony => {
                is("direction", &|party, wanted| party["direction"] == wanted)
                    && is("statusCode", &|party, wanted| party["status"]["code"] == wanted)
                    && is("missedCall", &|party, wanted| party["missedCall"] == (wanted == "true"))
                    && is("phoneNumber", &|party, wanted| {
                        party["from"]["phoneNumber"] == wanted || party["to"]["phoneNumber"] == wanted
                    })
                    && is("withRecordings", &|party, wanted| {
                        party.get("recordings").is_some() == (wanted == "true")
                    })
            }
            _ => true,
        }
    }
}

fn expand(path: &str, account: u64, user: u64, subscription: &str) -> String {
    let mut expanded = Vec::new();
    for segment in path.trim_end_matches('/').split('/') {
        let own = match (segment, expanded.last().map(String::as_str)) {
            ("~", Some("account" | "accounts")) => account.to_string(),
            ("~", Some("extension")) => user.to_string(),
            ("~", Some("subscription")) => subscription.to_owned(),
            _ => segment.to_owned(),
        };
        expanded.push(own);
    }
    expanded.join("/")
}

fn topic(path: &str, world: &World) -> Result<Topic, ApiError> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let rest = match segments.as_slice() {
        ["restapi", "v1.0", "account", account, rest @ ..] => {
            if account.parse() != Ok(world.account_id) {
                let message = "Not allowed subscribe for events to extensions of other account";
                return Err(
                    ApiError::new(http::StatusCode::FORBIDDEN, "SUB-406", message).about("eventFilters")
                );
            }
            rest
        }
        ["restapi", "v1.0", "subscription", _] => return Ok(Topic::Reminder),
        ["restapi", "v1.0", "glip", "posts" | "groups"] => return Ok(Topic::Other),
        ["team-messaging", "v1", "posts" | "chats"] => return Ok(Topic::Other),
        ["ai", "ringsense", "v1", "public", "accounts", _, "domains", _, "insights"] => {
            return Ok(Topic::Other);
        }
        _ => return Err(invalid(path)),
    };
    Ok(match rest {
        ["telephony", "sessions"] | ["extension", _, "telephony", "sessions"] => Topic::Telephony,
        ["presence"] | ["extension", _, "presence"] => Topic::Presence,
        ["extension", _, "message-store"] => Topic::MessageStore,
        ["extension", _, "message-store", "instant"] => Topic::InstantMessage,
        ["extension", _, "voicemail"] => Topic::Voicemail,
        ["extension", _, "fax"] => Topic::Fax,
        ["extension"] => Topic::ExtensionList,
        ["extension", _] => Topic::ExtensionInfo,
        ["extension", _, "presence", "dnd" | "line"] | ["extension", _, "presence", "line", "presence"] => {
            Topic::Other
        }
        [
            "extension",
            _,
            "favorite" | "grant" | "missed-calls" | "incoming-call-pickup" | "start-ring" | "stop-ring",
        ] => Topic::Other,
        ["directory", "entries"] | ["phone-number"] | ["call-queues", _, "presence"] => Topic::Other,
        ["device", _, "emergency-address"] => Topic::Other,
        ["a2p-sms", "batches" | "messages" | "opt-outs"] | ["a2p-sms", "batches", _] => Topic::Other,
        _ => return Err(invalid(path)),
    })
}

fn invalid(filter: &str) -> ApiError {
    let message = format!("Event filter [{filter}] is invalid");
    ApiError::bad_request("SUB-508", message).about("eventFilters")
}

fn check_reminder(query: &Query) -> Result<(), ApiError> {
    let seconds =
        |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok()).filter(|value| *value > 0);
    match (seconds("threshold"), seconds("interval")) {
        (Some(threshold), Some(interval)) if interval <= threshold / 2 => Ok(()),
        _ => Err(ApiError::bad_request("SUB-516", "Invalid reminder parameters").about("eventFilters")),
    }
}
