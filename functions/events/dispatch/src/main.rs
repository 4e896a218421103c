//! The Lambda function `dispatch`.

use aws_lambda_events::event::sqs::SqsEvent;
use clock::{Deadline, Millis};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// What an invocation keeps for the answer, and what was begun to be written (milliseconds).
const RESERVE: Millis = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(telemetry::Format::detect());
    let context = events_dispatch::function().await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let request_id = event.context.request_id.clone();
        let deadline = Deadline::before(event.context.deadline, RESERVE, clock::system().now());
        Ok::<_, Error>(deadline.during(events_dispatch::dispatch(&context, event.payload, request_id)).await)
    }))
    .await
}
