//! What all batches share: up to ten entries, each with its own fate.
//!
//! It owns the rules for the envelope of a batch and the shape of its answer.

use super::errors;
use crate::reply::ApiError;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

const MOST_ENTRIES: usize = 10;

/// Checks the ids of a batch.
pub(super) fn check_ids<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), ApiError> {
    match ids.len() {
        0 => return Err(errors::empty_batch()),
        count if count > MOST_ENTRIES => return Err(errors::too_many_entries(count)),
        _ => {}
    }
    let mut seen = HashSet::new();
    for id in ids {
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !plain || !(1..=80).contains(&id.len()) {
            return Err(errors::invalid_entry_id());
        }
        if !seen.insert(id) {
            return Err(errors::repeated_id(id));
        }
    }
    Ok(())
}

/// An entry's id and what became of it.
pub(super) type Fate = (String, Result<Map<String, Value>, ApiError>);

/// The answer of a batch: every entry under `Successful` or `Failed`.
pub(super) fn answer(results: Vec<Fate>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, result) in results {
        match result {
            Ok(mut told) => {
                told.insert("Id".to_owned(), Value::String(id));
                successful.push(Value::Object(told));
            }
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": error.is_sender_fault(),
                "Code": error.public_code(),
                "Message": error.message,
            })),
        }
    }
    json!({"Successful": successful, "Failed": failed})
}
