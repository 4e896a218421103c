//! How the process is told to stop: once, and it finishes what is under way; twice, and it ends at once.

use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// The requests to stop that have come so far.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<u32>);

impl Stop {
    /// Listens to Ctrl-C and SIGTERM from now on. `handlers` are what a stop waits for.
    pub(crate) fn listen(handlers: TaskTracker) -> Self {
        let (times, stop) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                interrupted().await;
                if *times.borrow() == 0 {
                    tracing::info!(
                        "finishing what is under way ({} requests); Ctrl-C again ends at once",
                        handlers.len()
                    );
                }
                times.send_modify(|times| *times += 1);
            }
        });
        Self(stop)
    }

    /// Returns when the process shall finish what is under way.
    pub(crate) async fn asked(mut self) {
        let _ = self.0.wait_for(|times| *times > 0).await;
    }

    /// Returns when the process shall end at once.
    pub(crate) async fn forced(mut self) {
        let _ = self.0.wait_for(|times| *times > 1).await;
    }
}

async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}
