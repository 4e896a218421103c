//! The state of telephony sessions: one item for each call, replaced only by who has read the one before.

use aws_sdk_dynamodb::types::Put;
use events::TelephonySession;
use serde::{Deserialize, Serialize};
use tenant::TenantId;

use crate::{
    TableError, Tables,
    client::{failed, item, number},
};

/// A session as it is stored: the public shape hides its tenant and version.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    pk: String,
    tenant: TenantId,
    version: u64,
    telephony_session_id: String,
    sequence: i64,
    parties: String,
    events_applied: u64,
    events_late: u64,
    /// Seconds.
    expires_at: i64,
}

pub(crate) fn key(tenant: &TenantId, id: &str) -> String {
    format!("{tenant}#{id}")
}

/// The write of a session's new state, on the condition that nobody wrote since it was read.
pub(crate) fn put(tables: &Tables, session: &TelephonySession, expires_at: i64) -> Result<Put, TableError> {
    let stored = Stored {
        pk: key(&session.tenant, &session.telephony_session_id),
        tenant: session.tenant.clone(),
        version: session.version,
        telephony_session_id: session.telephony_session_id.clone(),
        sequence: session.sequence,
        parties: serde_json::to_string(&session.parties).map_err(failed)?,
        events_applied: session.events_applied,
        events_late: session.events_late,
        expires_at,
    };
    let put = Put::builder().table_name(tables.name("sessions")).set_item(Some(item(&stored)?));
    let put = match session.version {
        0 | 1 => put.condition_expression("attribute_not_exists(pk)"),
        version => put
            .condition_expression("#version = :before")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":before", number(version - 1)),
    };
    put.build().map_err(failed)
}

pub(crate) async fn read(
    tables: &Tables,
    tenant: &TenantId,
    id: &str,
) -> Result<Option<TelephonySession>, TableError> {
    let Some(stored) = tables.get::<Stored>("sessions", &key(tenant, id)).await? else { return Ok(None) };
    Ok(Some(TelephonySession {
        tenant: stored.tenant,
        telephony_session_id: stored.telephony_session_id,
        sequence: stored.sequence,
        parties: serde_json::from_str(&stored.parties).map_err(failed)?,
        events_applied: stored.events_applied,
        events_late: stored.events_late,
        version: stored.version,
    }))
}
