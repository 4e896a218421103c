//! Whom a 429 stops.

use crate::Bucket;

/// How far a penalty reaches that is not about one user's window (RingCentral's guide, "Rate limits": limits of an account, and
/// defensive limits of a source address, come without `X-Rate-Limit-*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything that is asked of one account.
    Account,
    /// Everything that is asked from this address: the whole deployment, whoever its tenants are.
    Address,
}

impl Scope {
    /// Whether a penalty that met a request of `struck` concerns `other`.
    #[must_use]
    pub fn covers(self, struck: &Bucket, other: &Bucket) -> bool {
        match self {
            Self::Account => struck.tenant == other.tenant,
            Self::Address => true,
        }
    }
}
