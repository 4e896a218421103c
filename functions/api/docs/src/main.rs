//! The Lambda function `docs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(telemetry::Format::detect());
    lambda_http::run(api_docs::function().await?).await
}
