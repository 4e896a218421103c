//! RingCentral's token endpoint, as one request sees it. What its answer means is decided elsewhere.

use async_trait::async_trait;
use bytes::Bytes;
use clock::{Millis, SharedClock};
use http::HeaderMap;
use secrecy::ExposeSecret;

use crate::{
    Credentials,
    attempt::{self, Unanswered},
    operations::GET_TOKEN,
};

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
pub struct HttpEndpoint {
    http: reqwest::Client,
    clock: SharedClock,
}

impl HttpEndpoint {
    /// The endpoint of whichever platform the credentials name.
    #[must_use]
    pub fn new(http: reqwest::Client, clock: SharedClock) -> Self {
        Self { http, clock }
    }
}

#[async_trait]
impl TokenEndpoint for HttpEndpoint {
    async fn jwt_bearer(&self, credentials: &Credentials) -> Result<TokenReply, NoReply> {
        let until = self.clock.now() + TIMEOUT;
        let sent = self
            .http
            .post(format!("{}{}", credentials.server_url, GET_TOKEN.path))
            .basic_auth(&credentials.client_id, Some(credentials.client_secret.expose_secret()))
            .form(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", credentials.jwt.expose_secret()),
            ])
            .send();
        let mut response = attempt::before(&*self.clock, until, sent).await?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let body = attempt::before(&*self.clock, until, response.bytes()).await?;
        Ok(TokenReply { status, headers, body })
    }
}

impl From<Unanswered> for NoReply {
    fn from(Unanswered { arrived, reason, .. }: Unanswered) -> Self {
        Self { arrived, reason }
    }
}
