//! The gate: one exact rate budget for a whole fleet.
//!
//! RingCentral counts requests in a sliding window per (app, user, group) and answers one too many
//! with a penalty that every further request restarts. So the gate does not estimate: it keeps the
//! last N grant times of a bucket ([`Window`]) in one stored item, and a grant is a conditional write
//! of that item ([`WindowStore`]). It answers with a time, not with yes or no: "go at T".
//!
//! Owns the arithmetic of a window and the joining of waiters. It must never talk to RingCentral,
//! know a database, or let a request pass when the store can't be reached: it fails closed.

mod bucket;
mod error;
mod gatekeeper;
mod learned;
mod memory;
mod priority;
mod scope;
mod state;
mod store;
mod turnstile;
mod window;

pub use bucket::{Bucket, Group};
pub use error::GateError;
pub use gatekeeper::{Gate, Notice, Outcome, Patience, Permit, Policy};
pub use memory::MemoryWindows;
pub use priority::Priority;
pub use scope::Scope;
pub use store::{StoreError, WindowStore, Written};
pub use window::{Ask, Cause, Foreign, Grant, Probation, Reservation, Slot, Window};
