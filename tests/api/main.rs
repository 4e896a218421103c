//! The API, told as stories: what goes in at the gateway and comes out at RingCentral.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a story that can't go on fails")]

mod access;
mod bodies;
mod cost;
mod creation;
mod deadline;
mod docs;
mod extensions;
mod failures;
mod health;
mod idempotency;
mod limits;
mod malformed;
mod pages;
mod queries;
mod session;
mod sites;
mod throttled;
mod wire;
