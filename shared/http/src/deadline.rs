//! One deadline for a whole request: every call, wait and look below keeps to it.

use std::pin::pin;

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use clock::{Clock, Deadline, Millis};
use futures::future::{Either, select};
use http::Method;

use crate::{Problem, Type, upstream};

/// How long a request may take whose invocation names no deadline (milliseconds): API Gateway ends at 30 s and the functions at
/// 29 s, and an answer takes a moment.
const MOST: Millis = 26_000;
/// How long after its deadline a request may still write down what it came to (milliseconds). After that it is given up,
/// because Lambda would end it without an answer.
const GRACE: Millis = 2_000;

/// Runs the request under its deadline: the one in its extensions, which whoever adapts Lambda's events puts there, or else one
/// from now on.
pub(crate) async fn keep(clock: &dyn Clock, request: Request, next: Next) -> Response {
    let own = Deadline(clock.now() + MOST);
    let deadline = request.extensions().get::<Deadline>().copied().map_or(own, |given| given.min(own));
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let work = deadline.during(next.run(request));
    match select(pin!(work), pin!(clock.reached(deadline.0 + GRACE))).await {
        Either::Left((response, _)) => response,
        Either::Right(_) => given_up(reads).into_response(),
    }
}

fn given_up(reads: bool) -> Problem {
    let problem = match reads {
        true => Problem::new(Type::StoreUnavailable),
        false => upstream::unknown(),
    };
    problem.detail("The gateway's own stores did not answer in time.").retry_after(5)
}
