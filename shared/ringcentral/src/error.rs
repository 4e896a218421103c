//! Why a call failed, by RingCentral's codes and never by its messages (they are localised).

use clock::Millis;
use gate::{Cause, Group, StoreError};
use serde::Deserialize;

use crate::{CredentialsError, Operation, TokenError};

/// A call that did not succeed. Each variant tells the caller's edge what to answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// RingCentral understood the call and said no.
    #[error("RingCentral refused {operation}: {rejection}")]
    Rejected {
        /// RingCentral's operation id.
        operation: &'static str,
        /// What it said.
        rejection: Box<Rejection>,
    },
    /// The gateway's own "not yet": the rate budget is used up, or a penalty is running.
    #[error("the RingCentral {group} budget is used up for another {wait} ms")]
    RateLimited {
        /// How long until the next slot, in milliseconds.
        wait: Millis,
        /// The group whose window is full.
        group: Group,
        /// RingCentral has answered an earlier request with a 429, whose time is not over.
        stopped: bool,
    },
    /// RingCentral itself answered this request with a 429.
    #[error("RingCentral throttled {operation} for {wait} ms: {rejection}")]
    Throttled {
        /// RingCentral's operation id.
        operation: &'static str,
        /// What it said.
        rejection: Box<Rejection>,
        /// How long until the next request, in milliseconds.
        wait: Millis,
        /// The group that it counted the request in.
        group: Group,
        /// Whom it stops.
        reach: Reach,
    },
    /// A path parameter that no path can carry; nothing was sent.
    #[error("the parameter {parameter} of {operation} can't be part of a path")]
    Unaddressable {
        /// RingCentral's operation id.
        operation: &'static str,
        /// The parameter's name.
        parameter: &'static str,
    },
    /// RingCentral failed so often in a row that nobody asks it for a while.
    #[error("the circuit of the RingCentral {group} group is open for another {wait} ms")]
    CircuitOpen {
        /// How long until the next request may try, in milliseconds.
        wait: Millis,
        /// The group whose circuit is open.
        group: Group,
    },
    /// RingCentral could not be reached or answered with its own failure, after all retries.
    #[error("RingCentral failed {operation} after {attempts} attempts: {reason}")]
    Unavailable {
        /// RingCentral's operation id.
        operation: &'static str,
        /// How often it was tried.
        attempts: u32,
        /// The last failure, in words.
        reason: String,
        /// Its `RCRequestId`, if an answer came at all.
        request_id: Option<String>,
        /// The request may have been carried out all the same.
        ambiguous: bool,
        /// RingCentral itself answered that it failed. Without that answer the request may still be on its way.
        answered: bool,
    },
    /// The credentials don't work any more; somebody has to look at them.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There are no credentials to call with.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The rate windows can't be reached: fail closed.
    #[error("the rate windows can't be reached, so nothing is sent")]
    Windows(#[source] StoreError),
    /// A 2xx answer with a body that is not what the operation promises.
    #[error("RingCentral answered {operation} with something unreadable: {reason}")]
    Unreadable {
        /// RingCentral's operation id.
        operation: &'static str,
        /// What could not be read.
        reason: String,
        /// The operation changes something, and a 2xx status says that it has.
        ambiguous: bool,
    },
    /// An earlier attempt at the same change may have been carried out; nothing was sent this time.
    #[error(
        "an earlier attempt at {operation} may have been carried out or be on its way, and nothing tells yet"
    )]
    Unknown {
        /// RingCentral's operation id.
        operation: &'static str,
        /// How long until none of the attempts can be on its way any more, in milliseconds; absent if waiting does not help.
        wait: Option<Millis>,
    },
}

impl CallError {
    /// The request may have been carried out although no success was seen: look before doing it again.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { ambiguous: true, .. }
                | Self::Unreadable { ambiguous: true, .. }
                | Self::Unknown { .. }
        )
    }

    /// A 2xx answer that can't be read.
    #[must_use]
    pub fn unreadable(operation: &Operation, error: &serde_json::Error) -> Self {
        Self::Unreadable {
            operation: operation.id,
            reason: error.to_string(),
            ambiguous: operation.method != "GET",
        }
    }

    /// The invocation ends before RingCentral could answer: nothing is sent.
    pub(crate) fn late(operation: &Operation) -> Self {
        Self::Unavailable {
            operation: operation.id,
            attempts: 0,
            reason: "there was no time left for it".to_owned(),
            request_id: None,
            ambiguous: false,
            answered: false,
        }
    }

    /// RingCentral's answer says what became of the request; one about the token says nothing of earlier attempts.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::Rejected { rejection, .. } if rejection.status != 401)
    }

    /// RingCentral itself said that it failed, so the request is not on its way any more: whoever looks now sees what came of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Unavailable { answered: true, .. })
    }

    /// The HTTP status RingCentral refused with, if it refused.
    #[must_use]
    pub fn rejected_with(&self) -> Option<u16> {
        match self {
            Self::Rejected { rejection, .. } => Some(rejection.status),
            _ => None,
        }
    }

    pub(crate) fn from_gate(error: gate::GateError, now: Millis) -> Self {
        match error {
            gate::GateError::Later { at, group, cause } => match cause {
                Cause::Breaker => Self::CircuitOpen { wait: (at - now).max(0), group },
                Cause::Window | Cause::Penalty => {
                    Self::RateLimited { wait: (at - now).max(0), group, stopped: cause == Cause::Penalty }
                }
            },
            gate::GateError::Store(cause) => Self::Windows(cause),
        }
    }
}

/// Whom a 429 stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The one call: it may succeed a moment later.
    Call,
    /// The window of one group of the app and the user.
    Window,
    /// The group, for another reason than its window.
    Group,
    /// Everything that is asked of the account.
    Account,
    /// Everything that is asked from this address.
    Address,
}

/// RingCentral's error body, whichever of its shapes it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The HTTP status.
    pub status: u16,
    /// `errors[].errorCode`, else the top-level `errorCode`, else the OAuth `error`; empty if there was none.
    pub code: String,
    /// RingCentral's message, for people.
    pub message: String,
    /// The parameter it complains about.
    pub parameter: Option<String>,
    /// The app or user permission that is missing.
    pub permission: Option<String>,
    /// RingCentral's `RCRequestId`.
    pub request_id: Option<String>,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.status, self.code, self.message)?;
        match &self.request_id {
            Some(id) => write!(f, " (RCRequestId {id})"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    error: Option<String>,
    #[serde(rename = "error_description")]
    error_description: Option<String>,
    errors: Vec<Entry>,
    #[serde(flatten)]
    top: Entry,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    error_code: Option<String>,
    message: Option<String>,
    parameter_name: Option<String>,
    permission_name: Option<String>,
}

impl Rejection {
    /// Reads an error body; one that can't be read still makes a rejection with its status.
    #[must_use]
    pub fn read(status: u16, request_id: Option<String>, body: &[u8]) -> Self {
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let first = body.errors.into_iter().next().unwrap_or_default();
        Self {
            status,
            code: first.error_code.or(body.top.error_code).or(body.error).unwrap_or_default(),
            message: first.message.or(body.top.message).or(body.error_description).unwrap_or_default(),
            parameter: first.parameter_name.or(body.top.parameter_name),
            permission: first.permission_name.or(body.top.permission_name),
            request_id,
        }
    }

    /// RingCentral's own words: one of its codes (`OAU-140`), or an error of OAuth. What stands in front of it answers otherwise.
    #[must_use]
    pub fn is_ringcentrals(&self) -> bool {
        const OAUTH: [&str; 9] = [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
            "expired_token",
            "insufficient_scope",
            "access_denied",
        ];
        let numbered = self.code.split_once('-').is_some_and(|(area, number)| {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            digits && (2..=5).contains(&area.len()) && area.bytes().all(|byte| byte.is_ascii_uppercase())
        });
        numbered || OAUTH.contains(&self.code.as_str())
    }

    /// The complaint is about the access token itself (`OAU-…`, `TokenInvalid`, `AGW-401`).
    #[must_use]
    pub fn is_about_the_token(&self) -> bool {
        self.status == 401
            && (self.code.starts_with("OAU-") || self.code == "TokenInvalid" || self.code == "AGW-401")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nested_code_wins_over_the_word_at_the_top() {
        let body = br#"{"errorCode":"InsufficientPermissions","message":"top","errors":[{"errorCode":"CMN-401",
            "message":"needs [ReadCallLog]","permissionName":"ReadCallLog"}],"permissionName":"ReadCallLog"}"#;
        let rejection = Rejection::read(403, None, body);
        assert_eq!(
            (rejection.code.as_str(), rejection.permission.as_deref()),
            ("CMN-401", Some("ReadCallLog"))
        );
    }

    #[test]
    fn regression_a_4xx_of_something_in_front_is_not_taken_for_ringcentrals() {
        let read = |body: &str| Rejection::read(403, None, body.as_bytes()).is_ringcentrals();
        for strange in
            ["", "<html>", r#"{"message":"Forbidden"}"#, r#"{"error":"Forbidden"}"#, r#"{"errorCode":"403"}"#]
        {
            assert!(!read(strange), "{strange}");
        }
        assert!(read(r#"{"error":"invalid_grant"}"#) && read(r#"{"errors":[{"errorCode":"OAU-140"}]}"#));
    }

    #[test]
    fn an_oauth_error_and_an_empty_body_are_read_too() {
        let oauth =
            Rejection::read(400, None, br#"{"error":"invalid_grant","error_description":"Token expired"}"#);
        assert_eq!((oauth.code.as_str(), oauth.message.as_str()), ("invalid_grant", "Token expired"));
        assert_eq!(Rejection::read(502, None, b"<html>").code, "");
    }
}
