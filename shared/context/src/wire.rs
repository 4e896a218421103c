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
