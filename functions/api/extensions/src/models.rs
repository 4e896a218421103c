//! What the routes take, and where links lead. Fields that are not named here pass through untouched.

use ringcentral::{Link, Page};
use serde::Serialize;
use serde_json::{Map, Value};
use trunkline_http::{Accept, Object, words};
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

/// What RingCentral's description has beside the fields below (`ExtensionCreationRequest`, `ExtensionUpdateRequest`).
const MORE: &[&str] = &[
    "extensionNumber",
    "type",
    "status",
    "contact",
    "statusInfo",
    "costCenter",
    "customFields",
    "password",
    "references",
    "regionalSettings",
    "setupWizardState",
    "site",
    "hidden",
    "ivrPin",
    "partnerId",
    "callQueueInfo",
    "transition",
    "permissions",
    "roles",
];

/// What it has in a contact (`ContactInfoCreationRequest`).
const CONTACT: &[&str] = &[
    "firstName",
    "lastName",
    "email",
    "company",
    "jobTitle",
    "department",
    "businessPhone",
    "mobilePhone",
    "businessAddress",
    "emailAsLoginName",
    "pronouncedName",
];

/// What it has in a site (`CreateSiteRequest`).
const SITE: &[&str] = &[
    "name",
    "extensionNumber",
    "email",
    "callerIdName",
    "businessAddress",
    "regionalSettings",
    "operator",
    "code",
];

/// Who an extension belongs to. For anything but users only `firstName` is taken: it is the name.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
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
    fn read(object: &mut Object<'_>) -> Self {
        Self {
            first_name: name(object, "firstName"),
            last_name: name(object, "lastName"),
            email: email(object),
            rest: object.rest(CONTACT),
        }
    }
}

/// An extension to be created.
#[derive(Debug, Clone, Serialize, ToSchema)]
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
    fn read(object: &mut Object<'_>) -> Self {
        let (number, kind) = (number(object), member(object, "type", CREATABLE));
        let status = member(object, "status", STATUSES);
        let unassigned = status.as_deref() == Some("Unassigned");
        let is_user = kind.as_deref().is_none_or(|kind| kind.ends_with("User"));
        object.require(unassigned || object.has("contact"), "contact", "is required");
        let contact = object.object("contact", |contact| {
            let reason = if is_user { "is required for a user" } else { "is required: it is the name" };
            let read = Contact::read(contact);
            contact.require(read.first_name.is_some() || unassigned && is_user, "firstName", reason);
            contact.require(read.email.is_some() || unassigned || !is_user, "email", reason);
            contact.require(read.last_name.is_none() || is_user, "lastName", "is for users only");
            read
        });
        Self { extension_number: number, kind, status, contact, rest: object.rest(MORE) }
    }
}

/// Changes to an extension: only what is named is changed.
#[derive(Debug, Clone, Serialize, ToSchema)]
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
    fn read(object: &mut Object<'_>) -> Self {
        object.require(!object.is_empty(), "body", "must name at least one field to change");
        object.refuse("id", "can't be changed");
        Self {
            extension_number: number(object),
            status: member(object, "status", STATUSES),
            contact: object.object("contact", Contact::read),
            rest: object.rest(MORE),
        }
    }
}

/// A new short number.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Renumbering {
    /// 1 to 8 digits.
    #[schema(value_type = String, required = true, pattern = "^[0-9]{1,8}$")]
    extension_number: Option<String>,
}

impl Accept for Renumbering {
    fn read(object: &mut Object<'_>) -> Self {
        object.require(object.has("extensionNumber"), "extensionNumber", "is required");
        Self { extension_number: number(object) }
    }
}

/// A site to be created.
#[derive(Debug, Clone, Serialize, ToSchema)]
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
    fn read(object: &mut Object<'_>) -> Self {
        object.require(object.has("name"), "name", "is required");
        // What RingCentral's own tools have sent, and RingCentral has dropped.
        object.refuse("siteCode", "is not a field of this request; code is");
        Self {
            name: name(object, "name"),
            extension_number: number(object),
            email: email(object),
            rest: object.rest(SITE),
        }
    }
}

/// The name of somebody or something.
fn name(object: &mut Object<'_>, field: &str) -> Option<String> {
    let name = object.text(field)?;
    object.require(!name.trim().is_empty(), field, "must not be empty");
    object.require(name.trim().chars().count() <= 64, field, "must have at most 64 characters");
    Some(name)
}

fn email(object: &mut Object<'_>) -> Option<String> {
    let email = object.text("email")?;
    object.require(is_email(&email), "email", "must be an email address of at most 254 characters");
    Some(email)
}

fn number(object: &mut Object<'_>) -> Option<String> {
    let number = object.number_text("extensionNumber")?;
    let fits = (1..=8).contains(&number.len()) && number.bytes().all(|c| c.is_ascii_digit());
    object.require(fits, "extensionNumber", "must have 1 to 8 digits");
    Some(number)
}

fn member(object: &mut Object<'_>, field: &str, allowed: &[&str]) -> Option<String> {
    let value = object.text(field)?;
    object.require(
        allowed.contains(&value.as_str()),
        field,
        &format!("must be one of {}", allowed.join(", ")),
    );
    Some(value)
}

/// One `@` with something on both sides: RingCentral decides about the rest.
fn is_email(text: &str) -> bool {
    let sides = text.split_once('@');
    text.len() <= 254
        && !text.contains(char::is_whitespace)
        && sides.is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'))
}

/// Turns RingCentral's links into ours, so that whoever follows them stays on this gateway; without what the route adds itself.
/// Beyond the end the page before is the last one, where RingCentral tells how many there are.
pub(crate) fn at(mut page: Page, path: &str, added: &[&str]) -> Page {
    let last = pages(&page);
    if let Some(navigation) = &mut page.navigation {
        let to = |link: &mut Link, most: Option<u64>| {
            let mut query = link.query();
            query.retain(|(name, _)| !added.contains(&name.as_str()));
            let numbers = query.iter_mut().filter(|(name, _)| name == "page");
            for (_, number) in numbers {
                let beyond = |most: &u64| number.parse().is_ok_and(|number: u64| number > *most);
                if let Some(most) = most.filter(beyond) {
                    *number = most.to_string();
                }
            }
            let query = serde_urlencoded::to_string(query).unwrap_or_default();
            link.uri = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        };
        for link in [&mut navigation.first_page, &mut navigation.next_page, &mut navigation.last_page] {
            link.iter_mut().for_each(|link| to(link, None));
        }
        navigation.previous_page.iter_mut().for_each(|link| to(link, last));
    }
    page
}

/// How many pages the list has, if RingCentral says so.
fn pages(page: &Page) -> Option<u64> {
    let paging: Value = serde_json::from_str(page.paging.as_deref()?.get()).ok()?;
    paging["totalPages"].as_u64().filter(|pages| *pages > 0)
}
