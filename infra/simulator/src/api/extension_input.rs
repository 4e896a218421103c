//! What may be written to an extension: types, statuses, lengths, numbers. It decides; it changes nothing.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::world::World;
use crate::world::extensions::{CREATABLE, STATUSES, is_person};

/// Fields the platform computes, and those it takes but never shows again.
const UNKEPT: [&str; 9] =
    ["id", "uri", "name", "permissions", "profileImage", "creationTime", "password", "ivrPin", "transition"];

/// Checks a document that creates an extension, or the result of merging an update into one.
///
/// # Errors
/// CMN-100, CMN-101, CMN-102 (site), CMN-406 (extensionNumber) or EXT-356 (lastName).
pub(super) fn check(world: &World, document: &Map<String, Value>, own: Option<u64>) -> Result<(), ApiError> {
    let kind = choice(document, "type")?.unwrap_or("User");
    // A type that cannot be created may still be updated, but never chosen.
    if own.is_none() && !CREATABLE.contains(&kind) {
        return Err(ApiError::invalid("type"));
    }
    if choice(document, "status")?.is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(ApiError::invalid("status"));
    }
    check_contact(document, kind)?;
    check_number(world, document, own)?;
    if let Some(site) = document.get("site").filter(|site| !site.is_null()) {
        let id = site.get("id").and_then(text).ok_or_else(|| ApiError::invalid("site.id"))?;
        if world.site_reference(&id).is_none() {
            return Err(ApiError::bad_request("CMN-102", "Resource for parameter [site.id] is not found")
                .about("site.id"));
        }
    }
    Ok(())
}

fn check_contact(document: &Map<String, Value>, kind: &str) -> Result<(), ApiError> {
    let contact = match document.get("contact") {
        None | Some(Value::Null) => None,
        Some(Value::Object(contact)) => Some(contact),
        Some(_) => return Err(ApiError::invalid("contact")),
    };
    let field = |name: &str| -> Result<Option<&str>, ApiError> {
        match contact.and_then(|contact| contact.get(name)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(value)) => Ok(Some(value)),
            Some(_) => Err(ApiError::invalid(&format!("contact.{name}"))),
        }
    };
    if field("firstName")?.is_none_or(|name| name.trim().is_empty()) {
        return Err(ApiError::missing("contact.firstName"));
    }
    if is_person(kind) {
        if field("email")?.is_none_or(str::is_empty) {
            return Err(ApiError::missing("contact.email"));
        }
    } else if field("lastName")?.is_some_and(|name| !name.is_empty()) {
        let message = "Parameter [contact.lastName] is not allowed for this extension type";
        return Err(ApiError::bad_request("EXT-356", message).about("contact.lastName"));
    }
    for (name, most) in
        [("firstName", 64), ("lastName", 64), ("email", 254), ("jobTitle", 64), ("department", 64)]
    {
        if field(name)?.is_some_and(|value| value.chars().count() > most) {
            return Err(ApiError::invalid(&format!("contact.{name}")));
        }
    }
    let email = field("email")?.filter(|email| !email.is_empty());
    let valid = |email: &str| {
        email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
            && !email.contains(' ')
    };
    if email.is_some_and(|email| !valid(email)) {
        return Err(ApiError::invalid("contact.email"));
    }
    Ok(())
}

fn check_number(world: &World, document: &Map<String, Value>, own: Option<u64>) -> Result<(), ApiError> {
    let number = match document.get("extensionNumber") {
        None | Some(Value::Null) => return Ok(()),
        Some(value) => text(value).ok_or_else(|| ApiError::invalid("extensionNumber"))?,
    };
    let digits = number.chars().all(|one| one.is_ascii_digit());
    if !digits || !(1..=8).contains(&number.len()) {
        return Err(ApiError::invalid("extensionNumber"));
    }
    if world.number_taken(&number, own) {
        return Err(ApiError::duplicate("extensionNumber"));
    }
    Ok(())
}

/// The document as it is kept: without computed and write-only fields, the number as text.
pub(super) fn kept(mut document: Map<String, Value>) -> Map<String, Value> {
    for field in UNKEPT {
        document.remove(field);
    }
    if let Some(number) = document.get("extensionNumber").and_then(text) {
        document.insert("extensionNumber".into(), Value::String(number));
    }
    document
}

/// A value that is text, or a number clients send in its place.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => number.as_u64().map(|number| number.to_string()),
        _ => None,
    }
}

fn choice<'a>(document: &'a Map<String, Value>, field: &str) -> Result<Option<&'a str>, ApiError> {
    match document.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value)),
        Some(_) => Err(ApiError::invalid(field)),
    }
}
