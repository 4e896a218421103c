//! Creating once, at a platform that has no idempotency keys: look, and create again only when it is certain that nothing
//! was made and nothing is on its way any more.
//!
//! What decides about a loss or a double is in [`verdict`](crate::verdict), without any input or output.

use clock::Millis;
use ringcentral::{CallError, Request, RingCentral};
use serde_json::value::RawValue;
use tenant::TenantId;

use crate::verdict::{Failure, Seen, Step, after_failure, after_refusal, before_creating};

/// What is known of earlier attempts at the same creation, one of which may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// When the first of them began: what is older was not made by any (milliseconds since the epoch).
    pub began: Millis,
    /// From when on none of them can be on its way any more.
    pub over: Millis,
}

impl From<(Millis, Millis)> for Earlier {
    fn from((began, over): (Millis, Millis)) -> Self {
        Self { began, over }
    }
}

/// What looking for an attempt's result came to.
#[derive(Debug)]
pub enum Look {
    /// There it is.
    Found(Box<RawValue>),
    /// Nothing like it is there, or only what is older than every attempt.
    Nothing,
    /// Something like it is there, and nothing tells whether an attempt made it.
    Doubtful,
    /// Nothing in the request could be looked for.
    Impossible,
}

impl Look {
    fn seen(&self) -> Seen {
        match self {
            Self::Found(_) => Seen::Found,
            Self::Nothing => Seen::Nothing,
            Self::Doubtful | Self::Impossible => Seen::Unclear,
        }
    }
}

/// Creates a resource once. `look` is told when the first attempt began.
///
/// # Errors
/// [`CallError`]; one that [`CallError::is_ambiguous`] whenever an attempt may have been carried out.
pub async fn create_once<F>(
    client: &RingCentral,
    tenant: &TenantId,
    request: &Request,
    earlier: Option<Earlier>,
    look: impl Fn(Millis) -> F,
) -> Result<Box<RawValue>, CallError>
where
    F: Future<Output = Result<Look, CallError>>,
{
    let now = client.now();
    let began = earlier.map_or(now, |earlier| earlier.began);
    if let Some(Earlier { over, .. }) = earlier {
        let found = look(began).await.map_err(|error| still_unknown(request, error))?;
        match (before_creating(found.seen(), now >= over), found) {
            (Step::Take, Look::Found(made)) => return Ok(made),
            (Step::Create, _) => {}
            _ => return Err(unknown(request, over - now)),
        }
    }
    let failure = match client.raw(tenant, request).await {
        Err(error) if error.is_ambiguous() => error,
        outcome => return outcome,
    };
    let Ok(found) = look(began).await else { return Err(failure) };
    let kind = if failure.is_over() { Failure::Answered } else { Failure::Silent };
    match (after_failure(kind, found.seen(), client.can_finish()), found) {
        (Step::Take, Look::Found(made)) => return Ok(made),
        (Step::Create, _) => {}
        _ => return Err(failure),
    }
    let refusal = match client.raw(tenant, request).await {
        Err(error) if error.rejected_with().is_some() => error,
        Ok(made) => return Ok(made),
        Err(error) if error.is_ambiguous() => return Err(error),
        Err(_) => return Err(failure),
    };
    // What is refused because it exists may be what the first attempt made.
    let Ok(found) = look(began).await else { return Err(failure) };
    match (after_refusal(found.seen()), found) {
        (Step::Take, Look::Found(made)) => Ok(made),
        (Step::Refuse, _) => Err(refusal),
        _ => Err(failure),
    }
}

/// An earlier attempt may have been carried out, and making another would be a guess.
fn unknown(request: &Request, wait: Millis) -> CallError {
    CallError::Unknown { operation: request.operation().id, wait: (wait > 0).then_some(wait) }
}

/// Looking failed. What only has to be waited for is said as it is; the rest must not say that nothing was changed.
fn still_unknown(request: &Request, error: CallError) -> CallError {
    match error {
        CallError::Unavailable { .. } | CallError::Unreadable { .. } => unknown(request, 0),
        other => other,
    }
}
