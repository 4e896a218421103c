//! Starting and stopping the embedded AWS.
//!
//! It owns the life of the whole: the folder's lock, the stores, the endpoint, the sweeps. The endpoint runs on
//! a runtime of its own, so that dropping the handle takes every connection and file with it, like a killed process.

use crate::dynamodb::DynamoDb;
use crate::endpoint::{self, Cloud, Door, Lifeline};
use crate::faults::Faults;
use crate::folder::Folder;
use crate::secrets::Secrets;
use crate::sqs::Sqs;
use crate::stats::{Counters, Stats};
use crate::{ACCOUNT, Clock};
use loopback::{Guard, Key};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often expired items, messages and secrets are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How long a stop waits for requests in hand.
const PATIENCE: Duration = Duration::from_secs(5);

/// How an embedded AWS is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder that keeps everything; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// The clock of queues, secrets and, in memory, of DynamoDB's time to live. With a folder the table engine
    /// reads the system clock.
    pub clock: Clock,
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { data: None, clock: Clock::real(), port: 0 }
    }
}

/// Why an embedded AWS did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another process runs on the same folder.
    #[error(
        "the data folder {folder} is in use by {}; stop it, choose another with --data, or share what it has: \
         trunkline --data OTHER --aws \"$(cat {folder}/aws-endpoint)\"",
        named(*holder),
        folder = folder.display()
    )]
    InUse {
        /// Its process id, if it has left one.
        holder: Option<u32>,
        /// The folder.
        folder: PathBuf,
    },
    /// The folder cannot be used.
    #[error("the data folder {} cannot be used", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A database in the folder cannot be opened.
    #[error("{name} cannot be opened: {reason}")]
    Store {
        /// The file.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The port cannot be listened on.
    #[error("127.0.0.1:{port} cannot be listened on")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The threads of the endpoint cannot start.
    #[error("the endpoint's threads cannot start")]
    Runtime(#[source] std::io::Error),
}

fn named(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |pid| format!("the process {pid}"))
}

/// A running embedded AWS. Dropping it stops it at once, as a kill would.
#[derive(Debug)]
pub struct EmbeddedAws {
    url: String,
    key: Key,
    clock: Clock,
    faults: Arc<Faults>,
    counters: Arc<Counters>,
    closing: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

impl EmbeddedAws {
    /// Opens the stores and listens. On return the endpoint answers.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { data, clock, port } = options;
        let folder = Folder::claim(data)?;
        let key = folder.key()?;
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .and_then(tokio::net::TcpListener::into_std)
            .map_err(|source| StartError::Listen { port, source })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { port, source })?;
        let url = format!("http://{address}");

        let (closing, closed) = watch::channel(false);
        let (faults, counters) = (Arc::new(Faults::default()), Arc::new(Counters::default()));
        let cloud = Arc::new(Cloud {
            dynamodb: DynamoDb::open(folder.database("dynamodb.db")?.as_deref(), &clock)?,
            sqs: Sqs::open(
                folder.database("sqs.db")?.as_deref(),
                clock.clone(),
                format!("{url}/{ACCOUNT}"),
                closed.clone(),
            )?,
            secrets: Secrets::open(folder.database("secrets.db")?.as_deref(), clock.clone())?,
            faults: Arc::clone(&faults),
            counters: Arc::clone(&counters),
            clock: clock.clone(),
            guard: Guard::new(key.clone()),
            folder,
        });

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("aws")
            .enable_all()
            .build()
            .map_err(StartError::Runtime)?;
        let door = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)
                .map_err(|source| StartError::Listen { port, source })?
        };
        runtime.spawn(sweep(Arc::downgrade(&cloud), closed.clone()));
        let server = runtime.spawn(serve(Door(door), cloud, closed));
        Ok(Self { url, key, clock, faults, counters, closing, server: Some(server), runtime: Some(runtime) })
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it asks its callers for, as the access key id of their credentials. The secret access key can be any.
    pub fn access_key(&self) -> &Key {
        &self.key
    }

    /// How often each operation was asked for so far.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// The switchboard of faults.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The clock it runs by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Ends long polls, lets requests in hand finish, closes the files and gives up the folder.
    pub async fn shutdown(mut self) {
        self.closing.send_replace(true);
        if let Some(server) = self.server.take() {
            let _ = tokio::time::timeout(PATIENCE, server).await;
        }
    }
}

impl Drop for EmbeddedAws {
    fn drop(&mut self) {
        self.closing.send_replace(true);
        let Some(runtime) = self.runtime.take() else { return };
        // A runtime may only be waited for outside async code, and the files must be closed when this returns.
        match std::thread::Builder::new()
            .name("aws-stop".to_owned())
            .spawn(move || runtime.shutdown_timeout(PATIENCE))
        {
            Ok(stopping) => drop(stopping.join()),
            Err(error) => tracing::warn!(%error, "the embedded AWS stops in the background"),
        }
    }
}

async fn serve(door: Door, cloud: Arc<Cloud>, mut closed: watch::Receiver<bool>) {
    let service = endpoint::router(cloud).into_make_service_with_connect_info::<Lifeline>();
    let stop = async move {
        let _ = closed.wait_for(|closed| *closed).await;
    };
    if let Err(error) = axum::serve(door, service).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the embedded AWS stopped serving");
    }
}

async fn sweep(cloud: std::sync::Weak<Cloud>, mut closed: watch::Receiver<bool>) {
    let mut clock = cloud.upgrade().map(|cloud| cloud.clock.clone());
    while let Some(now) = clock.take() {
        tokio::select! {
            () = now.sleep(SWEEP_EVERY) => {}
            _ = closed.wait_for(|closed| *closed) => return,
        }
        let Some(cloud) = cloud.upgrade() else { return };
        let (items, messages, secrets) =
            tokio::join!(cloud.dynamodb.sweep(), cloud.sqs.sweep(), cloud.secrets.sweep());
        tracing::debug!(items, messages, secrets, "swept what had expired");
        clock = Some(now);
    }
}
