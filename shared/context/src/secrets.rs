//! Secrets of a deployment and of its tenants, kept in memory for a minute; a tenant's webhook keys also for longer, for
//! whoever looks again before it refuses.

mod manager;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use aws_types::SdkConfig;
use clock::{Millis, SharedClock};
use events::{SigningKeySource, SigningKeys, SigningKeysError};
use ringcentral::{CredentialSource, Credentials, CredentialsError};
use secrecy::ExposeSecret;
use serde::{Deserialize, de::DeserializeOwned};
use tenant::TenantId;
use trunkline_http::{TokenKeySource, TokenKeys, TokenKeysError};

use self::manager::{Found, Manager};

/// How long a secret is used before it is read again (milliseconds).
const FRESH: Millis = 60_000;
/// The same for webhook keys that a delivery fits: each busy receiver reads them so often.
const KNOWN: Millis = 15 * FRESH;

/// How many unknown tenants are remembered at most; requests of strangers name as many as they like.
const UNKNOWN: usize = 1_000;

/// When a secret was read, and what it was.
type Read = (Millis, Found);

/// Reads secrets. Cheap to clone; clones share what they read.
#[derive(Clone)]
pub struct Secrets {
    manager: Manager,
    prefix: Arc<str>,
    clock: SharedClock,
    read: Arc<Mutex<HashMap<String, Read>>>,
    /// Tenants of deliveries that had no secret, and when that was seen.
    unknown: Arc<Mutex<HashMap<TenantId, Millis>>>,
}

/// What an old secret is worth when it can't be read again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Old {
    /// More than none: it is most likely still right.
    Holds,
    /// Nothing: what it does not fit may fit the new one.
    Fails,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("there is no secret {0}")]
    Unknown(String),
    #[error("the secret {0} is not what it should be: {1}")]
    Malformed(String, serde_json::Error),
    #[error("Secrets Manager failed")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A tenant's secret: `{"ringcentral": {…}, "webhooks": {…}}`.
#[derive(Deserialize)]
struct TenantSecret {
    ringcentral: Credentials,
}

#[derive(Deserialize)]
struct WebhookSecret {
    webhooks: SigningKeys,
}

impl Secrets {
    /// Secrets named `<prefix>/…` of this AWS.
    #[must_use]
    pub fn new(sdk: &SdkConfig, prefix: &str, clock: SharedClock) -> Self {
        let (read, unknown) = Default::default();
        Self { manager: Manager::new(sdk), prefix: prefix.into(), clock, read, unknown }
    }

    async fn get<T: DeserializeOwned>(&self, name: &str, age: Millis, old: Old) -> Result<T, SecretError> {
        self.versioned(name, age, old).await.map(|(secret, _)| secret)
    }

    /// A secret, and what grows with each of its versions.
    async fn versioned<T: DeserializeOwned>(
        &self,
        name: &str,
        age: Millis,
        old: Old,
    ) -> Result<(T, Millis), SecretError> {
        let id = format!("{}/{name}", self.prefix);
        let found = self.text(&id, age, old).await?;
        let secret = serde_json::from_str(found.text.expose_secret());
        Ok((secret.map_err(|error| SecretError::Malformed(id, error))?, found.version()))
    }

    async fn text(&self, id: &str, age: Millis, old: Old) -> Result<Found, SecretError> {
        let now = self.clock.now();
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some((read_at, text)) = &known
            && now < read_at + age
        {
            return Ok(text.clone());
        }
        match (self.manager.text(id).await, known) {
            (Ok(Some(text)), _) => {
                let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
                read.insert(id.to_owned(), (now, text.clone()));
                Ok(text)
            }
            (Ok(None), _) => Err(SecretError::Unknown(id.to_owned())),
            (Err(_), Some((_, text))) if old == Old::Holds => Ok(text),
            (Err(error), _) => Err(SecretError::Unreachable(error)),
        }
    }
}

impl Secrets {
    async fn webhook_keys(
        &self,
        tenant: &TenantId,
        age: Millis,
        old: Old,
    ) -> Result<SigningKeys, SigningKeysError> {
        let secret: Result<WebhookSecret, _> = self.get(&format!("tenants/{tenant}"), age, old).await;
        secret.map(|secret| secret.webhooks).map_err(|error| match error {
            SecretError::Unknown(secret) => SigningKeysError::Unknown { tenant: tenant.clone(), secret },
            // serde's messages name fields and types, never values of secrets.
            SecretError::Malformed(secret, reason) => {
                SigningKeysError::Incomplete { secret, reason: reason.to_string() }
            }
            other => SigningKeysError::Unreadable(Box::new(other)),
        })
    }
}

/// Tenants that are none: for a minute they are not looked for again.
impl Secrets {
    fn is_unknown(&self, tenant: &TenantId) -> bool {
        let now = self.clock.now();
        let unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        unknown.get(tenant).is_some_and(|seen| now < seen + FRESH)
    }

    fn note_unknown(&self, tenant: &TenantId) {
        let now = self.clock.now();
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.len() >= UNKNOWN {
            unknown.retain(|_, seen| now < *seen + FRESH);
        }
        if unknown.len() < UNKNOWN {
            unknown.insert(tenant.clone(), now);
        }
    }
}

#[async_trait]
impl CredentialSource for Secrets {
    async fn credentials(&self, tenant: &TenantId) -> Result<Credentials, CredentialsError> {
        let name = format!("tenants/{tenant}");
        let secret: Result<(TenantSecret, _), _> = self.versioned(&name, FRESH, Old::Holds).await;
        let credentials =
            |(secret, version): (TenantSecret, _)| Credentials { version, ..secret.ringcentral };
        secret.map(credentials).map_err(|error| match error {
            SecretError::Unknown(secret) => CredentialsError::Unknown { tenant: tenant.clone(), secret },
            // serde's messages name fields and types, never values of secrets.
            SecretError::Malformed(_, reason) => {
                CredentialsError::Malformed { tenant: tenant.clone(), reason: reason.to_string() }
            }
            SecretError::Unreachable(cause) => CredentialsError::Unreachable(cause),
        })
    }
}

#[async_trait]
impl SigningKeySource for Secrets {
    async fn signing_keys(&self, tenant: &TenantId) -> Result<SigningKeys, SigningKeysError> {
        self.webhook_keys(tenant, FRESH, Old::Holds).await
    }

    async fn known_signing_keys(&self, tenant: &TenantId) -> Result<SigningKeys, SigningKeysError> {
        if self.is_unknown(tenant) {
            let secret = format!("{}/tenants/{tenant}", self.prefix);
            return Err(SigningKeysError::Unknown { tenant: tenant.clone(), secret });
        }
        let keys = self.webhook_keys(tenant, KNOWN, Old::Holds).await;
        if matches!(keys, Err(SigningKeysError::Unknown { .. })) {
            self.note_unknown(tenant);
        }
        keys
    }

    async fn certain_signing_keys(&self, tenant: &TenantId) -> Result<SigningKeys, SigningKeysError> {
        self.webhook_keys(tenant, FRESH, Old::Fails).await
    }
}

#[async_trait]
impl TokenKeySource for Secrets {
    async fn token_keys(&self) -> Result<TokenKeys, TokenKeysError> {
        self.get("auth", FRESH, Old::Holds)
            .await
            .map_err(|error: SecretError| TokenKeysError(Box::new(error)))
    }
}
