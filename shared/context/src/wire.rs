//! The HTTP of the AWS SDK: the same client that everything else in the process uses.
//!
//! The SDK's own would be a second one in each binary, with HTTP/2 for services that do not offer it. Owns how requests and errors
//! are translated; it must never repeat a request, because the SDK decides about that.

use std::time::Duration;

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;

use crate::tls::{self, TlsError};

/// How long a connection to AWS may take to be made. A webhook must be answered within 3 s.
const CONNECT: Duration = Duration::from_secs(1);

/// The HTTP client of an [`aws_types::SdkConfig`]. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Wire(reqwest::Client);

/// A client that can't be built.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Anything else.
    #[error("the HTTP client can't be built")]
    Http(#[from] reqwest::Error),
}

/// A client with the TLS of this process. It follows nothing and nobody.
pub(crate) fn client(connect: Duration) -> Result<reqwest::ClientBuilder, TlsError> {
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls::client()?)
        .connect_timeout(connect)
        .redirect(reqwest::redirect::Policy::none()))
}

impl Wire {
    /// The way to AWS, by the environment's proxy if it names one.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn new() -> Result<Self, WireError> {
        Ok(Self(client(CONNECT)?.build()?))
    }

    /// The way to an AWS on this machine, past any proxy.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn loopback() -> Result<Self, WireError> {
        Ok(Self(client(CONNECT)?.no_proxy().build()?))
    }
}

impl Wire {
    /// Makes a connection that the next request to this address finds. Asks for nothing and reports nothing.
    pub(crate) async fn connect(&self, url: &str, patience: Duration) {
        // Without a signature AWS looks nothing up, and what it answers is of no interest.
        if let Ok(answer) = self.0.get(url).timeout(patience).send().await {
            // A connection whose answer was not read to its end is not used again.
            let _ = answer.bytes().await;
        }
    }
}

impl HttpClient for Wire {
    /// The settings are those of [`crate::Wiring`], which are this client's own.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { send(&client, request).await })
    }
}

async fn send(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let user = |reason: &str| ConnectorError::user(reason.into());
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = body.bytes().ok_or_else(|| user("a body that is not in memory"))?.to_vec();
    let request = http::Request::from_parts(parts, body);
    let request = reqwest::Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))?;
    let response = client.execute(request).await.map_err(failed)?;
    let status = response.status();
    let headers = response.headers().clone();
    let body = response.bytes().await.map_err(failed)?;
    let mut response = HttpResponse::new(StatusCode::from(status), SdkBody::from(body));
    for (name, value) in &headers {
        // AWS writes its headers in ASCII; what is not could not have been meant for us.
        if let Ok(value) = value.to_str() {
            response.headers_mut().append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(response)
}

/// What the SDK has to know to decide whether it tries again.
fn failed(error: reqwest::Error) -> ConnectorError {
    if error.is_builder() {
        return ConnectorError::user(error.into());
    }
    if error.is_timeout() {
        return ConnectorError::timeout(error.into());
    }
    match error.is_connect() {
        true => ConnectorError::io(error.into()).never_connected(),
        false => ConnectorError::io(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use clock::Manual;
    use tokio::{
        io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::{Config, Wiring};

    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    static REQUESTS: AtomicUsize = AtomicUsize::new(0);

    /// Refuses everything, as AWS refuses what it does not know, and keeps the connection.
    async fn refuse(stream: TcpStream) -> std::io::Result<()> {
        CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let mut stream = BufReader::new(stream);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            stream.read_exact(&mut vec![0; length]).await?;
            REQUESTS.fetch_add(1, Ordering::Relaxed);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 29\r\n\r\n").await?;
            stream.write_all(br#"{"__type":"UnknownOperation"}"#).await?;
        }
    }

    fn wiring(url: &str) -> (Wire, Wiring) {
        let wire = Wire::loopback().unwrap();
        let credentials = aws_credential_types::Credentials::new("local", "local", None, None, "test");
        let sdk = aws_types::SdkConfig::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::v2026_01_12())
            .region(aws_types::region::Region::new("us-east-1"))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .endpoint_url(url)
            .http_client(wire.clone())
            .build();
        let config = Config::read(|_| Some("1".to_owned())).unwrap();
        (wire, Wiring::new(&sdk, config, std::sync::Arc::new(Manual::at(0))).unwrap())
    }

    #[tokio::test]
    async fn what_is_opened_is_used_and_shared_by_all_clients() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (wire, wiring) = wiring(&url);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(refuse(stream));
            }
        });
        wire.connect(&url, CONNECT).await;
        assert_eq!((CONNECTIONS.load(Ordering::Relaxed), REQUESTS.load(Ordering::Relaxed)), (1, 1));
        assert!(wiring.deliveries().ping().await.is_err());
        assert!(wiring.tables().ping().await.is_err());
        assert_eq!((CONNECTIONS.load(Ordering::Relaxed), REQUESTS.load(Ordering::Relaxed)), (1, 3));
        serving.abort();
    }

    #[tokio::test]
    async fn nobody_there_is_worth_another_try() {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let request = HttpRequest::get(format!("http://{gone}/")).unwrap();
        let error = send(&Wire::loopback().unwrap().0, request).await.unwrap_err();
        assert!(error.is_io() && !error.is_user(), "{error:?}");
    }
}
