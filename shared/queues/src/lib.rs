//! SQS: what travels in our queues and how a batch of it is worked off.
//!
//! The only crate that sees a queue's wire format. A batch fails record by record: a panic or an error of one
//! never touches the others. It must never decide what an event means.

mod batch;
mod deliveries;

pub use batch::{Batch, Verdict};
pub use deliveries::{DeliveryQueue, LARGEST_BODY, QueueError, Unreadable, read, takes};
