//! A fleet under load, measured: real processes, each with the product's whole client, share one embedded AWS in front of one
//! simulated RingCentral whose clock runs faster. It prints figures and asserts nothing; it fails only if a process does.
//!
//! `cargo bench -p trunkline-tests --bench fleet -- --help`. The bench starts itself again in the roles of [`Role`].

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it finds is for a terminal")]

mod cost;
mod measured;
mod options;
mod outside;
mod platform;
mod process;
mod report;
mod role;
mod run;
mod scenario;
mod worker;

use std::process::ExitCode;

use clap::Parser;
use options::Options;
use role::Role;

/// Whatever keeps a measurement from being made.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref().and_then(Role::read) {
        Some(role) => role.and_then(Role::play),
        None => Options::parse().carry_out(),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("fleet: {failure}");
            ExitCode::FAILURE
        }
    }
}
