//! Who may ask: bearer tokens, tenants and roles. A handler's signature states the role it needs.

use std::{fmt, sync::Arc};

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use serde::{Deserialize, Serialize};
use tenant::TenantId;

use crate::{
    Problem, TokenKeySource, TokenKeysError, Type,
    idempotency::Instead,
    tokens::{Presented, Refusal},
};

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
        Ok(self.look(authorization).await?.ok())
    }

    /// The caller behind an `Authorization` header, or the answer to whoever is none.
    ///
    /// # Errors
    /// A 401 problem that says what is wrong with the token; a 503 one if the keys can't be read.
    pub async fn check(&self, authorization: Option<&str>) -> Result<Caller, Problem> {
        let looked = self.look(authorization).await.map_err(|error| {
            Problem::new(Type::StoreUnavailable).detail(error.to_string()).retry_after(2).caused_by(&error)
        })?;
        looked.map_err(|refusal| {
            let problem = Problem::new(Type::Unauthorized)
                .detail(format!("The bearer token {refusal}."))
                .hint("Send `Authorization: Bearer <token>` with a token that was issued by this gateway and has not ended.");
            if refusal == Refusal::Missing { problem } else { problem.invalid_token() }
        })
    }

    async fn look(&self, authorization: Option<&str>) -> Result<Result<Caller, Refusal>, TokenKeysError> {
        let bearer = |(scheme, token): &(&str, &str)| {
            scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()
        };
        let Some((_, token)) = authorization.and_then(|value| value.split_once(' ')).filter(bearer) else {
            return Ok(Err(Refusal::Missing));
        };
        let claims = self.0.token_keys().await?.claims(token.trim());
        Ok(claims
            .map(|Presented { sub, tenant, role, .. }| Caller { tenant, subject: sub, role })
            .inspect_err(|refusal| telemetry::failed(refusal)))
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
