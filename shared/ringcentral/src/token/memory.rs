//! Tokens in memory, for tests: the contract of [`TokenStore`] without a database.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use clock::Millis;

use crate::{Claim, Refusal, TokenRecord, TokenState, TokenStore, TokenStoreError};

/// A store that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryTokens(Mutex<HashMap<String, Entry>>);

#[derive(Debug, Default, Clone)]
struct Entry {
    state: TokenState,
    lease: Option<(String, Millis)>,
}

impl Entry {
    fn generation(&self) -> u64 {
        self.state.token.as_ref().map_or(0, |token| token.generation)
    }

    fn is_leased_to(&self, owner: &str) -> bool {
        self.lease.as_ref().is_some_and(|(holder, _)| holder == owner)
    }
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
            if let Some(refusal) = entry.state.refusal.clone().filter(|refusal| refusal.stands(now)) {
                return Claim::Refused(refusal);
            }
            if entry.lease.as_ref().is_some_and(|(holder, held)| holder != owner && *held > now) {
                return Claim::Busy;
            }
            entry.lease = Some((owner.to_owned(), until));
            Claim::Granted { generation: entry.generation() }
        }))
    }

    async fn renew(&self, key: &str, owner: &str, until: Millis) -> Result<bool, TokenStoreError> {
        Ok(self.with(key, |entry| {
            let held = entry.is_leased_to(owner);
            if held {
                entry.lease = Some((owner.to_owned(), until));
            }
            held
        }))
    }

    async fn publish(&self, key: &str, owner: &str, token: &TokenRecord) -> Result<bool, TokenStoreError> {
        Ok(self.with(key, |entry| {
            let published = entry.is_leased_to(owner);
            if published {
                let state = TokenState { token: Some(token.clone()), refusal: None };
                *entry = Entry { state, lease: None };
            }
            published
        }))
    }

    async fn release(&self, key: &str, owner: &str) -> Result<(), TokenStoreError> {
        self.with(key, |entry| entry.lease = entry.lease.take().filter(|(holder, _)| holder != owner));
        Ok(())
    }

    async fn refuse(&self, key: &str, seen: u64, refusal: &Refusal) -> Result<(), TokenStoreError> {
        self.with(key, |entry| {
            if entry.generation() <= seen {
                entry.state.refusal = Some(refusal.clone());
            }
        });
        Ok(())
    }
}
