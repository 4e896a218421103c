//! What a window counts: the bucket's name and RingCentral's default limits.

use std::fmt;

use serde::{Deserialize, Serialize};

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

/// One sliding window of RingCentral: an (app, user) and a group.
///
/// It has no tenant: RingCentral counts by app and user, so tenants that share a user share its windows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket {
    /// Names the app and the user without revealing them, the same in every process that calls as them. It has no `#`.
    pub identity: String,
    /// The throttling group.
    pub group: Group,
}

impl Bucket {
    /// The key of the bucket's stored item.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}#{}", self.identity, self.group)
    }

    /// The bucket of a stored item; `None` for the key of another kind, such as that of an earlier version.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        let (identity, group) = key.split_once('#').filter(|(_, group)| !group.contains('#'))?;
        Some(Self { identity: identity.to_owned(), group: Group::named(group) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_bucket_and_one_of_an_earlier_version_names_none() {
        let bucket = Bucket { identity: "3f9a".to_owned(), group: Group::named("light") };
        assert_eq!(Bucket::of_key(&bucket.key()), Some(bucket));
        for key in ["acme#3f9a#light", "acme##", "light", ""] {
            assert_eq!(Bucket::of_key(key), None, "{key}");
        }
    }
}
