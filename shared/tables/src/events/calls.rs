//! The events of a call, in the order of its sequence: they lie together.

use std::ops::ControlFlow;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use clock::Millis;
use events::{Event, EventPage, EventQuery, EventStoreError};
use tenant::TenantId;

use super::{
    TABLE,
    item::{self, KIND, RECEIVED},
    journal::wire,
    key::{self, Key},
    page::{Gathered, Position},
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
    let mut events = Vec::new();
    let whole = Bounds { steps: usize::MAX, now };
    read(query(tables, tenant, id), tenant, id, &whole, |_, event| {
        events.push(event);
        ControlFlow::Continue(())
    })
    .await?;
    Ok(events)
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
    let mut events = Gathered::new(asked.limit);
    let take = |key, event: Event| {
        if asked.subscription.is_none() || asked.subscription == event.subscription_id {
            events.push(key, event);
        }
        if events.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let looked_at =
        read(request, tenant, id, &Bounds { steps: STEPS, now }, take).await.map_err(store_failed)?;
    Ok(events.page(false, looked_at))
}

fn query(tables: &Tables, tenant: &TenantId, id: &str) -> QueryFluentBuilder {
    let request = tables.client().query().table_name(tables.name(TABLE)).consistent_read(true);
    request
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", text(key::pk(tenant, &key::call(id))))
}

/// Where reading ends.
struct Bounds {
    /// When it has asked so often.
    steps: usize,
    /// Without those that have ended.
    now: Millis,
}

/// Reads events until whoever takes them has enough, and tells where the looking ended if it came to no other end.
async fn read(
    mut request: QueryFluentBuilder,
    tenant: &TenantId,
    id: &str,
    bounds: &Bounds,
    mut take: impl FnMut(Key, Event) -> ControlFlow<()>,
) -> Result<Option<Position>, TableError> {
    for asked in 1.. {
        let output = request.clone().send().await.map_err(failed)?;
        for item in output.items.unwrap_or_default() {
            if !item::is_read(&item, bounds.now)? {
                continue;
            }
            let key = Key { partition: key::call(id), place: item::string(&item, SORT)?.to_owned() };
            if take(key, item::event(tenant, &item)?).is_break() {
                return Ok(None);
            }
        }
        let Some(last) = output.last_evaluated_key else { break };
        if asked >= bounds.steps {
            let place = item::string(&last, SORT)?.to_owned();
            return Ok(Some(Position { at: None, partition: key::call(id), place }));
        }
        request = request.set_exclusive_start_key(Some(last));
    }
    Ok(None)
}
