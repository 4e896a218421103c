//! Webhooks, told as stories: from RingCentral's delivery to what can be read of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a story that can't go on fails")]

mod cost;
mod dispatch;
mod journal;
mod rare;
mod receive;
mod renew;
mod rotation;
mod samples;
mod subscriptions;
mod upgrade;
