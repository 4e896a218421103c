//! Who we are at RingCentral. Secrets in here can't be printed or serialised by accident.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clock::Millis;
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
    /// Grows with every new version of the secret they are stored in: when it was made, milliseconds since the epoch.
    #[serde(skip)]
    pub version: Millis,
}

impl Credentials {
    /// Names the (app, user) pair that RingCentral counts, without revealing it: the same in every process that shares it,
    /// for every secret of the app and every JWT of the user. Until a token answer has named the user, it is the one that
    /// the JWT names, and if that can't be read the JWT stands for it.
    #[must_use]
    pub fn identity(&self, user: Option<&str>) -> String {
        match user.map(str::to_owned).or_else(|| self.subject()) {
            Some(user) => digest(&[&self.server_url, &self.client_id, "user", &user]),
            None => digest(&[&self.server_url, &self.client_id, self.jwt.expose_secret()]),
        }
    }

    /// The user that the JWT says it speaks for (RFC 7519, `sub`): RingCentral's extension id. Nothing is verified, so it is good
    /// for a guess alone.
    fn subject(&self) -> Option<String> {
        let payload = self.jwt.expose_secret().trim().split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let Claims { sub } = serde_json::from_slice(&claims).ok()?;
        Some(sub.into())
    }

    /// Names these very credentials: if any of them changes, nothing that was known of the old ones holds.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let secret = self.client_secret.expose_secret();
        digest(&[&self.server_url, &self.client_id, secret, self.jwt.expose_secret()])
    }
}

/// An id of RingCentral's: text in some places, a number in others.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Id {
    Text(String),
    Number(u64),
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        match id {
            Id::Text(id) => id,
            Id::Number(id) => id.to_string(),
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: Id,
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
    #[error("no RingCentral credentials are stored for tenant {tenant}: there is no secret {secret}")]
    Unknown {
        /// Who has none.
        tenant: TenantId,
        /// The name of the secret that would hold them.
        secret: String,
    },
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

#[cfg(test)]
mod tests {
    use super::*;

    fn with(jwt: &str) -> Credentials {
        Credentials {
            server_url: "https://ringcentral.example".to_owned(),
            client_id: "app".to_owned(),
            client_secret: "secret".into(),
            jwt: jwt.into(),
            version: 0,
        }
    }

    fn signed(payload: &str, signature: &str) -> Credentials {
        with(&format!("e30.{}.{signature}", URL_SAFE_NO_PAD.encode(payload)))
    }

    #[test]
    fn regression_every_jwt_of_a_user_has_the_same_window() {
        let (one, other) = (signed(r#"{"sub":"7","jti":"a"}"#, "x"), signed(r#"{"sub":7,"jti":"b"}"#, "y"));
        assert_eq!(one.identity(None), other.identity(None));
        assert_eq!(one.identity(None), one.identity(Some("7")), "and it is that of the user");
        assert_ne!(one.identity(None), signed(r#"{"sub":"8"}"#, "x").identity(None));
        assert_eq!(one.identity(Some("8")), other.identity(Some("8")), "a token answer knows better");
        assert_ne!(one.fingerprint(), other.fingerprint());
    }

    #[test]
    fn a_jwt_that_names_no_user_stands_for_itself() {
        let of = |jwt: &str| with(jwt).identity(None);
        for jwt in ["jwt", "", "a.b.c", "..", "e30.e30.x", "e30.eyJzdWIiOm51bGx9.x"] {
            assert_ne!(of(jwt), of(&format!("{jwt}-2")), "{jwt}");
        }
        assert_eq!(with("jwt").identity(Some("7")), with("jwt-2").identity(Some("7")));
    }
}
