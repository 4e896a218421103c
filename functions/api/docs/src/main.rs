//! The Lambda function `docs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init(telemetry::Format::detect());
    edge::serve(api_docs::function().await?).await
}
