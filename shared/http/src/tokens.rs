//! Bearer tokens: what they claim, the keys that sign them, and why one opens nothing.
//!
//! It must never tell a caller about a claim of a token whose signature does not hold.

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, de};
use tenant::TenantId;

use crate::Role;

/// The audience every token must name, and the only issuer it may.
const AUDIENCE: &str = "trunkline";
/// The shortest key (bytes): what is shorter than the hash can be guessed (RFC 7518, 3.2).
const SHORTEST_KEY: usize = 32;

/// What a bearer token of ours claims.
#[derive(Debug, Clone, Serialize)]
pub struct Claims {
    /// Who it was issued to.
    pub sub: String,
    /// The tenant it is for.
    pub tenant: TenantId,
    /// What it allows.
    pub role: Role,
    /// Always `trunkline`.
    pub aud: String,
    /// When it ends, seconds since the epoch.
    pub exp: u64,
}

impl Claims {
    /// Claims for somebody, until `exp` (seconds since the epoch).
    #[must_use]
    pub fn new(subject: &str, tenant: TenantId, role: Role, exp: u64) -> Self {
        Self { sub: subject.to_owned(), tenant, role, aud: AUDIENCE.to_owned(), exp }
    }
}

/// What is taken from the claims of a token that was checked. Its `aud` may name others beside us (RFC 7519, 4.1.3).
#[derive(Deserialize)]
pub(crate) struct Presented {
    pub(crate) sub: String,
    pub(crate) tenant: TenantId,
    pub(crate) role: Role,
    iss: Option<String>,
}

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("is missing")]
    Missing,
    #[error("is not one of this gateway's tokens")]
    Foreign,
    #[error("was signed with a key that does not hold here, or no more")]
    UnknownKey,
    #[error("has ended (exp)")]
    Ended,
    #[error("does not hold yet (nbf)")]
    Early,
    #[error("is for another audience (aud)")]
    Audience,
    #[error("was issued by somebody else (iss)")]
    Issuer,
    #[error("demands extensions that are not known here (crit)")]
    Critical,
    #[error("lacks a claim, or has one of the wrong type: sub, tenant, role, aud and exp are needed")]
    Claims,
}

impl From<ErrorKind> for Refusal {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidSignature => Self::UnknownKey,
            ErrorKind::ExpiredSignature => Self::Ended,
            ErrorKind::ImmatureSignature => Self::Early,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) | ErrorKind::Json(_) => {
                Self::Claims
            }
            _ => Self::Foreign,
        }
    }
}

/// The keys of bearer tokens, for HMAC-SHA256. They are read only if they have at least 32 bytes.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenKeys {
    /// Signs new tokens.
    #[serde(deserialize_with = "long")]
    pub hs256: SecretString,
    /// While a key is replaced, tokens of the one before still hold.
    #[serde(default, deserialize_with = "long_if_any")]
    pub previous: Option<SecretString>,
}

impl TokenKeys {
    /// One key that no other was before.
    #[must_use]
    pub fn hs256(key: SecretString) -> Self {
        Self { hs256: key, previous: None }
    }

    /// Issues a token.
    ///
    /// # Errors
    /// If the claims can't be written as JSON.
    pub fn issue(&self, claims: &Claims) -> Result<SecretString, jsonwebtoken::errors::Error> {
        crate::jwt::install();
        let key = EncodingKey::from_secret(self.hs256.expose_secret().as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).map(SecretString::from)
    }

    /// The claims of a token that holds now. There is no leeway: whoever issues tokens has clocks that are right, as AWS's are.
    pub(crate) fn claims(&self, token: &str) -> Result<Presented, Refusal> {
        crate::jwt::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 0;
        // The second that `exp` names is over already (RFC 7519, 4.1.4).
        validation.reject_tokens_expiring_in_less_than = 1;
        // A header that can't be read looks like claims that can't, and the claims are none of a stranger's business.
        jsonwebtoken::decode_header(token).map_err(|_| Refusal::Foreign)?;
        let with = |key: &SecretString| {
            let key = DecodingKey::from_secret(key.expose_secret().as_bytes());
            let token = jsonwebtoken::decode::<Presented>(token, &key, &validation)
                .map_err(|error| Refusal::from(error.kind().clone()))?;
            // RFC 7515, 4.1.11: whoever does not know what a header demands must refuse it, and none is known here.
            match (&token.header.crit, token.claims.iss.as_deref()) {
                (Some(_), _) => Err(Refusal::Critical),
                (None, None | Some(AUDIENCE)) => Ok(token.claims),
                (None, Some(_)) => Err(Refusal::Issuer),
            }
        };
        match (with(&self.hs256), &self.previous) {
            (Err(Refusal::UnknownKey), Some(previous)) => with(previous),
            (claims, _) => claims,
        }
    }
}

fn long<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let key = SecretString::deserialize(deserializer)?;
    match key.expose_secret().len() >= SHORTEST_KEY {
        true => Ok(key),
        false => Err(de::Error::custom(format_args!("a key must have at least {SHORTEST_KEY} bytes"))),
    }
}

fn long_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    #[derive(Deserialize)]
    struct Long(#[serde(deserialize_with = "long")] SecretString);
    Ok(Option::<Long>::deserialize(deserializer)?.map(|Long(key)| key))
}

/// The keys of bearer tokens can't be read; the cause is kept.
#[derive(Debug, thiserror::Error)]
#[error("the keys of bearer tokens can't be read")]
pub struct TokenKeysError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where keys come from. Asked for every token, so that a replaced key holds at once; it keeps what it has read for a while.
#[async_trait]
pub trait TokenKeySource: Send + Sync {
    /// The keys of now.
    async fn token_keys(&self) -> Result<TokenKeys, TokenKeysError>;
}

/// Keys that are never replaced: in tests.
#[async_trait]
impl TokenKeySource for TokenKeys {
    async fn token_keys(&self) -> Result<TokenKeys, TokenKeysError> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn keys(key: &str, previous: Option<&str>) -> TokenKeys {
        TokenKeys { hs256: key.to_owned().into(), previous: previous.map(|key| key.to_owned().into()) }
    }

    fn claims(role: Role, exp: u64) -> Claims {
        Claims::new("dev", "acme".parse().unwrap(), role, exp)
    }

    fn now() -> u64 {
        jsonwebtoken::get_current_timestamp()
    }

    /// A token as somebody else writes it, with the right key.
    fn written(header: &Header, change: Value) -> String {
        crate::jwt::install();
        let mut claims =
            json!({"sub": "dev", "tenant": "acme", "role": "admin", "aud": "trunkline", "exp": now() + 60});
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        jsonwebtoken::encode(header, &claims, &EncodingKey::from_secret(b"ours")).unwrap()
    }

    #[test]
    fn a_token_holds_for_its_key_and_its_claims() {
        let ours = keys("ours", None);
        let token = ours.issue(&claims(Role::Operator, 4_000_000_000)).unwrap();
        let presented = ours.claims(token.expose_secret()).unwrap();
        assert_eq!((presented.sub.as_str(), presented.tenant.as_str()), ("dev", "acme"));
        assert_eq!(presented.role, Role::Operator);
        assert_eq!(keys("theirs", None).claims(token.expose_secret()).err(), Some(Refusal::UnknownKey));
    }

    #[test]
    fn regression_what_is_wrong_with_a_token_is_told() {
        let plain = Header::new(Algorithm::HS256);
        let demanding = Header { crit: Some(vec!["b64".to_owned()]), ..plain.clone() };
        let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZXYifQ.".to_owned();
        for (token, refusal) in [
            (written(&plain, json!({})), None),
            (written(&plain, json!({"aud": ["else", "trunkline"], "iss": "trunkline", "nbf": now()})), None),
            (written(&plain, json!({"exp": now() + 2})), None),
            // Ended is ended: there is no leeway, and not the second of `exp` itself.
            (written(&plain, json!({"exp": now()})), Some(Refusal::Ended)),
            (written(&plain, json!({"exp": now() - 55})), Some(Refusal::Ended)),
            (written(&plain, json!({"nbf": now() + 3_600})), Some(Refusal::Early)),
            (written(&plain, json!({"nbf": "soon"})), Some(Refusal::Claims)),
            (written(&plain, json!({"aud": "else"})), Some(Refusal::Audience)),
            (written(&plain, json!({"aud": ["else"]})), Some(Refusal::Audience)),
            (written(&plain, json!({"iss": "https://issuer.example"})), Some(Refusal::Issuer)),
            (written(&plain, json!({"iss": 5})), Some(Refusal::Claims)),
            (written(&plain, json!({"role": "owner"})), Some(Refusal::Claims)),
            (written(&plain, json!({"exp": null})), Some(Refusal::Claims)),
            (written(&demanding, json!({})), Some(Refusal::Critical)),
            (none, Some(Refusal::Foreign)),
            ("a.b.c".to_owned(), Some(Refusal::Foreign)),
            (String::new(), Some(Refusal::Foreign)),
        ] {
            assert_eq!(keys("ours", None).claims(&token).err(), refusal, "{token}");
        }
    }

    #[test]
    fn while_a_key_is_replaced_tokens_of_both_hold() {
        let both = keys("new", Some("old"));
        for (key, holds) in [("new", true), ("old", true), ("older", false)] {
            let token = keys(key, None).issue(&claims(Role::Viewer, 4_000_000_000)).unwrap();
            assert_eq!(both.claims(token.expose_secret()).is_ok(), holds, "{key}");
        }
        // The one before is no way around the time.
        let ended = keys("old", None).issue(&claims(Role::Viewer, 1)).unwrap();
        assert_eq!(both.claims(ended.expose_secret()).err(), Some(Refusal::Ended));
    }

    #[test]
    fn regression_a_key_that_can_be_guessed_is_not_read() {
        let (long, short) = ("x".repeat(32), "x".repeat(31));
        for (secret, holds) in [
            (json!({"hs256": long}), true),
            (json!({"hs256": long, "previous": long}), true),
            (json!({"hs256": long, "previous": null}), true),
            (json!({"hs256": ""}), false),
            (json!({"hs256": short}), false),
            (json!({"hs256": long, "previous": ""}), false),
            (json!({"hs256": long, "previous": short}), false),
        ] {
            let read = serde_json::from_value::<TokenKeys>(secret.clone());
            assert_eq!(read.is_ok(), holds, "{secret}");
            let told = read.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!told.contains("xxx"), "{told}");
        }
    }
}
