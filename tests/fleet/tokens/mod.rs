//! The session in a seeded, deterministic world: a fleet of containers, a token table, a network, and RingCentral's token endpoint.
//!
//! Time, executor, dice and journal are those of the gate's world. The code under test is the real session with the real gate in
//! front of the Auth group; no request leaves the process.

mod caller;
mod fleet;
mod ledger;
mod network;
mod platform;
mod scenario;
mod tables;
mod verdict;

use clock::Millis;
use ringcentral::Strikes;

use crate::world::{ContainerId, Dice, Executor, Journal, SkewedClock, Timeline};

pub(crate) use fleet::run;
pub(crate) use scenario::{Rotation, Scenario};
pub(crate) use verdict::Verdict;

/// Something that happened. Instants inside are on the clock of the container it happened to.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) enum Event {
    Started { skew: Millis },
    Crashed,
    Froze { span: Millis },
    Thawed,
    Asked { caller: usize, strikes: Strikes },
    Got { caller: usize, generation: u64, left: Millis },
    Failed { caller: usize, why: &'static str },
    GaveUp { caller: usize },
    Used { caller: usize, accepted: bool },
    MarkedBad { caller: usize, written: bool },
    Claimed { generation: u64 },
    Busy,
    Renewed { held: bool },
    Published { generation: u64, taken: bool },
    Released,
    Refused,
    RequestFailed,
    AnswerLost,
    SentTwice,
    GrantSent { flight: usize },
    GrantArrived { status: u16 },
    GrantAnswered { flight: usize, status: u16 },
    Revoked { tokens: usize },
}
