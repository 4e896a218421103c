//! Faults: an AWS that misbehaves on request, and counts what it was asked.

use crate::support::{World, config};
use aws_config::retry::RetryConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trunkline_embedded_aws::{Fault, Faults};

const SEND: &str = "AmazonSQS.SendMessage";

#[tokio::test]
async fn planned_failures_come_in_order_and_then_it_works_again() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let send = || world.sqs.send_message().queue_url(&queue).message_body("x").send();
    world.aws.faults().fail_next(SEND, 1, Fault::Error);
    world.aws.faults().fail_next(SEND, 1, Fault::Throttle);
    world.aws.faults().fail_next(SEND, 1, Fault::Drop);

    let broken = send().await.unwrap_err();
    assert_eq!(broken.raw_response().unwrap().status().as_u16(), 500);
    assert!(send().await.unwrap_err().into_service_error().is_request_throttled());
    assert!(matches!(send().await.unwrap_err(), SdkError::DispatchFailure(_)));
    assert_eq!(world.aws.faults().pending(SEND), 0);
    send().await.unwrap();

    assert_eq!(world.counts(&queue).await, ["1", "0", "0"], "what failed did nothing");
    assert_eq!(world.aws.stats().requests(SEND), 4);
}

#[tokio::test]
async fn a_lost_answer_hides_that_the_work_was_done() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    world.aws.faults().fail_next(SEND, 1, Fault::LoseAnswer);
    let lost = world.sqs.send_message().queue_url(&queue).message_body("x").send().await.unwrap_err();
    assert!(matches!(lost, SdkError::DispatchFailure(_)), "{lost:?}");
    assert_eq!(world.counts(&queue).await, ["1", "0", "0"]);
}

#[tokio::test]
async fn the_sdk_gets_over_a_short_failure_by_itself() {
    let world = World::in_memory().await;
    world.aws.faults().fail_next("secretsmanager.CreateSecret", 1, Fault::Error);
    let config = config(world.aws.url(), world.aws.access_key().expose()).await;
    let patient = config.into_builder().retry_config(RetryConfig::standard()).build();
    let secrets = aws_sdk_secretsmanager::Client::new(&patient);
    secrets.create_secret().name("key").secret_string("x").send().await.unwrap();
    assert_eq!(world.aws.stats().requests("secretsmanager.CreateSecret"), 2);
}

#[tokio::test]
async fn throttling_has_the_name_each_service_gives_it() {
    let world = World::in_memory().await;
    world.aws.faults().fail_next(Faults::EVERY, 2, Fault::Throttle);
    let table = world.dynamodb.list_tables().send().await.unwrap_err();
    assert_eq!(table.code(), Some("ProvisionedThroughputExceededException"));
    let secret = world.secrets.list_secrets().send().await.unwrap_err();
    assert_eq!(secret.code(), Some("ThrottlingException"));
}

#[tokio::test]
async fn while_down_nothing_answers() {
    let world = World::in_memory().await;
    world.aws.faults().set_down(true);
    assert!(matches!(world.sqs.list_queues().send().await.unwrap_err(), SdkError::DispatchFailure(_)));
    world.aws.faults().set_down(false);
    world.sqs.list_queues().send().await.unwrap();
}

#[tokio::test]
async fn latency_passes_on_the_clock() {
    let world = World::in_memory().await;
    world.aws.faults().set_latency("AmazonSQS.ListQueues", Duration::from_secs(3));
    let slow = tokio::spawn(world.sqs.list_queues().send());
    while world.aws.stats().requests("AmazonSQS.ListQueues") == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!slow.is_finished());
    while !slow.is_finished() {
        world.step(3);
        tokio::task::yield_now().await;
    }
    slow.await.unwrap().unwrap();
}

#[tokio::test]
async fn another_process_plans_faults_and_reads_counters_over_http() {
    let world = World::in_memory().await;
    let ask = async |head: &str, body: &str| {
        let address = world.aws.url().strip_prefix("http://").unwrap().to_owned();
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let key = world.aws.access_key().expose();
        let request = format!(
            "{head} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let planned = ask(
        "POST /_aws/faults",
        r#"{"fail":{"target":"AmazonSQS.ListQueues","count":2,"fault":"error"},"latency_ms":{"*":0}}"#,
    )
    .await;
    assert!(planned.contains(r#""fault":"error","left":2"#), "{planned}");
    assert!(world.sqs.list_queues().send().await.is_err());
    assert!(ask("GET /_aws/stats", "").await.contains(r#""AmazonSQS.ListQueues":1"#));
    ask("POST /_aws/faults", r#"{"clear":true}"#).await;
    assert!(world.sqs.list_queues().send().await.is_ok());
    assert!(ask("POST /", "{}").await.contains("UnknownOperationException"));
}
