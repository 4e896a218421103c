//! Several processes: one serves, others use it, and a kill loses nothing that was acknowledged.
//!
//! The other processes are this test binary again, running one of the ignored tests below.

use crate::support::{World, config};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use trunkline_embedded_aws::{ACCESS_KEY_FILE, Clock, EmbeddedAws, Options};

const MESSAGES: usize = 25;

fn another_process(role: &str, variables: &[(&str, &OsStr)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", role, "--ignored", "--nocapture", "--test-threads=1"])
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
#[ignore = "the role of another process"]
async fn role_sender() {
    let Ok(url) = std::env::var("STORY_URL") else { return };
    let key = std::env::var("STORY_KEY").unwrap();
    let sqs = aws_sdk_sqs::Client::new(&config(&url, &key).await);
    let sends = (0..MESSAGES).map(|index| {
        let body = format!("{}-{index}", std::process::id());
        tokio::spawn(sqs.send_message().queue_url("http://any/0/work").message_body(body).send())
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
}

#[tokio::test]
#[ignore = "the role of another process"]
async fn role_server() {
    let Ok(folder) = std::env::var("STORY_FOLDER") else { return };
    let options = Options { data: Some(folder.into()), ..Options::default() };
    let aws = EmbeddedAws::start(options).await.unwrap();
    println!("serving at {}", aws.url());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn three_processes_send_at_once_and_every_message_arrives_once() {
    let world = World::in_memory().await;
    let queue = world.queue("work", &[]).await;
    let url = world.aws.url().to_owned();
    let variables = [("STORY_URL", url.as_ref()), ("STORY_KEY", world.aws.access_key().expose().as_ref())];
    let senders: Vec<_> = (0..3).map(|_| another_process("processes::role_sender", &variables)).collect();
    for mut sender in senders {
        assert!(sender.wait().unwrap().success());
    }
    let mut bodies = std::collections::BTreeSet::new();
    loop {
        let received = world.receive(&queue).await;
        if received.is_empty() {
            break;
        }
        for message in &received {
            assert!(bodies.insert(message.body().unwrap().to_owned()), "received twice");
            world.delete(&queue, message).await;
        }
    }
    assert_eq!(bodies.len(), 3 * MESSAGES);
}

fn serve(folder: &Path) -> (Child, String) {
    let mut server = another_process("processes::role_server", &[("STORY_FOLDER", folder.as_ref())]);
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find_map(|line| Some(line.split_once("serving at ")?.1.to_owned())).unwrap();
    (server, url)
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_acknowledged_and_leaves_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, url) = serve(folder.path());
    let key = std::fs::read_to_string(folder.path().join(ACCESS_KEY_FILE)).unwrap();
    let sqs = aws_sdk_sqs::Client::new(&config(&url, &key).await);
    let queue = sqs.create_queue().queue_name("work").send().await.unwrap().queue_url.unwrap();
    for index in 0..MESSAGES {
        sqs.send_message().queue_url(&queue).message_body(index.to_string()).send().await.unwrap();
    }
    server.kill().unwrap();
    server.wait().unwrap();

    let world = World::on(folder.path(), Clock::manual()).await;
    assert_eq!(world.counts(&queue).await[0], MESSAGES.to_string());
}
