//! Where keys live, and what is known of one.

use std::fmt;

use async_trait::async_trait;
use clock::Millis;
use serde::{Deserialize, Serialize};

/// An answer that is given again.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// Its content type.
    pub content_type: String,
    /// Its body.
    pub body: String,
}

/// Without the body: it names people.
impl fmt::Debug for StoredAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Earlier attempts with a key, one of which may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// When the first of them began (milliseconds since the epoch).
    pub began: Millis,
    /// From when on nothing that any of them sent can be on its way any more.
    pub over: Millis,
}

/// What is known of a key.
#[derive(Debug, Clone)]
pub enum Begun {
    /// Nothing: go ahead.
    First,
    /// Earlier attempts began and nothing tells what they came to: go ahead, but look first.
    Resumed(Earlier),
    /// It was carried out.
    Done(StoredAnswer),
    /// It is being carried out.
    InFlight,
    /// It was used for something else.
    Different,
}

/// A request that wants a key.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The key, with whose it is.
    pub key: &'a str,
    /// What tells this request from others.
    pub fingerprint: &'a str,
    /// Who asks: another name for every attempt.
    pub owner: &'a str,
    /// The time here (milliseconds since the epoch).
    pub now: Millis,
    /// Until when the attempt holds the key.
    pub until: Millis,
    /// From when on nothing that the attempt may send can be on its way any more.
    pub over: Millis,
}

/// The store can't be reached; the cause is kept.
#[derive(Debug, thiserror::Error)]
#[error("the store of idempotency keys failed")]
pub struct IdempotencyError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where keys live.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Takes a key for a request, unless it is taken.
    async fn begin(&self, wish: Wish<'_>) -> Result<Begun, IdempotencyError>;

    /// Keeps the answer until `kept`.
    async fn complete(
        &self,
        key: &str,
        owner: &str,
        answer: &StoredAnswer,
        kept: Millis,
    ) -> Result<(), IdempotencyError>;

    /// Forgets the key: the first attempt had no effect, and the key may be used for anything.
    async fn forget(&self, key: &str, owner: &str) -> Result<(), IdempotencyError>;

    /// Gives only the lease back: this attempt had no effect, and what is known of the earlier ones stays as it was.
    async fn give_back(&self, key: &str, owner: &str, earlier: Earlier) -> Result<(), IdempotencyError>;
}
