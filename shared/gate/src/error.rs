//! Why a request did not pass.

use clock::Millis;

use crate::{Group, StoreError};

/// The gate's two refusals; neither has sent anything.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The next free slot is further away than the caller can wait.
    #[error("the {group} window is full; the next slot opens at {at} ms")]
    Later {
        /// When the next slot opens, milliseconds since the epoch.
        at: Millis,
        /// The group whose window is full.
        group: Group,
    },
    /// The windows can't be read or written: fail closed.
    #[error("the rate windows can't be reached, so nothing is sent")]
    Store(#[from] StoreError),
}
