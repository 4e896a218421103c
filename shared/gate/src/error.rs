//! Why a request did not pass.

use clock::Millis;

use crate::{Cause, Group, StoreError};

/// The gate's two refusals; neither has sent anything.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The next free slot is further away than the caller can wait.
    #[error("no {group} request before {at} ms ({cause:?})")]
    Later {
        /// When the next slot opens, milliseconds since the epoch.
        at: Millis,
        /// The group whose window is full.
        group: Group,
        /// What is in the way.
        cause: Cause,
    },
    /// The windows can't be read or written: fail closed.
    #[error("the rate windows can't be reached, so nothing is sent")]
    Store(#[from] StoreError),
}
