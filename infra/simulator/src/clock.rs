//! The simulated clock: every window, expiry, timestamp and retry of the platform reads it.
//!
//! Two faces exist. A scaled clock runs by itself, `scale` times faster than the real one, so that a 60 s
//! window lasts 6 real seconds at scale 10. A manual clock stands still until somebody advances it. No other
//! module may read the real time, except for the 3 s webhook timeout, which is never scaled.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A shared simulated clock. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Face>>);

#[derive(Debug)]
enum Face {
    Scaled { start: Timestamp, since: Instant, scale: f64 },
    Manual { now: Timestamp },
}

impl Face {
    fn now(&self) -> Timestamp {
        match self {
            Face::Scaled { start, since, scale } => later(*start, since.elapsed().mul_f64(*scale)),
            Face::Manual { now } => *now,
        }
    }
}

impl Clock {
    /// A clock that starts now and runs `scale` times faster than the real one. A scale that is not a positive
    /// finite number counts as 1.
    pub fn scaled(scale: f64) -> Self {
        let face = Face::Scaled { start: Timestamp::now(), since: Instant::now(), scale: sane(scale) };
        Self(Arc::new(Mutex::new(face)))
    }

    /// A clock that shows `start` until [`Clock::advance`] moves it. Its scale is 1.
    pub fn manual(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Face::Manual { now: start })))
    }

    /// The simulated time.
    pub fn now(&self) -> Timestamp {
        self.with(|face| face.now())
    }

    /// Moves the clock forward by a simulated duration. A scaled clock jumps and runs on from there.
    pub fn advance(&self, by: Duration) {
        self.with(|face| match face {
            Face::Scaled { start, .. } => *start = later(*start, by),
            Face::Manual { now } => *now = later(*now, by),
        });
    }

    /// Whether the clock only moves when told to.
    pub fn is_manual(&self) -> bool {
        self.with(|face| matches!(face, Face::Manual { .. }))
    }

    /// Simulated seconds per real second.
    pub fn scale(&self) -> f64 {
        self.with(|face| match face {
            Face::Scaled { scale, .. } => *scale,
            Face::Manual { .. } => 1.0,
        })
    }

    /// Changes the speed of a scaled clock from this instant on. A manual clock stays manual.
    pub fn set_scale(&self, scale: f64) {
        self.with(|face| {
            let now = face.now();
            if matches!(face, Face::Scaled { .. }) {
                *face = Face::Scaled { start: now, since: Instant::now(), scale: sane(scale) };
            }
        });
    }

    /// A simulated duration as whole seconds of the client's own clock, rounded up: whoever waits that long has
    /// waited long enough.
    pub fn client_seconds(&self, simulated: Duration) -> u64 {
        // The tolerance keeps 60 / 10 at 6 where the division is a hair above it.
        (simulated.as_secs_f64() / self.scale() - 1e-6).ceil().max(0.0) as u64
    }

    /// A simulated lifetime as whole seconds of the client's own clock, rounded down: what is announced has
    /// never already ended.
    pub fn client_lifetime(&self, simulated: Duration) -> u64 {
        (simulated.as_secs_f64() / self.scale() + 1e-6).floor() as u64
    }

    /// The simulated duration of `seconds` on the client's own clock.
    pub fn from_client_seconds(&self, seconds: u64) -> Duration {
        Duration::from_secs_f64(seconds as f64 * self.scale())
    }

    /// How long a simulated duration takes in real time.
    pub(crate) fn real(&self, simulated: Duration) -> Duration {
        simulated.div_f64(self.scale())
    }

    fn with<T>(&self, read: impl FnOnce(&mut Face) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::scaled(1.0)
    }
}

fn sane(scale: f64) -> f64 {
    if scale.is_finite() && scale > 0.0 { scale } else { 1.0 }
}

/// `at` plus `by`, held at the end of time.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// `at` minus `by`, held at the beginning of time.
pub(crate) fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_sub(by).ok()).unwrap_or(Timestamp::MIN)
}

/// How long it is from `from` to `to`; zero when `to` has passed already.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

/// A time the way the platform writes it: UTC with milliseconds.
pub(crate) fn iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let start = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let clock = Clock::manual(start);
        let same = clock.clone();
        clock.advance(Duration::from_millis(1500));
        assert_eq!(same.now().as_millisecond(), 1_700_000_001_500);
        assert_eq!(iso(same.now()), "2023-11-14T22:13:21.500Z");
    }

    #[test]
    fn seconds_are_announced_on_the_clients_own_clock() {
        let clock = Clock::scaled(10.0);
        assert_eq!(clock.client_seconds(Duration::from_secs(60)), 6);
        assert_eq!(clock.client_seconds(Duration::from_millis(51_000)), 6);
        assert_eq!(clock.client_lifetime(Duration::from_secs(3599)), 359);
        assert_eq!(clock.from_client_seconds(6), Duration::from_secs(60));
    }

    #[test]
    fn a_senseless_scale_counts_as_real_time() {
        assert!((Clock::scaled(f64::NAN).scale() - 1.0).abs() < f64::EPSILON);
        assert!((Clock::scaled(-3.0).scale() - 1.0).abs() < f64::EPSILON);
    }
}
