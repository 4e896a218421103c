//! The API, told as stories: what goes in at the gateway and comes out at RingCentral.

mod access;
mod extensions;
mod failures;
mod health;
mod idempotency;
mod malformed;
mod sites;
