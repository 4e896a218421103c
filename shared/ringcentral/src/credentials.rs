//! Who we are at RingCentral. Secrets in here can't be printed or serialised by accident.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tenant::TenantId;

/// The credentials of one tenant: an app and a service user's JWT, as issued by RingCentral's console.
#[derive(Debug, Clone, Deserialize)]
pub struct Credentials {
    /// The platform's URL without a trailing slash, `https://platform.ringcentral.com` in production.
    pub server_url: String,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: SecretString,
    /// The JWT credential, pasted from the console; it is sent as it is, never built or signed here.
    pub jwt: SecretString,
}

impl Credentials {
    /// Names the (app, user) pair that RingCentral counts, without revealing it: the same in every process that shares it,
    /// and for every secret of the app.
    #[must_use]
    pub fn identity(&self) -> String {
        digest(&[&self.server_url, &self.client_id, self.jwt.expose_secret()])
    }

    /// Names these very credentials: if any of them changes, nothing that was known of the old ones holds.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let secret = self.client_secret.expose_secret();
        digest(&[&self.server_url, &self.client_id, secret, self.jwt.expose_secret()])
    }
}

fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    hex::encode(&digest.finalize()[..8])
}

/// Credentials that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Nobody stored credentials for this tenant.
    #[error("no RingCentral credentials are stored for tenant {0}")]
    Unknown(TenantId),
    /// They are stored, but not readable as credentials; the text says which part.
    #[error("the stored RingCentral credentials of tenant {tenant} are not usable: {reason}")]
    Malformed {
        /// Whose they are.
        tenant: TenantId,
        /// What is wrong with them.
        reason: String,
    },
    /// The place where they are stored can't be reached.
    #[error("the secret store can't be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where credentials come from.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// The current credentials of a tenant.
    async fn credentials(&self, tenant: &TenantId) -> Result<Credentials, CredentialsError>;
}

/// The same credentials for whoever asks: local mode and tests.
#[async_trait]
impl CredentialSource for Credentials {
    async fn credentials(&self, _tenant: &TenantId) -> Result<Credentials, CredentialsError> {
        Ok(self.clone())
    }
}
