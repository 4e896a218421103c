//! The verification token: derived, never stored, checked in constant time without a read.
//!
//! RingCentral does not sign webhooks; it repeats the `verificationToken` chosen at creation. Ours is an
//! HMAC-SHA256 over tenant, subscription key and key id under the tenant's secret, so the receiver recomputes
//! it, and an old and a new key both pass while they rotate.

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use tenant::TenantId;

/// Names one of our subscriptions in the address that RingCentral delivers to: 32 lower-case hex digits, not guessable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionKey(String);

impl SubscriptionKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubscriptionKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = text.len() == 32 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        if fits { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

impl fmt::Display for SubscriptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One secret to derive tokens with.
#[derive(Debug, Clone, Deserialize)]
pub struct SigningKey {
    /// Tells a new key from an old one; part of what is signed.
    pub id: String,
    /// The secret: randomness of at least 32 bytes, or it is not read.
    #[serde(deserialize_with = "unguessable")]
    pub secret: SecretString,
}

/// The shortest secret that is read (bytes): as long as what it makes, a SHA-256 in binary.
const SHORTEST: usize = 32;

/// HMAC takes a key of any length, so an empty one would open the door to everybody.
fn unguessable<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let secret = SecretString::deserialize(deserializer)?;
    match secret.expose_secret().len() {
        SHORTEST.. => Ok(secret),
        _ => Err(serde::de::Error::custom(
            "the secret of a webhook key has fewer than 32 characters: make one with `openssl rand -hex 32`",
        )),
    }
}

/// A tenant's current key and, while it rotates, the one before.
#[derive(Debug, Clone, Deserialize)]
pub struct SigningKeys {
    /// New subscriptions get a token of this key.
    pub current: SigningKey,
    /// Subscriptions created before the rotation still carry a token of this one.
    #[serde(default)]
    pub previous: Option<SigningKey>,
}

impl SigningKeys {
    /// The token to register a new subscription with: 64 hex digits.
    #[must_use]
    pub fn token(&self, tenant: &TenantId, subscription: &SubscriptionKey) -> SecretString {
        SecretString::from(derive(&self.current, tenant, subscription))
    }

    /// The key of a subscription that is made of this seed: not guessable, and the same for the same seed.
    #[must_use]
    pub fn subscription_key(&self, tenant: &TenantId, seed: &str) -> SubscriptionKey {
        let mut digest = mac(&self.current, &["subscription key", tenant.as_str(), seed]);
        digest.truncate(32);
        SubscriptionKey(digest)
    }

    /// Whether a delivery carries a token that we gave out, in a time that does not depend on what is wrong with it.
    #[must_use]
    pub fn verify(&self, tenant: &TenantId, subscription: &SubscriptionKey, presented: &[u8]) -> bool {
        let mut accepted = Choice::from(0);
        for key in std::iter::once(&self.current).chain(&self.previous) {
            accepted |= derive(key, tenant, subscription).as_bytes().ct_eq(presented);
        }
        accepted.into()
    }
}

/// A tenant's keys that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// Nobody stored keys for this tenant.
    #[error("no webhook keys are stored for tenant {tenant}: there is no secret {secret}")]
    Unknown {
        /// Who has none.
        tenant: TenantId,
        /// The name of the secret that would hold them.
        secret: String,
    },
    /// The tenant's secret has no usable webhook keys; the text says what is wrong.
    #[error("the secret {secret} has no usable webhook keys: {reason}")]
    Incomplete {
        /// The name of the secret.
        secret: String,
        /// What is wrong with it, without a value of it.
        reason: String,
    },
    /// The place where they are stored can't be reached, or what it holds is no key; the cause is kept.
    #[error("the webhook keys can't be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where keys come from.
#[async_trait]
pub trait SigningKeySource: Send + Sync {
    /// The keys of a tenant, as they are now or were a minute ago; older ones where they can't be read.
    async fn signing_keys(&self, tenant: &TenantId) -> Result<SigningKeys, SigningKeysError>;

    /// The keys of a tenant as they were a while ago: enough to accept what fits them, not to refuse what doesn't. Asked for
    /// before the others by whom strangers may ask: a tenant without keys is not looked for again for a minute.
    async fn known_signing_keys(&self, tenant: &TenantId) -> Result<SigningKeys, SigningKeysError>;

    /// The keys of a tenant as they were within the last minute, or none: enough to refuse what does not fit them.
    async fn certain_signing_keys(&self, tenant: &TenantId) -> Result<SigningKeys, SigningKeysError>;
}

fn derive(key: &SigningKey, tenant: &TenantId, subscription: &SubscriptionKey) -> String {
    mac(key, &[&key.id, tenant.as_str(), subscription.as_str()])
}

fn mac(key: &SigningKey, parts: &[&str]) -> String {
    // HMAC takes keys of any length, so this can't fail; an empty MAC would match no token anyway.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.secret.expose_secret().as_bytes()) else {
        return String::new();
    };
    for part in parts {
        mac.update(part.as_bytes());
        mac.update(b"\n");
    }
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(current: &str, previous: Option<&str>) -> SigningKeys {
        let key = |id: &str| SigningKey { id: id.to_owned(), secret: format!("secret of {id}").into() };
        SigningKeys { current: key(current), previous: previous.map(key) }
    }

    fn subscription(digit: char) -> SubscriptionKey {
        digit.to_string().repeat(32).parse().unwrap()
    }

    #[test]
    fn a_token_fits_its_own_tenant_and_subscription_only() {
        let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let keys = keys("k1", None);
        let token = keys.token(&acme, &subscription('a'));
        let presented = token.expose_secret().as_bytes();
        assert!(keys.verify(&acme, &subscription('a'), presented));
        assert!(!keys.verify(&other, &subscription('a'), presented));
        assert!(!keys.verify(&acme, &subscription('b'), presented));
        assert!(!keys.verify(&acme, &subscription('a'), b""));
    }

    #[test]
    fn both_keys_pass_while_they_rotate() {
        let acme = "acme".parse().unwrap();
        let old = keys("k1", None).token(&acme, &subscription('a'));
        assert!(keys("k2", Some("k1")).verify(&acme, &subscription('a'), old.expose_secret().as_bytes()));
        assert!(!keys("k3", Some("k2")).verify(&acme, &subscription('a'), old.expose_secret().as_bytes()));
    }

    #[test]
    fn regression_a_secret_that_can_be_guessed_is_not_read() {
        let read = |secret: &str| {
            serde_json::from_value::<SigningKey>(serde_json::json!({"id": "1", "secret": secret}))
        };
        assert!(read(&"x7".repeat(16)).is_ok());
        for known in ["", "abc", "at least 32 random characters", &"x7".repeat(15)] {
            let told = read(known).unwrap_err().to_string();
            assert!(told.contains("openssl rand -hex 32"), "{told}");
            assert!(known.is_empty() || !told.contains(known), "{told}");
        }
    }
}
