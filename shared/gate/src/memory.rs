//! Windows in memory, for tests and benchmarks; the same contract as the stored ones.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{Bucket, StoreError, Window, WindowStore, Written};

/// A store that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryWindows(Mutex<HashMap<Bucket, Window>>);

#[async_trait]
impl WindowStore for MemoryWindows {
    async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned())
    }

    async fn write(&self, bucket: &Bucket, expected: u64, next: &Window) -> Result<Written, StoreError> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match windows.get(bucket) {
            Some(stored) if stored.version != expected => Ok(Written::LostTo(stored.clone())),
            _ => {
                windows.insert(bucket.clone(), next.clone());
                Ok(Written::Yes)
            }
        }
    }

    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect())
    }
}
