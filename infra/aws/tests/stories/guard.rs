//! Who is let in: a caller on this machine that has the key of the data folder.

use crate::support::{World, config};
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use std::io::{Read, Write};
use std::net::TcpStream;
use trunkline_embedded_aws::{ACCESS_KEY_FILE, Clock};

/// Sends a request as it is written and returns the status and the whole answer.
fn raw(world: &World, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut line = TcpStream::connect(world.aws.url().trim_start_matches("http://")).unwrap();
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    line.write_all(format!("{request}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

async fn with_a_secret() -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::on(folder.path(), Clock::manual()).await;
    world.secrets.create_secret().name("app/key").secret_string("open sesame").send().await.unwrap();
    (folder, world)
}

const ASK: &str = r#"{"SecretId": "app/key"}"#;
const TARGET: (&str, &str) = ("X-Amz-Target", "secretsmanager.GetSecretValue");
const HERE: (&str, &str) = ("Host", "127.0.0.1");

#[tokio::test(flavor = "multi_thread")]
async fn regression_a_foreign_host_gets_no_secret_even_with_the_key() {
    let (_folder, world) = with_a_secret().await;
    let bearer = format!("Bearer {}", world.aws.access_key().expose());
    let key = ("Authorization", bearer.as_str());
    for foreign in [("Host", "evil.example"), ("Host", "127.0.0.1.evil.example:80")] {
        let (status, answer) = raw(&world, "POST", "/", &[foreign, TARGET, key], ASK);
        assert_eq!(status, 403, "{answer}");
        assert!(!answer.contains("sesame"), "{answer}");
    }
    let page = ("Origin", "http://evil.example");
    assert_eq!(raw(&world, "POST", "/", &[HERE, page, TARGET, key], ASK).0, 403);
    assert_eq!(raw(&world, "GET", "/_aws/", &[("Host", "evil.example")], "").0, 403);
    assert!(raw(&world, "POST", "/", &[HERE, TARGET, key], ASK).1.contains("open sesame"));
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_who_does_not_have_the_key_gets_no_secret() {
    let (_folder, world) = with_a_secret().await;
    for key in ["local", "AKIAIOSFODNN7EXAMPLE"] {
        let stranger = aws_sdk_secretsmanager::Client::new(&config(world.aws.url(), key).await);
        let refused = stranger.get_secret_value().secret_id("app/key").send().await.unwrap_err();
        assert_eq!(refused.into_service_error().code(), Some("UnrecognizedClientException"));
        let stranger = aws_sdk_sqs::Client::new(&config(world.aws.url(), key).await);
        let refused = stranger.list_queues().send().await.unwrap_err();
        assert_eq!(refused.into_service_error().code(), Some("UnrecognizedClientException"));
    }
    let (status, answer) = raw(&world, "POST", "/", &[HERE, TARGET], ASK);
    assert_eq!(status, 400, "{answer}");
    assert!(answer.contains("UnrecognizedClientException") && answer.contains("aws-access-key"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_faults_and_figures_are_for_who_has_the_key() {
    let (_folder, world) = with_a_secret().await;
    let json = ("Content-Type", "application/json");
    assert_eq!(raw(&world, "POST", "/_aws/faults", &[HERE, json], r#"{"down": true}"#).0, 400);
    assert_eq!(raw(&world, "GET", "/_aws/stats", &[HERE], "").0, 400);
    assert_eq!(raw(&world, "GET", "/_aws/faults", &[HERE], "").0, 400);
    // Nothing of it had an effect.
    world.secrets.get_secret_value().secret_id("app/key").send().await.unwrap();
    let bearer = format!("Bearer {}", world.aws.access_key().expose());
    assert_eq!(raw(&world, "GET", "/_aws/stats", &[HERE, ("Authorization", &bearer)], "").0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_lies_in_the_folder_and_the_endpoint_tells_where() {
    let (folder, world) = with_a_secret().await;
    let file = folder.path().join(ACCESS_KEY_FILE);
    let key = std::fs::read_to_string(&file).unwrap();
    assert_eq!(key, world.aws.access_key().expose());
    let (status, answer) = raw(&world, "GET", "/_aws/", &[HERE], "");
    assert_eq!(status, 200);
    assert!(answer.contains(&*file.to_string_lossy()) && !answer.contains(&key), "{answer}");
    world.aws.shutdown().await;
    let again = World::on(folder.path(), Clock::manual()).await;
    assert_eq!(again.aws.access_key().expose(), key, "it outlives a restart");
}
