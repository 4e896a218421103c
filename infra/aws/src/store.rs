//! One SQLite file, one thread, many callers.
//!
//! It owns the connection, the transactions and the promise that an answer follows its commit. Callers that
//! arrive together share one commit, so a burst costs little more than a single write. It knows no table.

use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// The most callers that share a commit: enough to carry a burst, few enough that the first does not wait long.
const MOST_PER_COMMIT: usize = 64;

type Ack = Box<dyn FnOnce() + Send>;
type Job = Box<dyn FnOnce(&Connection) -> rusqlite::Result<Ack> + Send>;

/// The store went away, or could not commit.
#[derive(Debug, thiserror::Error)]
#[error("the store did not commit the request")]
pub(crate) struct Closed;

/// What a commit has to outlive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Durability {
    /// The process: written to the log, synced at checkpoints.
    Process,
    /// The machine: synced at every commit.
    Machine,
}

/// A file could not be opened as the store it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("its thread could not start: {0}")]
    Thread(#[from] std::io::Error),
    #[error("it was written by a newer version (schema {found}, known {known})")]
    Newer { found: i64, known: i64 },
}

/// A handle on the store's thread. Dropping it waits for the work in hand and closes the file.
#[derive(Debug)]
pub(crate) struct Store {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the file, or a database in memory, and brings it to schema `version`.
    pub(crate) fn open(
        name: &str,
        path: Option<&Path>,
        durability: Durability,
        (version, schema): (i64, &str),
    ) -> Result<Self, OpenError> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        prepare(&connection, durability, version, schema)?;
        let (jobs, queue) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(format!("aws-{name}"))
            .spawn(move || run(&connection, &queue))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` in a transaction and answers after the commit. An error undoes what `work` did.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Closed> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            connection.prepare_cached("SAVEPOINT job")?.execute([])?;
            let result = work(connection);
            if result.is_err() {
                connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
            }
            connection.prepare_cached("RELEASE job")?.execute([])?;
            Ok(Box::new(move || drop(answer.send(result))))
        });
        let jobs = self.jobs.as_ref().ok_or(Closed)?;
        jobs.send(job).map_err(|_| Closed)?;
        answered.await.map_err(|_| Closed)?
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn prepare(
    connection: &Connection,
    durability: Durability,
    version: i64,
    schema: &str,
) -> Result<(), OpenError> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(
        None,
        "synchronous",
        match durability {
            Durability::Process => "NORMAL",
            Durability::Machine => "FULL",
        },
    )?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > version {
        return Err(OpenError::Newer { found, known: version });
    }
    if found < version {
        connection.execute_batch(&format!("BEGIN; {schema} PRAGMA user_version = {version}; COMMIT;"))?;
    }
    Ok(())
}

fn run(connection: &Connection, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        if let Err(error) = commit_together(connection, first, queue) {
            // The acknowledgements were dropped with the error, so every caller of this commit hears of it.
            tracing::error!(%error, "the embedded store could not commit");
            if !connection.is_autocommit() {
                let _ = connection.execute_batch("ROLLBACK");
            }
        }
    }
}

fn commit_together(connection: &Connection, first: Job, queue: &mpsc::Receiver<Job>) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut acks = vec![first(connection)?];
    while acks.len() < MOST_PER_COMMIT {
        let Ok(job) = queue.try_recv() else { break };
        acks.push(job(connection)?);
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    acks.into_iter().for_each(|ack| ack());
    Ok(())
}
