//! One message of a mailbox.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::World;
use crate::clock::iso;

/// Types of messages.
pub(crate) const TYPES: [&str; 4] = ["Fax", "SMS", "VoiceMail", "Pager"];

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) extension: u64,
    /// `SMS`, `Fax`, `VoiceMail` or `Pager`.
    pub(crate) kind: &'static str,
    pub(crate) direction: &'static str,
    pub(crate) read: bool,
    pub(crate) created: Timestamp,
    pub(crate) from: Value,
    pub(crate) to: Value,
    pub(crate) subject: Option<&'static str>,
    /// Of SMS and Pager.
    pub(crate) conversation: Option<u64>,
    /// Seconds of a voicemail, pages of a fax.
    pub(crate) size: u64,
}

impl Message {
    pub(crate) fn read_status(&self) -> &'static str {
        if self.read { "Read" } else { "Unread" }
    }

    /// Whether one of the parties has this number, given with or without `+`.
    pub(crate) fn involves(&self, number: &str) -> bool {
        let bare = number.trim_start_matches('+');
        let is = |party: &Value| {
            party
                .get("phoneNumber")
                .and_then(Value::as_str)
                .is_some_and(|text| text.trim_start_matches('+') == bare)
        };
        is(&self.from) || self.to.as_array().is_some_and(|to| to.iter().any(is))
    }

    /// The resource as it is answered.
    pub(crate) fn render(&self, world: &World, base: &str) -> Value {
        let uri = format!("{base}{}/message-store/{}", world.extension_path(self.extension), self.id);
        let status = match (self.direction, self.kind) {
            ("Inbound", _) => "Received",
            (_, "SMS") => "Delivered",
            _ => "Sent",
        };
        let (attachment, media) = match self.kind {
            "VoiceMail" => ("AudioRecording", "audio/mpeg"),
            "Fax" => ("RenderedDocument", "application/pdf"),
            _ => ("Text", "text/plain"),
        };
        let mut message = json!({
            "uri": uri,
            "id": self.id,
            "from": self.from,
            "to": self.to,
            "type": self.kind,
            "creationTime": iso(self.created),
            "lastModifiedTime": iso(self.created),
            "readStatus": self.read_status(),
            "priority": "Normal",
            "direction": self.direction,
            "availability": "Alive",
            "messageStatus": status,
            "attachments": [{
                "id": self.id,
                "uri": format!("{uri}/content/{}", self.id),
                "type": attachment,
                "contentType": media,
            }],
        });
        match self.kind {
            "VoiceMail" => {
                message["vmTranscriptionStatus"] = json!("NotAvailable");
                message["attachments"][0]["vmDuration"] = json!(self.size);
            }
            "Fax" => {
                message["faxPageCount"] = json!(self.size);
                message["faxResolution"] = json!("High");
            }
            _ => {}
        }
        if let Some(subject) = self.subject {
            message["subject"] = json!(subject);
        }
        if let Some(conversation) = self.conversation {
            message["conversationId"] = json!(conversation);
            message["conversation"] = json!({"id": conversation.to_string()});
        }
        message
    }
}
