//! The instant by which an invocation must have answered.
//!
//! Whoever starts an invocation sets its deadline once: the edge for a request, a worker from what Lambda leaves it. Whatever
//! waits, calls or tries again asks [`Deadline::current`] and starts nothing that can't end before it. A deadline goes with the
//! task, not with the process: work that is spawned takes it along by `Deadline::current()` and [`Deadline::during`].

use crate::Millis;

tokio::task_local! {
    static CURRENT: Deadline;
}

/// An instant, in milliseconds since the epoch by the clock here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Millis);

impl Deadline {
    /// The deadline of the invocation that this task works for; none outside of one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok()
    }

    /// The deadline of an invocation that ends at `end` (milliseconds since the epoch, as Lambda tells it) and keeps `reserve`
    /// milliseconds for its answer. An end that has passed when the invocation begins, at `now`, is none: emulators of Lambda
    /// tell a span there.
    #[must_use]
    pub fn before(end: u64, reserve: Millis, now: Millis) -> Self {
        match Millis::try_from(end).unwrap_or(Millis::MAX) {
            end if end <= now => Self(Millis::MAX),
            end => Self(end.saturating_sub(reserve)),
        }
    }

    /// Runs `work` under this deadline. Inside of another one the earlier of the two holds.
    pub async fn during<T>(self, work: impl Future<Output = T>) -> T {
        let outer = Self::current().unwrap_or(self);
        CURRENT.scope(self.min(outer), work).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_keeps_a_reserve_for_its_answer() {
        let now = 1_795_000_000_000;
        assert_eq!(Deadline::before(1_795_000_029_000, 3_000, now), Deadline(1_795_000_026_000));
        assert_eq!(Deadline::before(u64::MAX, 0, now), Deadline(Millis::MAX));
    }

    #[test]
    fn regression_an_end_that_has_passed_before_the_beginning_is_none() {
        for end in [0, 600_000, 1_795_000_000_000] {
            assert_eq!(Deadline::before(end, 3_000, 1_795_000_000_000), Deadline(Millis::MAX));
        }
    }

    #[tokio::test]
    async fn a_deadline_holds_inside_of_its_work_and_is_never_put_off() {
        assert_eq!(Deadline::current(), None);
        let inside = Deadline(10).during(async {
            let later = Deadline(20).during(async { Deadline::current() }).await;
            let sooner = Deadline(5).during(async { Deadline::current() }).await;
            (Deadline::current(), later, sooner)
        });
        assert_eq!(inside.await, (Some(Deadline(10)), Some(Deadline(10)), Some(Deadline(5))));
        assert_eq!(Deadline::current(), None);
    }
}
