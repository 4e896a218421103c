//! The Lambda function `renew`.

use clock::{Deadline, Millis};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

/// What an invocation keeps for the report of what could not be renewed (milliseconds).
const RESERVE: Millis = 5_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(telemetry::Format::detect());
    let context = events_renew::function().await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<IgnoredAny>| {
        let request_id = event.context.request_id.clone();
        let deadline = Deadline::before(event.context.deadline, RESERVE, clock::system().now());
        Ok::<_, Error>(deadline.during(events_renew::renew(&context, request_id)).await?)
    }))
    .await
}
