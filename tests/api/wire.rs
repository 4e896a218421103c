//! What only shows on the wire.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use trunkline_http::Role;
use trunkline_tests::World;

/// Sends the head and the whole body before it reads, as many clients do.
async fn sent(world: &World, head: &str, body: usize) -> String {
    let mut socket = TcpStream::connect(world.url.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
         authorization: Bearer {}\r\ncontent-length: {body}\r\n\r\n",
        world.token(Role::Viewer)
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b' '; body]).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn regression_whoever_still_sends_hears_the_answer() {
    let world = World::new().await;
    let (address, _) = world.signed_address().await;
    for (head, status) in [
        ("POST /api/sites".to_owned(), "403"),
        ("POST /api/nowhere".to_owned(), "404"),
        ("PATCH /api/sites".to_owned(), "405"),
        (format!("POST {address}"), "401"),
    ] {
        let answer = sent(&world, &head, 5 * 1024 * 1024).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
    }
}

#[tokio::test]
async fn regression_a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let world = World::new().await;
    let mut socket = TcpStream::connect(world.url.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /api/sites HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n\
         authorization: Bearer {}\r\ncontent-length: 5000000\r\n\r\n",
        world.token(Role::Admin)
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body-too-large"), "{answer}");
}
