//! The Lambda function `receive`.

use lambda_http::{Error, Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(telemetry::Format::detect());
    let context = events_receive::function().await?;
    lambda_http::run(service_fn(async |request: Request| {
        Ok::<_, Error>(events_receive::receive(&context, request).await)
    }))
    .await
}
