//! One extension: a JSON object that keeps every field it was given, known or not.

use serde_json::{Map, Value, json};

use super::World;

/// Statuses an extension may have.
pub(crate) const STATUSES: [&str; 5] = ["Enabled", "Disabled", "Frozen", "NotActivated", "Unassigned"];

/// Types that can be created.
pub(crate) const CREATABLE: [&str; 11] = [
    "User",
    "VirtualUser",
    "DigitalUser",
    "FlexibleUser",
    "Department",
    "Announcement",
    "Voicemail",
    "SharedLinesGroup",
    "PagingOnly",
    "ParkLocation",
    "Limited",
];

/// Types that exist without being creatable here.
pub(crate) const OTHER_TYPES: [&str; 13] = [
    "FaxUser",
    "DelegatedLinesGroup",
    "GroupCallPickup",
    "IvrMenu",
    "ApplicationExtension",
    "ProxyAdmin",
    "RoomConnector",
    "Bot",
    "Site",
    "Room",
    "TieLine",
    "Unknown",
    "SharedLinesGroup",
];

/// Whether a type stands for a person, who has a last name and must have an email.
pub(crate) fn is_person(kind: &str) -> bool {
    matches!(kind, "User" | "VirtualUser" | "DigitalUser" | "FlexibleUser" | "FaxUser" | "Limited")
}

/// An extension. `document` holds everything except `id`, `uri` and the links derived from them.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    pub(crate) id: u64,
    pub(crate) document: Map<String, Value>,
}

impl Extension {
    /// A text field of the document.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.document.get(field).and_then(Value::as_str)
    }

    /// A text field of the contact.
    pub(crate) fn contact(&self, field: &str) -> Option<&str> {
        self.document.get("contact").and_then(|contact| contact.get(field)).and_then(Value::as_str)
    }

    pub(crate) fn is_enabled_user(&self) -> bool {
        self.text("type") == Some("User") && self.text("status") == Some("Enabled")
    }

    /// Sets `name` from the contact, the way the platform shows it.
    pub(crate) fn rename(&mut self) {
        let name = [self.contact("firstName"), self.contact("lastName")];
        let name = name.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        self.document.insert("name".into(), json!(name));
    }

    /// The resource as it is answered.
    pub(crate) fn render(&self, world: &World, base: &str) -> Value {
        let mut resource = self.document.clone();
        let uri = format!("{base}{}", world.extension_path(self.id));
        resource.insert("profileImage".into(), json!({"uri": format!("{uri}/profile-image")}));
        resource.insert("uri".into(), json!(uri));
        resource.insert("id".into(), json!(self.id));
        Value::Object(resource)
    }
}

/// Merges a partial document: objects field by field, everything else replaced, `null` removed.
pub(crate) fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (field, value) in from {
        match (into.get_mut(&field), value) {
            (_, Value::Null) => drop(into.remove(&field)),
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => drop(into.insert(field, value)),
        }
    }
}

/// The settings every new extension starts with.
pub(crate) fn regional_settings() -> Value {
    let language = json!({"id": "1033", "name": "English (United States)", "localeCode": "en-US"});
    json!({
        "timezone": {"id": "58", "name": "US/Pacific", "description": "Pacific Time (US & Canada)", "bias": "-480"},
        "homeCountry": {"id": "1", "name": "United States", "isoCode": "US", "callingCode": "1"},
        "language": language,
        "greetingLanguage": language,
        "formattingLocale": language,
        "timeFormat": "12h"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_document_leaves_the_rest_as_it_was() {
        let mut old = json!({"contact": {"firstName": "Ann", "lastName": "Bell"}, "odd": [1, 2]});
        let new = json!({"contact": {"lastName": "Cole"}, "odd": [3], "note": null, "new": {"deep": true}});
        if let (Value::Object(old), Value::Object(new)) = (&mut old, new) {
            merge(old, new);
        }
        assert_eq!(
            old,
            json!({"contact": {"firstName": "Ann", "lastName": "Cole"}, "odd": [3], "new": {"deep": true}})
        );
    }
}
