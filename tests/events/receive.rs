//! The receiver: what it takes, what it refuses, and how little it says.

use embedded_aws::Fault;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use trunkline_tests::{Answer, World};

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";

/// The path that RingCentral delivers to.
fn address(world: &World, subscription: &serde_json::Value) -> String {
    let address = subscription["deliveryMode"]["address"].as_str().unwrap();
    address.strip_prefix(&world.url).unwrap().to_owned()
}

#[tokio::test]
async fn a_delivery_without_the_right_token_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let path = address(&world, &world.subscribe(&[CALLS]).await);
    let other_key = format!("{}{}", &path[..path.len() - 32], "0".repeat(32));
    let event = json!({"uuid": "1", "event": CALLS, "body": {}});
    let mut answers = Vec::new();
    for (path, token) in [
        (path.as_str(), None),
        (path.as_str(), Some("0".repeat(64))),
        (path.as_str(), Some(String::new())),
        (other_key.as_str(), Some("0".repeat(64))),
        ("/api/webhooks/events/nobody/00000000000000000000000000000000", Some("0".repeat(64))),
        ("/api/webhooks/events/NOT-A-TENANT/x", Some("x".to_owned())),
        ("/api/webhooks/events", Some("x".to_owned())),
        ("/api/webhooks/validate", None),
    ] {
        let mut request = world.anonymous("POST", path).json(&event);
        if let Some(token) = token {
            request = request.header("verification-token", token);
        }
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 401, "{path}");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all of them learn the same");
    assert_eq!(world.depth(&world.cloud.events_queue).await, 0);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_object_is_refused_even_with_the_right_token() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    for (body, status) in
        [(large.as_str(), 413), ("nonsense", 400), ("[]", 400), ("7", 400), ("", 400), ("{", 400)]
    {
        let request = world.anonymous("POST", &path).header("verification-token", &token);
        let answer = Answer::of(request.body(body.to_owned())).await;
        assert_eq!(answer.status, status, "{}", &body[..body.len().min(20)]);
    }
    let latin1 = world
        .anonymous("POST", &path)
        .header("verification-token", &token)
        .body(b"{\"a\":\"\xe9\"}".to_vec());
    assert_eq!(Answer::of(latin1).await.status, 400);
    assert_eq!(world.depth(&world.cloud.events_queue).await, 0);
}

#[tokio::test]
async fn regression_the_largest_delivery_that_is_taken_can_be_stored() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    let call = "x".repeat(5_000);
    for body in [
        format!("{{\"a\":\"{}\"}}", "\\\"".repeat(130_000)),
        format!(
            "{{\"event\":\"/restapi/v1.0/account/1/telephony/sessions\",\"body\":{{\"telephonySessionId\":\"{call}\"}}}}"
        ),
    ] {
        let request = world.anonymous("POST", &path).header("verification-token", &token).body(body);
        assert_eq!(Answer::of(request).await.status, 200);
    }
    world.dispatch().await;
    assert_eq!(world.events("").await.len(), 2);
}

#[tokio::test]
async fn the_whole_handshake_fits_into_1024_bytes() {
    let world = World::new().await;
    let token = "v".repeat(256);
    let answer = raw(&world, &format!("Validation-Token: {token}\r\n"), "").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains(&format!("validation-token: {token}\r\n")), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("content-type: application/json\r\n"), "{answer}");
    assert!(answer.len() <= 1_024, "{} bytes", answer.len());

    for hostile in ["v".repeat(257), "<script>".to_owned(), "a\"b".to_owned()] {
        let answer = raw(&world, &format!("Validation-Token: {hostile}\r\n"), "").await;
        assert!(answer.starts_with("HTTP/1.1 401 ") && !answer.contains(&hostile), "{answer}");
    }
}

#[tokio::test]
async fn a_delivery_may_bring_its_token_as_ringcentrals_guide_shows_it() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    let delivery = world.anonymous("POST", &path).header("validation-token", &token).body("{\"uuid\":\"1\"}");
    let answer = Answer::of(delivery).await;
    assert_eq!((answer.status, answer.header("validation-token")), (200, ""));
    assert_eq!(world.depth(&world.cloud.events_queue).await, 1);
    let forged =
        world.anonymous("POST", &path).header("validation-token", "0".repeat(64)).body("{\"uuid\":\"2\"}");
    let answer = Answer::of(forged).await;
    assert_eq!((answer.status, answer.header("validation-token")), (401, ""), "it has a body, so it is none");
    assert_eq!(world.depth(&world.cloud.events_queue).await, 1);
}

#[tokio::test]
async fn every_answer_is_small_json() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    for body in ["{}", "nonsense"] {
        let request = world.anonymous("POST", &path).header("verification-token", &token).body(body);
        let answer = Answer::of(request).await;
        let headers: usize =
            answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        assert!(headers + answer.text.len() + 40 <= 1_024, "{answer:?}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn without_storage_there_is_no_200() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    world.aws().faults().fail_next("AmazonSQS.SendMessage", 9, Fault::Error);
    let deliver =
        || world.anonymous("POST", &path).header("verification-token", &token).body("{\"uuid\":\"1\"}");
    assert_eq!(Answer::of(deliver()).await.status, 503);
    world.aws().faults().clear();
    assert_eq!(Answer::of(deliver()).await.status, 200);
    assert_eq!(world.depth(&world.cloud.events_queue).await, 1);
}

#[tokio::test]
async fn a_delivery_costs_one_aws_request() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    let deliver =
        || world.anonymous("POST", &path).header("verification-token", &token).body("{\"uuid\":\"1\"}");
    assert_eq!(Answer::of(deliver()).await.status, 200);
    let before = world.aws().stats().total();
    for _ in 0..10 {
        assert_eq!(Answer::of(deliver()).await.status, 200);
    }
    assert_eq!(world.aws().stats().total() - before, 10);
}

/// A POST to the receiver on a bare connection; everything that comes back.
async fn raw(world: &World, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(world.url.trim_start_matches("http://")).await.unwrap();
    let length = body.len();
    let head = format!("POST /api/webhooks/events/default/{} HTTP/1.1\r\nHost: x\r\n", "0".repeat(32));
    let request = format!("{head}Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}
