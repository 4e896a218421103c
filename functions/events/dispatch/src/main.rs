//! The Lambda function `dispatch`.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(telemetry::Format::detect());
    let context = events_dispatch::function().await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let request_id = event.context.request_id.clone();
        Ok::<_, Error>(events_dispatch::dispatch(&context, event.payload, request_id).await)
    }))
    .await
}
