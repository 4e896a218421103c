//! Events by the time they were received, newest first, found through the journal.
//!
//! Entries are read by their latest event, backwards. Whatever was received after the latest event of the last entry read
//! can't be in an entry that was not: so much of the order is certain, and is looked up in the table. An announced event is
//! one of the list if the table has it as this entry announced it; so each that is applied is listed once.
//!
//! A page costs a bounded number of requests, however rare what it looks for: it ends where the looking ended, with what there
//! is, and the next one goes on there.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, HashSet},
};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use clock::Millis;
use events::{EventPage, EventQuery, EventStoreError};
use tenant::TenantId;

use super::{
    TABLE, item,
    journal::{Candidate, Reader, wire},
    key::Key,
    page::{Gathered, Position},
    store_failed,
};
use crate::{
    TableError, Tables,
    client::{Item, failed},
    schema::{KEY, SORT},
};

/// The most keys that DynamoDB looks up at once.
const LOOKED_UP: usize = 100;
/// How often a page asks the journal, and looks up, at most. Only a minute of more entries than that makes it ask on.
const STEPS: usize = 10;

pub(super) async fn list(
    tables: &Tables,
    tenant: &TenantId,
    query: &EventQuery,
    now: Millis,
) -> Result<EventPage, EventStoreError> {
    let position = query.after.as_deref().map(Position::decode).transpose()?;
    let after = match position {
        None => None,
        Some(Position { at: Some(at), partition, place }) if (query.from..=query.to).contains(&at) => {
            Some((Reverse(at), Key { partition, place }))
        }
        Some(_) => return Err(EventStoreError::InvalidPosition),
    };
    let (events, looked_at) = read(tables, tenant, query, after, now).await.map_err(store_failed)?;
    Ok(events.page(true, looked_at))
}

/// The events of a page, and where the looking ended, if it did not come to the end.
async fn read(
    tables: &Tables,
    tenant: &TenantId,
    query: &EventQuery,
    after: Option<(Reverse<Millis>, Key)>,
    now: Millis,
) -> Result<(Gathered, Option<Position>), TableError> {
    let to = after.as_ref().map_or(query.to, |(Reverse(at), _)| *at);
    let wanted = |candidate: &Candidate| {
        (query.from..=to).contains(&candidate.at.0)
            && query.kind.is_none_or(|kind| candidate.kind == kind)
            && after.as_ref().is_none_or(|(at, key)| (candidate.at, &candidate.key) > (*at, key))
    };
    let mut journal = Reader::new(tables, tenant, query.from, to);
    let mut waiting = BTreeSet::new();
    let mut events = Gathered::new(query.limit);
    let (mut asked, mut looked_up, mut missed) = (0, 0, false);
    let mut last = None;
    loop {
        let step = journal.next().await?;
        asked += 1;
        let unread_until = step.as_ref().map_or(Millis::MIN, |step| step.unread_until);
        let ended = unread_until < query.from;
        waiting.extend(step.into_iter().flat_map(|step| step.candidates).filter(wanted));
        let certain = |candidate: &Candidate| ended || candidate.at.0 > unread_until;
        while !events.is_full() && waiting.first().is_some_and(certain) {
            if looked_up == STEPS {
                return Ok((events, last));
            }
            looked_up += 1;
            // No more than is asked for, as long as all that is looked up is found.
            let most = if missed { LOOKED_UP } else { LOOKED_UP.min(events.wanted()) };
            let chunk = next(&mut waiting, most, certain);
            last = chunk.last().map(Position::of);
            let hoped = events.len() + chunk.len();
            applied(tables, tenant, chunk, (query, now), &mut events).await?;
            missed |= events.len() < hoped;
        }
        if ended || events.is_full() {
            return Ok((events, None));
        }
        if asked >= STEPS && unread_until < to {
            return Ok((events, Some(Position::after(unread_until))));
        }
    }
}

/// Takes so many candidates whose place is certain. What several entries announce is taken as one, so that a page may end
/// behind it.
fn next(
    waiting: &mut BTreeSet<Candidate>,
    most: usize,
    certain: impl Fn(&Candidate) -> bool,
) -> Vec<Candidate> {
    let mut chunk: Vec<Candidate> = Vec::new();
    while let Some(first) = waiting.first().filter(|first| certain(first)) {
        let again = chunk.last().is_some_and(|last| (last.at, &last.key) == (first.at, &first.key));
        if chunk.len() >= most && !again {
            break;
        }
        chunk.extend(waiting.pop_first());
    }
    chunk
}

/// Adds those of the candidates that were applied as they were announced.
async fn applied(
    tables: &Tables,
    tenant: &TenantId,
    candidates: Vec<Candidate>,
    (query, now): (&EventQuery, Millis),
    events: &mut Gathered,
) -> Result<(), TableError> {
    // Several entries may have announced the same event, and a key may be asked for only once.
    let keys: HashSet<&Key> = candidates.iter().map(|candidate| &candidate.key).collect();
    let items = look_up(tables, keys.into_iter().map(|key| wire(tenant, key)).collect()).await?;
    for Candidate { at, key, entry, .. } in candidates {
        if events.is_full() {
            break;
        }
        let Some(item) = items.get(&(key.pk(tenant), key.place.clone())) else { continue };
        if item::announced(item)? == entry && item::received(item)? == at.0 && item::is_read(item, now)? {
            let event = item::event(tenant, item)?;
            if query.subscription.is_none() || query.subscription == event.subscription_id {
                events.push(key, event);
            }
        }
    }
    Ok(())
}

/// The items that there are of these keys. DynamoDB may answer in parts, of 16 MB or as much as it can do at once.
pub(super) async fn look_up(
    tables: &Tables,
    mut keys: Vec<Item>,
) -> Result<HashMap<(String, String), Item>, TableError> {
    let table = tables.name(TABLE);
    let mut items = HashMap::new();
    while !keys.is_empty() {
        let asked = keys.len();
        let of_table = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys));
        let request = tables.client().batch_get_item();
        let output = request.request_items(&table, of_table.build().map_err(failed)?).send().await;
        let mut output = output.map_err(failed)?;
        for item in output.responses.as_mut().and_then(|tables| tables.remove(&table)).unwrap_or_default() {
            let key = (item::string(&item, KEY)?.to_owned(), item::string(&item, SORT)?.to_owned());
            items.insert(key, item);
        }
        let left = output.unprocessed_keys.as_mut().and_then(|tables| tables.remove(&table));
        keys = left.map(|left| left.keys).unwrap_or_default();
        if keys.len() >= asked {
            // Whoever asked hears to come back; asking again at once would only be throttled again.
            return Err(TableError("DynamoDB looked nothing up".into()));
        }
    }
    Ok(items)
}
