//! The tables of tokens and of windows, over the network. Their contracts are those of the stores in memory.

use std::sync::Arc;

use async_trait::async_trait;
use clock::Millis;
use futures::FutureExt;
use gate::{Bucket, MemoryWindows, StoreError, Window, WindowStore, Written};
use ringcentral::{
    Bid, Claim, Doubt, MemoryTokens, Refusal, TokenRecord, TokenState, TokenStore, TokenStoreError,
};
use secrecy::ExposeSecret;

use super::{Event, fleet::Mischief, network::Line};

/// What is stored. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Tables {
    tokens: Arc<MemoryTokens>,
    windows: Arc<MemoryWindows>,
}

/// The tables as one container reaches them.
pub(crate) struct Connection {
    pub(crate) tables: Tables,
    pub(crate) line: Line,
    pub(crate) mischief: Mischief,
}

impl Connection {
    /// Has something done with the tokens; what is stored then answers at once.
    async fn tokens<T: Send + 'static>(
        &self,
        apply: impl Fn(&MemoryTokens) -> Result<T, TokenStoreError> + Send + 'static,
    ) -> Result<T, TokenStoreError> {
        let tokens = self.tables.tokens.clone();
        let sent = self.line.request(move || apply(&tokens)).await;
        sent.map_err(|cause| TokenStoreError(cause.into()))?
    }

    async fn windows<T: Send + 'static>(
        &self,
        apply: impl Fn(&MemoryWindows) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let windows = self.tables.windows.clone();
        let sent = self.line.request(move || apply(&windows)).await;
        sent.map_err(|cause| StoreError(cause.into()))?
    }

    fn note(&self) -> impl Fn(Event) + Send + 'static {
        let (journal, container) = (self.line.network.journal.clone(), self.line.container);
        move |event| journal.note(container, event)
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

#[async_trait]
impl TokenStore for Connection {
    async fn read(&self, key: &str) -> Result<TokenState, TokenStoreError> {
        let key = key.to_owned();
        self.tokens(move |tokens| now(tokens.read(&key))).await
    }

    async fn claim(&self, key: &str, bid: &Bid<'_>) -> Result<Claim, TokenStoreError> {
        let Bid { owner, seen, version, now: at, until } = *bid;
        let (key, owner, note) = (key.to_owned(), owner.to_owned(), self.note());
        let (ledger, container) = (self.line.network.ledger.clone(), self.line.container);
        let mischief = self.mischief.clone();
        self.tokens(move |tokens| {
            let bid = Bid { owner: &owner, seen, version, now: at, until };
            let claim = now(tokens.claim(&key, &bid))?;
            match &claim {
                Claim::Granted { generation, .. } => {
                    ledger.claimed(container, &key);
                    mischief.strike(container);
                    note(Event::Claimed { generation: *generation });
                }
                _ => note(Event::Busy),
            }
            Ok(claim)
        })
        .await
    }

    async fn renew(&self, key: &str, owner: &str, until: Millis) -> Result<bool, TokenStoreError> {
        let (key, owner, note) = (key.to_owned(), owner.to_owned(), self.note());
        let (ledger, container) = (self.line.network.ledger.clone(), self.line.container);
        self.tokens(move |tokens| {
            let held = now(tokens.renew(&key, &owner, until))?;
            if held {
                ledger.renewed(container, &key);
            }
            note(Event::Renewed { held });
            Ok(held)
        })
        .await
    }

    async fn publish(&self, key: &str, owner: &str, token: &TokenRecord) -> Result<bool, TokenStoreError> {
        let (key, owner, token, note) = (key.to_owned(), owner.to_owned(), token.clone(), self.note());
        let (ledger, container) = (self.line.network.ledger.clone(), self.line.container);
        self.tokens(move |tokens| {
            let taken = now(tokens.publish(&key, &owner, &token))?;
            ledger.published(container, &key, token.access_token.expose_secret(), taken);
            note(Event::Published { generation: token.generation, taken });
            Ok(taken)
        })
        .await
    }

    async fn release(&self, key: &str, owner: &str) -> Result<(), TokenStoreError> {
        let (key, owner, note) = (key.to_owned(), owner.to_owned(), self.note());
        let (ledger, container) = (self.line.network.ledger.clone(), self.line.container);
        self.tokens(move |tokens| {
            ledger.released(container, &key);
            note(Event::Released);
            now(tokens.release(&key, &owner))
        })
        .await
    }

    async fn refuse(&self, key: &str, seen: u64, refusal: &Refusal) -> Result<(), TokenStoreError> {
        let (key, refusal, note) = (key.to_owned(), refusal.clone(), self.note());
        let (ledger, container) = (self.line.network.ledger.clone(), self.line.container);
        self.tokens(move |tokens| {
            ledger.refused(container, &key);
            note(Event::Refused);
            now(tokens.refuse(&key, seen, &refusal))
        })
        .await
    }

    async fn doubt(&self, key: &str, doubt: &Doubt) -> Result<(), TokenStoreError> {
        let (key, doubt) = (key.to_owned(), doubt.clone());
        self.tokens(move |tokens| now(tokens.doubt(&key, &doubt))).await
    }

    async fn clear(&self, key: &str, generation: u64) -> Result<(), TokenStoreError> {
        let key = key.to_owned();
        self.tokens(move |tokens| now(tokens.clear(&key, generation))).await
    }
}

#[async_trait]
impl WindowStore for Connection {
    async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError> {
        let bucket = bucket.clone();
        self.windows(move |windows| now(windows.read(&bucket))).await
    }

    async fn write(&self, bucket: &Bucket, expected: u64, next: &Window) -> Result<Written, StoreError> {
        let (bucket, next) = (bucket.clone(), next.clone());
        self.windows(move |windows| now(windows.write(&bucket, expected, &next))).await
    }

    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        self.windows(|windows| now(windows.buckets())).await
    }
}
