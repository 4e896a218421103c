//! The Lambda function `authorizer`.

use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(telemetry::Format::detect());
    let context = context::Wiring::from_env()?.start(false, api_authorizer::Context::new).await?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<api_authorizer::Question>| {
        Ok::<_, Error>(api_authorizer::authorize(&context, event.payload).await?)
    }))
    .await
}
