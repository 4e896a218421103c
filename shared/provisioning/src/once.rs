//! Creating once, at a platform that has no idempotency keys: look first, then create.

use ringcentral::{CallError, Request, RingCentral};
use serde_json::value::RawValue;
use tenant::TenantId;

/// An earlier attempt at the same creation may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookFirst(pub bool);

/// What looking for an earlier attempt's result came to.
#[derive(Debug)]
pub enum Look {
    /// There it is.
    Found(Box<RawValue>),
    /// It was not carried out.
    Nothing,
    /// Nothing in the request could be looked for.
    Impossible,
}

/// Creates a resource once. When an attempt's outcome is unknown it looks, and tries again only if nothing is there.
///
/// # Errors
/// [`CallError`]; one that [`CallError::is_ambiguous`] only if looking failed or was impossible.
pub async fn create_once<F>(
    client: &RingCentral,
    tenant: &TenantId,
    request: &Request,
    look_first: LookFirst,
    look: impl Fn() -> F,
) -> Result<Box<RawValue>, CallError>
where
    F: Future<Output = Result<Look, CallError>>,
{
    if look_first.0 {
        match look().await? {
            Look::Found(made) => return Ok(made),
            Look::Nothing => {}
            Look::Impossible => return Err(unknown(request)),
        }
    }
    let failure = match create(client, tenant, request).await {
        Err(error) if error.is_ambiguous() => error,
        outcome => return outcome,
    };
    match look().await {
        Ok(Look::Found(made)) => Ok(made),
        // Without an answer the first may still be on its way, and a second that can not finish leaves another outcome unknown.
        Ok(Look::Nothing) if failure.is_over() && client.can_finish() => {
            create(client, tenant, request).await
        }
        Ok(Look::Nothing) => Err(failure),
        Ok(Look::Impossible) | Err(_) => Err(failure),
    }
}

/// An earlier attempt may have been carried out, and nothing of it can be looked for: making another would be a guess.
fn unknown(request: &Request) -> CallError {
    CallError::Unavailable {
        operation: request.operation().id,
        attempts: 0,
        reason: "an earlier attempt with this key may have been carried out and can't be looked for"
            .to_owned(),
        request_id: None,
        ambiguous: true,
        answered: false,
    }
}

async fn create(
    client: &RingCentral,
    tenant: &TenantId,
    request: &Request,
) -> Result<Box<RawValue>, CallError> {
    let answer = client.call(tenant, request).await?;
    answer.raw().map_err(|error| CallError::Unreadable {
        operation: request.operation().id,
        reason: error.to_string(),
    })
}
