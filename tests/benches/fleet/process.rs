//! The processes the bench starts. None of them outlives it.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    task::JoinHandle,
};

use crate::{Failure, role::Role};

/// How long a process may take to announce itself, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process of this bench.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    orders: ChildStdin,
    /// What it said first.
    pub(crate) greeting: String,
    lines: JoinHandle<Vec<String>>,
}

impl Process {
    /// Starts one and waits until it has announced itself.
    pub(crate) async fn start(role: &Role, environment: &[(&str, String)]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        // Neither credentials nor proxies nor somebody's AWS come along.
        command.arg(role.argument()?).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (orders, output) =
            child.stdin.take().zip(child.stdout.take()).ok_or("a process without pipes")?;
        let mut output = BufReader::new(output).lines();
        let Ok(Ok(Some(greeting))) = tokio::time::timeout(PATIENCE, output.next_line()).await else {
            return Err(format!("a process did not start: {role:?}").into());
        };
        let lines = tokio::spawn(async move {
            let mut lines = Vec::new();
            while let Ok(Some(line)) = output.next_line().await {
                lines.push(line);
            }
            lines
        });
        Ok(Self { child, orders, greeting, lines })
    }

    /// Gives the word to begin.
    pub(crate) async fn go(&mut self) -> Result<(), Failure> {
        Ok(self.orders.write_all(b"go\n").await?)
    }

    /// Kills it at once; returns what it had said until then.
    pub(crate) async fn kill(mut self) -> Result<Vec<String>, Failure> {
        self.child.kill().await?;
        Ok(self.lines.await?)
    }

    /// Asks it to end; returns what it had said, and what was wrong with its end if something was.
    pub(crate) async fn finish(self) -> Result<(Vec<String>, Option<String>), Failure> {
        let Self { mut child, orders, lines, .. } = self;
        drop(orders);
        let wrong = match tokio::time::timeout(PATIENCE, child.wait()).await {
            Ok(status) => Some(status?).filter(|status| !status.success()).map(|status| status.to_string()),
            Err(_) => {
                child.kill().await?;
                Some("it did not end".to_owned())
            }
        };
        Ok((lines.await?, wrong))
    }
}
