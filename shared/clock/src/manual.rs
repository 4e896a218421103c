//! The clock that tests step by hand. It never moves by itself.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Clock, Millis};

/// A clock that stands still until a test moves it; sleepers wake when it passes their instant.
#[derive(Debug, Clone)]
pub struct Manual {
    now: Arc<watch::Sender<Millis>>,
    /// Sleeping moves the clock itself: for tests that only ask how long somebody would have waited.
    eager: bool,
}

impl Manual {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn at(start: Millis) -> Self {
        Self { now: Arc::new(watch::Sender::new(start)), eager: false }
    }

    /// A clock that jumps to whatever instant somebody waits for.
    #[must_use]
    pub fn eager(start: Millis) -> Self {
        Self { eager: true, ..Self::at(start) }
    }

    /// Moves the clock forward and wakes whoever waited for an instant up to there.
    pub fn advance(&self, by: Millis) {
        self.now.send_modify(|now| *now += by);
    }
}

#[async_trait]
impl Clock for Manual {
    fn now(&self) -> Millis {
        *self.now.borrow()
    }

    async fn sleep_until(&self, at: Millis) {
        if self.eager {
            self.now.send_if_modified(|now| {
                let moved = at > *now;
                *now = at.max(*now);
                moved
            });
            return;
        }
        self.reached(at).await;
    }

    async fn reached(&self, at: Millis) {
        let mut now = self.now.subscribe();
        // The sender lives in `self`, so the only error, a dropped sender, can't happen here.
        let _ = now.wait_for(|now| *now >= at).await;
    }
}
