//! What an invocation tells about itself: one wide event, as JSON or, on a terminal, for people.
//!
//! Owns the event's fields and the output format. It must never hold a secret, a phone number, a name or
//! a body, and never do anything in the background: Lambda freezes as soon as the answer is out.

mod invocation;
mod output;

pub use invocation::{
    Budget, Invocation, budget, chain, failed, for_people, observe, problem, tenant, upstream,
};
pub use output::{Format, InvalidLevel, Output, check_level, init, init_with};
