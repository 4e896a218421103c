//! Dead letters: a message nobody can process leaves, and can be sent back.

use crate::support::{World, system};
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};

const DEAD_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:work-dead";
const WORK_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:work";

async fn queues(world: &World) -> (String, String) {
    let dead = world.queue("work-dead", &[]).await;
    let policy = format!(r#"{{"deadLetterTargetArn":"{DEAD_ARN}","maxReceiveCount":2}}"#);
    let work = world.queue("work", &[(QueueAttributeName::RedrivePolicy, &policy)]).await;
    (work, dead)
}

async fn fail_until_dead(world: &World, work: &str) {
    for _ in 0..2 {
        assert_eq!(world.receive(work).await.len(), 1);
        world.step(30);
    }
    assert!(world.receive(work).await.is_empty(), "a third receive is one too many");
}

#[tokio::test]
async fn a_message_received_too_often_moves_to_the_dead_letter_queue() {
    let world = World::in_memory().await;
    let (work, dead) = queues(&world).await;
    let id = world.send(&work, "poison").await;
    fail_until_dead(&world, &work).await;

    assert_eq!(world.counts(&work).await, ["0", "0", "0"]);
    let letter = &world.receive(&dead).await[0];
    assert_eq!(letter.message_id(), Some(id.as_str()));
    assert_eq!(letter.body(), Some("poison"));
    assert_eq!(system(letter, MessageSystemAttributeName::DeadLetterQueueSourceArn), Some(WORK_ARN));
    // Receives count across all queues.
    assert_eq!(system(letter, MessageSystemAttributeName::ApproximateReceiveCount), Some("3"));
}

#[tokio::test]
async fn a_poisonous_message_does_not_hide_the_healthy_one_behind_it() {
    let world = World::in_memory().await;
    let (work, _) = queues(&world).await;
    world.send(&work, "poison").await;
    for _ in 0..2 {
        world.receive(&work).await;
        world.step(30);
    }
    world.send(&work, "healthy").await;
    let one = world.sqs.receive_message().queue_url(&work).send().await.unwrap();
    assert_eq!(one.messages()[0].body(), Some("healthy"));
}

#[tokio::test]
async fn a_redrive_sends_dead_letters_back_to_where_they_came_from() {
    let world = World::in_memory().await;
    let (work, dead) = queues(&world).await;
    world.send(&work, "poison").await;
    fail_until_dead(&world, &work).await;

    world.sqs.start_message_move_task().source_arn(DEAD_ARN).send().await.unwrap();
    assert_eq!(world.counts(&dead).await, ["0", "0", "0"]);
    let back = &world.receive(&work).await[0];
    assert_eq!(back.body(), Some("poison"));
    assert_eq!(system(back, MessageSystemAttributeName::ApproximateReceiveCount), Some("1"));

    let tasks = world.sqs.list_message_move_tasks().source_arn(DEAD_ARN).send().await.unwrap();
    assert_eq!(tasks.results()[0].status(), Some("COMPLETED"));
    assert_eq!(tasks.results()[0].approximate_number_of_messages_moved(), 1);
}

#[tokio::test]
async fn a_redrive_without_a_known_source_says_so() {
    let world = World::in_memory().await;
    let (work, dead) = queues(&world).await;
    world.send(&dead, "never came from anywhere").await;
    world.sqs.start_message_move_task().source_arn(DEAD_ARN).send().await.unwrap();
    let tasks = world.sqs.list_message_move_tasks().source_arn(DEAD_ARN).send().await.unwrap();
    assert_eq!(tasks.results()[0].failure_reason(), Some("CouldNotDetermineMessageSource"));

    world.sqs.start_message_move_task().source_arn(DEAD_ARN).destination_arn(WORK_ARN).send().await.unwrap();
    assert_eq!(world.bodies(&work).await, ["never came from anywhere"]);

    let not_a_dlq = world.sqs.start_message_move_task().source_arn(WORK_ARN).send().await.unwrap_err();
    assert!(not_a_dlq.message().unwrap().contains("Dead Letter Queue"));
}

#[tokio::test]
async fn a_policy_needs_a_target_that_exists() {
    let world = World::in_memory().await;
    let policy = format!(r#"{{"deadLetterTargetArn":"{DEAD_ARN}","maxReceiveCount":"5"}}"#);
    let create = world.sqs.create_queue().queue_name("work");
    let refused = create.attributes(QueueAttributeName::RedrivePolicy, policy).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn the_sources_of_a_dead_letter_queue_are_listed() {
    let world = World::in_memory().await;
    let (work, dead) = queues(&world).await;
    let sources = world.sqs.list_dead_letter_source_queues().queue_url(&dead).send().await.unwrap();
    assert_eq!(sources.queue_urls(), [work]);
}
