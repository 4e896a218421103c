//! Extensions: list with filters, create, read, partial update, delete.

use serde_json::{Map, Value, json};

use super::extension_id;
use super::extension_input::{check, kept, text};
use crate::call::{Call, Owner, Reply};
use crate::clock::iso;
use crate::error::ApiError;
use crate::page::Page;
use crate::world::World;
use crate::world::extensions::{
    CREATABLE, Extension, OTHER_TYPES, STATUSES, is_person, merge, regional_settings,
};
use crate::world::sites::MAIN;

/// `listExtensions`: filters `status`, `type`, `email`, `extensionNumber`; all but the last take several values.
pub(super) fn list(world: &World, call: &Call) -> Result<Reply, ApiError> {
    let page = Page::asked(call)?;
    let types: Vec<&str> = CREATABLE.iter().chain(&OTHER_TYPES).copied().collect();
    let statuses = call.query.choices("status", &STATUSES)?;
    let types = call.query.choices("type", &types)?;
    let emails = call.query.all("email");
    let numbers = call.query.all("extensionNumber");
    let one_of = |wanted: &[&str], value: Option<&str>| {
        wanted.is_empty() || value.is_some_and(|value| wanted.contains(&value))
    };
    let by_email = |email: Option<&str>| {
        emails.is_empty()
            || email.is_some_and(|email| emails.iter().any(|one| one.eq_ignore_ascii_case(email)))
    };
    let matching: Vec<&Extension> = world
        .extensions
        .values()
        .filter(|one| one_of(&statuses, one.text("status")) && one_of(&types, one.text("type")))
        .filter(|one| one_of(&numbers, one.text("extensionNumber")) && by_email(one.contact("email")))
        .collect();
    Ok(Reply::ok(page.envelope(call, &matching, true, |one| one.render(world, &call.base))))
}

/// `createExtension`. A user starts as NotActivated unless the request says otherwise; a missing extension number
/// is chosen, except for an unassigned extension, which has none.
pub(super) fn create(world: &mut World, call: &Call) -> Result<Reply, ApiError> {
    let mut document = call.json()?;
    document.retain(|_, value| !value.is_null());
    check(world, &document, None)?;
    let kind = document.get("type").and_then(Value::as_str).unwrap_or("User").to_owned();
    let status = if is_person(&kind) { "NotActivated" } else { "Enabled" };
    let status = document.get("status").and_then(Value::as_str).unwrap_or(status).to_owned();
    let mut complete = defaults(world, &kind, &status);
    if status != "Unassigned" && !document.contains_key("extensionNumber") {
        complete.insert("extensionNumber".into(), json!(world.free_number()));
    }
    complete.insert("creationTime".into(), json!(iso(call.now)));
    merge(&mut complete, kept(document));
    name_site(world, &mut complete);
    let mut extension = Extension { id: world.fresh_id(), document: complete };
    extension.rename();
    let rendered = extension.render(world, &call.base);
    world.extensions.insert(extension.id, extension);
    Ok(Reply::ok(rendered))
}

fn defaults(world: &World, kind: &str, status: &str) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("type".into(), json!(kind));
    document.insert("status".into(), json!(status));
    document.insert("hidden".into(), json!(false));
    document.insert("setupWizardState".into(), json!("NotStarted"));
    document.insert("regionalSettings".into(), regional_settings());
    let permissions = json!({"admin": {"enabled": false}, "internationalCalling": {"enabled": true}});
    document.insert("permissions".into(), permissions);
    if let Some(site) = world.site_reference(MAIN) {
        document.insert("site".into(), site);
    }
    document
}

/// The name of a site is the account's, whatever the client wrote beside its id.
fn name_site(world: &World, document: &mut Map<String, Value>) {
    let id = document.get("site").and_then(|site| site.get("id")).and_then(text);
    if let Some(site) = id.and_then(|id| world.site_reference(&id)) {
        document.insert("site".into(), site);
    }
}

/// `readExtension`.
pub(super) fn read(world: &World, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let id = extension_id(world, call, owner)?;
    let found = world.extensions.get(&id).ok_or_else(|| ApiError::not_found("extensionId"))?;
    Ok(Reply::ok(found.render(world, &call.base)))
}

/// `updateExtension`: fields that are not given stay as they are.
pub(super) fn update(world: &mut World, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let id = extension_id(world, call, owner)?;
    let change = call.json()?;
    if change.get("id").and_then(text).is_some_and(|given| given != id.to_string()) {
        let message = "Parameter [id] differs from the one of the path";
        return Err(ApiError::bad_request("CMN-108", message).about("id"));
    }
    let old = world.extensions.get(&id).ok_or_else(|| ApiError::not_found("extensionId"))?.clone();
    let kind = change.get("type").and_then(Value::as_str);
    if kind.is_some_and(|kind| Some(kind) != old.text("type")) {
        return Err(ApiError::invalid("type"));
    }
    let mut document = old.document;
    merge(&mut document, kept(change));
    check(world, &document, Some(id))?;
    name_site(world, &mut document);
    let mut changed = Extension { id, document };
    changed.rename();
    let rendered = changed.render(world, &call.base);
    world.extensions.insert(id, changed);
    Ok(Reply::ok(rendered))
}

/// `deleteExtension`: frees the extension number. The administrator cannot be deleted.
pub(super) fn delete(world: &mut World, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let id = extension_id(world, call, owner)?;
    if id == world.account_id {
        let message = "The system extension cannot be deleted";
        return Err(ApiError::new(http::StatusCode::FORBIDDEN, "CMN-403", message).about("extensionId"));
    }
    world.extensions.remove(&id);
    world.mailboxes.remove(&id);
    Ok(Reply::no_content())
}
