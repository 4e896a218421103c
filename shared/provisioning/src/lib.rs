//! Changing a call center: extensions and sites.
//!
//! Owns what a change means and how it is made once although RingCentral has no idempotency keys: look first,
//! then create. It must never know HTTP or a database; resources pass through as RingCentral sent them.

mod extensions;
mod likeness;
mod once;
mod sites;
pub mod verdict;

pub use extensions::{ExtensionFilter, Extensions};
pub use once::{Earlier, Look, create_once};
pub use sites::Sites;
