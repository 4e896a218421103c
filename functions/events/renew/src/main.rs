//! The Lambda function `renew`.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(telemetry::Format::detect());
    let context = events_renew::function().await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<IgnoredAny>| {
        let request_id = event.context.request_id.clone();
        Ok::<_, Error>(events_renew::renew(&context, request_id).await?)
    }))
    .await
}
