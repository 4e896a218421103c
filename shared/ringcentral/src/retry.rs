//! How often and how soon a failed call is tried again.

use std::time::Duration;

/// Exponential backoff: 2 s, 4 s, 8 s, each shortened by up to a quarter at random (RingCentral's error guide
/// asks for a start of 2 s, doubled, at most 60 s).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// Stretches or shortens every wait; 1 is RingCentral's recipe.
    pub multiplier: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 3, multiplier: 1.0 }
    }
}

impl RetryPolicy {
    /// The wait after failed attempt number `attempt` (from 1); `chance` in `0.0..1.0` is the jitter.
    #[must_use]
    pub fn backoff(&self, attempt: u32, chance: f64) -> Duration {
        let doubled = f64::from(2_u32.saturating_pow(attempt.clamp(1, 6))).min(60.0);
        let seconds = doubled * self.multiplier.max(0.0) * (1.0 - chance.clamp(0.0, 1.0) / 4.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_jitter_only_shortens_them() {
        let policy = RetryPolicy::default();
        let waits: Vec<_> = (1..=7).map(|attempt| policy.backoff(attempt, 0.0).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(policy.backoff(1, 1.0), Duration::from_millis(1500));
    }
}
