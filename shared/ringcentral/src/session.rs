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
use gate::{Bucket, Cause, Gate, Group, StoreError};
use secrecy::ExposeSecret;
use tenant::TenantId;

use crate::{
    Claim, Credentials, Doubt, Refusal, RetryPolicy, TokenEndpoint, TokenError, TokenRecord, TokenStore,
    token::{endpoint::TIMEOUT, grant::Grant, lease::Lease},
};

/// A token this close to its end is not used any more (milliseconds): the request has to arrive too.
const MARGIN: Millis = 3_000;
/// How long a caller waits for a token, whoever asks for it (milliseconds). With a store that answers as late as it may that is
/// still less than a call's budget.
const WAIT: Millis = 18_000;
/// How often a waiting container looks at the record (milliseconds).
const LOOK: Millis = 100;
/// How long credentials rest first when RingCentral gave them tokens and then refused those (milliseconds). It doubles.
const REST: Millis = 30_000;
/// How long they rest at most (milliseconds).
const LONGEST: Millis = 15 * 60_000;
/// So many tokens in a row that are refused while they are young are the fault of the credentials.
const STRIKES: u32 = 3;
/// The groups whose windows get another name once the user is known.
const GROUPS: [&str; 4] = ["light", "medium", "heavy", "auth"];
/// A token that is refused at this age or later was revoked, which says nothing of the credentials (milliseconds).
const OLD: Millis = 10_000;

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
    /// The newest generation that RingCentral is known to refuse, and since when by the clock here.
    dead: Option<(u64, Millis)>,
    /// The newest generation that RingCentral accepted.
    proven: Option<u64>,
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
        // Without another the old token does its work until it ends.
        fetched.or_else(|error| self.current(&wanted).ok_or(error))
    }

    /// Notes for everybody that RingCentral refused this token, so that it is not sent again. The next one is asked for at once if
    /// this one was old or had worked, else after a pause. False if that is not the token's fault any more: then nobody asks with
    /// these credentials for a while.
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
        let generation = token.generation;
        *strikes = Strikes { count: strikes.count + 1, last: Some(generation) };
        let key = format!("{tenant}#{}", credentials.fingerprint());
        let (news, proven) = {
            let (mut known, now) = (self.lock(), self.clock.clock().now());
            let known = known.entry(key.clone()).or_default();
            let news = known.dead.is_none_or(|(dead, _)| dead < generation);
            if news {
                known.dead = Some((generation, now));
            }
            (news, known.proven == Some(generation))
        };
        let now = self.clock.now().latest;
        let young = !proven && now - token.issued_at < OLD;
        let row = if young { token.strikes + 1 } else { 0 };
        let refusal = (row >= STRIKES).then(|| Refusal {
            reason: reason.to_owned(),
            until: Some(now + rest(row)),
            version: credentials.version,
        });
        let blamed = refusal.is_some();
        if news || blamed {
            let doubt = Doubt { generation, strikes: row, ask_from: now + pause(row), refusal };
            match self.store.doubt(&key, &doubt).await {
                Err(error) if blamed => return Err(error.into()),
                Err(error) => telemetry::failed(&error),
                Ok(()) => {}
            }
        }
        Ok(!blamed && strikes.count <= STRIKES)
    }

    /// Notes that RingCentral accepted this token in a request that was sent at this instant of the clock here. That ends a doubt
    /// that is older than the request.
    pub async fn accepted(
        &self,
        tenant: &TenantId,
        credentials: &Credentials,
        token: &TokenRecord,
        sent: Millis,
    ) {
        let key = format!("{tenant}#{}", credentials.fingerprint());
        let doubted = {
            let mut known = self.lock();
            let known = known.entry(key.clone()).or_default();
            let same =
                |one: &TokenRecord| one.access_token.expose_secret() == token.access_token.expose_secret();
            if !known.token.as_ref().is_some_and(same) {
                return;
            }
            known.proven = Some(token.generation);
            let doubted = known.dead.is_some_and(|(dead, since)| dead == token.generation && since <= sent);
            if doubted {
                known.dead = None;
            }
            doubted
        };
        if doubted && let Err(error) = self.store.clear(&key, token.generation).await {
            telemetry::failed(&error);
        }
    }

    /// The user that RingCentral counts these credentials for, as far as that is known.
    ///
    /// # Errors
    /// [`TokenError::Store`] if the record can't be read.
    pub async fn user(
        &self,
        tenant: &TenantId,
        credentials: &Credentials,
    ) -> Result<Option<String>, TokenError> {
        let key = format!("{tenant}#{}", credentials.fingerprint());
        let known = self.lock().get(&key).and_then(|known| known.token.as_ref()?.user.clone());
        if known.is_some() {
            return Ok(known);
        }
        Ok(self.store.read(&key).await?.token.and_then(|token| token.user))
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
            let seen = state.token.as_ref().map_or(0, |token| token.generation);
            if let Some(dead) = state.dead {
                self.bury(key, dead);
            }
            if let Some(token) = state.token {
                self.remember(key, token);
            }
            if let Some(token) = self.fresh(wanted) {
                return Ok(token);
            }
            let (now, version) = (self.clock.now().earliest, wanted.credentials.version);
            if let Some(refusal) = state.refusal.filter(|refusal| refusal.stands(now, version)) {
                return Err(refused(wanted.tenant, refusal));
            }
            if now < state.ask_from {
                let at = self.clock.local(state.ask_from);
                if at > ask_until {
                    return Err(TokenError::Unavailable("RingCentral refuses its newest tokens".to_owned()));
                }
                if let Some(token) = self.current(wanted) {
                    return Ok(token);
                }
                clock.sleep_until(at).await;
                continue;
            }
            let lease = Lease::new(&*self.store, &self.clock, key, seen);
            let claim = if clock.now() < ask_until { lease.claim(version).await? } else { Claim::Busy };
            match claim {
                Claim::Granted { generation, strikes, user } => {
                    match self.ask(wanted, &lease, (generation + 1, strikes), user).await? {
                        Some(token) if self.lasts(&token) => return Ok(token),
                        Some(_) => return Err(TokenError::Unavailable("it ended on its way".to_owned())),
                        None => {}
                    }
                }
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
        (generation, strikes): (u64, u32),
        user: Option<String>,
    ) -> Result<Option<TokenRecord>, TokenError> {
        let identity = wanted.credentials.identity(user.as_deref());
        let grant = Grant {
            endpoint: &*self.endpoint,
            gate: &self.gate,
            clock: &self.clock,
            retry: self.retry,
            lease,
            tenant: wanted.tenant,
            credentials: wanted.credentials,
            identity: &identity,
            generation,
            strikes,
            deadline: wanted.deadline - TIMEOUT,
        };
        let granted = async {
            let mut fetched = grant.fetch().await;
            if let Ok(Some(token)) = &mut fetched {
                let named = token.user.take();
                token.user = match user {
                    Some(user) => Some(named.unwrap_or(user)),
                    None if self.identify(wanted, named.as_deref(), &identity).await => named,
                    None => None,
                };
            }
            fetched
        };
        let mut fetched = lease.during(granted).await;
        match &mut fetched {
            Ok(Some(token)) if lease.publish(token).await => self.remember(&wanted.key, token.clone()),
            // What the others don't know of is used once and forgotten, and is older than whatever they have.
            Ok(Some(token)) => token.generation = generation - 1,
            Err(TokenError::Refused { reason, until, .. }) => {
                let version = wanted.credentials.version;
                lease.refuse(&Refusal { reason: reason.clone(), until: *until, version }).await;
            }
            Ok(None) | Err(_) => lease.release().await,
        }
        fetched
    }

    /// Counts what was asked under a guessed name where RingCentral counts it. False if that failed: then the guess goes on
    /// counting until the next token.
    async fn identify(&self, wanted: &Wanted<'_>, user: Option<&str>, guessed: &str) -> bool {
        let identity = wanted.credentials.identity(user);
        if identity == guessed {
            return true;
        }
        let renamed = GROUPS.map(|group| {
            let bucket =
                |identity: &str| Bucket { identity: identity.to_owned(), group: Group::named(group) };
            let (from, into) = (bucket(guessed), bucket(&identity));
            async move { self.gate.adopt(&from, &into).await }
        });
        let renamed = futures::future::try_join_all(renamed).await;
        renamed.inspect_err(|error| telemetry::failed(error)).is_ok()
    }

    /// The token that is known here, if it still works.
    fn current(&self, wanted: &Wanted<'_>) -> Option<TokenRecord> {
        let (known, dead) = {
            let known = self.lock();
            let known = known.get(&wanted.key)?;
            (known.token.clone()?, known.dead.map(|(dead, _)| dead))
        };
        let newer = wanted.refused.max(dead).is_none_or(|generation| known.generation > generation);
        (newer && self.lasts(&known)).then_some(known)
    }

    /// The token that is known here, if it is too early for another.
    fn fresh(&self, wanted: &Wanted<'_>) -> Option<TokenRecord> {
        self.current(wanted).filter(|token| self.clock.now().earliest < token.refresh_at)
    }

    /// Takes over that a generation is refused.
    fn bury(&self, key: &str, generation: u64) {
        let (mut known, now) = (self.lock(), self.clock.clock().now());
        let known = known.entry(key.to_owned()).or_default();
        if known.dead.is_none_or(|(dead, _)| dead < generation) {
            known.dead = Some((generation, now));
        }
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

/// How long nobody asks for another token after so many in a row were refused: RingCentral's check of tokens may be behind for a
/// moment, and token requests are few.
fn pause(strikes: u32) -> Millis {
    match strikes {
        1 => 1_000,
        2 => 4_000,
        _ => 0,
    }
}

/// How long nobody asks after so many that the credentials are to blame.
fn rest(strikes: u32) -> Millis {
    (REST << strikes.saturating_sub(STRIKES).min(10)).min(LONGEST)
}

fn too_late() -> TokenError {
    TokenError::Unavailable("another container has been asking for it".to_owned())
}

impl From<gate::GateError> for TokenError {
    fn from(error: gate::GateError) -> Self {
        match error {
            gate::GateError::Later { cause: Cause::Breaker, at, .. } => Self::CircuitOpen { at },
            gate::GateError::Later { at, .. } => Self::RateLimited { at },
            gate::GateError::Store(StoreError(cause)) => Self::Windows(StoreError(cause)),
        }
    }
}

#[cfg(test)]
mod tests;
