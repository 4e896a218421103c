//! One token for the fleet: a conditional lease decides who asks RingCentral, everybody else waits on the record.
//!
//! All instants in the record are the store's time, and containers know it within bounds: a lease is taken only when it is over
//! for certain, and a token is used only while it lasts for certain.
//!
//! Nothing here runs in the background, because Lambda freezes between invocations: a refresh is driven by the
//! request that notices it is due.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clock::{Bounded, Deadline, Millis};
use gate::{Cause, Gate, StoreError};
use tenant::TenantId;

use crate::{
    Claim, Credentials, Refusal, RetryPolicy, TokenEndpoint, TokenError, TokenRecord, TokenStore,
    token::{endpoint::TIMEOUT, grant::Grant, lease::Lease},
};

/// A token this close to its end is not used any more (milliseconds): the request has to arrive too.
const MARGIN: Millis = 3_000;
/// How long a caller waits for a token, whoever asks for it (milliseconds). With a store that answers as late as it may that is
/// still less than a call's budget.
const WAIT: Millis = 18_000;
/// How often a waiting container looks at the record (milliseconds).
const LOOK: Millis = 100;
/// How long refused credentials rest when RingCentral gave them a token and then refused that (milliseconds).
const REST: Millis = 15 * 60_000;
/// A call that had so many tokens refused in a row blames the credentials. One less may have been revoked since it was
/// remembered here, and another since it was stored or while it was made; the third was asked for after all of that.
const STRIKES: u32 = 3;

/// The session of every tenant. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Session {
    store: Arc<dyn TokenStore>,
    clock: Bounded,
    gate: Gate,
    endpoint: Arc<dyn TokenEndpoint>,
    retry: RetryPolicy,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

#[derive(Clone, Default)]
struct Known {
    token: Option<TokenRecord>,
    turnstile: Arc<tokio::sync::Mutex<()>>,
}

/// The tokens that RingCentral refused during one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Strikes {
    count: u32,
    /// The generation of the last one.
    last: Option<u64>,
}

/// Who asks for which token, and until when by the clock here.
struct Wanted<'a> {
    tenant: &'a TenantId,
    credentials: &'a Credentials,
    key: String,
    refused: Option<u64>,
    deadline: Millis,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Session {
    /// A session that knows no token yet. The clock is that of the store, as far as it is known here.
    #[must_use]
    pub fn new(
        store: Arc<dyn TokenStore>,
        clock: Bounded,
        gate: Gate,
        endpoint: Arc<dyn TokenEndpoint>,
        retry: RetryPolicy,
    ) -> Self {
        Self { store, clock, gate, endpoint, retry, known: Arc::default() }
    }

    /// A token that RingCentral should accept now, and none of those that this call has seen refused.
    ///
    /// It is waited for until the invocation's [`Deadline`] at most.
    ///
    /// # Errors
    /// [`TokenError`]; after [`TokenError::Refused`] nobody asks again until the refusal ends.
    pub async fn token(
        &self,
        tenant: &TenantId,
        credentials: &Credentials,
        strikes: Strikes,
    ) -> Result<TokenRecord, TokenError> {
        let key = format!("{tenant}#{}", credentials.fingerprint());
        let patience = self.clock.clock().now() + WAIT;
        let deadline = Deadline::current().map_or(patience, |Deadline(end)| patience.min(end));
        let wanted = Wanted { tenant, credentials, key, refused: strikes.last, deadline };
        if let Some(token) = self.fresh(&wanted) {
            return Ok(token);
        }
        let turnstile = self.lock().entry(wanted.key.clone()).or_default().turnstile.clone();
        let turn = match (turnstile.try_lock(), self.current(&wanted)) {
            (Ok(turn), _) => turn,
            // Somebody of this process refreshes already, and the old token still works.
            (Err(_), Some(token)) => return Ok(token),
            // Everybody in front has an earlier deadline, and keeps it.
            (Err(_), None) => turnstile.lock().await,
        };
        let fetched = self.fetch(&wanted).await;
        drop(turn);
        match fetched {
            Ok(_) | Err(TokenError::Refused { .. }) => fetched,
            // The refresh failed for now; the old token does its work until it ends.
            Err(error) => self.current(&wanted).ok_or(error),
        }
    }

    /// Notes that RingCentral refused this token. False if that is not the token's fault any more: nobody asks with these credentials
    /// for a quarter of an hour.
    ///
    /// # Errors
    /// [`TokenError::Store`] if that can't be stored.
    pub async fn refused(
        &self,
        tenant: &TenantId,
        credentials: &Credentials,
        strikes: &mut Strikes,
        token: &TokenRecord,
        reason: &str,
    ) -> Result<bool, TokenError> {
        *strikes = Strikes { count: strikes.count + 1, last: Some(token.generation) };
        if strikes.count < STRIKES {
            return Ok(true);
        }
        let key = format!("{tenant}#{}", credentials.fingerprint());
        let refusal = Refusal { reason: reason.to_owned(), until: Some(self.clock.now().latest + REST) };
        self.store.refuse(&key, token.generation, &refusal).await?;
        Ok(false)
    }

    /// Waits for a token of somebody else, or asks for one if nobody does.
    async fn fetch(&self, wanted: &Wanted<'_>) -> Result<TokenRecord, TokenError> {
        let (key, clock) = (&wanted.key, self.clock.clock());
        // Whoever asks later than this has no time to wait for the answer.
        let ask_until = wanted.deadline - TIMEOUT;
        // Somebody of this process may have fetched one while this caller waited for its turn.
        if let Some(token) = self.fresh(wanted) {
            return Ok(token);
        }
        loop {
            let state = self.store.read(key).await?;
            if let Some(refusal) = state.refusal.filter(|refusal| refusal.stands(self.clock.now().earliest)) {
                return Err(refused(wanted.tenant, refusal));
            }
            let seen = state.token.as_ref().map_or(0, |token| token.generation);
            if let Some(token) = state.token {
                self.remember(key, token);
            }
            if let Some(token) = self.fresh(wanted) {
                return Ok(token);
            }
            let lease = Lease::new(&*self.store, &self.clock, key, seen);
            let claim = if clock.now() < ask_until { lease.claim().await? } else { Claim::Busy };
            match claim {
                Claim::Granted { generation } => match self.ask(wanted, &lease, generation + 1).await? {
                    Some(token) if self.lasts(&token) => return Ok(token),
                    Some(_) => return Err(TokenError::Unavailable("it ended on its way".to_owned())),
                    None => {}
                },
                Claim::Refused(refusal) => return Err(refused(wanted.tenant, refusal)),
                Claim::Replaced(token) => self.remember(key, token),
                Claim::Busy => {
                    if let Some(token) = self.current(wanted) {
                        return Ok(token);
                    }
                    let now = clock.now();
                    if now >= wanted.deadline {
                        return Err(too_late());
                    }
                    clock.sleep_until(now + LOOK).await;
                }
            }
        }
    }

    /// Asks RingCentral with the lease in hand, and tells everybody what comes of it. `None`: the lease was lost before.
    async fn ask(
        &self,
        wanted: &Wanted<'_>,
        lease: &Lease<'_>,
        generation: u64,
    ) -> Result<Option<TokenRecord>, TokenError> {
        let grant = Grant {
            endpoint: &*self.endpoint,
            gate: &self.gate,
            clock: &self.clock,
            retry: self.retry,
            lease,
            tenant: wanted.tenant,
            credentials: wanted.credentials,
            generation,
            deadline: wanted.deadline - TIMEOUT,
        };
        let mut fetched = lease.during(grant.fetch()).await;
        match &mut fetched {
            Ok(Some(token)) if lease.publish(token).await => self.remember(&wanted.key, token.clone()),
            // What the others don't know of is used once and forgotten, and is older than whatever they have.
            Ok(Some(token)) => token.generation = generation - 1,
            Err(TokenError::Refused { reason, until, .. }) => {
                lease.refuse(&Refusal { reason: reason.clone(), until: *until }).await;
            }
            Ok(None) | Err(_) => lease.release().await,
        }
        fetched
    }

    /// The token that is known here, if it still works.
    fn current(&self, wanted: &Wanted<'_>) -> Option<TokenRecord> {
        let known = self.lock().get(&wanted.key)?.token.clone()?;
        let newer = wanted.refused.is_none_or(|generation| known.generation > generation);
        (newer && self.lasts(&known)).then_some(known)
    }

    /// The token that is known here, if it is too early for another.
    fn fresh(&self, wanted: &Wanted<'_>) -> Option<TokenRecord> {
        self.current(wanted).filter(|token| self.clock.now().earliest < token.refresh_at)
    }

    fn remember(&self, key: &str, token: TokenRecord) {
        self.lock().entry(key.to_owned()).or_default().token = Some(token);
    }

    /// Whether it certainly arrives before it ends.
    fn lasts(&self, token: &TokenRecord) -> bool {
        token.expires_at - MARGIN > self.clock.now().latest
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(tenant: &TenantId, refusal: Refusal) -> TokenError {
    TokenError::Refused { tenant: tenant.clone(), reason: refusal.reason, until: refusal.until }
}

fn too_late() -> TokenError {
    TokenError::Unavailable("another container has been asking for it".to_owned())
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

#[cfg(test)]
mod tests;
