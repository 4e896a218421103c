//! What Lambda's event source mapping does: takes batches from a queue, invokes the function, deletes what it did.
//!
//! A record is deleted only after its function returned without naming it. What is left becomes visible again by
//! itself and, after too many receives, moves to the dead letters.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use aws_sdk_sqs::{
    Client,
    config::{Builder, StalledStreamProtectionConfig},
    types::{DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName},
};
use clock::{Deadline, Millis, SharedClock};
use events_dispatch::Context;
use uuid::Uuid;

/// How long one invocation of the dispatcher may take.
pub const DISPATCH_TIMEOUT: Duration = Duration::from_secs(5);
/// What it keeps of that for its answer (milliseconds).
const RESERVE: Millis = 1_000;
/// How long a received record stays hidden (seconds): six times the function's timeout, as AWS advises.
pub const VISIBILITY_SECONDS: u64 = 30;
/// How many batches are worked on at once.
const POLLERS: usize = 4;

/// The mapping of the events queue to the dispatcher.
#[derive(Debug, Clone)]
pub struct EventSource {
    client: Client,
    queue: String,
    context: Context,
    clock: SharedClock,
}

impl EventSource {
    /// A mapping that does nothing until it is stepped or run.
    #[must_use]
    pub fn new(sdk: &SdkConfig, queue: String, context: Context, clock: SharedClock) -> Self {
        Self { client: patient(sdk), queue, context, clock }
    }

    /// Takes one batch and works it off; returns how many records it had. Waits up to `wait` seconds for one.
    ///
    /// # Errors
    /// If the queue can't be reached; nothing is lost then.
    pub async fn step(&self, wait: i32) -> Result<usize, aws_sdk_sqs::Error> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.queue)
            .max_number_of_messages(10)
            .wait_time_seconds(wait)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All);
        let messages = request.send().await?.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok(0);
        }
        let count = messages.len();
        let handles: Vec<_> =
            messages.iter().map(|m| (m.message_id.clone(), m.receipt_handle.clone())).collect();
        let mut batch = SqsEvent::default();
        batch.records = messages.into_iter().map(record).collect();
        let end = self.clock.now() + Millis::try_from(DISPATCH_TIMEOUT.as_millis()).unwrap_or(Millis::MAX);
        let work = events_dispatch::dispatch(&self.context, batch, Uuid::now_v7().to_string());
        let work = Deadline(end - RESERVE).during(work);
        // Lambda would end the invocation here; what was not finished comes again.
        let Ok(response) = tokio::time::timeout(DISPATCH_TIMEOUT, work).await else {
            tracing::warn!(records = count, "the dispatcher did not finish in time");
            return Ok(count);
        };
        let failed: Vec<_> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        let mut entries = Vec::new();
        for (index, (id, handle)) in handles.into_iter().enumerate() {
            if !id.is_some_and(|id| failed.contains(&id)) {
                let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
                entries.push(entry.set_receipt_handle(handle).build()?);
            }
        }
        if !entries.is_empty() {
            self.client
                .delete_message_batch()
                .queue_url(&self.queue)
                .set_entries(Some(entries))
                .send()
                .await?;
        }
        Ok(count)
    }

    /// Steps until the process ends.
    pub async fn run(self) {
        let mut pollers = tokio::task::JoinSet::new();
        for _ in 0..POLLERS {
            let source = self.clone();
            pollers.spawn(async move {
                loop {
                    if let Err(error) = source.step(10).await {
                        tracing::warn!(error = telemetry::chain(&error), "the events queue can't be polled");
                        source.clock.sleep_until(source.clock.now() + 1_000).await;
                    }
                }
            });
        }
        pollers.join_all().await;
    }
}

/// A client that waits: a queue with nothing in it answers late by intention, and that is no stalled stream.
fn patient(sdk: &SdkConfig) -> Client {
    let protection = StalledStreamProtectionConfig::disabled();
    Client::from_conf(Builder::from(sdk).stalled_stream_protection(protection).build())
}

fn record(message: Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id = message.message_id;
    record.receipt_handle = message.receipt_handle;
    record.body = message.body;
    record.attributes = message
        .attributes
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name.as_str().to_owned(), value))
        .collect();
    record.message_attributes = message
        .message_attributes
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name, attribute(value)))
        .collect();
    record
}

fn attribute(value: MessageAttributeValue) -> SqsMessageAttribute {
    let mut attribute = SqsMessageAttribute::default();
    attribute.string_value = value.string_value;
    attribute.data_type = Some(value.data_type);
    attribute
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};

    use super::*;

    #[test]
    fn regression_a_queue_with_nothing_in_it_is_no_stalled_stream() {
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .build();
        let config = patient(&sdk).config().stalled_stream_protection().cloned();
        assert!(config.is_some_and(|config| !config.upload_enabled() && !config.download_enabled()));
    }
}
