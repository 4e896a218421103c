//! Which group RingCentral counts an operation in, by its own word.
//!
//! Its description names a group for each operation, and `X-Rate-Limit-Group` overrules that: media may have plans of
//! their own, and the names "may change" (RingCentral's guide, "Rate limits").

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use gate::Group;
use http::HeaderMap;

use crate::Operation;

/// The groups that answers have named, by operation. Clones share them; each process hears of them by itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups(Arc<RwLock<HashMap<&'static str, Group>>>);

impl Groups {
    /// The group an operation is believed to be counted in.
    pub(crate) fn of(&self, operation: &Operation) -> Group {
        let heard = self.0.read().unwrap_or_else(PoisonError::into_inner);
        heard.get(operation.id).cloned().unwrap_or_else(|| Group::named(operation.group))
    }

    /// The group an answer says it was counted in; without a word the one it was believed to be.
    pub(crate) fn heard(&self, operation: &Operation, headers: &HeaderMap) -> Group {
        let believed = self.of(operation);
        let named = headers.get("x-rate-limit-group").and_then(|name| name.to_str().ok());
        match named.map(str::trim).filter(|name| !name.is_empty()).map(Group::named) {
            Some(named) if named != believed => {
                let mut heard = self.0.write().unwrap_or_else(PoisonError::into_inner);
                heard.insert(operation.id, named.clone());
                named
            }
            _ => believed,
        }
    }
}
