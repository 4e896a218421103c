//! One token for the fleet: a conditional lease decides who asks RingCentral, everybody else waits on the record.
//!
//! Nothing here runs in the background, because Lambda freezes between invocations: a refresh is driven by the
//! request that notices it is due.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clock::{Millis, SharedClock};
use gate::{Cause, Gate, StoreError};
use tenant::TenantId;
use uuid::Uuid;

use crate::{
    Claim, Credentials, Refusal, RetryPolicy, TokenError, TokenRecord, TokenStore,
    token::grant::{self, Grant},
};

/// A token this close to its end is not used any more (milliseconds): the request has to arrive too.
const MARGIN: Millis = 3_000;
/// How long one container may keep the others from asking (milliseconds).
const LEASE: Millis = 20_000;
/// How long a container waits for another one's token (milliseconds): longer than the lease, for its holder may be dead.
const WAIT: Millis = 21_000;
/// How often a waiting container looks at the record (milliseconds).
const LOOK: Millis = 100;
/// How long refused credentials rest when RingCentral gave them a token and then refused that (milliseconds).
const REST: Millis = 15 * 60_000;

/// The session of every tenant. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Session {
    store: Arc<dyn TokenStore>,
    clock: SharedClock,
    gate: Gate,
    http: reqwest::Client,
    retry: RetryPolicy,
    owner: Arc<str>,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

#[derive(Clone, Default)]
struct Known {
    token: Option<TokenRecord>,
    turnstile: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Session {
    /// A session that knows no token yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn TokenStore>,
        clock: SharedClock,
        gate: Gate,
        http: reqwest::Client,
        retry: RetryPolicy,
    ) -> Self {
        let owner = Uuid::new_v4().to_string().into();
        Self { store, clock, gate, http, retry, owner, known: Arc::default() }
    }

    /// A token that RingCentral should accept now. `refused` is the generation of one that it did not.
    ///
    /// # Errors
    /// [`TokenError`]; after [`TokenError::Refused`] nobody asks again until the refusal ends.
    pub async fn token(
        &self,
        tenant: &TenantId,
        credentials: &Credentials,
        refused: Option<u64>,
    ) -> Result<TokenRecord, TokenError> {
        let key = format!("{tenant}#{}", credentials.fingerprint());
        let known = self.lock().entry(key.clone()).or_default().clone();
        let current = known.token.filter(|token| self.works(token, refused));
        if let Some(token) = current.as_ref().filter(|token| self.clock.now() < token.refresh_at) {
            return Ok(token.clone());
        }
        let _turn = match (known.turnstile.try_lock(), current) {
            (Ok(turn), _) => turn,
            // Somebody of this process refreshes already, and the old token still works.
            (Err(_), Some(token)) => return Ok(token),
            (Err(_), None) => known.turnstile.lock().await,
        };
        let token = self.fetch(tenant, &key, credentials, refused).await?;
        self.lock().entry(key).or_default().token = Some(token.clone());
        Ok(token)
    }

    /// Marks credentials whose fresh token was refused: nobody asks with them for a quarter of an hour.
    ///
    /// # Errors
    /// [`TokenError::Store`] if that can't be stored.
    pub async fn give_up(
        &self,
        tenant: &TenantId,
        credentials: &Credentials,
        reason: String,
    ) -> Result<(), TokenError> {
        let key = format!("{tenant}#{}", credentials.fingerprint());
        let refusal = Refusal { reason, until: Some(self.clock.now() + REST) };
        Ok(self.store.refuse(&key, &refusal).await?)
    }

    async fn fetch(
        &self,
        tenant: &TenantId,
        key: &str,
        credentials: &Credentials,
        refused: Option<u64>,
    ) -> Result<TokenRecord, TokenError> {
        let give_up_at = self.clock.now() + WAIT;
        loop {
            let state = self.store.read(key).await?;
            let now = self.clock.now();
            if let Some(refusal) = state.refusal.filter(|refusal| refusal.stands(now)) {
                return Err(TokenError::Refused {
                    tenant: tenant.clone(),
                    reason: refusal.reason,
                    until: refusal.until,
                });
            }
            let seen = state.token.as_ref().map_or(0, |token| token.generation);
            let working = state.token.filter(|token| self.works(token, refused));
            if let Some(token) = working.as_ref().filter(|token| now < token.refresh_at) {
                return Ok(token.clone());
            }
            match self.store.claim(key, &self.owner, seen, now, now + LEASE).await? {
                Claim::Replaced(token) if self.works(&token, refused) => return Ok(token),
                Claim::Granted { generation } => {
                    return match (self.grant(tenant, key, credentials, generation).await, working) {
                        (Ok(token), _) => Ok(token),
                        (Err(TokenError::Refused { tenant, reason, until }), _) => {
                            Err(TokenError::Refused { tenant, reason, until })
                        }
                        // The refresh failed for now; the old token does its work until it ends.
                        (Err(_), Some(token)) => Ok(token),
                        (Err(error), None) => Err(error),
                    };
                }
                Claim::Busy { .. } | Claim::Replaced(_) => match working {
                    Some(token) => return Ok(token),
                    None if now >= give_up_at => {
                        return Err(TokenError::Unavailable(
                            "another container has been asking for it".to_owned(),
                        ));
                    }
                    None => self.clock.sleep_until(now + LOOK).await,
                },
            }
        }
    }

    /// Asks RingCentral with the lease in hand, and gives it back whatever comes out.
    async fn grant(
        &self,
        tenant: &TenantId,
        key: &str,
        credentials: &Credentials,
        generation: u64,
    ) -> Result<TokenRecord, TokenError> {
        let grant = Grant { http: &self.http, gate: &self.gate, clock: &self.clock, retry: self.retry };
        let deadline = self.clock.now() + LEASE / 2;
        match grant::jwt_bearer(&grant, tenant, credentials, generation + 1, deadline).await {
            Ok(token) => {
                self.store.publish(key, &self.owner, &token).await?;
                Ok(token)
            }
            Err(error) => {
                if let TokenError::Refused { reason, until, .. } = &error {
                    let refusal = Refusal { reason: reason.clone(), until: *until };
                    self.store.refuse(key, &refusal).await?;
                }
                self.store.release(key, &self.owner).await?;
                Err(error)
            }
        }
    }

    fn works(&self, token: &TokenRecord, refused: Option<u64>) -> bool {
        token.expires_at - MARGIN > self.clock.now()
            && refused.is_none_or(|generation| token.generation > generation)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<gate::GateError> for TokenError {
    fn from(error: gate::GateError) -> Self {
        match error {
            gate::GateError::Later { cause: Cause::Breaker, .. } => Self::Unavailable(
                "the token endpoint failed too often in a row and is left alone for a while".to_owned(),
            ),
            gate::GateError::Later { at, .. } => Self::RateLimited { at },
            gate::GateError::Store(StoreError(cause)) => Self::Windows(StoreError(cause)),
        }
    }
}
