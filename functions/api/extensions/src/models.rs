//! What the routes take, and where links lead. Fields that are not named here pass through untouched.

use ringcentral::Page;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trunkline_http::{Accept, Violations, words};
use utoipa::ToSchema;

/// Types that RingCentral can create (`ExtensionCreationRequest.type`).
pub(crate) const CREATABLE: &[&str] = &[
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

/// Types that RingCentral lists.
pub(crate) const TYPES: &[&str] = &[
    "User",
    "FaxUser",
    "VirtualUser",
    "DigitalUser",
    "FlexibleUser",
    "Department",
    "Announcement",
    "Voicemail",
    "SharedLinesGroup",
    "PagingOnly",
    "IvrMenu",
    "ApplicationExtension",
    "ParkLocation",
    "DelegatedLinesGroup",
    "GroupCallPickup",
    "ProxyAdmin",
    "RoomConnector",
    "Bot",
    "Site",
    "Room",
    "TieLine",
    "Limited",
    "Unknown",
];

/// Statuses of an extension.
pub(crate) const STATUSES: &[&str] = &["Enabled", "Disabled", "Frozen", "NotActivated", "Unassigned"];

words!(
    CreatableType: one_of CREATABLE,
    ExtensionType: one_of TYPES,
    ExtensionStatus: one_of STATUSES,
    KnownType: open_set TYPES,
    KnownStatus: open_set STATUSES,
);

/// Who an extension belongs to. For anything but users only `firstName` is taken: it is the name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contact {
    /// At most 64 characters.
    #[schema(min_length = 1, max_length = 64, nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_name: Option<String>,
    /// At most 64 characters.
    #[schema(min_length = 1, max_length = 64, nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_name: Option<String>,
    /// At most 254 characters.
    #[schema(max_length = 254, nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    pub(crate) rest: Map<String, Value>,
}

impl Contact {
    fn check(&self, violations: &mut Violations) {
        for (field, value) in [("contact.firstName", &self.first_name), ("contact.lastName", &self.last_name)]
        {
            if let Some(name) = value {
                violations.require(!name.trim().is_empty(), field, "must not be empty");
                violations.require(name.chars().count() <= 64, field, "must have at most 64 characters");
            }
        }
        if let Some(email) = &self.email {
            violations.require(
                is_email(email),
                "contact.email",
                "must be an email address of at most 254 characters",
            );
        }
    }
}

/// An extension to be created.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewExtension {
    /// 1 to 8 digits. RingCentral chooses one if it is missing.
    #[schema(pattern = "^[0-9]{1,8}$", nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension_number: Option<String>,
    /// `User` if missing. `Department` is a call queue.
    #[schema(value_type = CreatableType, required = false)]
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Missing: as RingCentral chooses.
    #[schema(value_type = ExtensionStatus, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// A user needs `firstName` and `email`, anything else `firstName`; with the status `Unassigned` it may be empty.
    #[schema(value_type = Contact, required = true)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contact: Option<Contact>,
    #[serde(flatten)]
    #[schema(ignore)]
    rest: Map<String, Value>,
}

impl Accept for NewExtension {
    fn check(&self, violations: &mut Violations) {
        check_number(violations, self.extension_number.as_deref());
        check_member(violations, "type", self.kind.as_deref(), CREATABLE);
        check_member(violations, "status", self.status.as_deref(), STATUSES);
        let unassigned = self.status.as_deref() == Some("Unassigned");
        let Some(contact) = &self.contact else {
            violations.require(unassigned, "contact", "is required");
            return;
        };
        contact.check(violations);
        let is_user = self.kind.as_deref().is_none_or(|kind| kind.ends_with("User"));
        if is_user {
            let named = contact.first_name.is_some() || unassigned;
            violations.require(named, "contact.firstName", "is required for a user");
            violations.require(
                contact.email.is_some() || unassigned,
                "contact.email",
                "is required for a user",
            );
        } else {
            violations.require(
                contact.first_name.is_some(),
                "contact.firstName",
                "is required: it is the name",
            );
            violations.require(contact.last_name.is_none(), "contact.lastName", "is for users only");
        }
    }
}

/// Changes to an extension: only what is named is changed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExtensionChanges {
    /// 1 to 8 digits.
    #[schema(pattern = "^[0-9]{1,8}$", nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension_number: Option<String>,
    /// Missing: unchanged.
    #[schema(value_type = ExtensionStatus, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Only the named fields are changed.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contact: Option<Contact>,
    #[serde(flatten)]
    #[schema(ignore)]
    rest: Map<String, Value>,
}

impl Accept for ExtensionChanges {
    fn check(&self, violations: &mut Violations) {
        let empty = self.extension_number.is_none() && self.status.is_none() && self.contact.is_none();
        violations.require(!empty || !self.rest.is_empty(), "body", "must name at least one field to change");
        violations.require(!self.rest.contains_key("id"), "id", "can't be changed");
        check_number(violations, self.extension_number.as_deref());
        check_member(violations, "status", self.status.as_deref(), STATUSES);
        if let Some(contact) = &self.contact {
            contact.check(violations);
        }
    }
}

/// A new short number.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Renumbering {
    /// 1 to 8 digits.
    #[schema(value_type = String, required = true, pattern = "^[0-9]{1,8}$")]
    extension_number: Option<String>,
}

impl Accept for Renumbering {
    fn check(&self, violations: &mut Violations) {
        violations.require(self.extension_number.is_some(), "extensionNumber", "is required");
        check_number(violations, self.extension_number.as_deref());
    }
}

/// A site to be created.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewSite {
    /// Its name, at most 64 characters.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 64)]
    name: Option<String>,
    /// 1 to 8 digits. RingCentral chooses one if it is missing.
    #[schema(pattern = "^[0-9]{1,8}$", nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extension_number: Option<String>,
    /// At most 254 characters.
    #[schema(max_length = 254, nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    rest: Map<String, Value>,
}

impl Accept for NewSite {
    fn check(&self, violations: &mut Violations) {
        let name = self.name.as_deref().map(str::trim);
        violations.require(name.is_some_and(|name| !name.is_empty()), "name", "is required");
        violations.require(
            name.is_none_or(|name| name.chars().count() <= 64),
            "name",
            "must have at most 64 characters",
        );
        check_number(violations, self.extension_number.as_deref());
        if let Some(email) = &self.email {
            violations.require(
                is_email(email),
                "email",
                "must be an email address of at most 254 characters",
            );
        }
    }
}

fn check_number(violations: &mut Violations, number: Option<&str>) {
    if let Some(number) = number {
        let fits = (1..=8).contains(&number.len()) && number.bytes().all(|c| c.is_ascii_digit());
        violations.require(fits, "extensionNumber", "must have 1 to 8 digits");
    }
}

fn check_member(violations: &mut Violations, field: &str, value: Option<&str>, allowed: &[&str]) {
    if value.is_some_and(|value| !allowed.contains(&value)) {
        violations.add(field, format!("must be one of {}", allowed.join(", ")));
    }
}

/// One `@` with something on both sides: RingCentral decides about the rest.
fn is_email(text: &str) -> bool {
    let sides = text.split_once('@');
    text.len() <= 254
        && !text.contains(char::is_whitespace)
        && sides.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

/// Turns RingCentral's links into ours, so that whoever follows them stays on this gateway; without what the route adds itself.
pub(crate) fn at(mut page: Page, path: &str, added: &[&str]) -> Page {
    if let Some(navigation) = &mut page.navigation {
        let links = [
            &mut navigation.first_page,
            &mut navigation.previous_page,
            &mut navigation.next_page,
            &mut navigation.last_page,
        ];
        for link in links.into_iter().flatten() {
            let mut query = link.query();
            query.retain(|(name, _)| !added.contains(&name.as_str()));
            let query = serde_urlencoded::to_string(query).unwrap_or_default();
            link.uri = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        }
    }
    page
}
