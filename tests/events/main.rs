//! Webhooks, told as stories: from RingCentral's delivery to what can be read of it.

mod dispatch;
mod receive;
mod samples;
mod subscriptions;
