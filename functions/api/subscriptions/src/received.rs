//! `GET /api/webhooks/events` and `GET /api/webhooks/sessions/{id}`: what was processed.

use axum::{Json, extract::State};
use clock::Millis;
use events::{Event, EventQuery, EventStoreError, FollowQuery, Kind, TelephonySession};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use trunkline_http::{Fields, Problem, Segment, Type, Viewer, words};
use utoipa::ToSchema;

use crate::{Context, party::PartyShape, subscriptions::check_id};

const DAY: Millis = 86_400_000;
/// The widest span a list may cover: it reads one partition of the journal a day.
const WIDEST: Millis = 31 * DAY;

/// The names of [`Kind::ALL`].
fn kinds() -> Vec<&'static str> {
    Kind::ALL.iter().map(|kind| kind.as_str()).collect()
}

words!(
    EventKind: one_of &kinds(),
    EventOrder: one_of &["desc", "asc"],
    KnownKind: open_set &kinds(),
);

/// A processed event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventShape {
    /// What makes two deliveries the same event.
    id: String,
    #[schema(value_type = KnownKind)]
    kind: &'static str,
    /// RingCentral's id of the event.
    uuid: Option<String>,
    subscription_id: Option<String>,
    /// The filter that matched.
    event: String,
    /// RingCentral's time, as it wrote it.
    timestamp: Option<String>,
    /// When the receiver took it.
    #[schema(format = DateTime)]
    received_at: String,
    /// When it was processed.
    #[schema(format = DateTime)]
    processed_at: String,
    /// RingCentral's id of the call; null for what is no call event.
    telephony_session_id: Option<String>,
    /// The place of the event in its call.
    sequence: Option<i64>,
    /// The delivery as it was received.
    #[schema(value_type = Object)]
    delivery: Box<RawValue>,
}

/// Processed events, newest first; those of one call by their sequence.
#[derive(Serialize, ToSchema)]
#[schema(as = EventPage)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventPageShape {
    records: Vec<EventShape>,
    navigation: NavigationShape,
}

/// Where the list goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = EventNavigation)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NavigationShape {
    /// Send it as `pageToken`. Missing on the last page of a list; always there with `order=asc`, where it lasts as long as
    /// events are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_page_token: Option<String>,
    /// Only with `order=asc`: whether everything that can be read now was read. If so, come back in a few seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    caught_up: Option<bool>,
}

/// The state of a call, folded from its events.
#[derive(Serialize, ToSchema)]
#[schema(as = TelephonySession)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionShape {
    telephony_session_id: String,
    /// The highest sequence that an event told.
    sequence: Option<i64>,
    /// The `eventTime` of the first event by sequence, as RingCentral wrote it.
    start_time: Option<String>,
    /// Whether every party is gone, and the last one not to another party.
    ended: bool,
    /// The `eventTime` of the event that said so.
    end_time: Option<String>,
    /// By id, each as of its newest event. What no event told is missing.
    parties: std::collections::BTreeMap<String, PartyShape>,
    /// What happened in the call, each happening once, by however many subscriptions and filters it was told.
    events_applied: u64,
    /// Those of them that were first heard of after something newer.
    events_late: u64,
    /// The notifications that told it.
    notifications: u64,
}

/// List processed events
///
/// Newest first; those of one call by its sequence; with `order=asc` as they were processed, for reading on without gaps, about
/// fifteen seconds behind. A page may hold fewer than `perPage`, or none, and still have a
/// `nextPageToken`: what is rare is looked for in bounded steps. Only a page without one is the last.
#[utoipa::path(get, path = "/api/webhooks/events", tag = "webhooks", operation_id = "listEvents",
    params(
        ("order" = Option<EventOrder>, Query, description = "desc (default): by when they were received, newest first; asc: as they were processed, without gaps"),
        ("kind" = Option<EventKind>, Query, description = "Only this kind; docs/events.md has a table of them"),
        ("telephonySessionId" = Option<String>, Query, min_length = 1, max_length = 256, description = "Only this call, in the order of its sequence; not with order=asc"),
        ("subscriptionId" = Option<String>, Query, pattern = "^[0-9A-Za-z-]{1,64}$", description = "Only what came by this subscription"),
        ("dateFrom" = Option<jiff::Timestamp>, Query, description = "Received at or after (RFC 3339), at most 31 days before dateTo; default: a day before dateTo, of a call 31. With order=asc: where to begin without a pageToken, any time; default: a day ago"),
        ("dateTo" = Option<jiff::Timestamp>, Query, description = "Received before or at (RFC 3339); default: now; not with order=asc"),
        ("perPage" = Option<u32>, Query, minimum = 1, maximum = 500, description = "Default 100"),
        ("pageToken" = Option<String>, Query, description = "The nextPageToken of the page before, with the same filters and the same order"),
    ),
    responses((status = 200, description = "Done", body = EventPageShape)))]
pub(crate) async fn list(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    mut fields: Fields,
) -> Result<Json<EventPageShape>, Problem> {
    let asked = asked(&mut fields, context.clock.now());
    fields.finish()?;
    let (events, next_page_token, caught_up) = match asked {
        Asked::List(query) => {
            let page = context.events.list(&caller.tenant, &query).await.map_err(unreadable)?;
            (page.events, page.next, None)
        }
        Asked::Follow(query) => {
            let page = context.events.follow(&caller.tenant, &query).await.map_err(unreadable)?;
            (page.events, Some(page.next), Some(page.caught_up))
        }
    };
    let records = events.into_iter().map(shape).collect::<Result<_, _>>()?;
    Ok(Json(EventPageShape { records, navigation: NavigationShape { next_page_token, caught_up } }))
}

/// Read the state of a call
#[utoipa::path(get, path = "/api/webhooks/sessions/{telephonySessionId}", tag = "webhooks", operation_id = "readTelephonySession",
    params(("telephonySessionId" = String, Path, min_length = 1, max_length = 256, description = "RingCentral's id of the call")),
    responses((status = 200, description = "Done", body = SessionShape)))]
pub(crate) async fn session(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    Segment(id): Segment,
    fields: Fields,
) -> Result<Json<TelephonySession>, Problem> {
    fields.finish()?;
    check_session(&id).map_err(|reason| Problem::field("telephonySessionId", reason))?;
    let events = context.events.of_call(&caller.tenant, &id).await.map_err(unreadable)?;
    TelephonySession::of(&id, &events)
        .map(Json)
        .ok_or_else(|| Problem::new(Type::NotFound).detail("No event of this call was received."))
}

/// In which order events are asked for.
enum Asked {
    List(EventQuery),
    Follow(FollowQuery),
}

fn asked(fields: &mut Fields, now: Millis) -> Asked {
    let expected = "must be a time such as 2026-11-20T08:00:00Z or 2026-11-20T10:00:00%2B02:00 (+ is written %2B in a URL)";
    // RFC 3339 as the API writes it: a space is most likely a + that was not encoded.
    let time = |text: &str| {
        let plain = !text.contains(char::is_whitespace);
        plain.then(|| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)).flatten()
    };
    let kinds = kinds().join(", ");
    let kind = fields.read("kind", &format!("must be one of {kinds}"), Kind::named);
    let limit = fields.number("perPage", 1..=500).unwrap_or(100) as usize;
    let after = fields.text("pageToken");
    let order = |text: &str| match text {
        "asc" => Some(true),
        "desc" => Some(false),
        _ => None,
    };
    let follows = fields.read("order", "must be asc or desc", order).unwrap_or(false);
    let session = fields.text("telephonySessionId");
    if let Some(Err(reason)) = session.as_deref().map(check_session) {
        fields.violation("telephonySessionId", reason);
    }
    let id = |text: &str| check_id(text).ok().map(|()| text.to_owned());
    let subscription = fields.read("subscriptionId", "must be a subscription id", id);
    let (from, to) = (fields.read("dateFrom", expected, time), fields.read("dateTo", expected, time));
    if follows {
        for (name, given) in [("telephonySessionId", session.is_some()), ("dateTo", to.is_some())] {
            if given {
                fields.violation(name, "has no meaning with order=asc");
            }
        }
        return Asked::Follow(FollowQuery {
            kind,
            subscription,
            from: from.unwrap_or(now - DAY),
            limit,
            after,
        });
    }
    let to = to.unwrap_or(now);
    // A call is short and its events are few: all of them, unless a span is asked for.
    let span = if session.is_some() { WIDEST } else { DAY };
    let from = from.unwrap_or(to - span);
    if from > to {
        fields.violation("dateFrom", "must not be after dateTo");
    } else if to - from > WIDEST {
        fields.violation("dateFrom", "must be at most 31 days before dateTo");
    }
    Asked::List(EventQuery { kind, session, subscription, from, to, limit, after })
}

fn check_session(id: &str) -> Result<(), &'static str> {
    let fits = (1..=events::LONGEST_SESSION).contains(&id.len());
    if fits { Ok(()) } else { Err("must be 1 to 256 bytes of UTF-8") }
}

fn shape(event: Event) -> Result<EventShape, Problem> {
    let delivery = RawValue::from_string(event.raw).map_err(|error| {
        Problem::new(Type::Internal).detail("A stored event is unreadable.").caused_by(&error)
    })?;
    let (telephony_session_id, sequence) = event.session.unzip();
    let sequence = sequence.flatten();
    Ok(EventShape {
        id: event.key,
        kind: event.kind.as_str(),
        uuid: event.uuid,
        subscription_id: event.subscription_id,
        event: event.event,
        timestamp: event.timestamp,
        received_at: format!("{:.3}", clock::timestamp(event.received_at)),
        processed_at: format!("{:.3}", clock::timestamp(event.processed_at)),
        telephony_session_id,
        sequence,
        delivery,
    })
}

fn unreadable(error: EventStoreError) -> Problem {
    match error {
        EventStoreError::InvalidPosition => Problem::field(
            "pageToken",
            "must be a nextPageToken of this list with the same filters and order",
        ),
        other => Problem::new(Type::StoreUnavailable)
            .detail("The event store did not answer.")
            .retry_after(2)
            .caused_by(&other),
    }
}
