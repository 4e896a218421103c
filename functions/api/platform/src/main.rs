//! The Lambda function `platform`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(telemetry::Format::detect());
    lambda_http::run(api_platform::function().await?).await
}
