//! The Lambda function `health`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init(telemetry::Format::detect());
    edge::serve(api_health::function().await?).await
}
