//! Batches: every entry has its own fate.

use crate::support::World;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry,
};

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

#[tokio::test]
async fn a_bad_entry_fails_alone() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let batch = world.sqs.send_message_batch().queue_url(&queue);
    let batch = batch
        .entries(entry("a", "fine"))
        .entries(entry("b", "not \u{1} fine"))
        .entries(entry("c", "fine too"));
    let answer = batch.send().await.unwrap();

    let sent: Vec<_> = answer.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(sent, ["a", "c"]);
    let failed = &answer.failed()[0];
    assert_eq!((failed.id(), failed.code(), failed.sender_fault()), ("b", "InvalidMessageContents", true));
    assert_eq!(world.bodies(&queue).await, ["fine", "fine too"]);
}

#[tokio::test]
async fn a_batch_of_deletes_reports_the_handle_that_is_none() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.send(&queue, "one").await;
    let message = world.receive(&queue).await.remove(0);
    let delete = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
    };
    let batch = world.sqs.delete_message_batch().queue_url(&queue);
    let batch =
        batch.entries(delete("good", message.receipt_handle().unwrap())).entries(delete("bad", "nonsense"));
    let answer = batch.send().await.unwrap();

    assert_eq!(answer.successful()[0].id(), "good");
    assert_eq!(answer.failed()[0].code(), "ReceiptHandleIsInvalid");
    assert_eq!(world.counts(&queue).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_batch_of_visibility_changes_returns_messages_at_once() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.send(&queue, "one").await;
    world.send(&queue, "two").await;
    let entries = world.receive(&queue).await.into_iter().enumerate().map(|(index, message)| {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(format!("m{index}"))
            .receipt_handle(message.receipt_handle().unwrap())
            .visibility_timeout(0)
            .build()
            .unwrap()
    });
    let batch =
        world.sqs.change_message_visibility_batch().queue_url(&queue).set_entries(Some(entries.collect()));
    assert_eq!(batch.send().await.unwrap().successful().len(), 2);
    assert_eq!(world.bodies(&queue).await, ["one", "two"]);
}

#[tokio::test]
async fn a_malformed_batch_is_refused_as_a_whole() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let code = async |entries: Vec<SendMessageBatchRequestEntry>| {
        let batch = world.sqs.send_message_batch().queue_url(&queue).set_entries(Some(entries));
        batch.send().await.unwrap_err().code().unwrap().to_owned()
    };
    assert_eq!(code(vec![]).await, "AWS.SimpleQueueService.EmptyBatchRequest");
    let eleven = (0..11).map(|index| entry(&index.to_string(), "x")).collect();
    assert_eq!(code(eleven).await, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest");
    let twice = vec![entry("a", "x"), entry("a", "y")];
    assert_eq!(code(twice).await, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct");
    let heavy = "x".repeat(600_000);
    assert_eq!(
        code(vec![entry("a", &heavy), entry("b", &heavy)]).await,
        "AWS.SimpleQueueService.BatchRequestTooLong"
    );
    assert_eq!(world.counts(&queue).await, ["0", "0", "0"]);
}
