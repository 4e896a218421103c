//! What could not be renewed, in words for logs and dead letters. Never an address: half of what authenticates a delivery is
//! in it.

use std::fmt;

use ringcentral::CallError;
use tenant::TenantId;

use crate::Renewed;

/// One thing that could not be done: whose, of which subscription, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    pub(crate) fn of_list(tenant: &TenantId, error: &CallError) -> Self {
        Self(format!("{tenant}: the subscriptions can't be listed: {error}"))
    }

    pub(crate) fn blacklisted(tenant: &TenantId, id: &str, reason: &str) -> Self {
        Self(format!("{tenant}: RingCentral has given the subscription {id} up: {reason}"))
    }

    pub(crate) fn doubled(tenant: &TenantId, ids: &[&str]) -> Self {
        let ids = ids.join(", ");
        Self(format!(
            "{tenant}: the subscriptions {ids} deliver to one address, so every event comes by each of them"
        ))
    }

    pub(crate) fn of_renewal(tenant: &TenantId, id: &str, error: &CallError) -> Self {
        match error.is_ambiguous() {
            true => Self(format!("{tenant}: the subscription {id} may have been renewed: {error}")),
            false => Self(format!("{tenant}: the subscription {id} can't be renewed: {error}")),
        }
    }

    pub(crate) fn unreadable(tenant: &TenantId, id: &str) -> Self {
        Self(format!(
            "{tenant}: the subscription {id} may have been renewed: RingCentral's answer does not tell"
        ))
    }

    pub(crate) fn no_longer(tenant: &TenantId, id: &str, left: i64) -> Self {
        Self(format!(
            "{tenant}: the subscription {id} was renewed, and RingCentral gave it no more than {left} s"
        ))
    }
}

/// An invocation that could not do all it had to; it has done the rest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct NotRenewed {
    /// What was done nevertheless.
    pub sum: Renewed,
    /// What was not; never empty.
    pub failures: Vec<Failure>,
}

impl fmt::Display for NotRenewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures: Vec<_> = self.failures.iter().map(|Failure(text)| text.as_str()).collect();
        f.write_str(&failures.join("; "))
    }
}
