//! The events of a call, in the order of its sequence: they lie together.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
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

/// Every event of a call.
pub(super) async fn all(tables: &Tables, tenant: &TenantId, id: &str) -> Result<Vec<Event>, TableError> {
    let events = read(query(tables, tenant, id), tenant, id, usize::MAX).await?;
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

pub(super) async fn list(
    tables: &Tables,
    tenant: &TenantId,
    id: &str,
    asked: &EventQuery,
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
    let events = read(request, tenant, id, asked.limit + 1).await.map_err(store_failed)?;
    Ok(page::of(events, asked.limit, false))
}

fn query(tables: &Tables, tenant: &TenantId, id: &str) -> QueryFluentBuilder {
    let request = tables.client().query().table_name(tables.name(TABLE)).consistent_read(true);
    request
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", text(key::pk(tenant, &key::call(id))))
}

/// Reads until there are as many as that.
async fn read(
    mut request: QueryFluentBuilder,
    tenant: &TenantId,
    id: &str,
    enough: usize,
) -> Result<Vec<(Key, Event)>, TableError> {
    let mut events = Vec::new();
    loop {
        let output = request.clone().send().await.map_err(failed)?;
        for item in output.items.unwrap_or_default() {
            let place = item::string(&item, SORT)?.to_owned();
            events.push((Key { partition: key::call(id), place }, item::event(tenant, &item)?));
            if events.len() == enough {
                return Ok(events);
            }
        }
        match output.last_evaluated_key {
            Some(key) => request = request.set_exclusive_start_key(Some(key)),
            None => return Ok(events),
        }
    }
}
