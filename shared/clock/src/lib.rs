//! Time, as a port: what every deadline, lease and window of the gateway is measured with.
//!
//! Owns the [`Clock`] trait, the real clock and the one that tests step by hand. It must never
//! read the system clock anywhere but in [`System`]: a crate that asks for `Instant::now()` by
//! itself can't be driven by a test.

mod bounded;
mod deadline;
mod manual;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

pub use bounded::{Bounded, Bounds};
pub use deadline::Deadline;
pub use manual::Manual;

/// Milliseconds since the Unix epoch; the unit of every stored instant.
pub type Millis = i64;

/// A source of time that can also be waited on.
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> Millis;

    /// Returns once `now() >= at`; at once if that is already so.
    async fn sleep_until(&self, at: Millis);

    /// Returns once `now() >= at`, like [`Clock::sleep_until`], for whoever only guards other work: a clock that is stepped
    /// by hand is moved by those who sleep, never by a limit that may not be reached at all.
    async fn reached(&self, at: Millis) {
        self.sleep_until(at).await;
    }

    /// The same instant as a timestamp, for what people read.
    fn timestamp(&self) -> Timestamp {
        timestamp(self.now())
    }
}

/// A clock that is handed from owner to owner.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

#[async_trait]
impl Clock for System {
    fn now(&self) -> Millis {
        Timestamp::now().as_millisecond()
    }

    async fn sleep_until(&self, at: Millis) {
        // A sleep of no length still waits for the timer's next tick, a whole millisecond.
        let left = u64::try_from(at - self.now()).ok().filter(|left| *left > 0);
        if let Some(left) = left {
            tokio::time::sleep(std::time::Duration::from_millis(left)).await;
        }
    }
}

/// The real clock, ready to be shared.
#[must_use]
pub fn system() -> SharedClock {
    Arc::new(System)
}

/// The timestamp of an instant; an instant outside of jiff's range (years -9999 to 9999) is clamped.
#[must_use]
pub fn timestamp(at: Millis) -> Timestamp {
    let bound = if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(at).unwrap_or(bound)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn regression_an_instant_that_has_come_is_not_waited_for() {
        for _ in 0..100 {
            let mut sleep = System.sleep_until(System.now());
            assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
    }
}
