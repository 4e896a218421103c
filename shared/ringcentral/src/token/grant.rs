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
    credentials::Id, operations::GET_TOKEN, token::lease::Lease,
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
    /// Names the app and the user that RingCentral counts the request for.
    pub(crate) identity: &'a str,
    /// Of the token that comes of it.
    pub(crate) generation: u64,
    /// How many tokens before it were refused in a row.
    pub(crate) strikes: u32,
    /// Nothing is sent after this, by the clock here.
    pub(crate) deadline: Millis,
}

#[derive(Deserialize)]
struct TokenInfo {
    access_token: SecretString,
    /// Seconds; documents disagree about its size, so it is never assumed.
    expires_in: i64,
    owner_id: Option<Id>,
}

/// A locked user is let in again after a while (milliseconds).
const LOCKED: Millis = 30 * 60_000;
/// What an administrator of the account can change, such as the state of the extension (milliseconds).
const REST: Millis = 15 * 60_000;
/// A new client secret is not known everywhere at once, and a wrong one locks no user (milliseconds).
const APP: Millis = 2 * 60_000;

/// When credentials may be tried again after this refusal; `None`: not before they are stored anew. By RingCentral's codes
/// (its guide, "Error codes"): asking again with a JWT that it does not accept locks the user out.
fn rest(rejection: &Rejection) -> Option<Millis> {
    match rejection.code.as_str() {
        "OAU-140" | "OAU-210" => None,
        "OAU-127" | "OAU-146" | "invalid_client" => Some(APP),
        "OAU-147" | "OAU-148" => Some(LOCKED),
        _ => Some(REST),
    }
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
        let bucket = Bucket { identity: self.identity.to_owned(), group: Group::named(GET_TOKEN.group) };
        let patience = Patience((self.deadline - clock.now()).max(0));
        let permit = self.gate.pass(&bucket, Priority::Interactive, patience).await?;
        let (holds, in_time) = (self.lease.holds(), clock.now() <= self.deadline);
        if !holds || !in_time {
            if let Err(error) = self.gate.forgo(permit).await {
                telemetry::failed(&error);
            }
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
        let request_id = attempt::request_id(&headers);
        let rejection = Rejection::read(status, request_id.clone(), &body);
        let mut notice = attempt::notice(status, &headers);
        // A 4xx without RingCentral's words is of something in front of it, and says nothing of the credentials.
        let foreign =
            (400..500).contains(&status) && !matches!(status, 408 | 429) && !rejection.is_ringcentrals();
        if foreign {
            notice.outcome = Outcome::Failed;
        }
        self.settle(permit, notice).await;
        telemetry::upstream(GET_TOKEN.id, status, request_id.as_deref());
        match status {
            200 => {
                let info: TokenInfo = serde_json::from_slice(&body).map_err(|error| {
                    TokenError::Unavailable(format!("the token answer is unreadable: {error}"))
                })?;
                let chance = chance(self.credentials, self.generation, 0);
                let record = record(info, sent, self.generation, chance);
                Ok(Some(TokenRecord { strikes: self.strikes, ..record }))
            }
            _ if let Outcome::Throttled(penalty) = notice.outcome => {
                let rejection = Box::new(rejection);
                Err(TokenError::Throttled { at: clock.now() + penalty, rejection })
            }
            400..=499 if status != 408 && !foreign => {
                let until = rest(&rejection).map(|rest| self.clock.now().latest + rest);
                let reason = rejection.to_string();
                Err(TokenError::Refused { tenant: self.tenant.clone(), reason, until })
            }
            _ => Err(TokenError::Unavailable(rejection.to_string())),
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
    let user = info.owner_id.map(String::from);
    TokenRecord {
        access_token: info.access_token,
        expires_at: issued + life,
        refresh_at,
        generation,
        issued_at: issued,
        user,
        strikes: 0,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_only_a_jwt_that_is_no_good_is_refused_without_an_end() {
        let rest = |code: &str| {
            let body = format!(r#"{{"error":"invalid_grant","errors":[{{"errorCode":"{code}"}}]}}"#);
            rest(&Rejection::read(400, None, body.as_bytes()))
        };
        assert_eq!((rest("OAU-140"), rest("OAU-210")), (None, None));
        assert_eq!(
            (rest("OAU-146"), rest("OAU-147"), rest("OAU-236")),
            (Some(APP), Some(LOCKED), Some(REST))
        );
    }
}
