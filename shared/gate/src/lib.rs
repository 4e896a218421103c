//! The gate: one exact rate budget for a whole fleet.
//!
//! RingCentral counts requests in a sliding window per (app, user, group) and answers one too many
//! with a penalty that every further request restarts. So the gate does not estimate: it keeps the
//! last N grant times of a bucket ([`Window`]) in one stored item, and a grant is a conditional write
//! of that item ([`WindowStore`]). It answers with a time, not with yes or no: "go at T".
//!
//! Owns the arithmetic of a window and the joining of waiters. It must never talk to RingCentral,
//! know a database, or let a request pass when the store can't be reached: it fails closed.
//!
//! # Why the ring is exact
//!
//! The server accepts a request at arrival `a` if fewer than N accepted arrivals lie in
//! `(a - W, a]`. A grant promises that its request arrives not before `at` and not after `at + slack + pad`, and a new one is placed
//! at the earliest instant at which, of any N + 1 neighbours in the order of `at`, the last begins no earlier than
//! `slack + pad + W` after the first. Of any N + 1 grants let `i` be the first and `j` the last in that order. The (N + 1)-th from `i` on
//! is `j` or comes before it, so `at_j >= at_i + slack_i + pad + W`, and the two requests arrive at least W apart: no window
//! of length W ever holds N + 1.
//!
//! # What the pad must cover
//!
//! The way to the server and the small lateness of a sender, half of it each. The slack is what a sender's
//! clock leaves open ([`clock::Bounded`]): a sender waits until its slot has certainly come, and claims the doubt beforehand. An
//! arrival that may have been later still is written back ([`Window::correct`]), and whoever sleeps looks again before sending
//! ([`Window::holds`]), because a correction may have closed the gap it was promised.
//!
//! # What a crash costs
//!
//! The slots its process had been granted and not used, each for one window. A request that was on its way arrives within what
//! its slot had claimed, like any other, so a crash never makes another process send too early. The one exception is a request that
//! is late *and* whose process dies before it could write that back.

mod booking;
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

pub use booking::Booking;
pub use bucket::{Bucket, Group};
pub use error::GateError;
pub use gatekeeper::{Gate, Notice, Outcome, Patience, Permit, Policy};
pub use memory::MemoryWindows;
pub use priority::Priority;
pub use scope::Scope;
pub use store::{StoreError, WindowStore, Written};
pub use window::{Ask, Cause, Foreign, Grant, Lag, Probation, Reservation, Slot, Window};
