//! Reading events back: by day, newest first, or by call, in the order of its sequence.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clock::Millis;
use events::{Event, EventPage, EventQuery, EventStoreError};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tenant::TenantId;

use super::{Stored, store_failed};
use crate::{
    TableError, Tables,
    client::{Item, failed, read, text},
    sessions,
};

/// Sorts like its number and never collides: the number shifted into the positive, then the key.
pub(super) fn place(number: i64, key: &str) -> String {
    format!("{}#{key}", bound(number))
}

fn bound(number: i64) -> String {
    format!("{:020}", i128::from(number) - i128::from(i64::MIN))
}

/// The partition of the day on which an event was received, in UTC.
pub(super) fn day(tenant: &TenantId, received_at: Millis) -> String {
    format!("{tenant}#{}", date(received_at))
}

fn date(at: Millis) -> Date {
    clock::timestamp(at).to_zoned(TimeZone::UTC).date()
}

/// The keys of the last event of a page, so that the next one starts right behind it.
#[derive(Serialize, Deserialize)]
struct Position {
    pk: String,
    partition: String,
    place: String,
}

struct Index {
    name: &'static str,
    partition: &'static str,
    place: &'static str,
    forward: bool,
}

const BY_DAY: Index = Index { name: "by-day", partition: "day", place: "day_place", forward: false };
const BY_SESSION: Index =
    Index { name: "by-session", partition: "session", place: "session_place", forward: true };

pub(super) async fn list(
    tables: &Tables,
    tenant: &TenantId,
    query: &EventQuery,
) -> Result<EventPage, EventStoreError> {
    let mut position = query.after.as_deref().map(decode).transpose()?;
    if position.as_ref().is_some_and(|position| !is_of(position, tenant, query)) {
        return Err(EventStoreError::InvalidPosition);
    }
    let mut page = Vec::new();
    if let Some(session) = &query.session {
        let partition = sessions::key(tenant, session);
        let bounds = (bound(i64::MIN), format!("{}~", bound(i64::MAX)));
        fill(&mut page, tables, &BY_SESSION, &partition, bounds, position, query).await?;
        let mut page = finish(page, query.limit, &BY_SESSION);
        page.events.retain(|event| (query.from..=query.to).contains(&event.received_at));
        return Ok(page);
    }
    let mut at = date(query.to);
    let last = date(query.from);
    while at >= last && page.len() <= query.limit {
        let partition = format!("{tenant}#{at}");
        // A page that ended on an earlier day is taken up there.
        if position.as_ref().is_none_or(|position| position.partition == partition) {
            let bounds = (bound(query.from), format!("{}~", bound(query.to)));
            fill(&mut page, tables, &BY_DAY, &partition, bounds, position.take(), query).await?;
        }
        let Ok(earlier) = at.checked_sub(1.day()) else { break };
        at = earlier;
    }
    Ok(finish(page, query.limit, &BY_DAY))
}

/// A position leads only into the list it came from.
fn is_of(position: &Position, tenant: &TenantId, query: &EventQuery) -> bool {
    match &query.session {
        Some(session) => position.partition == sessions::key(tenant, session),
        None => {
            let day = position
                .partition
                .strip_prefix(&format!("{tenant}#"))
                .and_then(|day| day.parse::<Date>().ok());
            day.is_some_and(|day| (date(query.from)..=date(query.to)).contains(&day))
        }
    }
}

/// Adds events of one partition until there is one more than asked for: that one tells that there is a next page.
async fn fill(
    page: &mut Vec<(Stored, Event)>,
    tables: &Tables,
    index: &Index,
    partition: &str,
    (from, to): (String, String),
    mut after: Option<Position>,
    query: &EventQuery,
) -> Result<(), EventStoreError> {
    loop {
        let mut request = tables
            .client()
            .query()
            .table_name(tables.name("events"))
            .index_name(index.name)
            .key_condition_expression("#partition = :partition AND #place BETWEEN :from AND :to")
            .expression_attribute_names("#partition", index.partition)
            .expression_attribute_names("#place", index.place)
            .expression_attribute_values(":partition", text(partition))
            .expression_attribute_values(":from", text(&from))
            .expression_attribute_values(":to", text(&to))
            .scan_index_forward(index.forward)
            .limit(i32::try_from(query.limit + 1).unwrap_or(i32::MAX));
        if let Some(kind) = query.kind {
            request = request
                .filter_expression("kind = :kind")
                .expression_attribute_values(":kind", text(kind.as_str()));
        }
        if let Some(after) = after.take() {
            request = request
                .exclusive_start_key("pk", text(after.pk))
                .exclusive_start_key(index.partition, text(after.partition))
                .exclusive_start_key(index.place, text(after.place));
        }
        let output = request.send().await.map_err(|error| store_failed(failed(error)))?;
        for item in output.items.unwrap_or_default() {
            page.push(parse(item).map_err(store_failed)?);
            if page.len() > query.limit {
                return Ok(());
            }
        }
        match output.last_evaluated_key {
            Some(key) => after = Some(position(&key, index).map_err(store_failed)?),
            None => return Ok(()),
        }
    }
}

fn parse(item: Item) -> Result<(Stored, Event), TableError> {
    let stored: Stored = read(item)?;
    let event: Event = serde_json::from_str(&stored.event).map_err(failed)?;
    let raw = stored.raw.clone();
    Ok((stored, Event { raw, ..event }))
}

fn position(key: &Item, index: &Index) -> Result<Position, TableError> {
    let part = |name: &str| {
        let value = key.get(name).and_then(|value| value.as_s().ok());
        value.cloned().ok_or_else(|| TableError(format!("a page ended without its key {name}").into()))
    };
    Ok(Position { pk: part("pk")?, partition: part(index.partition)?, place: part(index.place)? })
}

fn finish(mut page: Vec<(Stored, Event)>, limit: usize, index: &Index) -> EventPage {
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|(stored, _)| {
        let (partition, place) = match index.forward {
            true => {
                (stored.session.clone().unwrap_or_default(), stored.session_place.clone().unwrap_or_default())
            }
            false => (stored.day.clone(), stored.day_place.clone()),
        };
        encode(&Position { pk: stored.pk.clone(), partition, place })
    });
    EventPage { events: page.into_iter().map(|(_, event)| event).collect(), next }
}

fn encode(position: &Position) -> String {
    // Three strings always have a JSON form.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

fn decode(token: &str) -> Result<Position, EventStoreError> {
    let json = URL_SAFE_NO_PAD.decode(token).map_err(|_| EventStoreError::InvalidPosition)?;
    serde_json::from_slice(&json).map_err(|_| EventStoreError::InvalidPosition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_sort_like_their_numbers() {
        let numbers = [i64::MIN, -5, 0, 9, 10, 1_763_600_000_000, i64::MAX];
        assert!(numbers.windows(2).all(|pair| place(pair[0], "z") < place(pair[1], "a")));
    }
}
