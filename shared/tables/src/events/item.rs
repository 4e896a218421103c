//! An event as an item: the packed delivery, and the few things that are not in it.

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use clock::Millis;
use events::{Entry, Event, Kind};
use tenant::TenantId;

use super::key::Key;
use crate::{
    TableError,
    client::{Item, failed, number, text},
    packed::{pack, unpack},
    schema::{EXPIRES, KEY, SORT},
};

/// The delivery, packed.
const RAW: &str = "raw";
/// The kind it was taken for, by which lists are filtered.
pub(super) const KIND: &str = "kind";
/// When it was received, and worked on (milliseconds).
pub(super) const RECEIVED: &str = "received";
const PROCESSED: &str = "processed";
/// The entry of the journal that announced it.
const ENTRY: &str = "entry";

pub(super) fn of(event: &Event, announced: Entry, expires_at: i64) -> Result<Item, TableError> {
    let key = Key::of(event);
    Ok(Item::from([
        (KEY.to_owned(), text(key.pk(&event.tenant))),
        (SORT.to_owned(), text(key.place)),
        (RAW.to_owned(), bytes(pack(&event.raw)?)),
        (KIND.to_owned(), text(event.kind.as_str())),
        (RECEIVED.to_owned(), number(event.received_at)),
        (PROCESSED.to_owned(), number(event.processed_at)),
        (ENTRY.to_owned(), bytes(announced.into_bytes().into())),
        (EXPIRES.to_owned(), number(expires_at)),
    ]))
}

pub(super) fn event(tenant: &TenantId, item: &Item) -> Result<Event, TableError> {
    let raw = unpack(blob(item, RAW)?)?;
    let event = Event::read(tenant.clone(), raw, received(item)?, integer(item, PROCESSED)?);
    let kind = string(item, KIND)?;
    let kind = Kind::named(kind).ok_or_else(|| TableError(format!("there is no kind {kind}").into()))?;
    Ok(Event { kind, ..event.map_err(failed)? })
}

/// The entry that announced it.
pub(super) fn announced(item: &Item) -> Result<Entry, TableError> {
    Entry::from_slice(blob(item, ENTRY)?).map_err(failed)
}

pub(super) fn received(item: &Item) -> Result<Millis, TableError> {
    integer(item, RECEIVED)
}

pub(super) fn bytes(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

pub(super) fn string<'a>(item: &'a Item, name: &str) -> Result<&'a str, TableError> {
    item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| lacks(name))
}

pub(super) fn blob<'a>(item: &'a Item, name: &str) -> Result<&'a [u8], TableError> {
    item.get(name).and_then(|value| value.as_b().ok()).map(AsRef::as_ref).ok_or_else(|| lacks(name))
}

fn integer(item: &Item, name: &str) -> Result<i64, TableError> {
    let value = item.get(name).and_then(|value| value.as_n().ok()).ok_or_else(|| lacks(name))?;
    value.parse().map_err(failed)
}

fn lacks(name: &str) -> TableError {
    TableError(format!("an item lacks its {name}").into())
}
