//! Visibility: who may see a message when, with time stepped by hand.

use crate::support::{World, system};
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};

#[tokio::test]
async fn a_received_message_is_hidden_until_its_timeout_passes() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[(QueueAttributeName::VisibilityTimeout, "30")]).await;
    world.send(&queue, "job").await;
    assert_eq!(world.bodies(&queue).await, ["job"]);

    world.step(29);
    assert!(world.receive(&queue).await.is_empty());
    world.step(1);
    let again = &world.receive(&queue).await[0];
    assert_eq!(system(again, MessageSystemAttributeName::ApproximateReceiveCount), Some("2"));
    let first = system(again, MessageSystemAttributeName::ApproximateFirstReceiveTimestamp).unwrap();
    let sent = system(again, MessageSystemAttributeName::SentTimestamp).unwrap();
    assert_eq!(first, sent, "nothing moved the clock between the send and the first receive");
}

#[tokio::test]
async fn a_delayed_message_appears_when_its_delay_is_over() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let later = world.sqs.send_message().queue_url(&queue).message_body("later").delay_seconds(900);
    later.send().await.unwrap();
    assert_eq!(world.counts(&queue).await, ["0", "0", "1"]);

    world.step(899);
    assert!(world.receive(&queue).await.is_empty());
    world.step(1);
    assert_eq!(world.bodies(&queue).await, ["later"]);
}

#[tokio::test]
async fn a_consumer_extends_or_gives_up_its_hold() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.send(&queue, "job").await;
    let held = world.receive(&queue).await.remove(0);
    let change = |seconds| {
        let handle = held.receipt_handle().unwrap();
        world
            .sqs
            .change_message_visibility()
            .queue_url(&queue)
            .receipt_handle(handle)
            .visibility_timeout(seconds)
            .send()
    };

    change(300).await.unwrap();
    world.step(200);
    assert!(world.receive(&queue).await.is_empty());
    change(0).await.unwrap();
    let too_late = change(300).await.unwrap_err();
    assert!(too_late.into_service_error().is_message_not_inflight());
    assert_eq!(world.bodies(&queue).await, ["job"]);

    let stale = change(300).await.unwrap_err();
    assert_eq!(stale.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn nobody_holds_a_message_for_more_than_twelve_hours() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.send(&queue, "job").await;
    let held = world.receive(&queue).await.remove(0);
    world.step(10);
    let change = world.sqs.change_message_visibility().queue_url(&queue).visibility_timeout(43_200);
    let refused = change.receipt_handle(held.receipt_handle().unwrap()).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn only_the_latest_receipt_deletes_but_it_does_so_even_late() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.send(&queue, "job").await;
    let first = world.receive(&queue).await.remove(0);
    world.step(30);
    let second = world.receive(&queue).await.remove(0);

    world.delete(&queue, &first).await;
    assert_eq!(world.counts(&queue).await, ["0", "1", "0"], "the second consumer still holds it");

    world.step(30);
    world.delete(&queue, &second).await;
    assert_eq!(world.counts(&queue).await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_long_poll_ends_with_the_message_it_waited_for() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let poll = world.sqs.receive_message().queue_url(&queue).wait_time_seconds(20).send();
    let (polled, _) = tokio::join!(poll, world.send(&queue, "awaited"));
    assert_eq!(polled.unwrap().messages()[0].body(), Some("awaited"));
}

#[tokio::test]
async fn a_long_poll_ends_when_a_hidden_message_shows_or_time_is_up() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.sqs.send_message().queue_url(&queue).message_body("later").delay_seconds(5).send().await.unwrap();
    let poll = || world.sqs.receive_message().queue_url(&queue).wait_time_seconds(20).send();

    // The clock may be stepped before the poll begins or after: either way five seconds are enough.
    let (polled, ()) = tokio::join!(poll(), async { world.step(5) });
    let later = polled.unwrap().messages.unwrap().remove(0);
    assert_eq!(later.body(), Some("later"));
    world.delete(&queue, &later).await;

    let empty = tokio::spawn(poll());
    while !empty.is_finished() {
        world.step(1);
        tokio::task::yield_now().await;
    }
    assert!(empty.await.unwrap().unwrap().messages().is_empty());
}

#[tokio::test]
async fn stopping_ends_a_long_poll_with_nothing() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let poll = tokio::spawn(world.sqs.receive_message().queue_url(&queue).wait_time_seconds(20).send());
    while world.aws.stats().requests("AmazonSQS.ReceiveMessage") == 0 {
        tokio::task::yield_now().await;
    }
    world.aws.shutdown().await;
    assert!(poll.await.unwrap().unwrap().messages().is_empty());
}
