//! `/api/webhooks/subscriptions`.

use axum::{Json, extract::State, http::StatusCode};
use events::SigningKeysError;
use provisioning::{Look, LookFirst, create_once};
use ringcentral::{
    CallError, Request,
    operations::{
        CREATE_SUBSCRIPTION, DELETE_SUBSCRIPTION, LIST_SUBSCRIPTIONS, READ_SUBSCRIPTION, RENEW_SUBSCRIPTION,
        UPDATE_SUBSCRIPTION,
    },
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use tenant::TenantId;
use trunkline_http::{
    Accept, Admin, Attempt, Body, Fields, IdempotencyKey, Optional, Problem, Segment, Type, Viewer,
    Violations,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Context;

/// The longest life of a webhook subscription: ten years, in seconds (RingCentral's OpenAPI, `expiresIn`).
const LONGEST: u32 = 315_360_000;
/// Where deliveries arrive.
const RECEIVER: &str = "/api/webhooks/events";

/// A subscription to be created.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewSubscription {
    /// RingCentral's event filters, such as `/restapi/v1.0/account/~/telephony/sessions`.
    #[schema(required)]
    event_filters: Option<Vec<String>>,
    /// May be left out: this gateway receives, at an address and with a token of its own choice.
    #[serde(default)]
    delivery_mode: Option<DeliveryMode>,
    /// Seconds, 60 to 315360000 (ten years, the default).
    #[serde(default)]
    expires_in: Option<u32>,
}

/// How events are delivered.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeliveryMode {
    /// `WebHook`.
    #[schema(required)]
    transport_type: Option<String>,
    /// An address of this gateway (its path is `/api/webhooks/events`), as clients of Gateway v2 send it.
    #[serde(default)]
    address: Option<String>,
}

impl Accept for NewSubscription {
    fn check(&self, violations: &mut Violations) {
        let filters = self.event_filters.as_deref().unwrap_or_default();
        violations.require(!filters.is_empty(), "eventFilters", "must name at least one filter");
        for (index, filter) in filters.iter().enumerate() {
            let fits = filter.starts_with('/')
                && filter.len() <= 1_024
                && filter.bytes().all(|c| c.is_ascii_graphic());
            violations.require(
                fits,
                &format!("eventFilters[{index}]"),
                "must be a path such as /restapi/v1.0/account/~/presence",
            );
        }
        check_life(violations, self.expires_in);
        let Some(mode) = &self.delivery_mode else { return };
        violations.require(
            mode.transport_type.as_deref() == Some("WebHook"),
            "deliveryMode.transportType",
            "must be WebHook",
        );
        let ours = mode.address.as_deref().is_none_or(|address| {
            let path = address.split_once("://").and_then(|(_, rest)| Some(&rest[rest.find('/')?..]));
            path.is_some_and(|path| path.trim_end_matches('/') == RECEIVER)
        });
        violations.require(
            ours,
            "deliveryMode.address",
            "must be left out or be this gateway's own /api/webhooks/events",
        );
    }
}

/// How long to renew for.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Renewal {
    /// Seconds, 60 to 315360000. Left out: as long as RingCentral chooses.
    #[serde(default)]
    expires_in: Option<u32>,
}

impl Accept for Renewal {
    fn check(&self, violations: &mut Violations) {
        check_life(violations, self.expires_in);
    }
}

fn check_life(violations: &mut Violations, expires_in: Option<u32>) {
    let fits = expires_in.is_none_or(|seconds| (60..=LONGEST).contains(&seconds));
    violations.require(fits, "expiresIn", "must be 60 to 315360000 seconds");
}

/// A subscription as RingCentral sends it, whole; the fields here are the ones it always has.
#[derive(Serialize, ToSchema)]
#[schema(as = Subscription)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionShape {
    id: String,
    event_filters: Vec<String>,
    /// Filters that were accepted but deliver nothing, each with its reason. Look at this after creating.
    #[schema(value_type = Vec<Object>)]
    disabled_filters: Vec<Value>,
    expiration_time: String,
    expires_in: i64,
    /// `Active` or `Blacklisted`.
    status: String,
}

/// All subscriptions of the service user in this app.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionList)]
pub(crate) struct SubscriptionListShape {
    records: Vec<SubscriptionShape>,
}

/// List subscriptions
#[utoipa::path(get, path = "/api/webhooks/subscriptions", tag = "webhooks", operation_id = "listSubscriptions",
    responses((status = 200, description = "Done", body = SubscriptionListShape)))]
pub(crate) async fn list(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    fields: Fields,
) -> Result<Json<Box<RawValue>>, Problem> {
    fields.finish()?;
    answer(&context, &caller.tenant, Request::of(&LIST_SUBSCRIPTIONS)).await
}

/// Create a subscription
///
/// RingCentral checks the receiver before it answers. Look at `disabledFilters` in the answer.
#[utoipa::path(post, path = "/api/webhooks/subscriptions", tag = "webhooks", operation_id = "createSubscription",
    params(("Idempotency-Key" = Option<String>, Header, description = "Carries the request out once")),
    request_body = NewSubscription, responses((status = 201, description = "Done", body = SubscriptionShape)))]
pub(crate) async fn create(
    State(context): State<Context>,
    Admin(caller): Admin,
    attempt: Attempt,
    key: Option<IdempotencyKey>,
    fields: Fields,
    Body(wanted): Body<NewSubscription>,
) -> Result<(StatusCode, Json<Box<RawValue>>), Problem> {
    fields.finish()?;
    let keys = context.keys.signing_keys(&caller.tenant).await.map_err(no_keys)?;
    // The same request gets the same address, by which an earlier attempt is recognised.
    let seed = key.map_or_else(|| Uuid::new_v4().to_string(), |key| format!("{}#{}", caller.subject, key.0));
    let key = keys.subscription_key(&caller.tenant, &seed);
    let address = format!("{}{RECEIVER}/{}/{key}", context.delivered_to, caller.tenant);
    let request = Request::of(&CREATE_SUBSCRIPTION).json(&json!({
        "eventFilters": wanted.event_filters,
        "expiresIn": wanted.expires_in.unwrap_or(LONGEST),
        "deliveryMode": {
            "transportType": "WebHook",
            "address": address,
            "verificationToken": keys.token(&caller.tenant, &key).expose_secret(),
        }
    }));
    let request = request.map_err(|error| Problem::field("body", error.to_string()))?;
    let look_first = LookFirst(attempt == Attempt::Resumed);
    let look = || look(&context, &caller.tenant, &address);
    let created = create_once(&context.ringcentral, &caller.tenant, &request, look_first, look).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// The subscription that delivers to this address: there can be only one.
async fn look(context: &Context, tenant: &TenantId, address: &str) -> Result<Look, CallError> {
    let page = context.ringcentral.page(tenant, &Request::of(&LIST_SUBSCRIPTIONS)).await?;
    let delivers_there = |record: &RawValue| {
        let subscription: Value = serde_json::from_str(record.get()).unwrap_or_default();
        subscription.pointer("/deliveryMode/address").and_then(Value::as_str) == Some(address)
    };
    Ok(page.records.into_iter().find(|record| delivers_there(record)).map_or(Look::Nothing, Look::Found))
}

/// Read a subscription
#[utoipa::path(get, path = "/api/webhooks/subscriptions/{id}", tag = "webhooks", operation_id = "readSubscription",
    params(("id" = String, Path, description = "RingCentral's subscription id")),
    responses((status = 200, description = "Done", body = SubscriptionShape)))]
pub(crate) async fn read(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    Segment(id): Segment,
    fields: Fields,
) -> Result<Json<Box<RawValue>>, Problem> {
    check_id(&id)?;
    fields.finish()?;
    answer(&context, &caller.tenant, Request::of(&READ_SUBSCRIPTION).parameter("subscriptionId", id)).await
}

/// Renew a subscription
#[utoipa::path(post, path = "/api/webhooks/subscriptions/{id}/renew", tag = "webhooks", operation_id = "renewSubscription",
    params(
        ("id" = String, Path, description = "RingCentral's subscription id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Carries the request out once")
    ),
    request_body = Option<Renewal>, responses((status = 200, description = "Done", body = SubscriptionShape)))]
pub(crate) async fn renew(
    State(context): State<Context>,
    Admin(caller): Admin,
    Segment(id): Segment,
    fields: Fields,
    Optional(renewal): Optional<Renewal>,
) -> Result<Json<Box<RawValue>>, Problem> {
    check_id(&id)?;
    fields.finish()?;
    // The renew operation takes no body, so a chosen life goes by way of an update.
    let request = match renewal.unwrap_or_default().expires_in {
        None => Request::of(&RENEW_SUBSCRIPTION),
        Some(seconds) => Request::of(&UPDATE_SUBSCRIPTION)
            .json(&json!({ "expiresIn": seconds }))
            .map_err(|error| Problem::field("body", error.to_string()))?,
    };
    answer(&context, &caller.tenant, request.parameter("subscriptionId", id)).await
}

/// Delete a subscription
#[utoipa::path(delete, path = "/api/webhooks/subscriptions/{id}", tag = "webhooks", operation_id = "deleteSubscription",
    params(("id" = String, Path, description = "RingCentral's subscription id")), responses((status = 204, description = "Done")))]
pub(crate) async fn delete(
    State(context): State<Context>,
    Admin(caller): Admin,
    Segment(id): Segment,
    fields: Fields,
) -> Result<StatusCode, Problem> {
    check_id(&id)?;
    fields.finish()?;
    let request = Request::of(&DELETE_SUBSCRIPTION).parameter("subscriptionId", id);
    context.ringcentral.call(&caller.tenant, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn answer(
    context: &Context,
    tenant: &TenantId,
    request: Request,
) -> Result<Json<Box<RawValue>>, Problem> {
    let answer = context.ringcentral.call(tenant, &request).await?;
    answer.raw().map(Json).map_err(|error| {
        Problem::new(Type::RingcentralUnavailable)
            .detail("RingCentral's answer has no body.")
            .caused_by(&error)
    })
}

/// Ids are GUIDs; only their alphabet reaches RingCentral.
fn check_id(id: &str) -> Result<(), Problem> {
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if fits { Ok(()) } else { Err(Problem::field("id", "must be a subscription id")) }
}

fn no_keys(error: SigningKeysError) -> Problem {
    match &error {
        SigningKeysError::Unknown(_) => Problem::new(Type::CredentialsRefused)
            .detail(error.to_string())
            .hint("Store this tenant's secret with its `webhooks` keys."),
        SigningKeysError::Unreadable(_) => {
            Problem::new(Type::StoreUnavailable).detail("The webhook keys can't be read.").caused_by(&error)
        }
    }
}
