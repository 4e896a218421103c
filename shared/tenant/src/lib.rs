//! Whose data it is. Owns [`TenantId`], the first argument of every port and the leading part of every key.
//!
//! There is no default tenant in here: whoever needs one must have been told which.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A customer of this deployment: 1 to 64 characters of `a-z`, `0-9` and `-`, so that it fits into keys and URLs as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

/// A text that is no tenant id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant id has 1 to 64 characters of a-z, 0-9 and -")]
pub struct InvalidTenantId;

impl TenantId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = InvalidTenantId;

    fn from_str(text: &str) -> Result<Self, InvalidTenantId> {
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        match (1..=64).contains(&text.len()) && text.bytes().all(fits) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidTenantId),
        }
    }
}

impl TryFrom<String> for TenantId {
    type Error = InvalidTenantId;

    fn try_from(text: String) -> Result<Self, InvalidTenantId> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(tenant: TenantId) -> Self {
        tenant.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_into_keys_and_urls_is_a_tenant() {
        assert!("acme-2".parse::<TenantId>().is_ok());
        for text in ["", "Acme", "a#b", "a/b", &"a".repeat(65)] {
            assert_eq!(text.parse::<TenantId>(), Err(InvalidTenantId), "{text}");
        }
    }
}
