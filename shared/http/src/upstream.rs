//! What a failed RingCentral call means to the caller. Decided by codes and statuses, never by messages.

use clock::Millis;
use http::StatusCode;
use ringcentral::{CallError, CredentialsError, Reach, Rejection, TokenError};

use crate::{FieldError, Problem, Type};

const FIX_CREDENTIALS: &str = "Check the app's client id and secret and the JWT in RingCentral's developer console, then \
     store them in this tenant's secret; they are used within a minute.";

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        let detail = error.to_string();
        match &error {
            CallError::Rejected { rejection, .. } => refused(rejection).caused_by(&error),
            CallError::RateLimited { wait, group, stopped } => {
                let seconds = seconds(*wait);
                let why = if *stopped { "RingCentral answered an earlier request with 429. " } else { "" };
                Self::new(Type::RateLimited)
                    .detail(format!("{why}The next request of the group {group} may be sent in {seconds} s."))
                    .hint("Wait for Retry-After. The budget is RingCentral's, per app and user, shared by all callers.")
                    .rate_group(group.as_str(), seconds)
            }
            CallError::Throttled { rejection, wait, group, reach, .. } => {
                throttled(rejection, *wait, group.as_str(), *reach)
            }
            CallError::Unaddressable { .. } => Self::new(Type::NotFound).detail(detail),
            CallError::CircuitOpen { wait, group } => Self::new(Type::CircuitOpen)
                .detail(format!("The next request of the group {group} may be sent in {} s.", seconds(*wait)))
                .hint("Wait for Retry-After: one request then tries, and the others follow if it succeeds.")
                .rate_group(group.as_str(), seconds(*wait)),
            CallError::Unavailable { request_id, .. } => {
                let problem = match error.is_ambiguous() {
                    true => unknown(),
                    false => Self::new(Type::RingcentralUnavailable),
                };
                problem.detail(detail).ringcentral("", request_id.clone()).retry_after(5).caused_by(&error)
            }
            CallError::Unknown { wait, .. } => {
                let seconds = wait.map_or(5, seconds);
                unknown().unsent().detail(detail).retry_after(seconds).caused_by(&error)
            }
            CallError::Token(token) => no_token(token, detail).caused_by(&error),
            CallError::Credentials(CredentialsError::Unreachable(_)) => {
                Self::new(Type::StoreUnavailable).detail("The secret store did not answer.").caused_by(&error)
            }
            CallError::Credentials(CredentialsError::Unknown { secret, .. }) => {
                Self::no_secret(secret).caused_by(&error)
            }
            CallError::Credentials(CredentialsError::Malformed { .. }) => {
                let hint = "Store the secret anew with all of its members; it is used within a minute.";
                Self::new(Type::TenantUnknown).detail(detail).hint(hint).caused_by(&error)
            }
            CallError::Windows(_) => Self::new(Type::StoreUnavailable)
                .detail("The rate windows can't be read, so nothing was sent to RingCentral.")
                .retry_after(2)
                .caused_by(&error),
            CallError::Unreadable { .. } => {
                let problem = match error.is_ambiguous() {
                    true => unknown(),
                    false => Self::new(Type::RingcentralUnavailable),
                };
                problem.detail(detail).retry_after(5).caused_by(&error)
            }
        }
    }
}

/// Milliseconds as whole seconds, never too few.
fn seconds(wait: Millis) -> u64 {
    u64::try_from(wait.saturating_add(999)).unwrap_or(0) / 1_000
}

/// RingCentral's own 429.
fn throttled(rejection: &Rejection, wait: Millis, group: &str, reach: Reach) -> Problem {
    let seconds = seconds(wait);
    let (scope, hint) = match reach {
        Reach::Call => {
            ("call", "A call like this one is under way: look at what came of it before you repeat this one.")
        }
        Reach::Window => {
            ("group", "Wait for Retry-After. Something else seems to use the same app and user.")
        }
        Reach::Group => ("group", "Wait for Retry-After. Other groups are not stopped."),
        Reach::Account => ("account", "Wait for Retry-After. RingCentral stopped everything of the account."),
        Reach::Address => {
            ("address", "Wait for Retry-After. RingCentral stopped everything from this address.")
        }
    };
    let problem = Problem::new(Type::RateLimited)
        .detail(format!("RingCentral answered with 429. The next request may be sent in {seconds} s."))
        .hint(hint)
        .ringcentral(&rejection.code, rejection.request_id.clone())
        .rate_scope(scope)
        .retry_after(seconds);
    match scope {
        "group" => problem.rate_group(group, seconds),
        _ => problem,
    }
}

/// A change that may have been made.
pub(crate) fn unknown() -> Problem {
    Problem::new(Type::OutcomeUnknown)
        .hint("Read the resource before you repeat the change, or repeat it with its Idempotency-Key.")
}

fn no_token(error: &TokenError, detail: String) -> Problem {
    match error {
        TokenError::Refused { .. } => {
            Problem::new(Type::CredentialsRefused).detail(detail).hint(FIX_CREDENTIALS)
        }
        TokenError::Unavailable(_)
        | TokenError::RateLimited { .. }
        | TokenError::Throttled { .. }
        | TokenError::CircuitOpen { .. } => {
            Problem::new(Type::RingcentralUnavailable).detail(detail).retry_after(5)
        }
        TokenError::Store(_) | TokenError::Windows(_) => {
            Problem::new(Type::StoreUnavailable).detail("The shared token can't be read.").retry_after(2)
        }
    }
}

fn refused(rejection: &Rejection) -> Problem {
    let problem = match rejection.status {
        401 => {
            return Problem::new(Type::CredentialsRefused)
                .detail(rejection.message.clone())
                .hint(FIX_CREDENTIALS);
        }
        404 => Problem::new(Type::NotFound),
        status @ (400 | 403 | 409 | 415 | 416) => {
            Problem::new(Type::RingcentralRefused).status(StatusCode::from_u16(status).unwrap_or_default())
        }
        _ => Problem::new(Type::RingcentralRefused).status(StatusCode::BAD_GATEWAY),
    };
    let problem = match (&rejection.permission, rejection.code.as_str()) {
        (Some(permission), _) => {
            problem.hint(format!("Grant the permission {permission} to the app or to the user's role."))
        }
        (None, "CMN-401" | "CMN-408" | "CMN-419") => {
            problem.hint("The app or the user's role lacks a permission for this operation.")
        }
        _ => problem,
    };
    let errors = rejection
        .parameter
        .iter()
        .map(|parameter| FieldError { field: parameter.clone(), reason: rejection.message.clone() });
    problem
        .errors(errors.collect())
        .detail(rejection.message.clone())
        .ringcentral(&rejection.code, rejection.request_id.clone())
}
