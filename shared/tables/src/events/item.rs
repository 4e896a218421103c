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
/// Until when it is read (seconds), if that is before the item ends.
const READ_UNTIL: &str = "until";
/// The largest item that DynamoDB takes (bytes).
const LARGEST: usize = 400 * 1_024;

/// The item of an event that is read until this second and known until that one; `None` if no item has room for it.
pub(super) fn of(
    event: &Event,
    announced: Entry,
    read_until: i64,
    expires_at: i64,
) -> Result<Option<Item>, TableError> {
    let key = Key::of(event);
    let mut item = Item::from([
        (KEY.to_owned(), text(key.pk(&event.tenant))),
        (SORT.to_owned(), text(key.place)),
        (RAW.to_owned(), bytes(pack(&event.raw)?)),
        (KIND.to_owned(), text(event.kind.as_str())),
        (RECEIVED.to_owned(), number(event.received_at)),
        (PROCESSED.to_owned(), number(event.processed_at)),
        (ENTRY.to_owned(), bytes(announced.into_bytes().into())),
        (EXPIRES.to_owned(), number(expires_at)),
    ]);
    if read_until < expires_at {
        item.insert(READ_UNTIL.to_owned(), number(read_until));
    }
    Ok((size(&item) <= LARGEST).then_some(item))
}

/// What DynamoDB counts of an item (bytes): names and values. A number has a byte for two digits, and one more.
fn size(item: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
        _ => LARGEST,
    };
    item.iter().map(|(name, of_name)| name.len() + value(of_name)).sum()
}

/// Whether it can still be read. DynamoDB deletes what has ended days later, and an event's identity outlives it.
pub(super) fn is_read(item: &Item, now: Millis) -> Result<bool, TableError> {
    let until = if item.contains_key(READ_UNTIL) { READ_UNTIL } else { EXPIRES };
    Ok(now / 1_000 < integer(item, until)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_until_its_time_and_not_until_its_item_ends() {
        let event = Event::read("acme".parse().unwrap(), "{}".to_owned(), 0, 0).unwrap();
        let item = |read_until| of(&event, Entry::nil(), read_until, 100).unwrap().unwrap();
        let read = |item: &Item, second: i64| is_read(item, second * 1_000).unwrap();
        assert!(read(&item(10), 9) && !read(&item(10), 10));
        // DynamoDB takes its time to delete what has ended.
        assert!(read(&item(100), 99) && !read(&item(100), 100));
        assert!(!item(100).contains_key(READ_UNTIL), "it is not paid for where it says nothing");
    }

    #[test]
    fn an_item_ends_where_dynamodb_ends_it() {
        let filled = |bytes: usize| Item::from([("raw".to_owned(), self::bytes(vec![0; bytes]))]);
        assert_eq!(size(&filled(LARGEST - 3)), LARGEST);
        let digits = Item::from([("n".to_owned(), number(12_345))]);
        assert_eq!(size(&digits), 1 + 4);
    }
}
