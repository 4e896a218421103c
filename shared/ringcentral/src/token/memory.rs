//! Tokens in memory, for tests: the contract of [`TokenStore`] without a database.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use clock::Millis;

use crate::{Bid, Claim, Doubt, Refusal, TokenRecord, TokenState, TokenStore, TokenStoreError};

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

    async fn claim(&self, key: &str, bid: &Bid<'_>) -> Result<Claim, TokenStoreError> {
        let Bid { owner, seen, version, now, until } = *bid;
        Ok(self.with(key, |entry| {
            if let Some(token) = entry.state.token.clone().filter(|token| token.generation > seen) {
                return Claim::Replaced(token);
            }
            if let Some(refusal) = entry.state.refusal.clone().filter(|refusal| refusal.stands(now, version))
            {
                return Claim::Refused(refusal);
            }
            if entry.lease.as_ref().is_some_and(|(holder, held)| holder != owner && *held > now) {
                return Claim::Busy;
            }
            entry.lease = Some((owner.to_owned(), until));
            let token = entry.state.token.as_ref();
            Claim::Granted {
                generation: entry.generation(),
                strikes: token
                    .filter(|one| entry.state.dead == Some(one.generation))
                    .map_or(0, |one| one.strikes),
                user: token.and_then(|token| token.user.clone()),
            }
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
                let state = TokenState { token: Some(token.clone()), ..TokenState::default() };
                *entry = Entry { state, ..Entry::default() };
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

    async fn doubt(&self, key: &str, doubt: &Doubt) -> Result<(), TokenStoreError> {
        self.with(key, |entry| {
            let known = entry.state.dead.is_some_and(|dead| dead >= doubt.generation);
            if known || entry.generation() > doubt.generation {
                return;
            }
            (entry.state.dead, entry.state.ask_from) = (Some(doubt.generation), doubt.ask_from);
            if let Some(token) = &mut entry.state.token {
                token.strikes = doubt.strikes;
            }
            if doubt.refusal.is_some() {
                entry.state.refusal.clone_from(&doubt.refusal);
            }
        });
        Ok(())
    }

    async fn clear(&self, key: &str, generation: u64) -> Result<(), TokenStoreError> {
        self.with(key, |entry| {
            if entry.generation() == generation && entry.state.dead == Some(generation) {
                let token = entry.state.token.take().map(|token| TokenRecord { strikes: 0, ..token });
                entry.state = TokenState { token, ..TokenState::default() };
            }
        });
        Ok(())
    }
}
