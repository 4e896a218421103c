//! What could not be renewed, in words for logs and dead letters. Never an address: half of what authenticates a delivery is in it.

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

    pub(crate) fn of_renewal(tenant: &TenantId, id: &str, error: &CallError) -> Self {
        Self(format!("{tenant}: the subscription {id} can't be renewed: {error}"))
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
