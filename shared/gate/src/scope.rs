//! Whom a 429 stops.

use crate::Bucket;

/// How far a 429 reaches that is not about one user's window. Its code says so (RingCentral's guide, "Error codes" and "Rate
/// limits"), whether or not it bears `X-Rate-Limit-*`; without a code that is known, those of an account, and the defensive limits of
/// a source address, come without these headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The one call that heard it, such as one that is a duplicate of another under way (CMN-304): nobody else is stopped, and the
    /// same call may succeed a moment later.
    Call,
    /// The requests of one group, such as a limit of a service of its own (MSG-305).
    Group,
    /// Everything that is asked of one account, as far as it is asked as the same user of the same app.
    Account,
    /// Everything that is asked from this address: the whole deployment, whoever its tenants are.
    Address,
}

impl Scope {
    /// Whether a 429 that met a request of `struck` stops those of `other`.
    #[must_use]
    pub fn covers(self, struck: &Bucket, other: &Bucket) -> bool {
        match self {
            Self::Call => false,
            Self::Group => struck == other,
            Self::Account => struck.identity == other.identity,
            Self::Address => true,
        }
    }
}
