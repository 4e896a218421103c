//! `trunkline`: the whole gateway on one machine.

use std::{error::Error, io::Write, process::ExitCode};

use clap::Parser;
use secrecy::ExposeSecret;
use telemetry::Format;
use tracing_subscriber::Layer;
use trunkline::{Command, CommandLine, Terminal, Verdict};

#[tokio::main]
async fn main() -> ExitCode {
    let line = CommandLine::parse();
    match Format::detect() {
        Format::Json => telemetry::init(Format::Json),
        Format::Pretty => {
            telemetry::for_people();
            let layer = tracing_subscriber::fmt::layer().event_format(Terminal).with_writer(std::io::stderr);
            telemetry::init_with(layer.boxed());
        }
    }
    match line.command {
        None => running(trunkline::run(line.args).await),
        Some(Command::Local(args)) => running(trunkline::run(args).await),
        Some(Command::Doctor(args)) => {
            let findings = trunkline::doctor(&args).await;
            let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
            findings.iter().for_each(say);
            say(match wrong {
                0 => "nothing is wrong".to_owned(),
                1 => "1 thing is wrong".to_owned(),
                _ => format!("{wrong} things are wrong"),
            });
            if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Some(Command::Token(token)) => {
            done(token.issue().await.map(|token| token.expose_secret().to_owned()))
        }
        Some(Command::Tenant(tenant)) => done(tenant.add().await),
        Some(Command::Cost(cost)) => {
            say(cost);
            ExitCode::SUCCESS
        }
    }
}

fn running(ended: Result<(), trunkline::RunError>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = telemetry::chain(&error), "the gateway stopped");
            ExitCode::FAILURE
        }
    }
}

/// The result of a command, or why there is none: for the person, or the script, that called it.
fn done(result: Result<String, impl Error + 'static>) -> ExitCode {
    match result {
        Ok(text) => {
            say(text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            // An output that is closed is not read.
            let _ = writeln!(std::io::stderr(), "error: {}", telemetry::chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn say(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
