//! Which of two requests it is: a handshake, which is echoed, or a delivery, which is stored before it hears a 200.

use embedded_aws::Fault;
use serde_json::json;
use simulator::{Config, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use trunkline_tests::{Answer, World};

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";
/// RingCentral's handshakes carry tokens of this shape.
const GUID: &str = "0f8f1c1e-7b1d-4f0e-9f43-3f2b6f3b5a10";
const SECRETS: &str = "secretsmanager.GetSecretValue";

type Headers<'h> = &'h [(&'h str, &'h str)];

async fn post(world: &World, url: &str, headers: Headers<'_>, body: &str) -> Answer {
    let mut request = world.http.post(url).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn regression_no_delivery_hears_200_without_its_message_in_the_queue() {
    let mut world = World::new().await;
    let (path, token) = world.signed_address().await;
    let (ours, foreign) = (token.as_str(), "0".repeat(64));
    let foreign = foreign.as_str();
    let (verify, validate) = ("verification-token", "validation-token");
    // The headers of a delivery, and what it hears where the keys can be read and where they can't. What is no token of
    // ours by its shape needs no keys.
    let deliveries: [(Headers<'_>, [u16; 2]); 10] = [
        (&[(verify, ours)], [200, 503]),
        (&[(validate, ours)], [200, 503]),
        (&[(verify, ours), (validate, GUID)], [200, 503]),
        (&[(verify, ours), (validate, ours)], [200, 503]),
        (&[(verify, foreign)], [401, 503]),
        (&[(validate, foreign)], [401, 503]),
        (&[(verify, foreign), (validate, GUID)], [401, 503]),
        (&[(verify, foreign), (validate, foreign)], [401, 503]),
        (&[(validate, GUID)], [401, 401]),
        (&[], [401, 401]),
    ];
    let mut stored = 0;
    for (number, (headers, status)) in deliveries.into_iter().enumerate() {
        for down in [false, true] {
            let cold = world.container().await;
            if down {
                world.aws().faults().fail_next(SECRETS, 99, Fault::Error);
            }
            let body = format!("{{\"uuid\":\"{number}\",\"event\":\"{CALLS}\",\"body\":{{}}}}");
            let answer = post(&world, &format!("{cold}{path}"), headers, &body).await;
            world.aws().faults().clear();
            assert_eq!(answer.status, status[usize::from(down)], "{headers:?}, secrets down: {down}");
            assert!(!answer.headers.contains_key(validate), "a delivery is not echoed: {answer:?}");
            stored += usize::from(answer.status == 200);
            assert_eq!(world.depth(&world.cloud.events_queue).await, stored, "{headers:?}");
        }
    }
    assert_eq!(stored, 4);
}

#[tokio::test]
async fn regression_a_handshake_is_echoed_whatever_else_it_carries() {
    let mut world = World::new().await;
    let (path, token) = world.signed_address().await;
    for verification in [None, Some(token.as_str()), Some("foreign")] {
        for down in [false, true] {
            let cold = world.container().await;
            if down {
                world.aws().faults().fail_next(SECRETS, 99, Fault::Error);
            }
            let mut headers = vec![("validation-token", GUID)];
            headers.extend(verification.map(|token| ("verification-token", token)));
            let answer = post(&world, &format!("{cold}{path}"), &headers, "").await;
            world.aws().faults().clear();
            assert_eq!((answer.status, answer.header("validation-token")), (200, GUID), "{headers:?}");
            assert_eq!((answer.text.as_str(), answer.header("content-type")), ("", "application/json"));
        }
    }
    assert_eq!(world.depth(&world.cloud.events_queue).await, 0);
}

/// A token of our own shape is no handshake, even if nothing comes with it: there would be nothing to store.
#[tokio::test]
async fn regression_a_token_of_our_shape_without_a_body_is_no_handshake() {
    let mut world = World::new().await;
    let (path, token) = world.signed_address().await;
    for (token, down, status) in [
        (token.as_str(), false, 400),
        ("0".repeat(64).as_str(), false, 401),
        (token.as_str(), true, 503),
        ("0".repeat(64).as_str(), true, 503),
    ] {
        let cold = world.container().await;
        if down {
            world.aws().faults().fail_next(SECRETS, 99, Fault::Error);
        }
        let answer = post(&world, &format!("{cold}{path}"), &[("validation-token", token)], "").await;
        world.aws().faults().clear();
        assert_eq!(answer.status, status);
        assert!(!answer.headers.contains_key("validation-token"));
    }
}

/// Whether RingCentral sends the `verificationToken` with the handshake is not published.
#[tokio::test]
async fn a_subscription_is_made_whether_or_not_its_handshake_brings_the_verification_token() {
    for verification_in_handshake in [true, false] {
        let world = World::with(Config {
            extensions: 5,
            calls: 0,
            messages: 0,
            limits: Limits::none(),
            verification_in_handshake,
            ..Config::default()
        })
        .await;
        assert_eq!(world.subscribe(&[CALLS]).await["status"], "Active");
    }
}

#[tokio::test]
async fn regression_every_answer_is_small_json_and_every_refusal_names_its_request() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    let verified = format!("Verification-Token: {token}\r\n");
    let id = "r".repeat(128);
    let named = format!("X-Request-Id: {id}\r\n{verified}");
    let wrong = format!("X-Request-Id: {id}\r\nVerification-Token: {}\r\n", "0".repeat(64));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let event = json!({"uuid": "1", "event": CALLS, "body": {}}).to_string();
    for (method, headers, body, status) in [
        ("POST", format!("Validation-Token: {GUID}\r\n"), "", 200),
        ("POST", format!("X-Request-Id: {id}\r\nValidation-Token: {}\r\n", "v".repeat(256)), "", 200),
        ("POST", named.clone(), event.as_str(), 200),
        ("POST", wrong, event.as_str(), 401),
        ("POST", named.clone(), "not json", 400),
        ("POST", named.clone(), large.as_str(), 413),
        ("GET", named.clone(), "", 405),
        ("PUT", named.clone(), event.as_str(), 405),
        ("DELETE", String::new(), "", 405),
    ] {
        let answer = raw(&world, method, &path, &headers, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method}: {answer}");
        assert!(answer.len() <= 1_024, "{} bytes: {answer}", answer.len());
        let (head, told) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_ascii_lowercase();
        assert!(head.contains("content-type: application/json\r\n"), "{answer}");
        if status != 200 {
            let told: serde_json::Value = serde_json::from_str(told).unwrap();
            assert!(told["title"].is_string(), "{answer}");
            let named = format!("x-request-id: {id}");
            assert!(head.contains("x-request-id: "), "{answer}");
            assert_eq!(head.contains(&named), headers.contains(&id), "{answer}");
        }
        assert_eq!(head.contains("allow: post"), status == 405, "{answer}");
    }
    world.aws().faults().fail_next("AmazonSQS.SendMessage", 20, Fault::Error);
    let answer = raw(&world, "POST", &path, &named, &event).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.len() <= 1_024, "{answer}");
    assert!(answer.to_ascii_lowercase().contains(&format!("x-request-id: {id}")), "{answer}");
}

/// A sender that is still sending must hear the answer and no broken pipe.
#[tokio::test]
async fn regression_a_body_that_is_too_large_is_read_on_for_a_while_before_it_is_refused() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    let megabytes = 5 * 1024 * 1024;
    for (token, status) in [(token.as_str(), 413), ("foreign", 401)] {
        let headers = format!("Verification-Token: {token}\r\n");
        let answer = raw(&world, "POST", &path, &headers, &"x".repeat(megabytes)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "announced: {answer}");

        let mut stream = connect(&world).await;
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}");
        stream.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
        for _ in 0..megabytes / 65_536 {
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(65_536));
            stream.write_all(chunk.as_bytes()).await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        let answer = rest(stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "in chunks: {answer}");
    }
    // Who asks first is refused before anything is sent.
    let mut stream = connect(&world).await;
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n");
    let head = format!("{head}Verification-Token: {token}\r\nContent-Length: {megabytes}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(world.depth(&world.cloud.events_queue).await, 0);
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.url.trim_start_matches("http://")).await.unwrap()
}

async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// A request on a bare connection, sent to its end; everything that comes back.
async fn raw(world: &World, method: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = connect(world).await;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}");
    let head = format!("{head}Content-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    rest(stream).await
}
