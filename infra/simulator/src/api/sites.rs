//! Sites: list, create, read, update, delete.

use serde_json::{Map, Value, json};

use crate::call::{Call, Reply};
use crate::error::ApiError;
use crate::page::Page;
use crate::world::World;
use crate::world::extensions::{merge, regional_settings};
use crate::world::sites::{MAIN, Site};

/// `listSites`: all of them on one page.
pub(super) fn list(world: &World, call: &Call) -> Reply {
    let page = Page::whole(world.sites.len());
    Reply::ok(page.envelope(call, &world.sites, true, |site| site.render(world, &call.base)))
}

/// `createSite`.
pub(super) fn create(world: &mut World, call: &Call) -> Result<Reply, ApiError> {
    let document = call.json()?;
    check(world, &document, None)?;
    let mut complete = Map::new();
    complete.insert("regionalSettings".into(), regional_settings());
    complete.insert("siteAccess".into(), json!("Unlimited"));
    if document.get("extensionNumber").is_none_or(Value::is_null) {
        complete.insert("extensionNumber".into(), json!(world.free_number()));
    }
    merge(&mut complete, kept(document));
    let site = Site { id: world.fresh_id().to_string(), document: complete };
    let rendered = site.render(world, &call.base);
    world.sites.push(site);
    Ok(Reply::ok(rendered))
}

/// `readSite`.
pub(super) fn read(world: &World, call: &Call) -> Result<Reply, ApiError> {
    let index = position(world, call)?;
    Ok(Reply::ok(world.sites[index].render(world, &call.base)))
}

/// `updateSite`: fields that are not given stay; a new name reaches every extension of the site.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Reply, ApiError> {
    let index = position(world, call)?;
    let mut site = world.sites[index].clone();
    merge(&mut site.document, kept(call.json()?));
    check(world, &site.document, Some(&site.id))?;
    let (id, rendered) = (site.id.clone(), site.render(world, &call.base));
    world.sites[index] = site;
    move_extensions(world, &id, &id);
    Ok(Reply::ok(rendered))
}

/// `deleteSite`: its extensions move to the main site, which cannot be deleted.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Reply, ApiError> {
    let index = position(world, call)?;
    if world.sites[index].id == MAIN {
        let message = "The main site cannot be deleted";
        return Err(ApiError::new(http::StatusCode::FORBIDDEN, "CMN-403", message).about("siteId"));
    }
    let gone = world.sites.remove(index);
    move_extensions(world, &gone.id, MAIN);
    Ok(Reply::no_content())
}

fn move_extensions(world: &mut World, from: &str, to: &str) {
    let Some(reference) = world.site_reference(to) else { return };
    for extension in world.extensions.values_mut() {
        let site = extension.document.get("site").and_then(|site| site.get("id")).and_then(Value::as_str);
        if site == Some(from) {
            extension.document.insert("site".into(), reference.clone());
        }
    }
}

fn position(world: &World, call: &Call) -> Result<usize, ApiError> {
    let id = call.parameter("siteId");
    world.sites.iter().position(|site| site.id == id).ok_or_else(|| ApiError::not_found("siteId"))
}

fn kept(mut document: Map<String, Value>) -> Map<String, Value> {
    document.remove("id");
    document.remove("uri");
    document
}

fn check(world: &World, document: &Map<String, Value>, own: Option<&str>) -> Result<(), ApiError> {
    let field = |name: &str| -> Result<Option<&str>, ApiError> {
        match document.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(value)) => Ok(Some(value)),
            Some(_) => Err(ApiError::invalid(name)),
        }
    };
    let name = field("name")?.map(str::trim).filter(|name| !name.is_empty());
    if name.ok_or_else(|| ApiError::missing("name"))?.chars().count() > 64 {
        return Err(ApiError::invalid("name"));
    }
    if field("callerIdName")?.is_some_and(|name| name.chars().count() > 15) {
        return Err(ApiError::invalid("callerIdName"));
    }
    let Some(number) = field("extensionNumber")? else { return Ok(()) };
    if number.is_empty() || number.len() > 8 || !number.chars().all(|one| one.is_ascii_digit()) {
        return Err(ApiError::invalid("extensionNumber"));
    }
    let mine = world.sites.iter().find(|site| own == Some(site.id.as_str()));
    if mine.and_then(|site| site.text("extensionNumber")) != Some(number) && world.number_taken(number, None)
    {
        return Err(ApiError::duplicate("extensionNumber"));
    }
    Ok(())
}
