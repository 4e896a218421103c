//! `GET /api/platform/limits`.

use axum::{Json, extract::State};
use clock::Millis;
use gate::{Cause, Grant, Group, Priority, Probation, Window};
use jiff::Timestamp;
use serde::Serialize;
use trunkline_http::{Fields, Problem, Viewer, openapi::OfTheTenant, words};
use utoipa::ToSchema;

use crate::Context;

words!(
    GroupName: open_set &["light", "medium", "heavy", "auth"],
    BlockCause: one_of &["penalty", "breaker"],
    CircuitState: one_of &["closed", "open", "probing"],
);

/// The rate budgets of the tenant's app and user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Limits {
    records: Vec<Limit>,
}

/// One throttling group: its sliding window and who uses it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Limit {
    #[schema(value_type = GroupName)]
    group: String,
    /// Requests per window, as RingCentral announced it, else its default.
    limit: u32,
    window_seconds: f64,
    /// Requests of the last window.
    used: Usage,
    /// Slots that callers were promised and have not used yet.
    reserved: Usage,
    /// Requests of other tools on the same app and user that room is made for.
    foreign: u32,
    /// Requests that may be sent at once.
    remaining: u32,
    /// When the next request may be sent.
    next_free: Timestamp,
    /// Nobody sends before this; missing while nothing stops it.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_until: Option<Timestamp>,
    /// Why: `penalty` after a 429, `breaker` after failures in a row.
    #[schema(value_type = BlockCause, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    circuit: Circuit,
}

/// Requests by priority.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Usage {
    interactive: u32,
    event: u32,
    batch: u32,
}

/// The circuit breaker of the group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Circuit {
    /// While it is `probing`, one request is trying.
    #[schema(value_type = CircuitState)]
    state: &'static str,
    /// Failures of RingCentral in a row.
    failures: u32,
}

/// Read the rate budgets
#[utoipa::path(get, path = "/api/platform/limits", tag = "platform", operation_id = "listLimits",
    responses((status = 200, description = "Done", body = Limits), OfTheTenant))]
pub(crate) async fn list(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    fields: Fields,
) -> Result<Json<Limits>, Problem> {
    fields.finish()?;
    let windows = context.ringcentral.limits(&caller.tenant).await?;
    let now = context.clock.now();
    Ok(Json(Limits {
        records: windows.into_iter().map(|(group, window)| limit(&group, &window, now)).collect(),
    }))
}

fn limit(group: &Group, window: &Window, now: Millis) -> Limit {
    let (used, reserved) = window.usage(now);
    let blocked = window.blocked_until > now;
    let state = match (window.probation, window.cause) {
        (Probation::Running(until), _) if until > now => "probing",
        (_, Some(Cause::Breaker)) => "open",
        _ => "closed",
    };
    Limit {
        group: group.as_str().to_owned(),
        limit: window.limit,
        #[expect(clippy::cast_precision_loss, reason = "a window is far shorter than 2^53 ms")]
        window_seconds: window.length as f64 / 1_000.0,
        used: usage(&used),
        reserved: usage(&reserved),
        foreign: window.foreign(),
        remaining: window.remaining(now),
        next_free: clock::timestamp(window.next_free(now, Priority::Interactive).0),
        blocked_until: blocked.then(|| clock::timestamp(window.blocked_until)),
        cause: window.cause.filter(|_| blocked).map(|cause| match cause {
            Cause::Breaker => "breaker",
            Cause::Window | Cause::Penalty => "penalty",
        }),
        circuit: Circuit { state, failures: window.failures },
    }
}

fn usage(grants: &[Grant]) -> Usage {
    grants.iter().fold(Usage::default(), |mut usage, Grant { priority, count, .. }| {
        *match priority {
            Priority::Interactive => &mut usage.interactive,
            Priority::Event => &mut usage.event,
            Priority::Batch => &mut usage.batch,
        } += count;
        usage
    })
}
