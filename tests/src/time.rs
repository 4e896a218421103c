//! One clock for RingCentral, the AWS and the gateway.

use std::time::Duration;

use async_trait::async_trait;
use clock::{Clock, Millis};
use jiff::Timestamp;

/// A clock that stands still until somebody waits or a story moves it.
#[derive(Debug, Clone)]
pub struct Time {
    /// RingCentral's face of it.
    pub simulator: simulator::Clock,
    /// The AWS's face of it.
    pub aws: embedded_aws::Clock,
}

impl Time {
    /// Starts at a fixed instant.
    pub(crate) fn new() -> Self {
        let start = Timestamp::from_second(1_795_000_000).expect("a valid instant");
        Self { simulator: simulator::Clock::manual(start), aws: embedded_aws::Clock::manual_at(start) }
    }

    /// Moves everybody forward.
    pub fn advance(&self, by: Duration) {
        self.simulator.advance(by);
        self.aws.advance(by);
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Millis {
        self.simulator.now().as_millisecond()
    }

    async fn sleep_until(&self, at: Millis) {
        // In steps, so that whoever else runs sees time pass rather than jump.
        while self.now() < at {
            tokio::task::yield_now().await;
            let left = u64::try_from(at - self.now()).unwrap_or(0);
            self.advance(Duration::from_millis(left.min(100)));
        }
    }
}
