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
    /// Tells those who wait for an instant without moving the clock.
    moved: tokio::sync::watch::Sender<()>,
}

impl Time {
    /// Starts at a fixed instant.
    pub(crate) fn new() -> Self {
        let start = Timestamp::from_second(1_795_000_000).expect("a valid instant");
        Self {
            simulator: simulator::Clock::manual(start),
            aws: embedded_aws::Clock::manual_at(start),
            moved: tokio::sync::watch::Sender::new(()),
        }
    }

    /// Moves everybody forward.
    pub fn advance(&self, by: Duration) {
        self.simulator.advance(by);
        self.aws.advance(by);
        self.moved.send_replace(());
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Millis {
        self.simulator.now().as_millisecond()
    }

    async fn sleep_until(&self, at: Millis) {
        // In steps, so that whoever else runs sees time pass rather than jump. A step takes a moment: on a clock that runs as
        // fast as it can, every deadline is over before a request through the loopback is back.
        while self.now() < at {
            let seen = self.now();
            tokio::time::sleep(Duration::from_millis(1)).await;
            let left = u64::try_from(at - seen).unwrap_or(0);
            // However many wait, time passes at the same pace.
            if self.now() == seen {
                self.advance(Duration::from_millis(left.min(100)));
            }
        }
    }

    async fn reached(&self, at: Millis) {
        let mut moved = self.moved.subscribe();
        while self.now() < at {
            // The sender lives in `self`, so the only error, a dropped sender, can't happen here.
            let _ = moved.changed().await;
        }
    }
}
