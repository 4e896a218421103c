//! `trunkline`: the whole gateway on one machine.

use std::io::Write;

use clap::Parser;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    if std::env::args_os().nth(1).is_some_and(|word| word == "cost") {
        let cost = trunkline::Cost::parse_from(std::env::args_os().skip(1));
        // Whoever closed our output does not want to read this.
        let _ = write!(std::io::stdout(), "{cost}");
        return std::process::ExitCode::SUCCESS;
    }
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
