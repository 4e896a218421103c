//! What a process of the bench is: the AWS, RingCentral, a container of the fleet, or somebody else's client.

use std::{io::BufRead, process::ExitCode};

use embedded_aws::EmbeddedAws;
use serde::{Deserialize, Serialize};
use simulator::{Clock, Config, Simulator};
use tokio::{net::TcpListener, runtime::Builder, sync::oneshot};

use crate::{Failure, cost, outside, worker};

/// Marks the argument that makes a process of this binary something else than the bench itself.
const MARK: &str = "role:";

/// The part a process plays. It announces itself with one line and ends when its standard input does, so that nothing outlives
/// the bench.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Role {
    /// The embedded AWS, in memory; announces its URL and its key.
    Aws,
    /// The simulated RingCentral; announces its URL and the key of its admin endpoints.
    Simulator {
        /// How much faster its time runs.
        clock: f64,
    },
    /// A container of the fleet.
    Worker(worker::Plan),
    /// Another tool with the same app and user.
    Outside(outside::Plan),
    /// A container that takes slots without sending anything.
    Cost(cost::Plan),
}

impl Role {
    /// The role an argument names, if it names one.
    pub(crate) fn read(argument: &str) -> Option<Result<Self, Failure>> {
        Some(serde_json::from_str(argument.strip_prefix(MARK)?).map_err(Into::into))
    }

    /// The argument that names this role.
    pub(crate) fn argument(&self) -> Result<String, Failure> {
        Ok(format!("{MARK}{}", serde_json::to_string(self)?))
    }

    /// Plays it to its end.
    pub(crate) fn play(self) -> Result<ExitCode, Failure> {
        // One thread each, as a small Lambda has: the machine's cores are for the fleet, not for one of it.
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            match self {
                Self::Aws => aws().await,
                Self::Simulator { clock } => simulator(clock).await,
                Self::Worker(plan) => worker::run(plan).await,
                Self::Outside(plan) => outside::run(plan).await,
                Self::Cost(plan) => cost::run(plan).await,
            }
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn aws() -> Result<(), Failure> {
    let embedded = EmbeddedAws::start(embedded_aws::Options::default()).await?;
    println!("{} {}", embedded.url(), embedded.access_key().expose());
    Orders::listen().end().await;
    Ok(())
}

async fn simulator(clock: f64) -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let clock = Clock::scaled(clock);
    let simulator =
        Simulator::new(Config { extensions: 10, calls: 20, messages: 20, clock, ..Config::default() });
    println!("http://{address} {}", simulator.admin_key().expose());
    tokio::select! {
        served = simulator.serve(listener) => Ok(served?),
        () = Orders::listen().end() => Ok(()),
    }
}

/// What comes in on standard input: a line that says go, and the end that says stop.
pub(crate) struct Orders {
    go: oneshot::Receiver<()>,
    end: oneshot::Receiver<()>,
}

impl Orders {
    /// Starts to listen, on a thread of its own.
    pub(crate) fn listen() -> Self {
        let ((gone, go), (ended, end)) = (oneshot::channel(), oneshot::channel());
        std::thread::spawn(move || {
            let mut lines = std::io::stdin().lock().lines();
            if lines.next().is_some() {
                let _ = gone.send(());
                while let Some(Ok(_)) = lines.next() {}
            }
            let _ = ended.send(());
        });
        Self { go, end }
    }

    /// Waits for the word; false if the end came first.
    pub(crate) async fn go(&mut self) -> bool {
        (&mut self.go).await.is_ok()
    }

    /// Waits for the end.
    pub(crate) async fn end(self) {
        let _ = self.end.await;
    }
}
