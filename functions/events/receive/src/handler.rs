//! One delivery.

use bytes::Bytes;
use events::{Incoming, SigningKeysError};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use telemetry::Invocation;
use utoipa::{OpenApi, openapi};

use crate::{BODY_LIMIT, Context, address::Address, reply::Reply};

/// The longest handshake token that is echoed: it must leave room in 1024 bytes for the other headers.
const LONGEST_HANDSHAKE: usize = 256;

/// Receives a delivery or a handshake.
pub async fn receive<B>(context: &Context, request: Request<B>) -> Response<Full<Bytes>>
where
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send,
{
    let request_id = trunkline_http::request_id(request.headers());
    let invocation = Invocation {
        function: "receive",
        request_id: request_id.clone(),
        operation: format!("{} /api/webhooks/events", request.method()),
        // One line for each delivery is enough, and that is API Gateway's.
        told_elsewhere: true,
        ..Invocation::default()
    };
    let work = async {
        let (parts, body) = request.into_parts();
        decide(context, &parts.headers, parts.uri.path(), body, request_id).await
    };
    let reply = telemetry::observe(invocation, work, |reply, invocation| {
        invocation.status = reply.status().as_u16();
    });
    reply.await.response()
}

async fn decide<B>(context: &Context, headers: &HeaderMap, path: &str, body: B, request_id: String) -> Reply
where
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send,
{
    let address = Address::read(path);
    if let Some(token) = handshake(headers)
        && !brings_our_token(context, address.as_ref(), token).await
    {
        return echo(token);
    }
    let Some(address) = address else { return Reply::Refused };
    telemetry::tenant(address.tenant.as_str());
    let presented = headers.get("verification-token").or_else(|| handshake(headers));
    let presented = presented.map_or(&b""[..], HeaderValue::as_bytes);
    match fits(context, &address, presented).await {
        Ok(true) => {}
        Ok(false) | Err(SigningKeysError::Unknown(_)) => return Reply::Refused,
        Err(error) => {
            telemetry::failed(&error);
            return Reply::NotStored;
        }
    }
    let body = match read(headers, body).await {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let delivery = Incoming { tenant: address.tenant, received_at: context.clock.now(), request_id, body };
    match context.queue.send(&delivery).await {
        Ok(()) => Reply::Stored,
        Err(error) => {
            telemetry::failed(&error);
            Reply::NotStored
        }
    }
}

/// The header of a handshake: a `Validation-Token` and nothing to verify.
fn handshake(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get("validation-token").filter(|_| !headers.contains_key("verification-token"))
}

/// RingCentral's guide also shows deliveries that bring their token in `Validation-Token`: a token of ours is a delivery.
async fn brings_our_token(context: &Context, address: Option<&Address>, token: &HeaderValue) -> bool {
    let Some(address) = address else { return false };
    // Our tokens are 64 hex digits; RingCentral's handshakes are GUIDs and must not wait for a secret.
    if token.len() != 64 {
        return false;
    }
    fits(context, address, token.as_bytes()).await.unwrap_or(false)
}

/// Whether a token is one that we gave out. What does not fit the keys as they are known may fit a key that is new: they are
/// read again, at most once a minute.
async fn fits(context: &Context, address: &Address, token: &[u8]) -> Result<bool, SigningKeysError> {
    let Address { tenant, subscription } = address;
    if context.keys.known_signing_keys(tenant).await?.verify(tenant, subscription, token) {
        return Ok(true);
    }
    Ok(context.keys.signing_keys(tenant).await?.verify(tenant, subscription, token))
}

/// The echo, within limits: a handshake comes from anybody.
fn echo(token: &HeaderValue) -> Reply {
    let harmless = |c: &u8| c.is_ascii_graphic() && !matches!(c, b'<' | b'>' | b'"');
    let fits = (1..=LONGEST_HANDSHAKE).contains(&token.len()) && token.as_bytes().iter().all(harmless);
    if fits { Reply::Handshake(token.clone()) } else { Reply::Refused }
}

/// The body, if it is a JSON object within bounds. What it means is not looked at here.
async fn read<B>(headers: &HeaderMap, body: B) -> Result<String, Reply>
where
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send,
{
    let announced =
        headers.get(http::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > BODY_LIMIT) {
        return Err(Reply::TooLarge);
    }
    let bytes = match Limited::new(Box::pin(body), BODY_LIMIT).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Reply::TooLarge),
        Err(_) => return Err(Reply::NotJson),
    };
    let text = String::from_utf8(bytes.into()).map_err(|_| Reply::NotJson)?;
    let is_object = text.trim_start().starts_with('{')
        && serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
    if is_object { Ok(text) } else { Err(Reply::NotJson) }
}

#[derive(OpenApi)]
#[openapi(paths(delivery))]
struct Description;

/// The description of this function's route.
#[must_use]
pub fn description() -> openapi::OpenApi {
    Description::openapi()
}

/// Receive a delivery
///
/// For RingCentral only: the address and the `Verification-Token` are chosen when a subscription is created.
#[utoipa::path(post, path = "/api/webhooks/events/{tenant}/{subscription}", tag = "webhooks", operation_id = "receiveDelivery", security(()),
    params(
        ("tenant" = String, Path, description = "The tenant"),
        ("subscription" = String, Path, description = "The key of the subscription"),
        ("Verification-Token" = Option<String>, Header, description = "The token of the subscription"),
        ("Validation-Token" = Option<String>, Header, description = "The handshake: echoed in the answer"),
    ),
    request_body = Object,
    responses(
        (status = 200, description = "Stored, or the handshake's echo"),
        (status = 400, description = "Not a JSON object"),
        (status = 401, description = "No valid token"),
        (status = 413, description = "Too large"),
        (status = 503, description = "Not stored: send it again"),
    ))]
#[expect(dead_code, reason = "carries the description; the route is served without a router")]
fn delivery() {}
