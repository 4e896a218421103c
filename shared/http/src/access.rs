//! Who may ask: bearer tokens, tenants and roles. A handler's signature states the role it needs.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenant::TenantId;

use crate::{Problem, Type, idempotency::Instead};

/// The audience every token must name.
const AUDIENCE: &str = "trunkline";

/// What a caller may do; each role includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May read.
    Viewer,
    /// May change.
    Operator,
    /// May delete, and decide what is delivered where.
    Admin,
}

impl Role {
    /// Its name, as tokens and the description have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a bearer token claims.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

/// The keys of bearer tokens, for HMAC-SHA256.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenKeys {
    /// Signs new tokens.
    pub hs256: SecretString,
    /// While a key is replaced, tokens of the one before still hold.
    #[serde(default)]
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

    fn claims(&self, token: &str) -> Result<Claims, jsonwebtoken::errors::Error> {
        crate::jwt::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        let with = |key: &SecretString| {
            let key = DecodingKey::from_secret(key.expose_secret().as_bytes());
            jsonwebtoken::decode::<Claims>(token, &key, &validation).map(|token| token.claims)
        };
        match (with(&self.hs256), &self.previous) {
            (Err(error), Some(previous)) if *error.kind() == ErrorKind::InvalidSignature => with(previous),
            (claims, _) => claims,
        }
    }
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

/// Checks bearer tokens; the same in every function, in the authorizer and on one machine.
#[derive(Clone)]
pub struct Access(Arc<dyn TokenKeySource>);

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

impl Access {
    /// Accepts tokens signed with the keys of this source.
    #[must_use]
    pub fn new(keys: Arc<dyn TokenKeySource>) -> Self {
        Self(keys)
    }

    /// The caller behind an `Authorization` header, if it brings a token that holds.
    ///
    /// # Errors
    /// [`TokenKeysError`]: nobody can tell now.
    pub async fn caller(&self, authorization: Option<&str>) -> Result<Option<Caller>, TokenKeysError> {
        let bearer = |(scheme, _): &(&str, &str)| scheme.eq_ignore_ascii_case("bearer");
        let Some((_, token)) = authorization.and_then(|value| value.split_once(' ')).filter(bearer) else {
            return Ok(None);
        };
        match self.0.token_keys().await?.claims(token.trim()) {
            Ok(Claims { sub: subject, tenant, role, .. }) => Ok(Some(Caller { tenant, subject, role })),
            Err(error) => {
                telemetry::failed(&error);
                Ok(None)
            }
        }
    }

    /// The caller behind an `Authorization` header, or the answer to whoever is none.
    ///
    /// # Errors
    /// A 401 problem, the same for every kind of wrong token; a 503 one if the keys can't be read.
    pub async fn check(&self, authorization: Option<&str>) -> Result<Caller, Problem> {
        let caller = self.caller(authorization).await.map_err(|error| {
            Problem::new(Type::StoreUnavailable).detail(error.to_string()).retry_after(2).caused_by(&error)
        })?;
        caller.ok_or_else(|| {
            Problem::new(Type::Unauthorized)
                .hint("Send `Authorization: Bearer <token>` with a token that was issued by this gateway and has not ended.")
        })
    }
}

/// Who asks, once their token was checked.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose data they may see.
    pub tenant: TenantId,
    /// Who they are.
    pub subject: String,
    /// What they may do.
    pub role: Role,
}

impl Caller {
    fn with(parts: &Parts, needed: Role) -> Result<Self, Problem> {
        let caller =
            parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(Type::Unauthorized))?;
        if caller.role < needed {
            return Err(Problem::new(Type::Forbidden)
                .detail(format!("This needs the role {needed}; your token has {}.", caller.role)));
        }
        Ok(caller)
    }
}

/// The `Authorization` header as text.
pub(crate) fn authorization(headers: &http::HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

/// Anybody at all, with a token or without: for the few routes that say so.
#[derive(Debug, Clone, Copy)]
pub struct Open;

impl<S: Send + Sync> FromRequestParts<S> for Open {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self)
    }
}

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $role(pub Caller);

        impl<S: Send + Sync> FromRequestParts<S> for $role {
            type Rejection = Instead;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Instead> {
                Caller::with(parts, Role::$role).map_err(Instead::Problem).map(Self).and_then(|caller| {
                    parts.extensions.remove::<Instead>().map_or(Ok(caller), Err)
                })
            }
        }
    )*};
}

roles! {
    /// A caller who may read.
    Viewer,
    /// A caller who may change.
    Operator,
    /// A caller who may delete.
    Admin,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(key: &str, previous: Option<&str>) -> TokenKeys {
        TokenKeys { hs256: key.to_owned().into(), previous: previous.map(|key| key.to_owned().into()) }
    }

    fn header(keys: &TokenKeys, claims: &Claims) -> String {
        format!("Bearer {}", keys.issue(claims).unwrap().expose_secret())
    }

    #[tokio::test]
    async fn a_token_holds_only_for_its_secret_audience_and_time() {
        let (ours, theirs) = (keys("ours", None), keys("theirs", None));
        let access = Access::new(Arc::new(ours.clone()));
        let claims = Claims::new("dev", "acme".parse().unwrap(), Role::Operator, 4_000_000_000);
        let caller = access.check(Some(&header(&ours, &claims))).await.unwrap();
        assert_eq!((caller.tenant.as_str(), caller.role), ("acme", Role::Operator));
        for wrong in [
            header(&theirs, &claims),
            header(&ours, &Claims { exp: 1, ..claims.clone() }),
            header(&ours, &Claims { aud: "else".to_owned(), ..claims }),
        ] {
            assert!(access.check(Some(&wrong)).await.is_err(), "{wrong}");
        }
        for wrong in [None, Some(""), Some("Bearer"), Some("Basic abc"), Some("Bearer a.b.c")] {
            assert!(access.check(wrong).await.is_err(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn while_a_key_is_replaced_tokens_of_both_hold() {
        let claims = Claims::new("dev", "acme".parse().unwrap(), Role::Viewer, 4_000_000_000);
        let access = Access::new(Arc::new(keys("new", Some("old"))));
        for (key, holds) in [("new", true), ("old", true), ("older", false)] {
            let answer = access.check(Some(&header(&keys(key, None), &claims))).await;
            assert_eq!(answer.is_ok(), holds, "{key}");
        }
        // The one before is no way around the time.
        let ended = Claims { exp: 1, ..claims };
        assert!(access.check(Some(&header(&keys("old", None), &ended))).await.is_err());
    }
}
