//! `/api/webhooks/subscriptions`.

use axum::{Json, extract::State, http::StatusCode};
use events::SigningKeysError;
use provisioning::{Earlier, Look, create_once};
use ringcentral::{
    CallError, LONGEST_LIFE, Request,
    operations::{CREATE_SUBSCRIPTION, DELETE_SUBSCRIPTION, LIST_SUBSCRIPTIONS, READ_SUBSCRIPTION},
    renewal,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json, value::RawValue};
use tenant::TenantId;
use trunkline_http::{
    Admin, Attempt, Draft, FieldError, Fields, IdempotencyKey, Optional, Problem, Segment, Type, Viewer,
    openapi::FromRingCentral,
};
use uuid::Uuid;

use crate::{
    Context,
    listed::{SubscriptionPage, SubscriptionPageShape},
    models::{NewSubscription, RECEIVER, Renewal, SubscriptionShape},
};

/// List subscriptions
///
/// Those of the service user in this app, other tools' among them, in RingCentral's order.
#[utoipa::path(get, path = "/api/webhooks/subscriptions", tag = "webhooks", operation_id = "listSubscriptions",
    params(
        ("page" = Option<u32>, Query, minimum = 1, maximum = 1_000_000, description = "From 1"),
        ("perPage" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Default 100"),
    ),
    responses((status = 200, description = "Done", body = SubscriptionPageShape), FromRingCentral))]
pub(crate) async fn list(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    mut fields: Fields,
) -> Result<Json<SubscriptionPage>, Problem> {
    let page = fields.number("page", 1..=1_000_000).unwrap_or(1) as usize;
    let per_page = fields.number("perPage", 1..=1_000).unwrap_or(100) as usize;
    fields.finish()?;
    let all = context.ringcentral.page(&caller.tenant, &Request::of(&LIST_SUBSCRIPTIONS)).await?;
    Ok(Json(SubscriptionPage::of(all.records, page, per_page)))
}

/// Create a subscription
///
/// RingCentral checks the receiver before it answers. Look at `disabledFilters` in the answer.
#[utoipa::path(post, path = "/api/webhooks/subscriptions", tag = "webhooks", operation_id = "createSubscription",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "Carries the request out once: visible ASCII characters of your choice, another for each new request")),
    request_body(content = NewSubscription, example = json!({
        "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"]
    })),
    responses((status = 201, description = "Done", body = SubscriptionShape), FromRingCentral))]
pub(crate) async fn create(
    State(context): State<Context>,
    Admin(caller): Admin,
    attempt: Attempt,
    key: Option<IdempotencyKey>,
    fields: Fields,
    wanted: Draft<NewSubscription>,
) -> Result<(StatusCode, Json<Box<RawValue>>), Problem> {
    fields.finish()?;
    let doors = context.doors.each_ref().map(|door| &**door);
    let wanted = wanted.judged(|wanted, violations| wanted.judge(&doors, violations))?;
    let keys = context.keys.signing_keys(&caller.tenant).await.map_err(no_keys)?;
    // The same request gets the same address, by which an earlier attempt is recognised.
    let seed = key.map_or_else(|| Uuid::new_v4().to_string(), |key| format!("{}#{}", caller.subject, key.0));
    let key = keys.subscription_key(&caller.tenant, &seed);
    let address = format!("{}{RECEIVER}/{}/{key}", context.delivered_to(), caller.tenant);
    let request = Request::of(&CREATE_SUBSCRIPTION).json(&json!({
        "eventFilters": wanted.event_filters,
        "expiresIn": wanted.expires_in.unwrap_or(LONGEST_LIFE.into()),
        "deliveryMode": {
            "transportType": "WebHook",
            "address": address,
            "verificationToken": keys.token(&caller.tenant, &key).expose_secret(),
        }
    }));
    let request = request.map_err(|error| Problem::field("body", error.to_string()))?;
    let earlier = attempt.earlier().map(Earlier::from);
    let look = |_| look(&context, &caller.tenant, &address);
    let created = create_once(&context.ringcentral, &caller.tenant, &request, earlier, look).await;
    let created = created.map_err(|error| unreached(error, context.delivered_to()))?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Why a subscription could not be made. Where the handshake failed the address is at fault, and that one was our choice.
fn unreached(error: CallError, delivered_to: &str) -> Problem {
    let CallError::Rejected { rejection, .. } = &error else { return error.into() };
    let found = match rejection.code.as_str() {
        "SUB-520" => {
            "was answered without its Validation-Token: something else than the gateway answers there"
        }
        "SUB-521" => "reached nothing",
        "SUB-523" => "asks for HTTPS",
        "SUB-524" => "does not trust the certificate, of whose chain a part may be missing",
        "SUB-525" => "got an answer that is none of the gateway's: not 200, no JSON, or over 1024 bytes",
        _ => return error.into(),
    };
    let field = FieldError { field: "deliveryMode.address".to_owned(), reason: rejection.message.clone() };
    let hint = format!(
        "RingCentral tried to reach this gateway at {delivered_to} and {found}. The gateway chose this address by its \
         own settings: --public-url on one machine; PublicUrl, or WebhookEndpoint, on AWS."
    );
    Problem::from(error).errors(vec![field]).hint(hint)
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
    params(("id" = String, Path, pattern = "^[0-9A-Za-z-]{1,64}$", description = "RingCentral's subscription id, as the list has it")),
    responses((status = 200, description = "Done", body = SubscriptionShape), FromRingCentral))]
pub(crate) async fn read(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    Segment(id): Segment,
    fields: Fields,
) -> Result<Json<Box<RawValue>>, Problem> {
    check_id(&id)?;
    fields.finish()?;
    let request = Request::of(&READ_SUBSCRIPTION).parameter("subscriptionId", id);
    Ok(Json(context.ringcentral.raw(&caller.tenant, &request).await?))
}

/// Renew a subscription
///
/// For ten years from now, or for as long as `expiresIn` says. The answer is the subscription as it is afterwards: look at its
/// `expirationTime` and its `status`. Renewing twice does no harm, so repeat it after an `outcome-unknown`.
#[utoipa::path(post, path = "/api/webhooks/subscriptions/{id}/renew", tag = "webhooks", operation_id = "renewSubscription",
    params(
        ("id" = String, Path, pattern = "^[0-9A-Za-z-]{1,64}$", description = "RingCentral's subscription id, as the list has it"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "Carries the request out once: visible ASCII characters of your choice, another for each new request")
    ),
    request_body(content = Option<Renewal>, example = json!({ "expiresIn": 604_800 })),
    responses((status = 200, description = "Done", body = SubscriptionShape), FromRingCentral))]
pub(crate) async fn renew(
    State(context): State<Context>,
    Admin(caller): Admin,
    Segment(id): Segment,
    fields: Fields,
    Optional(wanted): Optional<Renewal>,
) -> Result<Json<Box<RawValue>>, Problem> {
    check_id(&id)?;
    fields.finish()?;
    let seconds = wanted.unwrap_or_default().expires_in.and_then(|seconds| u32::try_from(seconds).ok());
    let answer = context.ringcentral.call(&caller.tenant, &renewal(&id, seconds)).await?;
    // Only a subscription tells that one was renewed.
    let renewed = answer.raw().ok().filter(|body| {
        let told: Value = serde_json::from_str(body.get()).unwrap_or_default();
        told["id"] == *id && told["expirationTime"].is_string()
    });
    renewed.map(Json).ok_or_else(|| {
        Problem::new(Type::OutcomeUnknown)
            .detail("RingCentral answered the renewal with success, but not with the subscription.")
            .hint("Read the subscription, or renew it again: that does no harm.")
            .ringcentral("", answer.request_id)
    })
}

/// Delete a subscription
#[utoipa::path(delete, path = "/api/webhooks/subscriptions/{id}", tag = "webhooks", operation_id = "deleteSubscription",
    params(("id" = String, Path, pattern = "^[0-9A-Za-z-]{1,64}$", description = "RingCentral's subscription id, as the list has it")), responses((status = 204, description = "Done"), FromRingCentral))]
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

/// Ids are GUIDs; only their alphabet reaches RingCentral.
pub(crate) fn check_id(id: &str) -> Result<(), Problem> {
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if fits { Ok(()) } else { Err(Problem::field("id", "must be a subscription id")) }
}

fn no_keys(error: SigningKeysError) -> Problem {
    match &error {
        SigningKeysError::Unknown { secret, .. } => Problem::no_secret(secret).caused_by(&error),
        SigningKeysError::Incomplete { .. } => Problem::new(Type::TenantUnknown)
            .detail(error.to_string())
            .hint("Store the secret anew with its `webhooks` keys beside its `ringcentral` credentials.")
            .caused_by(&error),
        SigningKeysError::Unreadable(_) => {
            Problem::new(Type::StoreUnavailable).detail("The webhook keys can't be read.").caused_by(&error)
        }
    }
}
