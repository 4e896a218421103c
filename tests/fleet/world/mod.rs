//! One seeded, deterministic world: a fleet of containers, a store, a network and RingCentral's strictest window.
//!
//! Single-threaded, on a time of its own that jumps from one thing that is due to the next. The same scenario goes the
//! same way every time, so a seed that fails is a story that can be told again. The code under test is the real gate; all that
//! is played here is what surrounds it.

mod caller;
mod dice;
mod executor;
mod journal;
mod ledger;
mod limiter;
mod platform;
mod scenario;
mod script;
mod store;
mod timeline;
mod verdict;

use journal::Event;
use ledger::Ledger;
use platform::Platform;
use script::Act;
use store::Store;

pub(crate) use dice::Dice;
pub(crate) use executor::{ContainerId, Executor};
pub(crate) use journal::Journal;
pub(crate) use limiter::{Limiter, Pass, Ticket, gated, renamed};
pub(crate) use platform::Answer;
pub(crate) use scenario::Scenario;
pub(crate) use script::run;
pub(crate) use timeline::{SkewedClock, Timeline};
pub(crate) use verdict::{Verdict, densest};
