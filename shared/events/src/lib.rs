//! What RingCentral tells us: from raw bytes to our own event, each processed once.
//!
//! Owns the verification token, the envelope, the kinds, the state of telephony sessions and the rule that
//! an effect is applied at most once. It must never know a queue, a database or HTTP, never fail on a shape it
//! does not know, and never print a body.

mod envelope;
mod incoming;
mod kind;
mod processor;
mod session;
mod store;
mod token;

pub use envelope::{Envelope, Unreadable};
pub use incoming::Incoming;
pub use kind::Kind;
pub use processor::{ProcessError, Processed, Processor};
pub use session::{Party, TelephonySession};
pub use store::{Begun, Event, EventPage, EventQuery, EventStore, EventStoreError, MemoryEvents};
pub use token::{SigningKey, SigningKeySource, SigningKeys, SigningKeysError, SubscriptionKey};
