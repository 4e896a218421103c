//! What RingCentral tells us: from raw bytes to our own event, each processed once.
//!
//! Owns the verification token, the envelope, the kinds, the state of telephony sessions and the rule that
//! an event is applied once. It must never know a queue, a database or HTTP, never fail on a shape it
//! does not know, and never print a body.

mod envelope;
mod event;
mod incoming;
mod json;
mod kind;
mod processor;
mod session;
mod store;
mod token;

pub use envelope::{Envelope, LONGEST_SESSION};
pub use event::Event;
pub use incoming::Incoming;
pub use json::Unreadable;
pub use kind::Kind;
pub use processor::Processor;
pub use session::{Correspondent, Party, Recording, TelephonySession};
pub use store::{Applied, Entry, EventPage, EventQuery, EventStore, EventStoreError, FollowQuery, Followed};
pub use token::{SigningKey, SigningKeySource, SigningKeys, SigningKeysError, SubscriptionKey};
