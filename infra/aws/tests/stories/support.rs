//! The world of the stories: an embedded AWS on a manual clock and the SDK's clients for it.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use std::path::Path;
use std::time::Duration;
use trunkline_embedded_aws::{Clock, EmbeddedAws, Options};

pub(crate) struct World {
    pub(crate) aws: EmbeddedAws,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
}

impl World {
    pub(crate) async fn in_memory() -> Self {
        Self::start(Options { data: None, clock: Clock::manual(), port: 0 }).await
    }

    pub(crate) async fn on(folder: &Path, clock: Clock) -> Self {
        Self::start(Options { data: Some(folder.to_owned()), clock, port: 0 }).await
    }

    async fn start(options: Options) -> Self {
        let aws = EmbeddedAws::start(options).await.unwrap();
        let config = config(aws.url(), aws.access_key().expose()).await;
        Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            aws,
        }
    }

    pub(crate) fn step(&self, seconds: u64) {
        self.aws.clock().advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn queue(&self, name: &str, attributes: &[(QueueAttributeName, &str)]) -> String {
        let mut create = self.sqs.create_queue().queue_name(name);
        for (name, value) in attributes {
            create = create.attributes(name.clone(), *value);
        }
        create.send().await.unwrap().queue_url.unwrap()
    }

    pub(crate) async fn send(&self, queue: &str, body: &str) -> String {
        let sent = self.sqs.send_message().queue_url(queue).message_body(body).send().await.unwrap();
        sent.message_id.unwrap()
    }

    pub(crate) async fn receive(&self, queue: &str) -> Vec<Message> {
        let receive = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
        let receive = receive
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        receive.send().await.unwrap().messages.unwrap_or_default()
    }

    pub(crate) async fn bodies(&self, queue: &str) -> Vec<String> {
        self.receive(queue).await.into_iter().filter_map(|message| message.body).collect()
    }

    pub(crate) async fn delete(&self, queue: &str, message: &Message) {
        let handle = message.receipt_handle().unwrap();
        self.sqs.delete_message().queue_url(queue).receipt_handle(handle).send().await.unwrap();
    }

    /// Visible, in flight, delayed.
    pub(crate) async fn counts(&self, queue: &str) -> [String; 3] {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let described = self
            .sqs
            .get_queue_attributes()
            .queue_url(queue)
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await
            .unwrap();
        names.map(|name| described.attributes().unwrap()[&name].clone())
    }
}

/// What a process that uses the endpoint configures, with nothing retried so that every answer is seen.
pub(crate) async fn config(url: &str, key: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key, "local", None, None, "stories"))
        .retry_config(RetryConfig::disabled())
        .load()
        .await
}

pub(crate) fn system(message: &Message, name: MessageSystemAttributeName) -> Option<&str> {
    message.attributes()?.get(&name).map(String::as_str)
}
