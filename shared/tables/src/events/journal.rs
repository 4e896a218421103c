//! The journal: for each batch of a tenant an entry of what is about to be applied, by which events are found by their time.
//!
//! An entry spans at most [`SPAN`], so whoever looks for an instant knows where the entries end that may hold it. It is
//! written before its events: what is applied is always announced. What is announced may not be applied.
//!
//! An entry of what was received long before ([`follow::late`]) has a signpost under the time at which it was written, with
//! the same announcements: there it is read by those who follow.

use std::cmp::Reverse;

use aws_sdk_dynamodb::types::AttributeValue;
use clock::{Clock, Millis};
use events::{Entry, Event, EventStoreError, Kind};
use futures::{TryFutureExt, future::join_all, try_join};
use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};
use tenant::TenantId;

use super::{
    TABLE, follow,
    item::{blob, bytes, string},
    key::{self, Key},
    store_failed,
};
use crate::{
    TableError, Tables,
    client::{Item, failed, number, text},
    packed::{pack, unpack},
    schema::{EXPIRES, KEY, SORT},
};

/// The oldest and the newest event of an entry are at most so far apart (milliseconds).
pub(super) const SPAN: Millis = 60_000;
/// The most events of an entry; far from what an item can hold.
const MOST: usize = 100;
/// Entries that are read at once: at first, because most lists are short, and then.
const AT_ONCE: [i32; 2] = [100, 500];
/// The announced events, packed.
const EVENTS: &str = "events";
/// An entry that has a signpost.
const LATE: &str = "late";
/// The entry that a signpost stands for.
const OF: &str = "of";
/// An entry is kept longer than its events, which are written after it (seconds).
const LONGER: i64 = 86_400;

/// An event as an entry has it: received at, kind, partition and place.
#[derive(Serialize, Deserialize)]
struct Announced(Millis, Kind, String, String);

/// An event that may be in the table.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    /// Newest first; the key decides between events of the same moment.
    pub(super) at: Reverse<Millis>,
    pub(super) key: Key,
    pub(super) entry: Entry,
    pub(super) kind: Kind,
}

pub(super) async fn announce(
    tables: &Tables,
    events: &[&Event],
    kept_seconds: i64,
    clock: &dyn Clock,
) -> Vec<Result<Entry, EventStoreError>> {
    let entries = entries(events);
    let begun = clock.now();
    let write = |members: &Vec<usize>| write(tables, members.clone(), events, kept_seconds, begun);
    let mut written = join_all(entries.iter().map(write)).await;
    if !follow::announced_in_time(begun, clock.now()) {
        // Others may have read past it already. The records come again, and are announced anew.
        written.fill_with(|| Err(TableError("the journal took too long".into())));
    }
    let mut announced: Vec<Option<Result<Entry, EventStoreError>>> = vec![None; events.len()];
    for (members, outcome) in entries.into_iter().zip(written) {
        let outcome = outcome.map_err(store_failed);
        for member in members {
            announced[member] = Some(outcome.clone());
        }
    }
    announced.into_iter().flatten().collect()
}

/// Which events are announced together: those of a tenant that were received at about the same time.
fn entries(events: &[&Event]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|index| (&events[*index].tenant, Reverse(events[*index].received_at)));
    let mut entries: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let fits = |entry: &&mut Vec<usize>| {
            let latest = events[entry[0]];
            let apart = latest.received_at.saturating_sub(events[index].received_at);
            latest.tenant == events[index].tenant && apart <= SPAN && entry.len() < MOST
        };
        match entries.last_mut().filter(fits) {
            Some(entry) => entry.push(index),
            None => entries.push(vec![index]),
        }
    }
    entries
}

async fn write(
    tables: &Tables,
    members: Vec<usize>,
    events: &[&Event],
    kept_seconds: i64,
    begun: Millis,
) -> Result<Entry, TableError> {
    let latest = events[members[0]];
    let entry = Entry::new_v4();
    let announced: Vec<_> = members
        .iter()
        .map(|member| {
            let Key { partition, place } = Key::of(events[*member]);
            Announced(events[*member].received_at, events[*member].kind, partition, place)
        })
        .collect();
    let packed = pack(&serde_json::to_string(&announced).map_err(failed)?)?;
    let put = |at: Millis, name: Entry| {
        let request = tables.client().put_item().table_name(tables.name(TABLE));
        request
            .item(KEY, text(key::journal(&latest.tenant, key::day(at))))
            .item(SORT, text(key::entry(at, name)))
            .item(EVENTS, bytes(packed.clone()))
            .item(EXPIRES, number(latest.processed_at / 1_000 + kept_seconds + LONGER))
    };
    let of_entry = put(latest.received_at, entry);
    if follow::late(latest.received_at, begun) {
        let signpost = put(begun, Entry::new_v4()).item(OF, bytes(entry.into_bytes().into()));
        let of_entry = of_entry.item(LATE, AttributeValue::Bool(true));
        try_join!(of_entry.send().map_err(failed), signpost.send().map_err(failed))?;
    } else {
        of_entry.send().await.map_err(failed)?;
    }
    Ok(entry)
}

/// Reads the journal backwards, entries with the latest events first.
pub(super) struct Reader<'a> {
    tables: &'a Tables,
    tenant: &'a TenantId,
    /// The first and the last instant that an entry's latest event may have.
    bounds: (Millis, Millis),
    day: Option<Date>,
    after: Option<Item>,
    at_once: i32,
}

/// What one query of the journal came to.
pub(super) struct Step {
    /// More candidates; there may be none.
    pub(super) candidates: Vec<Candidate>,
    /// The instant after which there is nothing left to be read.
    pub(super) unread_until: Millis,
}

impl<'a> Reader<'a> {
    /// Of the entries that may hold events of this span of time.
    pub(super) fn new(tables: &'a Tables, tenant: &'a TenantId, from: Millis, to: Millis) -> Self {
        let latest = to.saturating_add(SPAN);
        let day = Some(key::day(latest));
        Self { tables, tenant, bounds: (from, latest), day, after: None, at_once: AT_ONCE[0] }
    }

    /// Asks once; `None`, without asking, at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Step>, TableError> {
        let Some(day) = self.day.filter(|day| *day >= key::day(self.bounds.0)) else { return Ok(None) };
        let request = self
            .tables
            .client()
            .query()
            .table_name(self.tables.name(TABLE))
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(key::journal(self.tenant, day)))
            .expression_attribute_values(":from", text(key::sortable(self.bounds.0)))
            .expression_attribute_values(":to", text(key::after(self.bounds.1)))
            .scan_index_forward(false)
            .limit(std::mem::replace(&mut self.at_once, AT_ONCE[1]))
            .set_exclusive_start_key(self.after.take());
        let output = request.send().await.map_err(failed)?;
        self.after = output.last_evaluated_key;
        let ended = self.after.is_none();
        // Each day's entries have their latest event in it.
        let mut unread_until = if ended { key::midnight(day).saturating_sub(1) } else { Millis::MAX };
        if ended {
            self.day = day.checked_sub(1.day()).ok();
        }
        let mut candidates = Vec::new();
        for item in output.items.unwrap_or_default() {
            let latest = read(&item, &mut candidates)?;
            if !ended {
                unread_until = latest;
            }
        }
        Ok(Some(Step { candidates, unread_until }))
    }
}

/// Adds what an entry announces; tells when its latest event was received. A signpost announces nothing of its own.
fn read(item: &Item, candidates: &mut Vec<Candidate>) -> Result<Millis, TableError> {
    let (latest, entry) = lies(item)?;
    if !item.contains_key(OF) {
        add(item, entry, candidates)?;
    }
    Ok(latest)
}

/// What is to be read at this place by those who follow, oldest first; and the place, and its instant.
pub(super) fn announced_by(item: &Item) -> Result<(String, Millis, Vec<Candidate>), TableError> {
    let (at, entry) = lies(item)?;
    let entry = match item.contains_key(OF) {
        true => Entry::from_slice(blob(item, OF)?).map_err(failed)?,
        false => entry,
    };
    let mut candidates = Vec::new();
    if !item.contains_key(LATE) {
        add(item, entry, &mut candidates)?;
    }
    candidates.sort_unstable_by(|a, b| (b.at, &a.key).cmp(&(a.at, &b.key)));
    Ok((string(item, SORT)?.to_owned(), at, candidates))
}

/// The instant under which an entry or a signpost lies, and its name.
fn lies(item: &Item) -> Result<(Millis, Entry), TableError> {
    let place = string(item, SORT)?;
    key::read_entry(place).ok_or_else(|| TableError(format!("{place} is no entry").into()))
}

fn add(item: &Item, entry: Entry, candidates: &mut Vec<Candidate>) -> Result<(), TableError> {
    let announced: Vec<Announced> = serde_json::from_str(&unpack(blob(item, EVENTS)?)?).map_err(failed)?;
    candidates.extend(announced.into_iter().map(|Announced(at, kind, partition, place)| Candidate {
        at: Reverse(at),
        key: Key { partition, place },
        entry,
        kind,
    }));
    Ok(())
}

/// The key of an item on the wire.
pub(super) fn wire(tenant: &TenantId, key: &Key) -> std::collections::HashMap<String, AttributeValue> {
    Item::from([(KEY.to_owned(), text(key.pk(tenant))), (SORT.to_owned(), text(&key.place))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(tenant: &str, received_at: Millis) -> Event {
        Event::read(tenant.parse().unwrap(), "{}".to_owned(), received_at, received_at).unwrap()
    }

    #[test]
    fn an_entry_is_of_one_tenant_and_of_one_minute() {
        let events = [
            event("b", 0),
            event("a", 100_000),
            event("a", 39_999),
            event("b", 60_000),
            event("a", 40_000),
            event("b", i64::MIN),
        ];
        let events: Vec<_> = events.iter().collect();
        assert_eq!(entries(&events), [vec![1, 4], vec![2], vec![3, 0], vec![5]]);
        let many: Vec<_> = vec![&events[0]; MOST + 1].into_iter().copied().collect();
        assert_eq!(entries(&many).iter().map(Vec::len).collect::<Vec<_>>(), [MOST, 1]);
        assert!(entries(&[]).is_empty());
    }
}
