//! The queue of webhook deliveries: the raw body as the message, everything else as its attributes.

use std::sync::{Arc, LazyLock};

use aws_lambda_events::event::sqs::SqsMessage;
use aws_sdk_sqs::{Client, types::MessageAttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use events::Incoming;
use tenant::TenantId;

const TENANT: &str = "tenant";
const RECEIVED_AT: &str = "receivedAt";
const REQUEST_ID: &str = "requestId";
const ENCODING: &str = "encoding";
const REASON: &str = "reason";

/// The largest body that is carried (bytes). SQS takes a message of 1 MiB, attributes and all, since 2025-08
/// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html); ours need no 4 KiB.
pub const LARGEST_BODY: usize = (1 << 20) - (4 << 10);

/// The queue can't be reached or refused; the cause is kept.
#[derive(Debug, thiserror::Error)]
#[error("SQS failed")]
pub struct QueueError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A message that is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("the message lacks a readable {0}")]
pub struct Unreadable(&'static str);

/// A client that is built when it is first needed: a function that never asks for it does not pay for it when it starts.
type LazyClient = LazyLock<Client, Box<dyn FnOnce() -> Client + Send>>;

/// Where deliveries wait for the dispatcher, and where those go that can never be processed.
#[derive(Debug, Clone)]
pub struct DeliveryQueue {
    client: Arc<LazyClient>,
    url: String,
    dead_letters: Option<String>,
}

impl DeliveryQueue {
    /// The queue at this URL, behind a client that is built for the first request.
    #[must_use]
    pub fn new(
        client: impl FnOnce() -> Client + Send + 'static,
        url: impl Into<String>,
        dead_letters: Option<String>,
    ) -> Self {
        let client = Arc::new(LazyClient::new(Box::new(client)));
        Self { client, url: url.into(), dead_letters }
    }

    /// Stores a delivery; once this returns, it is not lost any more.
    ///
    /// # Errors
    /// [`QueueError`]: it may or may not be stored.
    pub async fn send(&self, delivery: &Incoming) -> Result<(), QueueError> {
        let (body, encoding) = carried(&delivery.body);
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            // A standard queue: the group only keeps one tenant from crowding out the others.
            .message_group_id(delivery.tenant.as_str())
            .message_attributes(TENANT, text(delivery.tenant.as_str())?)
            .message_attributes(RECEIVED_AT, text(&delivery.received_at.to_string())?)
            .message_attributes(REQUEST_ID, text(&delivery.request_id)?)
            .message_attributes(ENCODING, text(encoding)?)
            .send()
            .await
            .map(drop)
            .map_err(failed)
    }

    /// Puts a delivery that can never be processed away, with the reason.
    ///
    /// # Errors
    /// [`QueueError`]: the record must come again.
    pub async fn bury(&self, record: &SqsMessage, reason: &str) -> Result<(), QueueError> {
        let Some(url) = &self.dead_letters else {
            return Err(QueueError("no dead-letter queue is configured".into()));
        };
        let tenant = attribute(record, TENANT).and_then(|tenant| tenant.parse::<TenantId>().ok());
        let mut request = self
            .client
            .send_message()
            .queue_url(url)
            .message_body(record.body.clone().unwrap_or_default())
            // For the day it comes back; a message that is none of ours names nobody.
            .set_message_group_id(tenant.map(|tenant| tenant.to_string()))
            .message_attributes(REASON, text(reason)?);
        for name in [TENANT, RECEIVED_AT, REQUEST_ID, ENCODING] {
            if let Some(value) = attribute(record, name) {
                request = request.message_attributes(name, text(value)?);
            }
        }
        request.send().await.map(drop).map_err(failed)
    }

    /// Whether the queue can be reached.
    ///
    /// # Errors
    /// [`QueueError`] if it can't.
    pub async fn ping(&self) -> Result<(), QueueError> {
        let depth = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(depth);
        request.send().await.map(drop).map_err(failed)
    }
}

/// Reads a delivery back.
///
/// # Errors
/// [`Unreadable`] names the part that is missing or malformed.
pub fn read(record: &SqsMessage) -> Result<Incoming, Unreadable> {
    let part = |name: &'static str| attribute(record, name).ok_or(Unreadable(name));
    let body = record.body.as_deref().ok_or(Unreadable("body"))?;
    let body = match part(ENCODING)? {
        "base64" => {
            let bytes = STANDARD.decode(body).map_err(|_| Unreadable("body"))?;
            String::from_utf8(bytes).map_err(|_| Unreadable("body"))?
        }
        _ => body.to_owned(),
    };
    Ok(Incoming {
        tenant: part(TENANT)?.parse().map_err(|_| Unreadable(TENANT))?,
        received_at: part(RECEIVED_AT)?.parse().map_err(|_| Unreadable(RECEIVED_AT))?,
        request_id: part(REQUEST_ID)?.to_owned(),
        body,
    })
}

/// Whether the queue takes a body. One that must be encoded is a third larger on its way.
#[must_use]
pub fn takes(body: &str) -> bool {
    body.len() <= LARGEST_BODY / 4 * 3 || (body.len() <= LARGEST_BODY && is_plain(body))
}

/// Whether SQS takes every character: it refuses those that XML 1.0 has no place for.
fn is_plain(body: &str) -> bool {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    body.chars().all(allowed)
}

/// The body as it is, unless it has characters that SQS refuses.
fn carried(body: &str) -> (String, &'static str) {
    match is_plain(body) {
        true => (body.to_owned(), "text"),
        false => (STANDARD.encode(body), "base64"),
    }
}

fn attribute<'a>(record: &'a SqsMessage, name: &str) -> Option<&'a str> {
    record.message_attributes.get(name)?.string_value.as_deref()
}

fn text(value: &str) -> Result<MessageAttributeValue, QueueError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(failed)
}

fn failed<E: std::error::Error + Send + Sync + 'static>(error: E) -> QueueError {
    QueueError(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_sqs_would_refuse_is_encoded() {
        assert_eq!(carried("{\"a\": \"é\"}\n"), ("{\"a\": \"é\"}\n".to_owned(), "text"));
        assert_eq!(carried("\"\u{ffff}\"").1, "base64");
    }

    #[test]
    fn what_is_taken_is_carried_within_the_limit() {
        let encoded = |bytes: usize| format!("{}\u{ffff}", "x".repeat(bytes - 3));
        let most = LARGEST_BODY / 4 * 3;
        assert!(takes(&"x".repeat(LARGEST_BODY)) && !takes(&"x".repeat(LARGEST_BODY + 1)));
        assert!(takes(&encoded(most)) && !takes(&encoded(most + 1)));
        assert_eq!(carried(&encoded(most)).0.len(), LARGEST_BODY);
    }
}
