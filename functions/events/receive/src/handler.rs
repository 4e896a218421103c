//! One request: a handshake, which is echoed, or a delivery, which is stored before it hears a 200.

use bytes::Bytes;
use events::{Envelope, Incoming, SigningKeysError, Unreadable};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use telemetry::Invocation;
use utoipa::{OpenApi, ToSchema, openapi};

use crate::{Context, address::Address, body::Sent, reply::Reply};

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
        let sent = Sent::read(&parts.headers, body).await;
        if parts.method != Method::POST {
            return Reply::NotPosted;
        }
        decide(context, &parts.headers, parts.uri.path(), sent, &request_id).await
    };
    let reply = telemetry::observe(invocation, work, |reply, invocation| {
        invocation.status = reply.status().as_u16();
    });
    reply.await.response(&request_id)
}

async fn decide(context: &Context, headers: &HeaderMap, path: &str, sent: Sent, request_id: &str) -> Reply {
    // What RingCentral publishes leaves open which headers a handshake brings, and in which a delivery brings its token. A
    // body tells them apart: only a delivery has one. So does a token of our own shape: handshakes carry GUIDs.
    if let Some(token) = headers.get("validation-token")
        && matches!(sent, Sent::Nothing)
        && !is_ours_by_shape(token)
    {
        return echo(token);
    }
    let Some(address) = Address::read(path) else { return Reply::Refused };
    telemetry::tenant(address.tenant.as_str());
    match fits(context, &address, headers).await {
        Ok(true) => {}
        Ok(false) | Err(SigningKeysError::Unknown { .. }) => return Reply::Refused,
        Err(error) => {
            telemetry::failed(&error);
            return Reply::NotStored;
        }
    }
    let body = match text(sent) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let request_id = request_id.to_owned();
    let delivery = Incoming { tenant: address.tenant, received_at: context.clock.now(), request_id, body };
    match context.queue.send(&delivery).await {
        Ok(()) => Reply::Stored,
        Err(error) => {
            telemetry::failed(&error);
            Reply::NotStored
        }
    }
}

/// Whether a token looks like one that we gave out: 64 hex digits.
fn is_ours_by_shape(token: &HeaderValue) -> bool {
    token.len() == 64 && token.as_bytes().iter().all(u8::is_ascii_hexdigit)
}

/// Whether a request brings a token that we gave out, in either of the headers. What does not fit the keys as they are known
/// may fit a key that is new: they are read again, at most once a minute. What can't be a token of ours costs no reading, and
/// is the same for every tenant.
async fn fits(context: &Context, address: &Address, headers: &HeaderMap) -> Result<bool, SigningKeysError> {
    let presented: Vec<_> = ["verification-token", "validation-token"]
        .into_iter()
        .filter_map(|name| headers.get(name).filter(|token| is_ours_by_shape(token)))
        .collect();
    if presented.is_empty() {
        return Ok(false);
    }
    let Address { tenant, subscription } = address;
    for certain in [false, true] {
        let keys = match certain {
            false => context.keys.known_signing_keys(tenant).await?,
            true => context.keys.certain_signing_keys(tenant).await?,
        };
        if presented.iter().any(|token| keys.verify(tenant, subscription, token.as_bytes())) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The echo, within limits: a handshake comes from anybody.
fn echo(token: &HeaderValue) -> Reply {
    let harmless = |c: &u8| c.is_ascii_graphic() && !matches!(c, b'<' | b'>' | b'"');
    let fits = (1..=LONGEST_HANDSHAKE).contains(&token.len()) && token.as_bytes().iter().all(harmless);
    if fits { Reply::Handshake(token.clone()) } else { Reply::Refused }
}

/// The body, if it is one that the queue takes and the dispatcher reads. What it means is not looked at here.
fn text(sent: Sent) -> Result<String, Reply> {
    let bytes = match sent {
        Sent::Body(bytes) => bytes,
        Sent::TooLarge => return Err(Reply::TooLarge),
        Sent::Nothing | Sent::Broken => return Err(Reply::Unreadable("must be a JSON object")),
    };
    let text = String::from_utf8(bytes.into()).map_err(|_| Reply::Unreadable("must be UTF-8"))?;
    match Envelope::check(&text) {
        Ok(()) if queues::takes(&text) => Ok(text),
        Ok(()) => Err(Reply::TooLarge),
        Err(Unreadable::ByteOrderMark) => Err(Reply::Unreadable("must not begin with a byte order mark")),
        Err(Unreadable::NotJson(_) | Unreadable::NotObject) => {
            Err(Reply::Unreadable("must be a JSON object"))
        }
    }
}

/// Why a delivery was not taken: for whoever reads logs, because RingCentral reads none of it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "carries the description; replies are written by hand")]
struct Refusal {
    title: String,
    /// Missing where no field is at fault.
    #[schema(required = false)]
    errors: Vec<trunkline_http::FieldError>,
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
#[utoipa::path(post, path = "/api/webhooks/events/{tenant}/{subscription}", tag = "receiver", operation_id = "receiveDelivery", security(()),
    params(
        ("tenant" = String, Path, description = "The tenant"),
        ("subscription" = String, Path, description = "The key of the subscription"),
        ("Verification-Token" = Option<String>, Header, description = "The token of the subscription"),
        ("Validation-Token" = Option<String>, Header, description = "The handshake: echoed in the answer"),
    ),
    request_body = Object,
    responses(
        (status = 200, description = "Stored, or the handshake's echo",
            headers(("Validation-Token" = String, description = "Of a handshake: the token that came"))),
        (status = 400, description = "Not a JSON object", body = Refusal, headers(("X-Request-Id" = String))),
        (status = 401, description = "No valid token", body = Refusal, headers(("X-Request-Id" = String))),
        (status = 413, description = "Too large", body = Refusal, headers(("X-Request-Id" = String))),
        (status = 503, description = "Not stored: send it again", body = Refusal, headers(("X-Request-Id" = String))),
    ))]
#[expect(dead_code, reason = "carries the description; the route is served without a router")]
fn delivery() {}
