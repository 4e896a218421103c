//! The shared access token and its store: what one container writes, all others use.

pub(crate) mod grant;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use clock::Millis;
use secrecy::SecretString;
use tenant::TenantId;

/// The access token of one (tenant, app, user), as the whole fleet sees it.
#[derive(Debug, Clone)]
pub struct TokenRecord {
    /// Sent as `Authorization: Bearer`.
    pub access_token: SecretString,
    /// When RingCentral stops accepting it, by the `expires_in` it came with.
    pub expires_at: Millis,
    /// From here on a new one is fetched while this one still works; jittered, so that containers don't agree on it.
    pub refresh_at: Millis,
    /// Grows with every new token; a token that was refused is replaced only if nobody did so already.
    pub generation: u64,
}

/// RingCentral said no to the credentials themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// RingCentral's code and message.
    pub reason: String,
    /// When they may be tried again; `None`: not before they are changed.
    pub until: Option<Millis>,
}

impl Refusal {
    /// Nobody may try the credentials at this instant.
    #[must_use]
    pub fn stands(&self, now: Millis) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What the fleet knows about the access to one (tenant, app, user).
#[derive(Debug, Clone, Default)]
pub struct TokenState {
    /// The current token.
    pub token: Option<TokenRecord>,
    /// Why there is none, if RingCentral refused.
    pub refusal: Option<Refusal>,
}

/// What a container that wants to fetch a token is told.
#[derive(Debug)]
pub enum Claim {
    /// It may ask RingCentral; the stored generation is given back for the new record to grow from.
    Granted {
        /// The generation to be replaced; 0 if there was no token.
        generation: u64,
    },
    /// Somebody else is asking, until this instant at the latest.
    Busy {
        /// When the lease ends by itself.
        until: Millis,
    },
    /// There is a newer token already.
    Replaced(TokenRecord),
}

/// The token store can't be reached; the cause is kept.
#[derive(Debug, thiserror::Error)]
#[error("the token store failed")]
pub struct TokenStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// RingCentral refuses the credentials; asking again would lock the user out.
    #[error("RingCentral refuses the credentials of tenant {tenant}: {reason}")]
    Refused {
        /// Whose credentials they are.
        tenant: TenantId,
        /// RingCentral's code and message.
        reason: String,
        /// When they may be tried again; `None`: not before they are changed.
        until: Option<Millis>,
    },
    /// The token endpoint can't be reached or failed.
    #[error("no access token could be had from RingCentral: {0}")]
    Unavailable(String),
    /// The token budget is used up.
    #[error("the RingCentral Auth budget is used up until {at} ms")]
    RateLimited {
        /// When to come back.
        at: Millis,
    },
    /// The store of tokens can't be reached.
    #[error(transparent)]
    Store(#[from] TokenStoreError),
    /// The store of rate windows can't be reached.
    #[error(transparent)]
    Windows(#[from] gate::StoreError),
}

/// Where tokens live. Keys are `tenant#fingerprint`, so changed credentials start with nothing.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The current token and a standing refusal, if there are any.
    async fn read(&self, key: &str) -> Result<TokenState, TokenStoreError>;

    /// Takes the lease to replace a token of generation `seen`, unless it is held or the token is newer already.
    async fn claim(
        &self,
        key: &str,
        owner: &str,
        seen: u64,
        now: Millis,
        until: Millis,
    ) -> Result<Claim, TokenStoreError>;

    /// Stores a new token and gives the lease back; does nothing if the lease was lost meanwhile.
    async fn publish(&self, key: &str, owner: &str, token: &TokenRecord) -> Result<(), TokenStoreError>;

    /// Gives the lease back without a token.
    async fn release(&self, key: &str, owner: &str) -> Result<(), TokenStoreError>;

    /// Remembers that RingCentral refuses these credentials, for everybody.
    async fn refuse(&self, key: &str, refusal: &Refusal) -> Result<(), TokenStoreError>;
}

/// Tokens in memory, for tests: the contract of [`TokenStore`] without a database.
#[derive(Debug, Default)]
pub struct MemoryTokens(Mutex<HashMap<String, Entry>>);

#[derive(Debug, Default, Clone)]
struct Entry {
    state: TokenState,
    lease: Option<(String, Millis)>,
}

impl MemoryTokens {
    fn with<T>(&self, key: &str, use_it: impl FnOnce(&mut Entry) -> T) -> T {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        use_it(entries.entry(key.to_owned()).or_default())
    }
}

#[async_trait]
impl TokenStore for MemoryTokens {
    async fn read(&self, key: &str) -> Result<TokenState, TokenStoreError> {
        Ok(self.with(key, |entry| entry.state.clone()))
    }

    async fn claim(
        &self,
        key: &str,
        owner: &str,
        seen: u64,
        now: Millis,
        until: Millis,
    ) -> Result<Claim, TokenStoreError> {
        Ok(self.with(key, |entry| {
            if let Some(token) = entry.state.token.clone().filter(|token| token.generation > seen) {
                return Claim::Replaced(token);
            }
            if let Some((_, held)) = entry.lease.clone().filter(|(_, held)| *held > now) {
                return Claim::Busy { until: held };
            }
            entry.lease = Some((owner.to_owned(), until));
            Claim::Granted { generation: entry.state.token.as_ref().map_or(0, |token| token.generation) }
        }))
    }

    async fn publish(&self, key: &str, owner: &str, token: &TokenRecord) -> Result<(), TokenStoreError> {
        self.with(key, |entry| {
            if entry.lease.as_ref().is_some_and(|(holder, _)| holder == owner) {
                *entry =
                    Entry { state: TokenState { token: Some(token.clone()), refusal: None }, lease: None };
            }
        });
        Ok(())
    }

    async fn release(&self, key: &str, owner: &str) -> Result<(), TokenStoreError> {
        self.with(key, |entry| entry.lease = entry.lease.take().filter(|(holder, _)| holder != owner));
        Ok(())
    }

    async fn refuse(&self, key: &str, refusal: &Refusal) -> Result<(), TokenStoreError> {
        self.with(key, |entry| entry.state.refusal = Some(refusal.clone()));
        Ok(())
    }
}
