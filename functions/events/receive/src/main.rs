//! The Lambda function `receive`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init(telemetry::Format::detect());
    let context = events_receive::function().await?;
    edge::run(async |request| events_receive::receive(&context, request).await).await
}
