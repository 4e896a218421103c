//! Queues: a message goes in, comes out as it was, and is gone once deleted.

use crate::support::{World, system};
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue, QueueAttributeName,
};

fn typed(kind: &str, text: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type(kind).string_value(text).build().unwrap()
}

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.send(&queue, "hello").await;

    let received = world.receive(&queue).await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body(), Some("hello"));
    assert_eq!(received[0].md5_of_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!(system(&received[0], MessageSystemAttributeName::ApproximateReceiveCount), Some("1"));
    assert_eq!(world.counts(&queue).await, ["0", "1", "0"]);

    world.delete(&queue, &received[0]).await;
    assert_eq!(world.counts(&queue).await, ["0", "0", "0"]);
    world.step(60);
    assert!(world.receive(&queue).await.is_empty());
}

#[tokio::test]
async fn attributes_come_back_as_they_went_with_the_documented_digest() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let trace = MessageSystemAttributeValue::builder()
        .data_type("String")
        .string_value("Root=1-2-3")
        .build()
        .unwrap();
    let blob = MessageAttributeValue::builder()
        .data_type("Binary")
        .binary_value(Blob::new([0, 255]))
        .build()
        .unwrap();
    let sent = world
        .sqs
        .send_message()
        .queue_url(&queue)
        .message_body("with attributes")
        .message_group_id("tenant-7")
        .message_attributes("kind", typed("String", "call"))
        .message_attributes("attempt", typed("Number.int", "3"))
        .message_attributes("raw", blob)
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace)
        .send()
        .await
        .unwrap();
    // Computed from the documented algorithm with another implementation.
    assert_eq!(sent.md5_of_message_attributes(), Some("0a51a6c7a628d55690253e5e4a928c2a"));

    let received = &world.receive(&queue).await[0];
    let attributes = received.message_attributes().unwrap();
    assert_eq!(attributes["kind"].string_value(), Some("call"));
    assert_eq!(attributes["attempt"].data_type(), "Number.int");
    assert_eq!(attributes["raw"].binary_value().unwrap().as_ref(), [0, 255]);
    assert_eq!(received.md5_of_message_attributes(), sent.md5_of_message_attributes());
    assert_eq!(system(received, MessageSystemAttributeName::MessageGroupId), Some("tenant-7"));
    assert_eq!(system(received, MessageSystemAttributeName::AwsTraceHeader), Some("Root=1-2-3"));
}

#[tokio::test]
async fn creating_a_queue_twice_is_one_queue_unless_it_differs() {
    let world = World::in_memory().await;
    let first = world.queue("work", &[(QueueAttributeName::VisibilityTimeout, "45")]).await;
    let again = world.queue("work", &[(QueueAttributeName::VisibilityTimeout, "45")]).await;
    assert_eq!(first, again);

    let differs =
        world.sqs.create_queue().queue_name("work").attributes(QueueAttributeName::DelaySeconds, "5");
    let refused = differs.send().await.unwrap_err().into_service_error();
    assert!(refused.is_queue_name_exists(), "{refused:?}");

    let found = world.sqs.get_queue_url().queue_name("work").send().await.unwrap();
    assert_eq!(found.queue_url(), Some(first.as_str()));
    let listed = world.sqs.list_queues().queue_name_prefix("wo").send().await.unwrap();
    assert_eq!(listed.queue_urls(), [first]);
}

#[tokio::test]
async fn a_queue_is_found_by_the_last_part_of_its_url() {
    let world = World::in_memory().await;
    world.queue("work", &[]).await;
    let from_an_earlier_port = "http://127.0.0.1:1/000000000000/work";
    world.send(from_an_earlier_port, "hello").await;
    assert_eq!(world.bodies(from_an_earlier_port).await, ["hello"]);
}

#[tokio::test]
async fn attributes_of_a_queue_can_be_read_and_changed() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let change = world.sqs.set_queue_attributes().queue_url(&queue);
    change.attributes(QueueAttributeName::VisibilityTimeout, "120").send().await.unwrap();

    let all = world.sqs.get_queue_attributes().queue_url(&queue).attribute_names(QueueAttributeName::All);
    let all = all.send().await.unwrap().attributes.unwrap();
    assert_eq!(all[&QueueAttributeName::VisibilityTimeout], "120");
    assert_eq!(all[&QueueAttributeName::MaximumMessageSize], "1048576");
    assert_eq!(all[&QueueAttributeName::QueueArn], "arn:aws:sqs:us-east-1:000000000000:work");
}

#[tokio::test]
async fn what_sqs_refuses_is_refused_by_name() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;

    let unknown = world.sqs.send_message().queue_url("http://x/0/nowhere").message_body("?").send().await;
    assert!(unknown.unwrap_err().into_service_error().is_queue_does_not_exist());

    let large = "x".repeat(1_048_577);
    let large = world.sqs.send_message().queue_url(&queue).message_body(large).send().await.unwrap_err();
    assert_eq!(large.code(), Some("InvalidParameterValue"));
    assert!(large.message().unwrap().contains("1048576 bytes"), "{large:?}");

    let forbidden = world.sqs.send_message().queue_url(&queue).message_body("a\u{0}b").send().await;
    assert!(forbidden.unwrap_err().into_service_error().is_invalid_message_contents());

    let fifo = world.sqs.create_queue().queue_name("work.fifo").send().await.unwrap_err();
    assert!(fifo.message().unwrap().contains("FIFO"));

    let forged = world.sqs.delete_message().queue_url(&queue).receipt_handle("forged").send().await;
    assert!(forged.unwrap_err().into_service_error().is_receipt_handle_is_invalid());
}

#[tokio::test]
async fn purging_empties_a_queue_and_deleting_ends_it() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.send(&queue, "one").await;
    world.sqs.purge_queue().queue_url(&queue).send().await.unwrap();
    assert_eq!(world.counts(&queue).await, ["0", "0", "0"]);

    world.sqs.delete_queue().queue_url(&queue).send().await.unwrap();
    let gone = world.sqs.receive_message().queue_url(&queue).send().await;
    assert!(gone.unwrap_err().into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn messages_older_than_the_retention_period_are_gone() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[(QueueAttributeName::MessageRetentionPeriod, "60")]).await;
    world.send(&queue, "old").await;
    world.step(59);
    world.send(&queue, "young").await;
    world.step(1);
    assert_eq!(world.bodies(&queue).await, ["young"]);
}

#[tokio::test]
async fn tags_stay_with_their_queue() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.sqs.tag_queue().queue_url(&queue).tags("owner", "gate").tags("tier", "1").send().await.unwrap();
    world.sqs.untag_queue().queue_url(&queue).tag_keys("tier").send().await.unwrap();
    let tags = world.sqs.list_queue_tags().queue_url(&queue).send().await.unwrap().tags.unwrap();
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("owner".to_owned(), "gate".to_owned())]);
}
