//! The one port of the gate: a conditional write that brings the fresh item on a lost race, and a read for whoever
//! slept or keeps losing.

use async_trait::async_trait;

use crate::{Bucket, Window};

/// The store refused or could not be reached; the cause is kept.
#[derive(Debug, thiserror::Error)]
#[error("the window store failed")]
pub struct StoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// What became of a conditional write.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it lives for a moment, and a lost race is taken over whole")]
pub enum Written {
    /// The item is now what was offered.
    Yes,
    /// Somebody else wrote first; this is their item.
    LostTo(Window),
}

/// Where the windows live.
#[async_trait]
pub trait WindowStore: Send + Sync {
    /// The window as it is stored now, with what was written last; `None` if nothing ever was.
    async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError>;

    /// Stores `next` if the stored version is still `expected` (0: no item yet), else returns the fresh item.
    async fn write(&self, bucket: &Bucket, expected: u64, next: &Window) -> Result<Written, StoreError>;

    /// The buckets that have a window. Asked only when RingCentral stops more than one of them.
    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError>;
}
