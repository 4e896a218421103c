//! A container that dies in the middle of its work.

use tokio::{net::TcpListener, runtime::Runtime};

use crate::{axum_serve, described::Described};

/// A container with a runtime of its own, so that everything in it ends at once.
#[derive(Debug)]
pub struct Mortal {
    /// Where it listens.
    pub url: String,
    runtime: Option<Runtime>,
}

impl Mortal {
    pub(crate) fn start(
        url: String,
        listener: std::net::TcpListener,
        router: axum::Router,
        described: Described,
    ) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
        listener.set_nonblocking(true).expect("a listener that does not block");
        runtime.spawn(async move {
            axum_serve(TcpListener::from_std(listener).expect("a listener"), router, described).await;
        });
        Self { url, runtime: Some(runtime) }
    }

    /// Ends it as `kill -9` does: nothing it was doing is finished.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
