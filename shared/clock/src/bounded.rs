//! A clock that knows how wrong it may be, after TrueTime and ClockBound: it answers with an interval, not with an instant.
//!
//! Containers disagree about the time by seconds, a rate window must not. The store they share stamps every response with
//! its own time (HTTP's `Date`, in whole seconds), and each stamp bounds the offset of the clock here: the stamp was made
//! after the request was sent and before the response was received. Bounds of several stamps intersect, because their
//! requests fall on different parts of a second.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Millis, SharedClock};

/// One millisecond of doubt is added for each so many of them since a stamp: 200 ppm, twice what a bad quartz drifts.
const DRIFT: Millis = 5_000;
/// A `Date` names a whole second (milliseconds).
const SECOND: Millis = 1_000;

/// The authority's time lies in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Certainly reached, milliseconds since the epoch.
    pub earliest: Millis,
    /// Certainly not passed.
    pub latest: Millis,
}

impl Bounds {
    /// How much is uncertain, in milliseconds.
    #[must_use]
    pub fn width(self) -> Millis {
        self.latest - self.earliest
    }
}

/// The time of an authority, as far as a process knows it. Cheap to clone; clones learn together.
#[derive(Debug, Clone)]
pub struct Bounded {
    clock: SharedClock,
    offset: Arc<Mutex<Offset>>,
}

/// What has to be added to the clock here; each bound with the instant at which it was known.
#[derive(Debug, Clone, Copy)]
struct Offset {
    /// The furthest a clock is believed to be wrong, until a stamp proves otherwise.
    believed: Option<Millis>,
    lower: Option<(Millis, Millis)>,
    upper: Option<(Millis, Millis)>,
}

impl Bounded {
    /// A clock that is wrong by `error` milliseconds at most, as far as is known before the first stamp. With an `error` of 0 it is
    /// the authority itself, as on a single machine, and stamps say nothing new.
    #[must_use]
    pub fn new(clock: SharedClock, error: Millis) -> Self {
        let offset = Offset { believed: Some(error.max(0)), lower: None, upper: None };
        Self { clock, offset: Arc::new(Mutex::new(offset)) }
    }

    /// The authority's time.
    #[must_use]
    pub fn now(&self) -> Bounds {
        let now = self.clock.now();
        let (lower, upper) = self.offset().at(now);
        Bounds { earliest: now.saturating_add(lower), latest: now.saturating_add(upper) }
    }

    /// Takes in a stamp: the authority named the second that begins at `second`, between these two instants of the clock here.
    pub fn heard(&self, sent: Millis, received: Millis, second: Millis) {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        if offset.believed == Some(0) {
            return;
        }
        let (lower, upper) = offset.at(received);
        let (least, most) = (second - received, second + SECOND - sent);
        if least > upper || most < lower {
            // The clock was set, or is worse than believed: nothing that was known before holds.
            *offset = Offset { believed: None, lower: Some((least, received)), upper: Some((most, received)) };
            return;
        }
        if least > lower {
            offset.lower = Some((least, received));
        }
        if most < upper {
            offset.upper = Some((most, received));
        }
    }

    /// Returns once the authority has certainly reached `at`.
    pub async fn sleep_until(&self, at: Millis) {
        // While it sleeps the bounds may move, either way.
        while self.now().earliest < at {
            self.clock.sleep_until(self.local(at)).await;
        }
    }

    /// The instant of the clock here at which the authority has certainly reached `at`.
    #[must_use]
    pub fn local(&self, at: Millis) -> Millis {
        at.saturating_sub(self.now().earliest).saturating_add(self.clock.now())
    }

    /// The clock here, for whatever needs no authority.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    fn offset(&self) -> Offset {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Offset {
    /// The least and the most that has to be added to the clock here.
    fn at(&self, now: Millis) -> (Millis, Millis) {
        let doubt = |since: Millis| (now - since).max(0) / DRIFT;
        // Before the first stamp, and if nothing is believed, a year either way: whoever waits for certainty waits.
        let believed = self.believed.unwrap_or(365 * 86_400 * SECOND);
        let lower = self.lower.map_or(-believed, |(bound, at)| bound - doubt(at));
        let upper = self.upper.map_or(believed, |(bound, at)| bound + doubt(at));
        (lower.max(-believed), upper.min(believed))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Manual;

    /// A clock that is `skew` ahead of the authority, believed to be within 2 s; hears stamps at these true instants.
    fn after_stamps(skew: Millis, stamps: &[Millis]) -> (Bounded, Manual) {
        let clock = Manual::at(1_000_000 + skew);
        let bounded = Bounded::new(Arc::new(clock.clone()), 2_000);
        for at in stamps {
            clock.advance(at + skew - crate::Clock::now(&clock));
            let stamp = at.div_euclid(1_000) * 1_000;
            bounded.heard(at + skew - 5, at + skew + 5, stamp);
        }
        (bounded, clock)
    }

    #[test]
    fn before_the_first_stamp_the_belief_bounds_the_time() {
        let (bounded, _) = after_stamps(0, &[]);
        assert_eq!(bounded.now(), Bounds { earliest: 998_000, latest: 1_002_000 });
    }

    #[test]
    fn stamps_on_different_parts_of_a_second_narrow_the_bounds_around_the_truth() {
        for skew in [-2_000, -700, 0, 1, 1_999] {
            let (bounded, clock) = after_stamps(skew, &[1_000_050, 1_001_990, 1_003_400]);
            let now = bounded.now();
            let truth = crate::Clock::now(&clock) - skew;
            assert!(now.earliest <= truth && truth <= now.latest, "{skew}: {now:?} {truth}");
            assert!(now.width() <= 75, "{skew}: {now:?}");
        }
    }

    #[test]
    fn a_clock_that_is_worse_than_believed_is_found_out_by_one_stamp() {
        let (bounded, _) = after_stamps(90_000, &[1_000_500]);
        assert_eq!(bounded.now(), Bounds { earliest: 999_995, latest: 1_001_005 });
    }

    #[test]
    fn what_is_known_fades() {
        let (bounded, clock) = after_stamps(0, &[1_000_000, 1_001_999]);
        let fresh = bounded.now().width();
        clock.advance(60_010);
        assert_eq!(bounded.now().width(), fresh + 2 * 12);
    }

    #[test]
    fn a_single_machine_is_its_own_authority() {
        let clock = Manual::at(5_000);
        let bounded = Bounded::new(Arc::new(clock), 0);
        bounded.heard(4_000, 5_000, 90_000);
        assert_eq!(bounded.now(), Bounds { earliest: 5_000, latest: 5_000 });
    }
}
