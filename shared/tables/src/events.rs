//! Processed events: the idempotency record and the event are one item.

mod list;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use clock::Millis;
use events::{Begun, Event, EventPage, EventQuery, EventStore, EventStoreError, TelephonySession};
use serde::{Deserialize, Serialize};
use tenant::TenantId;

use crate::{
    TableError, Tables,
    client::{Outcome, failed, item, number, put_outcome, read, text},
    sessions,
};

/// [`EventStore`] in DynamoDB.
#[derive(Debug, Clone)]
pub struct EventTable {
    tables: Tables,
    kept_seconds: i64,
}

/// The lease on an event that is being processed.
#[derive(Serialize, Deserialize)]
struct Lease {
    pk: String,
    holder: String,
    lease_until: Millis,
    expires_at: i64,
}

/// A processed event, with the keys of its indexes.
#[derive(Serialize, Deserialize)]
struct Stored {
    pk: String,
    day: String,
    day_place: String,
    /// Missing for what belongs to no call, so that it is not in that index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session_place: Option<String>,
    kind: String,
    event: String,
    raw: String,
    expires_at: i64,
}

impl EventTable {
    /// The events of a deployment, kept for this many days.
    #[must_use]
    pub fn new(tables: Tables, kept_days: u32) -> Self {
        Self { tables, kept_seconds: i64::from(kept_days) * 86_400 }
    }

    fn stored(&self, event: &Event) -> Result<Stored, TableError> {
        Ok(Stored {
            pk: event.key.clone(),
            day: list::day(&event.tenant, event.received_at),
            day_place: list::place(event.received_at, &event.key),
            session: event.session.as_ref().map(|(id, _)| sessions::key(&event.tenant, id)),
            session_place: event.session.as_ref().map(|(_, sequence)| list::place(*sequence, &event.key)),
            kind: event.kind.as_str().to_owned(),
            event: serde_json::to_string(event).map_err(failed)?,
            raw: event.raw.clone(),
            expires_at: event.processed_at / 1_000 + self.kept_seconds,
        })
    }

    async fn try_begin(
        &self,
        key: &str,
        owner: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Begun, TableError> {
        let expires_at = now / 1_000 + self.kept_seconds;
        let lease = Lease { pk: key.to_owned(), holder: owner.to_owned(), lease_until: until, expires_at };
        let sent = self
            .tables
            .client()
            .put_item()
            .table_name(self.tables.name("events"))
            .set_item(Some(item(&lease)?))
            .condition_expression(
                "attribute_not_exists(pk) OR (attribute_not_exists(kind) AND lease_until <= :now)",
            )
            .expression_attribute_values(":now", number(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put_outcome(sent, |_| None)? {
            Outcome::Written(_) => Ok(Begun::Yes),
            Outcome::Refused(Some(standing)) if !standing.contains_key("kind") => {
                Ok(Begun::Busy { until: read::<Lease>(standing)?.lease_until })
            }
            Outcome::Refused(_) => Ok(Begun::Done),
        }
    }

    async fn try_complete(
        &self,
        owner: &str,
        event: &Event,
        session: Option<&TelephonySession>,
    ) -> Result<Result<(), EventStoreError>, TableError> {
        let stored = self.stored(event)?;
        let lost = || EventStoreError::LeaseLost(event.key.clone());
        let put = Put::builder()
            .table_name(self.tables.name("events"))
            .set_item(Some(item(&stored)?))
            .condition_expression("holder = :owner")
            .expression_attribute_values(":owner", text(owner))
            .build()
            .map_err(failed)?;
        let Some(session) = session else {
            let sent = self
                .tables
                .client()
                .put_item()
                .table_name(put.table_name)
                .set_item(Some(put.item))
                .condition_expression("holder = :owner")
                .expression_attribute_values(":owner", text(owner))
                .send()
                .await;
            return Ok(match put_outcome(sent, |_| None)? {
                Outcome::Written(_) => Ok(()),
                Outcome::Refused(_) => Err(lost()),
            });
        };
        let session = sessions::put(&self.tables, session, stored.expires_at)?;
        let write = |put: Put| TransactWriteItem::builder().put(put).build();
        let request = self.tables.client().transact_write_items();
        match request.transact_items(write(put)).transact_items(write(session)).send().await {
            Ok(_) => Ok(Ok(())),
            Err(error) => match error.into_service_error() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    let reasons = cancelled.cancellation_reasons.unwrap_or_default();
                    let why = |index: usize| reasons.get(index).and_then(|reason| reason.code.as_deref());
                    match (why(0), why(1)) {
                        (Some("ConditionalCheckFailed"), _) => Ok(Err(lost())),
                        // Another event of the same call was being written at the same moment.
                        (_, Some("ConditionalCheckFailed" | "TransactionConflict"))
                        | (Some("TransactionConflict"), _) => Ok(Err(EventStoreError::SessionChanged)),
                        _ => Err(TableError(format!("the transaction was cancelled: {reasons:?}").into())),
                    }
                }
                other => Err(failed(other)),
            },
        }
    }
}

fn store_failed(error: TableError) -> EventStoreError {
    EventStoreError::Failed(Box::new(error))
}

#[async_trait]
impl EventStore for EventTable {
    async fn begin(
        &self,
        key: &str,
        owner: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Begun, EventStoreError> {
        self.try_begin(key, owner, now, until).await.map_err(store_failed)
    }

    async fn complete(
        &self,
        owner: &str,
        event: &Event,
        session: Option<&TelephonySession>,
    ) -> Result<(), EventStoreError> {
        self.try_complete(owner, event, session).await.map_err(store_failed)?
    }

    async fn session(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<TelephonySession>, EventStoreError> {
        sessions::read(&self.tables, tenant, id).await.map_err(store_failed)
    }

    async fn list(&self, tenant: &TenantId, query: &EventQuery) -> Result<EventPage, EventStoreError> {
        list::list(&self.tables, tenant, query).await
    }
}
