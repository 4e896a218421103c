//! Talks to webhook addresses: the handshake of a new subscription and the delivery of one notification. It
//! measures and judges the answers; what follows from a failure is decided elsewhere.

use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use reqwest::{Client, Url};
use uuid::Uuid;

use crate::error::ApiError;

/// How long an address may take, real time.
const TIMEOUT: Duration = Duration::from_millis(3000);
/// Status line, headers and body together.
const LARGEST_ANSWER: usize = 1024;
const AGENT: &str = "RingCentral-Webhook/8.3";

/// What went wrong with a request to a webhook, in the words of `blacklistedData.reason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No answer: refused, reset or too slow.
    Io(String),
    /// TLS failed on the certificate.
    Certificate,
    /// An answer larger than 1024 bytes, or endless.
    TooLarge,
    /// An answer other than 200.
    Status(StatusCode),
}

impl Failure {
    /// The reason a blacklisted subscription shows.
    pub(crate) fn reason(&self) -> String {
        match self {
            Failure::Io(details) => format!("I/O operation is failed. Details: [{details}]"),
            Failure::Certificate => "I/O operation is failed. Details: [Certificate is not valid]".to_owned(),
            Failure::TooLarge => "Webhook response is too large".to_owned(),
            Failure::Status(status) => {
                let reason = status.canonical_reason().unwrap_or_default();
                format!("Webhook responses with code: [{}], reason: [{reason}]", status.as_u16())
            }
        }
    }
}

/// The client of all webhooks: no proxy, no redirects.
pub(crate) fn client() -> Client {
    let builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().unwrap_or_default()
}

/// Checks that an address may be registered.
///
/// # Errors
/// CMN-101 for what is no web address, SUB-523 for plain HTTP anywhere but on this machine.
pub(crate) fn check_address(address: &str) -> Result<(), ApiError> {
    let parameter = "deliveryMode.address";
    let url = Url::parse(address).map_err(|_| ApiError::invalid(parameter))?;
    let host = url.host_str().ok_or_else(|| ApiError::invalid(parameter))?;
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let loopback = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => Err(ApiError::bad_request("SUB-523", "HTTPS is required").about(parameter)),
        _ => Err(ApiError::invalid(parameter)),
    }
}

/// Validates an address: it must echo a random `Validation-Token` header within 3 s in a 200 of JSON of at most
/// 1024 bytes. `verification_token` comes along if there is one.
///
/// # Errors
/// SUB-520 (not echoed), SUB-521 (not reachable), SUB-524 (certificate), SUB-525 (anything else).
pub(crate) async fn handshake(
    client: &Client,
    address: &str,
    verification_token: Option<&str>,
) -> Result<(), ApiError> {
    let error = |code, message: &str| ApiError::bad_request(code, message).about("deliveryMode.address");
    let token = Uuid::new_v4().to_string();
    let mut headers = verification(verification_token);
    if let Ok(value) = HeaderValue::from_str(&token) {
        headers.insert("validation-token", value);
    }
    let answered = match exchange(client, address, headers, Bytes::new()).await {
        Ok(answered) => answered,
        Err(Failure::Io(_)) => return Err(error("SUB-521", "WebHook is not reachable")),
        Err(Failure::Certificate) => return Err(error("SUB-524", "HTTPS certificate is not valid")),
        Err(_) => return Err(error("SUB-525", "WebHook server response is invalid")),
    };
    let media = answered.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.to_ascii_lowercase().starts_with("application/json") {
        return Err(error("SUB-525", "WebHook server response is invalid"));
    }
    if answered.get("validation-token").is_none_or(|value| value.as_bytes() != token.as_bytes()) {
        return Err(error("SUB-520", "Validation Token is not returned"));
    }
    Ok(())
}

/// Delivers one notification.
///
/// # Errors
/// Anything but a 200 of at most 1024 bytes within 3 s.
pub(crate) async fn deliver(
    client: &Client,
    address: &str,
    verification_token: Option<&str>,
    body: Bytes,
) -> Result<(), Failure> {
    exchange(client, address, verification(verification_token), body).await.map(drop)
}

/// The header by which a receiver knows whose request it is.
fn verification(token: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(Ok(value)) = token.map(HeaderValue::from_str) {
        headers.insert("verification-token", value);
    }
    headers
}

async fn exchange(
    client: &Client,
    address: &str,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<HeaderMap, Failure> {
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    let talk = async {
        let mut answer =
            client.post(address).headers(headers).body(body).send().await.map_err(|e| failure(&e))?;
        let head: usize =
            answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let status = answer.status();
        let line = "HTTP/1.1 200 \r\n".len() + status.canonical_reason().map_or(0, str::len);
        let mut read = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|e| failure(&e))? {
            read.extend_from_slice(&chunk);
            if line + head + 2 + read.len() > LARGEST_ANSWER {
                return Err(Failure::TooLarge);
            }
        }
        if line + head + 2 > LARGEST_ANSWER {
            return Err(Failure::TooLarge);
        }
        if status != StatusCode::OK {
            return Err(Failure::Status(status));
        }
        Ok(answer.headers().clone())
    };
    // Webhooks live in real time, whatever the simulated clock shows.
    tokio::time::timeout(TIMEOUT, talk)
        .await
        .unwrap_or_else(|_| Err(Failure::Io("Read timed out".to_owned())))
}

fn failure(error: &reqwest::Error) -> Failure {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::ConnectionRefused => return Failure::Io("Connection refused".to_owned()),
                std::io::ErrorKind::ConnectionReset => return Failure::Io("Connection reset".to_owned()),
                _ => {}
            }
        }
        if inner.to_string().to_ascii_lowercase().contains("certificate") {
            return Failure::Certificate;
        }
        cause = inner.source();
    }
    Failure::Io(if error.is_connect() { "Connect failed" } else { "Connection closed" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert_eq!(check_address("http://127.0.0.1:9/hook"), Ok(()));
        assert_eq!(check_address("http://[::1]:9/hook"), Ok(()));
        assert_eq!(check_address("https://hooks.example.com/x"), Ok(()));
        let code = |address| check_address(address).unwrap_err().body()["errorCode"].clone();
        assert_eq!(code("http://hooks.example.com/x"), "SUB-523");
        assert_eq!(code("ftp://127.0.0.1/x"), "CMN-101");
        assert_eq!(code("nonsense"), "CMN-101");
    }
}
