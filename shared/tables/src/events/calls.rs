//! The events of a call, in the order of its sequence: they lie together.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use clock::Millis;
use events::{Event, EventPage, EventQuery, EventStoreError};
use tenant::TenantId;

use super::{
    TABLE,
    item::{self, KIND, RECEIVED},
    journal::wire,
    key::{self, Key},
    page::{self, Position},
    store_failed,
};
use crate::{
    TableError, Tables,
    client::{failed, number, text},
    schema::SORT,
};

/// How often a page of a call asks, at most.
const STEPS: usize = 10;

/// Every event of a call.
pub(super) async fn all(
    tables: &Tables,
    tenant: &TenantId,
    id: &str,
    now: Millis,
) -> Result<Vec<Event>, TableError> {
    let whole = Bounds { enough: usize::MAX, steps: usize::MAX, now };
    let (events, _) = read(query(tables, tenant, id), tenant, id, &whole, |_| true).await?;
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

pub(super) async fn list(
    tables: &Tables,
    tenant: &TenantId,
    id: &str,
    asked: &EventQuery,
    now: Millis,
) -> Result<EventPage, EventStoreError> {
    let mut request = query(tables, tenant, id)
        .filter_expression("#received BETWEEN :from AND :to")
        .expression_attribute_names("#received", RECEIVED)
        .expression_attribute_values(":from", number(asked.from))
        .expression_attribute_values(":to", number(asked.to));
    if let Some(kind) = asked.kind {
        request = request
            .filter_expression("#received BETWEEN :from AND :to AND #kind = :kind")
            .expression_attribute_names("#kind", KIND)
            .expression_attribute_values(":kind", text(kind.as_str()));
    }
    if let Some(after) = &asked.after {
        let Position { at: None, partition, place } = Position::decode(after)? else {
            return Err(EventStoreError::InvalidPosition);
        };
        if partition != key::call(id) {
            return Err(EventStoreError::InvalidPosition);
        }
        request = request.set_exclusive_start_key(Some(wire(tenant, &Key { partition, place })));
    }
    let bounds = Bounds { enough: asked.limit + 1, steps: STEPS, now };
    let of_subscription =
        |event: &Event| asked.subscription.is_none() || asked.subscription == event.subscription_id;
    let read = read(request, tenant, id, &bounds, of_subscription).await;
    let (events, looked_at) = read.map_err(store_failed)?;
    let mut page = page::of(events, asked.limit, false);
    page.next = page.next.or(looked_at.map(|position| position.encode()));
    Ok(page)
}

fn query(tables: &Tables, tenant: &TenantId, id: &str) -> QueryFluentBuilder {
    let request = tables.client().query().table_name(tables.name(TABLE)).consistent_read(true);
    request
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", text(key::pk(tenant, &key::call(id))))
}

/// Where reading ends.
struct Bounds {
    /// With so many events.
    enough: usize,
    /// Or when it has asked so often.
    steps: usize,
    /// Without those that have ended.
    now: Millis,
}

/// Reads the events that are wanted, and tells where the looking ended if it came to no other end.
async fn read(
    mut request: QueryFluentBuilder,
    tenant: &TenantId,
    id: &str,
    bounds: &Bounds,
    wanted: impl Fn(&Event) -> bool,
) -> Result<(Vec<(Key, Event)>, Option<Position>), TableError> {
    let mut events = Vec::new();
    for asked in 1.. {
        let output = request.clone().send().await.map_err(failed)?;
        for item in output.items.unwrap_or_default() {
            if !item::is_read(&item, bounds.now)? {
                continue;
            }
            let place = item::string(&item, SORT)?.to_owned();
            let event = item::event(tenant, &item)?;
            if wanted(&event) {
                events.push((Key { partition: key::call(id), place }, event));
            }
            if events.len() == bounds.enough {
                return Ok((events, None));
            }
        }
        let Some(last) = output.last_evaluated_key else { break };
        if asked >= bounds.steps {
            let place = item::string(&last, SORT)?.to_owned();
            return Ok((events, Some(Position { at: None, partition: key::call(id), place })));
        }
        request = request.set_exclusive_start_key(Some(last));
    }
    Ok((events, None))
}
