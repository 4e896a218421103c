//! A RingCentral platform that behaves: OAuth with five sessions, throttling groups with penalties that restart, an
//! account with extensions, sites, a call log that changes late and mailboxes, subscriptions with the real
//! handshake, deliveries that repeat and get out of order, and faults on demand.
//!
//! It is for tests and for one-machine runs. It must never be reachable from another machine and holds nothing that
//! is worth protecting; its admin endpoints ask for a key all the same, because a web page could reach them. Everything it says about time in seconds is in seconds of the client's own clock, whatever
//! the speed of the simulated one; everything it writes as a date is simulated time.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use trunkline_simulator::{Clock, Config, Simulator};
//!
//! let simulator = Simulator::new(Config { clock: Clock::scaled(10.0), ..Config::default() });
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! simulator.serve(listener).await
//! # }
//! ```

mod admin;
mod api;
mod call;
mod clock;
mod config;
mod error;
mod events;
mod faults;
mod keep;
mod line;
mod oauth;
mod operation;
mod page;
mod pipeline;
mod simulator;
mod state;
mod stats;
mod subscriptions;
mod throttle;
mod world;

pub use clock::Clock;
pub use config::{Config, Credentials, Group, Limit, Limits};
pub use events::log::EventRecord;
pub use events::{EventsMade, EventsOrder, EventsStatus, RawEvent};
pub use faults::{Fault, FaultKind, FaultMatch, Scope};
pub use loopback::Key;
pub use simulator::Simulator;
pub use stats::{BucketStats, DeliveryStats, Stats};
