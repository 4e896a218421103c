//! The kinds of events, by the path in `event` and never by the body's shape.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What an event is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in queries, answers and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// A call's state changed, for the account or one extension.
    TelephonySession = "telephony-session",
    /// Messages came or changed; carries only counts.
    MessageStore = "message-store",
    /// An SMS came, with its text.
    InstantMessage = "instant-message",
    /// A voicemail came.
    Voicemail = "voicemail",
    /// A fax came.
    Fax = "fax",
    /// Presence of an extension or of the account.
    Presence = "presence",
    /// Presence of monitored lines.
    PresenceLine = "presence-line",
    /// Do-not-disturb changed.
    DoNotDisturb = "do-not-disturb",
    /// Whether a queue member takes calls.
    CallQueuePresence = "call-queue-presence",
    /// Extensions were created, changed or deleted.
    ExtensionList = "extension-list",
    /// One extension's settings changed.
    ExtensionInfo = "extension-info",
    /// The favourites of an extension changed.
    Favorites = "favorites",
    /// The grants of an extension changed.
    Grants = "grants",
    /// The company directory changed.
    CompanyDirectory = "company-directory",
    /// A contact-centre number changed.
    PhoneNumber = "phone-number",
    /// A device's emergency address changed.
    EmergencyAddress = "emergency-address",
    /// High-volume SMS: batches, messages, opt-outs.
    HighVolumeSms = "high-volume-sms",
    /// Team messaging: a post.
    TeamMessagingPost = "team-messaging-post",
    /// Team messaging: a chat, a team or a group.
    TeamMessagingChat = "team-messaging-chat",
    /// Insights into a recorded conversation.
    ConversationInsights = "conversation-insights",
    /// The subscription itself nears its end.
    RenewalReminder = "renewal-reminder",
    /// Anything else: acknowledged, counted and kept.
    Unknown = "unknown",
}

impl Kind {
    /// The kind of an event by its path; the query and RingCentral's ids don't matter.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            ["restapi", _, "subscription", ..] => Self::RenewalReminder,
            ["restapi", _, "account", _, rest @ ..] => Self::of_account(rest),
            ["team-messaging", _, "posts", ..] | ["restapi", _, "glip", "posts", ..] => {
                Self::TeamMessagingPost
            }
            ["team-messaging", _, "chats" | "groups" | "teams", ..] | ["restapi", _, "glip", ..] => {
                Self::TeamMessagingChat
            }
            ["ai", "ringsense", ..] => Self::ConversationInsights,
            _ => Self::Unknown,
        }
    }

    fn of_account(rest: &[&str]) -> Self {
        match rest {
            ["telephony", "sessions", ..] | ["extension", _, "telephony", "sessions", ..] => {
                Self::TelephonySession
            }
            ["extension"] => Self::ExtensionList,
            ["extension", _] => Self::ExtensionInfo,
            ["extension", _, "message-store", "instant", ..] => Self::InstantMessage,
            ["extension", _, "message-store", ..] => Self::MessageStore,
            ["extension", _, "voicemail", ..] => Self::Voicemail,
            ["extension", _, "fax", ..] => Self::Fax,
            ["extension", _, "presence", "line", ..] => Self::PresenceLine,
            ["extension", _, "presence", "dnd", ..] => Self::DoNotDisturb,
            ["presence", ..] | ["extension", _, "presence", ..] => Self::Presence,
            ["extension", _, "favorite", ..] => Self::Favorites,
            ["extension", _, "grant", ..] => Self::Grants,
            ["call-queues", _, "presence", ..] => Self::CallQueuePresence,
            ["directory", "entries", ..] => Self::CompanyDirectory,
            ["phone-number", ..] => Self::PhoneNumber,
            ["device", _, "emergency-address", ..] => Self::EmergencyAddress,
            ["a2p-sms", ..] => Self::HighVolumeSms,
            _ => Self::Unknown,
        }
    }

    /// A kind by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_kind_whatever_its_ids_and_query() {
        for (path, kind) in [
            ("/restapi/v1.0/account/1/telephony/sessions?direction=Inbound", Kind::TelephonySession),
            ("/restapi/v1.0/account/1/extension/2/telephony/sessions", Kind::TelephonySession),
            ("/restapi/v1.0/account/~/extension/2/message-store/instant?type=SMS", Kind::InstantMessage),
            ("/restapi/v1.0/account/~/extension/2/message-store", Kind::MessageStore),
            ("/restapi/v1.0/account/1/extension", Kind::ExtensionList),
            ("/restapi/v1.0/account/1/extension/2", Kind::ExtensionInfo),
            ("/restapi/v1.0/account/1/extension/2/presence/line/presence", Kind::PresenceLine),
            ("/restapi/v1.0/subscription/5c37f936?threshold=60&interval=10", Kind::RenewalReminder),
            ("/team-messaging/v1/posts", Kind::TeamMessagingPost),
            ("/restapi/v1.0/account/1/something/new", Kind::Unknown),
            ("", Kind::Unknown),
        ] {
            assert_eq!(Kind::of(path), kind, "{path}");
        }
    }

    #[test]
    fn names_lead_back_to_their_kinds() {
        assert!(Kind::ALL.iter().all(|kind| Kind::named(kind.as_str()) == Some(*kind)));
        assert!(Kind::ALL.iter().all(|kind| serde_json::json!(kind) == kind.as_str()));
    }
}
