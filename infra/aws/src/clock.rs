//! Time for everything that expires here: visibility, delay, retention, recovery windows, sweeps.
//!
//! It owns what "now" is and how to wait for later. Nothing else in this crate may read the system clock or sleep.

use jiff::Timestamp;
use std::time::Duration;
use tokio::sync::watch;

/// The clock of an embedded AWS: the system's, or one that only moves when told.
///
/// Clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Real,
    Manual(watch::Sender<i64>),
}

impl Clock {
    /// The system clock.
    pub fn real() -> Self {
        Self(Kind::Real)
    }

    /// A clock that stands at the present moment until it is stepped.
    pub fn manual() -> Self {
        Self::manual_at(Timestamp::now())
    }

    /// A clock that stands at `start` until it is stepped.
    pub fn manual_at(start: Timestamp) -> Self {
        Self(Kind::Manual(watch::Sender::new(start.as_millisecond())))
    }

    /// Whether the clock only moves when told.
    pub fn is_manual(&self) -> bool {
        matches!(self.0, Kind::Manual(_))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms()).unwrap_or(Timestamp::MAX)
    }

    /// Moves a manual clock forward and wakes whoever waited for that moment. The system clock is left alone.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        if let Kind::Manual(time) = &self.0 {
            time.send_modify(|now| *now = now.saturating_add(by));
        }
    }

    /// Sets a manual clock to `moment`. The system clock is left alone.
    pub fn set(&self, moment: Timestamp) {
        if let Kind::Manual(time) = &self.0 {
            time.send_replace(moment.as_millisecond());
        }
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        match &self.0 {
            Kind::Real => Timestamp::now().as_millisecond(),
            Kind::Manual(time) => *time.borrow(),
        }
    }

    /// Returns once the clock shows `moment` or later.
    pub(crate) async fn sleep_until(&self, moment_ms: i64) {
        match &self.0 {
            Kind::Real => {
                let left = moment_ms.saturating_sub(self.now_ms());
                tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0))).await;
            }
            Kind::Manual(time) => {
                // The sender lives in `self`, so the channel cannot close under the wait.
                let _ = time.subscribe().wait_for(|now| *now >= moment_ms).await;
            }
        }
    }

    /// Returns once `duration` has passed on this clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.sleep_until(self.now_ms().saturating_add(millis)).await;
    }
}
