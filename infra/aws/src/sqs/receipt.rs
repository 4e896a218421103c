//! Receipt handles.
//!
//! It owns their form: the queue, the message and the one receive they were given for. They are kept in the
//! message's row, so they stay good across restarts.

use super::errors;
use crate::reply::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// The receipt of one receive of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) queue: i64,
    pub(super) seq: i64,
    pub(super) nonce: String,
}

impl Receipt {
    /// A new receipt, unlike every earlier one for the same message.
    pub(super) fn new(queue: i64, seq: i64) -> Self {
        Self { queue, seq, nonce: Uuid::new_v4().simple().to_string() }
    }

    /// The handle a consumer holds.
    pub(super) fn handle(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}.{}", self.queue, self.seq, self.nonce))
    }

    /// Reads a handle that must belong to `queue`.
    pub(super) fn read(handle: &str, queue: i64) -> Result<Self, ApiError> {
        Self::parse(handle).filter(|receipt| receipt.queue == queue).ok_or_else(errors::invalid_receipt)
    }

    fn parse(handle: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(handle).ok()?).ok()?;
        let mut parts = text.splitn(3, '.');
        let (queue, seq) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { queue, seq, nonce: parts.next()?.to_owned() })
    }
}
