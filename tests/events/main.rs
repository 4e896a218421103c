//! Webhooks, told as stories: from RingCentral's delivery to what can be read of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a story that can't go on fails")]

mod batches;
mod cost;
mod dispatch;
mod follow;
mod handshake;
mod journal;
mod large;
mod property;
mod rare;
mod receive;
mod renew;
mod retention;
mod rotation;
mod samples;
mod sessions;
mod shapes;
mod strangers;
mod subscriptions;
mod upgrade;
