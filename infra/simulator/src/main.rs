//! Serves the simulator on this machine. It parses the command line, prints where it listens, and owns nothing else.

use std::process::ExitCode;

use clap::Parser;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use trunkline_simulator::{Clock, Config, Credentials, Key, Limits, Simulator};

/// A RingCentral platform on this machine.
///
/// The first line it prints is its URL, the second the same with the key of the admin endpoints under /_sim/.
#[derive(Debug, Parser)]
#[command(name = "ringcentral-simulator", version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Seed of the world.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Speed of the simulated clock: at 10 a 60 s window lasts 6 s.
    #[arg(long, default_value_t = 1.0, value_name = "SCALE")]
    clock: f64,
    /// Number of extensions.
    #[arg(long, default_value_t = 200)]
    extensions: usize,
    /// Number of calls in the last 30 days.
    #[arg(long, default_value_t = 5000)]
    calls: usize,
    /// Number of messages in the last 30 days.
    #[arg(long, default_value_t = 2000)]
    messages: usize,
    /// Accept every request; windows are still counted.
    #[arg(long)]
    no_limits: bool,
    /// Key of the admin endpoints; another one every time if missing.
    #[arg(long, env = "SIMULATOR_ADMIN_KEY", hide_env_values = true, value_name = "KEY")]
    admin_key: Option<Key>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let bound = TcpListener::bind(("127.0.0.1", arguments.port)).await;
    let (listener, address) = match bound.and_then(|one| one.local_addr().map(|address| (one, address))) {
        Ok(bound) => bound,
        Err(error) => {
            let port = arguments.port;
            tracing::error!("port {port} on 127.0.0.1 can't be used: {error}; choose another with --port");
            return ExitCode::FAILURE;
        }
    };
    let admin_key = arguments.admin_key.unwrap_or_else(Key::random);
    announce(&format!("http://{address}\nhttp://admin:{}@{address}", admin_key.expose()));
    let simulator = Simulator::new(Config {
        seed: arguments.seed,
        extensions: arguments.extensions,
        calls: arguments.calls,
        messages: arguments.messages,
        clock: Clock::scaled(arguments.clock),
        limits: if arguments.no_limits { Limits::none() } else { Limits::default() },
        admin_key,
        more_credentials: vec![Credentials::demo_rotated()],
        ..Config::default()
    });
    let ended = tokio::select! {
        served = simulator.serve(listener) => served,
        interrupted = tokio::signal::ctrl_c() => interrupted,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the simulator can't serve: {error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "scripts read the address from standard output")]
fn announce(lines: &str) {
    println!("{lines}");
}
