//! The JWT-bearer grant at RingCentral's token endpoint. It must never be repeated after a 400 or 401:
//! RingCentral locks the user out.

use std::time::Duration;

use clock::{Millis, SharedClock};
use gate::{Bucket, Gate, Group, Outcome, Patience, Priority};
use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tenant::TenantId;

use crate::{Credentials, Rejection, RetryPolicy, TokenError, TokenRecord, attempt};

/// How long one token request may take.
const TIMEOUT: Duration = Duration::from_secs(8);

/// What a grant needs.
pub(crate) struct Grant<'a> {
    pub(crate) http: &'a reqwest::Client,
    pub(crate) gate: &'a Gate,
    pub(crate) clock: &'a SharedClock,
    pub(crate) retry: RetryPolicy,
}

#[derive(Deserialize)]
struct TokenInfo {
    access_token: SecretString,
    /// Seconds; documents disagree about its size, so it is never assumed.
    expires_in: i64,
}

/// Fetches a token, again after 408, 5xx and connection failures while `deadline` allows.
pub(crate) async fn jwt_bearer(
    grant: &Grant<'_>,
    tenant: &TenantId,
    credentials: &Credentials,
    generation: u64,
    deadline: Millis,
) -> Result<TokenRecord, TokenError> {
    let mut tried = 0;
    loop {
        tried += 1;
        let reason = match once(grant, tenant, credentials, generation, deadline).await {
            Ok(token) => return Ok(token),
            Err(TokenError::Unavailable(reason)) => reason,
            Err(error) => return Err(error),
        };
        let backoff = grant.retry.backoff(tried, rand::rng().random());
        let at = grant.clock.now() + Millis::try_from(backoff.as_millis()).unwrap_or(Millis::MAX / 2);
        if tried >= grant.retry.attempts || at > deadline {
            return Err(TokenError::Unavailable(reason));
        }
        grant.clock.sleep_until(at).await;
    }
}

async fn once(
    grant: &Grant<'_>,
    tenant: &TenantId,
    credentials: &Credentials,
    generation: u64,
    deadline: Millis,
) -> Result<TokenRecord, TokenError> {
    let bucket = Bucket {
        tenant: tenant.clone(),
        identity: credentials.identity(),
        group: Group::named(crate::operations::GET_TOKEN.group),
    };
    let permit = grant
        .gate
        .pass(&bucket, Priority::Interactive, Patience((deadline - grant.clock.now()).max(0)))
        .await?;
    let sent = grant
        .http
        .post(format!("{}{}", credentials.server_url, crate::operations::GET_TOKEN.path))
        .basic_auth(&credentials.client_id, Some(credentials.client_secret.expose_secret()))
        .timeout(TIMEOUT)
        .form(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", credentials.jwt.expose_secret()),
        ])
        .send()
        .await;
    let response = match sent {
        Ok(response) => response,
        Err(error) => {
            grant.gate.settle(permit, attempt::unanswered(&error)).await?;
            return Err(TokenError::Unavailable(attempt::describe(&error)));
        }
    };
    let status = response.status().as_u16();
    let notice = attempt::notice(status, response.headers());
    let request_id = attempt::request_id(response.headers());
    grant.gate.settle(permit, notice).await?;
    telemetry::upstream("getToken", status, request_id.as_deref());
    let body = response.bytes().await.map_err(|error| TokenError::Unavailable(attempt::describe(&error)))?;
    let now = grant.clock.now();
    match status {
        200 => {
            let info: TokenInfo = serde_json::from_slice(&body).map_err(|error| {
                TokenError::Unavailable(format!("the token answer is unreadable: {error}"))
            })?;
            Ok(record(info, now, generation))
        }
        _ if let Outcome::Throttled(penalty) = notice.outcome => {
            Err(TokenError::RateLimited { at: now + penalty })
        }
        400..=499 if status != 408 => {
            let rejection = Rejection::read(status, request_id, &body);
            Err(TokenError::Refused { tenant: tenant.clone(), reason: rejection.to_string(), until: None })
        }
        _ => Err(TokenError::Unavailable(Rejection::read(status, request_id, &body).to_string())),
    }
}

/// Refresh when about a fifth of the life is left; the jitter keeps containers from doing it all at once.
fn record(info: TokenInfo, now: Millis, generation: u64) -> TokenRecord {
    let life = info.expires_in.clamp(0, 365 * 86_400) * 1_000;
    let share = rand::rng().random_range(0.75..0.85);
    #[allow(clippy::cast_possible_truncation, reason = "a share of a life of at most a year")]
    let refresh_at = now + (life as f64 * share) as Millis;
    TokenRecord { access_token: info.access_token, expires_at: now + life, refresh_at, generation }
}
