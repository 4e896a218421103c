//! Who may ask: bearer tokens, tenants and roles. A handler's signature states the role it needs.

use std::{fmt, sync::Arc};

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tenant::TenantId;

use crate::{Problem, Type};

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

/// Checks bearer tokens; the same in every function, in the authorizer and on one machine.
#[derive(Clone)]
pub struct Access(Arc<Keys>);

struct Keys {
    decoding: DecodingKey,
    encoding: EncodingKey,
    validation: Validation,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

impl Access {
    /// Accepts tokens signed with HMAC-SHA256 and this secret.
    #[must_use]
    pub fn hs256(secret: &SecretString) -> Self {
        crate::jwt::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        let secret = secret.expose_secret().as_bytes();
        Self(Arc::new(Keys {
            decoding: DecodingKey::from_secret(secret),
            encoding: EncodingKey::from_secret(secret),
            validation,
        }))
    }

    /// Issues a token.
    ///
    /// # Errors
    /// If the claims can't be written as JSON.
    pub fn issue(&self, claims: &Claims) -> Result<SecretString, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.0.encoding).map(SecretString::from)
    }

    /// The caller behind an `Authorization` header.
    ///
    /// # Errors
    /// A 401 problem, the same for every kind of wrong token.
    pub fn check(&self, authorization: Option<&str>) -> Result<Caller, Problem> {
        let refuse = || {
            Problem::new(Type::Unauthorized)
                .hint("Send `Authorization: Bearer <token>` with a token that was issued by this gateway and has not ended.")
        };
        let (scheme, token) = authorization.and_then(|value| value.split_once(' ')).ok_or_else(refuse)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(refuse());
        }
        let claims = jsonwebtoken::decode::<Claims>(token.trim(), &self.0.decoding, &self.0.validation)
            .map_err(|error| refuse().caused_by(&error))?
            .claims;
        Ok(Caller { tenant: claims.tenant, subject: claims.sub, role: claims.role })
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
                .detail(format!("This needs the role {needed:?}; your token has {:?}.", caller.role)));
        }
        Ok(caller)
    }
}

/// The `Authorization` header as text.
pub(crate) fn authorization(headers: &http::HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $role(pub Caller);

        impl<S: Send + Sync> FromRequestParts<S> for $role {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                Caller::with(parts, Role::$role).map(Self)
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

    fn access(secret: &str) -> Access {
        Access::hs256(&secret.to_owned().into())
    }

    fn header(access: &Access, claims: &Claims) -> String {
        format!("Bearer {}", access.issue(claims).unwrap().expose_secret())
    }

    #[test]
    fn a_token_holds_only_for_its_secret_audience_and_time() {
        let (ours, theirs) = (access("ours"), access("theirs"));
        let claims = Claims::new("dev", "acme".parse().unwrap(), Role::Operator, 4_000_000_000);
        let caller = ours.check(Some(&header(&ours, &claims))).unwrap();
        assert_eq!((caller.tenant.as_str(), caller.role), ("acme", Role::Operator));
        assert!(ours.check(Some(&header(&theirs, &claims))).is_err());
        assert!(ours.check(Some(&header(&ours, &Claims { exp: 1, ..claims.clone() }))).is_err());
        assert!(ours.check(Some(&header(&ours, &Claims { aud: "else".to_owned(), ..claims }))).is_err());
        for wrong in [None, Some(""), Some("Bearer"), Some("Basic abc"), Some("Bearer a.b.c")] {
            assert!(ours.check(wrong).is_err(), "{wrong:?}");
        }
    }
}
