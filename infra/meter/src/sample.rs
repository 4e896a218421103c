//! One process from its start to its first answer, and as many answers more as are wanted.

use std::{
    fs::File,
    io::{Read, Seek},
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::{
    error::{MeterError, io},
    runtime_api::{Answer, RuntimeApi},
    throttle::Throttle,
    usage,
};

/// A function that takes longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is measured: a binary and what it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) binary: PathBuf,
    /// The payload's file.
    pub(crate) payload: PathBuf,
}

/// What one process took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// From its start to its first question for work.
    pub(crate) first_next: Duration,
    /// From its start to its first answer.
    pub(crate) first_answer: Duration,
    /// Processor time until it was done with the first answer.
    pub(crate) cpu: Duration,
    /// The most memory it had resident until then (bytes).
    pub(crate) peak: u64,
}

/// A function's process, which ends with this.
pub(crate) struct Process {
    name: String,
    started: Instant,
    child: Child,
    api: RuntimeApi,
    log: File,
    throttle: Option<Throttle>,
}

impl Process {
    /// Starts a function; `slow` gives it a small share of a core.
    pub(crate) async fn start(
        function: &Function,
        environment: &[(&'static str, String)],
        slow: bool,
    ) -> Result<Self, MeterError> {
        let api = RuntimeApi::start().await.map_err(io("no port"))?;
        let log = tempfile::tempfile().map_err(io("no file for its log"))?;
        let mut command = Command::new(&function.binary);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.try_clone().map_err(io("no file for its log"))?)
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(io(function.binary.display().to_string()))?;
        let throttle = child.id().filter(|_| slow).map(Throttle::hold);
        Ok(Self { name: function.name.clone(), started, child, api, log, throttle })
    }

    /// Waits until it asks for work; how long that took from its start.
    pub(crate) async fn asks(&mut self) -> Result<Duration, MeterError> {
        let asked = tokio::select! {
            asked = timeout(PATIENCE, self.api.asked()) => asked.ok().flatten(),
            _ = self.child.wait() => None,
        };
        match asked {
            Some(at) => Ok(at - self.started),
            None => Err(self.failed("it did not ask for work").await),
        }
    }

    /// Gives it work and waits until it is done; how long that took from its start.
    pub(crate) async fn works(&mut self, payload: String) -> Result<Duration, MeterError> {
        let answer = timeout(PATIENCE, self.api.invoke(payload)).await.ok().flatten();
        match answer {
            Some(Answer { at, outcome: Ok(answer) }) if is_good(&answer) => Ok(at - self.started),
            Some(Answer { outcome: Ok(answer), .. }) => Err(self.failed(&answer.to_string()).await),
            Some(Answer { outcome: Err(error), .. }) => Err(self.failed(&error).await),
            None => Err(self.failed("it did not answer").await),
        }
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> Result<(Duration, u64), MeterError> {
        let pid = self.child.id().unwrap_or_default();
        let read = || Ok((usage::cpu(pid)?, usage::peak(pid)?));
        read().map_err(io(format!("what {} uses can't be read", self.name)))
    }

    /// How much it has logged so far (bytes).
    pub(crate) fn logged(&self) -> u64 {
        self.log.metadata().map_or(0, |log| log.len())
    }

    /// Ends it, and waits until it is gone: what the system takes down would take time from whoever is started next.
    pub(crate) async fn end(mut self) -> Result<(), MeterError> {
        self.throttle = None;
        self.child.kill().await.map_err(io(format!("{} can't be stopped", self.name)))
    }

    async fn failed(&mut self, reason: &str) -> MeterError {
        self.throttle = None;
        // Both only add to what is known already.
        let _ = self.child.kill().await;
        let mut log = String::new();
        let _ = self.log.rewind().and_then(|()| self.log.read_to_string(&mut log));
        MeterError::Function { function: self.name.clone(), reason: format!("{reason}\n{log}") }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process is killed by number, so nothing may signal that number afterwards.
        self.throttle = None;
    }
}

/// Measures one process.
pub(crate) async fn sample(
    function: &Function,
    environment: &[(&'static str, String)],
    payload: String,
    slow: bool,
) -> Result<Sample, MeterError> {
    let mut process = Process::start(function, environment, slow).await?;
    let first_next = process.asks().await?;
    let first_answer = process.works(payload).await?;
    // Asking again means that it has put everything away.
    process.asks().await?;
    let (cpu, peak) = process.usage()?;
    process.end().await?;
    Ok(Sample { first_next, first_answer, cpu, peak })
}

/// An answer over HTTP that is no refusal, somebody let in, a batch without failures, or what a schedule's function has done.
fn is_good(answer: &Value) -> bool {
    let refused = answer["statusCode"].as_u64().is_some_and(|status| status >= 400);
    let unauthorized = answer["isAuthorized"] == json!(false);
    let failures = answer["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
    answer.is_object() && !(refused || unauthorized || failures || answer.get("errorType").is_some())
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn a_refusal_is_not_measured() {
        assert!(is_good(&json!({"statusCode": 200})) && is_good(&json!({"batchItemFailures": []})));
        assert!(!is_good(&json!({"statusCode": 401})) && !is_good(&json!({"batchItemFailures": [{}]})));
        assert!(is_good(&json!({"isAuthorized": true})) && !is_good(&json!({"isAuthorized": false})));
        assert!(is_good(&json!({"found": 0, "renewed": 0})));
        assert!(!is_good(&json!({"errorType": "Diagnostic", "errorMessage": "…"})) && !is_good(&json!(null)));
    }

    #[tokio::test]
    async fn a_process_that_ends_is_an_error_with_what_it_said() {
        let function =
            Function { name: "broken".to_owned(), binary: "ls".into(), payload: PathBuf::default() };
        let path = [("PATH", std::env::var("PATH").unwrap())];
        let function = Function { binary: "sh".into(), ..function };
        let mut process = Process::start(&function, &path, false).await.unwrap();
        let error = process.asks().await.unwrap_err();
        assert!(error.to_string().starts_with("broken: it did not ask for work"), "{error}");
    }
}
