//! Between Lambda's HTTP events and the routers: what API Gateway made of a request becomes that request again.
//!
//! Owns payload format 2.0 in both directions. It must never panic on what an event holds, know a route, or answer by itself:
//! an event that can't be a request reaches the function as one that its routes refuse.
//! Each request carries its invocation's [`Deadline`].

mod answer;
mod event;
mod path;

use axum::{Router, body::Body};
use clock::{Deadline, Millis};
use http::{Request, Response};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use tower::ServiceExt;
use trunkline_http::Face;

pub use answer::Answer;
pub use event::Event;

/// What an invocation keeps for its answer (milliseconds).
const RESERVE: Millis = 3_000;

/// The routes of a function as API Gateway reaches them: whatever they don't serve is the 404 problem.
#[derive(Debug, Clone)]
pub struct Routes(Router);

impl Routes {
    /// The routes of a function.
    pub fn new(router: Router) -> Self {
        Self(router.merge(Face::nowhere()))
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Serves a router as a Lambda function, until Lambda ends the process.
///
/// # Errors
/// If the Runtime API can't be reached.
pub async fn serve(router: Router) -> Result<(), Error> {
    let routes = Routes::new(router);
    run(async |request| routes.answer(request).await).await
}

/// Runs a Lambda function that answers requests, until Lambda ends the process.
///
/// # Errors
/// If the Runtime API can't be reached.
pub async fn run<B: http_body::Body>(
    function: impl AsyncFn(Request<Body>) -> Response<B>,
) -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        let request = timed(event.payload.request(), event.context.deadline, clock::system().now());
        // Boxed, because a function's future may be deeper than the compiler lays out inside of the runtime's.
        Ok::<_, Error>(Answer::of(Box::pin(function(request)).await).await)
    }))
    .await
}

/// Gives a request the deadline of its invocation (milliseconds since the epoch), less what the answer needs.
fn timed(mut request: Request<Body>, end: u64, now: Millis) -> Request<Body> {
    request.extensions_mut().insert(Deadline::before(end, RESERVE, now));
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_before_its_invocation_does() {
        let request = timed(Event::default().request(), 1_795_000_029_000, 1_795_000_000_000);
        assert_eq!(request.extensions().get(), Some(&Deadline(1_795_000_026_000)));
    }
}
