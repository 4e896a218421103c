//! RingCentral's token endpoint, as one request sees it. What its answer means is decided elsewhere.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clock::Millis;
use http::HeaderMap;
use secrecy::ExposeSecret;

use crate::{Credentials, attempt, operations::GET_TOKEN};

/// How long one token request may take (milliseconds).
pub(crate) const TIMEOUT: Millis = 8_000;

/// An answer of the token endpoint, as it came.
#[derive(Debug, Clone)]
pub struct TokenReply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// No whole answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoReply {
    /// The request may have arrived all the same.
    pub arrived: bool,
    /// What failed, in words.
    pub reason: String,
}

/// Where tokens come from.
#[async_trait]
pub trait TokenEndpoint: Send + Sync {
    /// Sends one JWT-bearer grant and says within 8 s what came of it. Never repeats it: RingCentral locks users out.
    async fn jwt_bearer(&self, credentials: &Credentials) -> Result<TokenReply, NoReply>;
}

/// The token endpoint over HTTP.
#[derive(Debug, Clone)]
pub struct HttpEndpoint(reqwest::Client);

impl HttpEndpoint {
    /// The endpoint of whichever platform the credentials name.
    #[must_use]
    pub fn new(http: reqwest::Client) -> Self {
        Self(http)
    }
}

#[async_trait]
impl TokenEndpoint for HttpEndpoint {
    async fn jwt_bearer(&self, credentials: &Credentials) -> Result<TokenReply, NoReply> {
        let sent = self
            .0
            .post(format!("{}{}", credentials.server_url, GET_TOKEN.path))
            .basic_auth(&credentials.client_id, Some(credentials.client_secret.expose_secret()))
            .timeout(Duration::from_millis(TIMEOUT.unsigned_abs()))
            .form(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", credentials.jwt.expose_secret()),
            ])
            .send()
            .await;
        let mut response = sent.map_err(|error| NoReply::of(&error))?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let body = response.bytes().await.map_err(|error| NoReply::of(&error))?;
        Ok(TokenReply { status, headers, body })
    }
}

impl NoReply {
    fn of(error: &reqwest::Error) -> Self {
        Self { arrived: !error.is_connect(), reason: attempt::describe(error) }
    }
}
