//! The JWT-bearer grant at RingCentral's token endpoint. It must never be repeated after a 400 or 401:
//! RingCentral locks the user out.

use clock::{Bounded, Millis};
use gate::{Bucket, Gate, Group, Notice, Outcome, Patience, Permit, Priority};
use secrecy::SecretString;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tenant::TenantId;

use crate::{
    Credentials, Rejection, RetryPolicy, TokenEndpoint, TokenError, TokenRecord, TokenReply, attempt,
    operations::GET_TOKEN, token::lease::Lease,
};

/// What a grant needs.
pub(crate) struct Grant<'a> {
    pub(crate) endpoint: &'a dyn TokenEndpoint,
    pub(crate) gate: &'a Gate,
    pub(crate) clock: &'a Bounded,
    pub(crate) retry: RetryPolicy,
    pub(crate) lease: &'a Lease<'a>,
    pub(crate) tenant: &'a TenantId,
    pub(crate) credentials: &'a Credentials,
    /// Of the token that comes of it.
    pub(crate) generation: u64,
    /// Nothing is sent after this, by the clock here.
    pub(crate) deadline: Millis,
}

#[derive(Deserialize)]
struct TokenInfo {
    access_token: SecretString,
    /// Seconds; documents disagree about its size, so it is never assumed.
    expires_in: i64,
}

impl Grant<'_> {
    /// Fetches a token, again after 408, 5xx and connection failures while there is time. `None`: the lease was lost first.
    pub(crate) async fn fetch(&self) -> Result<Option<TokenRecord>, TokenError> {
        let clock = self.clock.clock();
        let mut tried = 0;
        loop {
            tried += 1;
            let reason = match self.once().await {
                Err(TokenError::Unavailable(reason)) => reason,
                done => return done,
            };
            let backoff = self.retry.backoff(tried, chance(self.credentials, self.generation, tried));
            let at = clock.now() + Millis::try_from(backoff.as_millis()).unwrap_or(Millis::MAX / 2);
            if tried >= self.retry.attempts || at > self.deadline {
                return Err(TokenError::Unavailable(reason));
            }
            clock.sleep_until(at).await;
        }
    }

    async fn once(&self) -> Result<Option<TokenRecord>, TokenError> {
        let clock = self.clock.clock();
        let bucket = Bucket { identity: self.credentials.identity(), group: Group::named(GET_TOKEN.group) };
        let patience = Patience((self.deadline - clock.now()).max(0));
        let permit = self.gate.pass(&bucket, Priority::Interactive, patience).await?;
        let (holds, in_time) = (self.lease.holds(), clock.now() <= self.deadline);
        if !holds || !in_time {
            self.settle(permit, Notice { outcome: Outcome::Unsent, ..Notice::default() }).await;
            let late = || TokenError::Unavailable("its turn came too late".to_owned());
            return if holds { Err(late()) } else { Ok(None) };
        }
        // RingCentral counts the token's life from when it makes it, and that is not before this.
        let sent = self.clock.now().earliest;
        let TokenReply { status, headers, body } = match self.endpoint.jwt_bearer(self.credentials).await {
            Ok(reply) => reply,
            Err(failure) => {
                let outcome = if failure.arrived { Outcome::Failed } else { Outcome::Unsent };
                self.settle(permit, Notice { outcome, ..Notice::default() }).await;
                return Err(TokenError::Unavailable(failure.reason));
            }
        };
        let notice = attempt::notice(status, &headers);
        let request_id = attempt::request_id(&headers);
        self.settle(permit, notice).await;
        telemetry::upstream(GET_TOKEN.id, status, request_id.as_deref());
        match status {
            200 => {
                let info: TokenInfo = serde_json::from_slice(&body).map_err(|error| {
                    TokenError::Unavailable(format!("the token answer is unreadable: {error}"))
                })?;
                let chance = chance(self.credentials, self.generation, 0);
                Ok(Some(record(info, sent, self.generation, chance)))
            }
            _ if let Outcome::Throttled(penalty) = notice.outcome => {
                Err(TokenError::RateLimited { at: clock.now() + penalty })
            }
            400..=499 if status != 408 => {
                let reason = Rejection::read(status, request_id, &body).to_string();
                Err(TokenError::Refused { tenant: self.tenant.clone(), reason, until: None })
            }
            _ => Err(TokenError::Unavailable(Rejection::read(status, request_id, &body).to_string())),
        }
    }

    /// Tells the gate what came of the request: a store that fails here must not cost the token.
    async fn settle(&self, permit: Permit, notice: Notice) {
        if let Err(error) = self.gate.settle(permit, notice).await {
            telemetry::failed(&error);
        }
    }
}

/// Refresh when about a fifth of the life is left; the jitter keeps a deployment's tenants from doing it all at once.
fn record(info: TokenInfo, issued: Millis, generation: u64, chance: f64) -> TokenRecord {
    let life = info.expires_in.clamp(0, 365 * 86_400) * 1_000;
    let share = 0.75 + chance / 10.0;
    #[allow(clippy::cast_possible_truncation, reason = "a share of a life of at most a year")]
    let refresh_at = issued + (life as f64 * share) as Millis;
    TokenRecord { access_token: info.access_token, expires_at: issued + life, refresh_at, generation }
}

/// Jitter in `0.0..1.0`: only one container asks, so what it has to differ from are other credentials, not other containers.
fn chance(credentials: &Credentials, generation: u64, tried: u32) -> f64 {
    let mut digest = Sha256::new();
    digest.update(credentials.fingerprint());
    digest.update(generation.to_be_bytes());
    digest.update(tried.to_be_bytes());
    let digest = digest.finalize();
    f64::from(u16::from_be_bytes([digest[0], digest[1]])) / 65_536.0
}
