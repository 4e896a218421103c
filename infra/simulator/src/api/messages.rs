//! The message store of an extension.

use std::time::Duration;

use super::extension_id;
use crate::call::{Call, Owner, Reply};
use crate::clock::earlier;
use crate::error::ApiError;
use crate::page::Page;
use crate::world::World;
use crate::world::messages::{Message, TYPES};

const DAY: Duration = Duration::from_secs(86_400);

/// `listMessages`: newest first, both dates inclusive at the millisecond, the last 24 h when no dates are given.
pub(super) fn list(world: &World, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let id = extension_id(world, call, owner)?;
    let page = Page::asked(call)?;
    let query = &call.query;
    let to = query.moment("dateTo")?.unwrap_or(call.now);
    let from = query.moment("dateFrom")?.unwrap_or_else(|| earlier(to, DAY));
    let types = query.choices("messageType", &TYPES)?;
    let directions = query.choices("direction", &["Inbound", "Outbound"])?;
    let read = query.choices("readStatus", &["Read", "Unread"])?;
    // Nothing here is ever deleted or purged.
    let alive = query.choices("availability", &["Alive", "Deleted", "Purged"])?;
    let alive = alive.is_empty() || alive.contains(&"Alive");

    let any = |wanted: &[&str], value: &str| wanted.is_empty() || wanted.contains(&value);
    let span = from.as_millisecond()..=to.as_millisecond();
    let conversation = query.get("conversationId");
    let in_conversation = |message: &Message| {
        conversation.is_none_or(|wanted| message.conversation.is_some_and(|one| one.to_string() == wanted))
    };
    let mailbox = world.mailboxes.get(&id).map(Vec::as_slice).unwrap_or_default();
    let matching: Vec<&Message> = mailbox
        .iter()
        .filter(|message| alive && span.contains(&message.created.as_millisecond()))
        .filter(|message| any(&types, message.kind) && any(&directions, message.direction))
        .filter(|message| any(&read, message.read_status()) && in_conversation(message))
        .filter(|message| query.get("phoneNumber").is_none_or(|number| message.involves(number)))
        .collect();
    Ok(Reply::ok(page.envelope(call, &matching, false, |message| message.render(world, &call.base))))
}

/// `readMessage`, one id.
pub(super) fn read(world: &World, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let id = extension_id(world, call, owner)?;
    let wanted = call.parameter("messageId");
    let mut mailbox = world.mailboxes.get(&id).into_iter().flatten();
    let found = mailbox.find(|message| message.id.to_string() == wanted);
    Ok(Reply::ok(found.ok_or_else(|| ApiError::not_found("messageId"))?.render(world, &call.base)))
}
