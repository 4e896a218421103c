//! What EventBridge and Lambda do about a schedule: wake the function, and try again when it fails.
//!
//! Owns the rhythm, which starts with the process. What fails at last is told by the function's own line in the log; there is no queue
//! of dead letters on one machine.

use std::{str::FromStr, time::Duration};

use clock::{Deadline, Millis, SharedClock};
use events_renew::Context;
use uuid::Uuid;

/// How long Lambda waits before it tries a failed invocation again, once and once more.
const AGAIN: [Millis; 2] = [60_000, 120_000];

/// How long an invocation may take, less what its report needs: as on AWS.
const LONGEST: Millis = 295_000;

/// How often: `rate(5 minutes)`, `rate(1 hour)`, `rate(1 day)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(Duration);

/// A text that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a rate is written as rate(5 minutes), rate(1 hour) or rate(1 day), in the singular for one and the plural for more"
)]
pub struct InvalidRate;

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let inner = text.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')).ok_or(InvalidRate)?;
        let (number, unit) = inner.split_once(' ').ok_or(InvalidRate)?;
        let number: u32 = number.parse().ok().filter(|number| *number > 0).ok_or(InvalidRate)?;
        // EventBridge takes the singular for one, and the plural for more.
        let seconds = match (unit, number) {
            ("minute", 1) | ("minutes", 2..) => 60,
            ("hour", 1) | ("hours", 2..) => 3_600,
            ("day", 1) | ("days", 2..) => 86_400,
            _ => return Err(InvalidRate),
        };
        Ok(Self(Duration::from_secs(u64::from(number) * seconds)))
    }
}

/// The schedule that wakes the renewal.
#[derive(Debug, Clone)]
pub struct Schedule {
    context: Context,
    clock: SharedClock,
    rate: Rate,
}

impl Schedule {
    /// A schedule that does nothing until it is run.
    #[must_use]
    pub fn new(context: Context, clock: SharedClock, rate: Rate) -> Self {
        Self { context, clock, rate }
    }

    /// Waits until it is time and wakes the function; again, when it fails. Returns whether it did what it had to.
    pub async fn turn(&self) -> bool {
        self.wait(i64::try_from(self.rate.0.as_millis()).unwrap_or(Millis::MAX / 2)).await;
        for pause in AGAIN {
            if self.wake().await {
                return true;
            }
            self.wait(pause).await;
        }
        self.wake().await
    }

    /// Turns until the process ends.
    pub async fn run(self) {
        loop {
            self.turn().await;
        }
    }

    /// What failed stands in the invocation's own line.
    async fn wake(&self) -> bool {
        let deadline = Deadline(self.clock.now() + LONGEST);
        deadline.during(events_renew::renew(&self.context, Uuid::now_v7().to_string())).await.is_ok()
    }

    async fn wait(&self, pause: Millis) {
        self.clock.sleep_until(self.clock.now() + pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_written_as_for_eventbridge() {
        let seconds = |text: &str| text.parse::<Rate>().map(|rate| rate.0.as_secs());
        assert_eq!(seconds("rate(1 hour)"), Ok(3_600));
        assert_eq!(seconds("rate(90 minutes)"), Ok(5_400));
        assert_eq!(seconds("rate(2 days)"), Ok(172_800));
        for text in [
            "",
            "1 hour",
            "rate(0 hours)",
            "rate(1 second)",
            "rate(1 hours)",
            "rate(2 day)",
            "rate(hour)",
            "cron(0 * * * ? *)",
        ] {
            assert_eq!(seconds(text), Err(InvalidRate), "{text}");
        }
    }
}
