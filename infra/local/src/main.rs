//! `trunkline`: the whole gateway on one machine.

use clap::Parser;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    telemetry::init(telemetry::Format::detect());
    let args = trunkline::Args::parse_from(trunkline::Args::command_line());
    match trunkline::run(args).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the gateway stopped");
            std::process::ExitCode::FAILURE
        }
    }
}
