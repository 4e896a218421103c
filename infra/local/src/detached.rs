//! Handlers that go on when their caller hangs up, as an invocation of Lambda does.
//!
//! Owns the task in which each runs. Without it the HTTP server drops a handler with its connection, in the middle of a request to
//! RingCentral: what that request did would be known to no window, no session and no Idempotency-Key.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio_util::task::TaskTracker;
use trunkline_http::{Problem, Type};

/// Runs a handler in a task of its own.
pub(crate) async fn detached(State(handlers): State<TaskTracker>, request: Request, next: Next) -> Response {
    match handlers.spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a handler ended without an answer");
            Problem::new(Type::Internal).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::Arc};

    use axum::{Router, body::Body, middleware, routing::get};
    use tokio::sync::{Notify, oneshot};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn regression_who_hangs_up_cancels_no_handler() {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (done, outcome) = oneshot::channel();
        let done = Arc::new(std::sync::Mutex::new(Some(done)));
        let (signal, wait) = (begun.clone(), go_on.clone());
        let handler = get(move || async move {
            signal.notify_one();
            wait.notified().await;
            let _ = done.lock().unwrap().take().unwrap().send("settled");
        });
        let handlers = TaskTracker::new();
        let router = Router::new()
            .route("/", handler)
            .layer(middleware::from_fn_with_state(handlers.clone(), detached));
        let request = Request::get("/").body(Body::empty()).unwrap();
        {
            // The connection: it is dropped as soon as the handler has begun.
            let mut connection = pin!(router.oneshot(request));
            tokio::select! {
                _ = &mut connection => unreachable!("nothing lets the handler end"),
                () = begun.notified() => {}
            }
        }
        go_on.notify_one();
        assert_eq!(outcome.await, Ok("settled"));
        handlers.close();
        handlers.wait().await;
    }
}
