//! A function that says hello and does nothing else: what any function of `lambda_http` costs before it does something.
//!
//! It must never use a crate of the workspace.

use lambda_http::{Error, Request, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_http::run(service_fn(async |_: Request| Ok::<_, Error>("hello"))).await
}
