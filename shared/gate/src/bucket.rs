//! What a window counts: the bucket's name and RingCentral's default limits.

use std::fmt;

use serde::{Deserialize, Serialize};
use tenant::TenantId;

/// RingCentral's throttling group of an operation.
///
/// An open set: the four names are today's, the documentation warns that they may change, and the
/// `X-Rate-Limit-Group` header decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Group(String);

impl Group {
    /// A group by the name in an operation's description or in `X-Rate-Limit-Group`, in any case.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.trim().to_ascii_lowercase())
    }

    /// The name in lower case, as the header carries it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Operations of this group are not counted (`NoThrottling`).
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.0 == "nothrottling"
    }

    /// Requests per minute and user until a header says otherwise: Heavy 10, Medium 40, Light 50, Auth 5
    /// (RingCentral's guide, "Rate limits"); an unknown group gets the smallest of them.
    #[must_use]
    pub fn default_limit(&self) -> u32 {
        match self.0.as_str() {
            "light" => 50,
            "medium" => 40,
            "heavy" => 10,
            _ => 5,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One sliding window of RingCentral: a tenant's (app, user) and a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket {
    /// Whose budget it is.
    pub tenant: TenantId,
    /// The fingerprint of the app and the user, the same in every process that shares the credentials.
    pub identity: String,
    /// The throttling group.
    pub group: Group,
}

impl Bucket {
    /// The key of the bucket's stored item; the tenant leads.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}#{}#{}", self.tenant, self.identity, self.group)
    }

    /// The bucket of a stored item.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '#');
        let (tenant, identity, group) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { tenant: tenant.parse().ok()?, identity: identity.to_owned(), group: Group::named(group) })
    }
}
