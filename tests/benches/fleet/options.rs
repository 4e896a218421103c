//! The face of the bench, and its order of events.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use gate::Priority;

use crate::{
    Failure, cost, report, run,
    scenario::{SCENARIOS, Scenario},
};

/// Measures a fleet of processes in front of a simulated RingCentral. Times it prints are RingCentral's.
#[derive(Debug, Clone, Parser)]
#[command(name = "fleet")]
pub(crate) struct Options {
    /// Which scenarios, in this order; all of them if none is named
    scenarios: Vec<String>,
    /// Says what there is
    #[arg(long)]
    list: bool,
    /// How long each scenario lasts, simulated minutes
    #[arg(long, default_value_t = 10.0)]
    pub(crate) minutes: f64,
    /// How much faster simulated time runs: at 10 a window of 60 s lasts 6 s
    #[arg(long, default_value_t = 10.0)]
    pub(crate) clock: f64,
    /// Processes of the fleet
    #[arg(long, default_value_t = 16)]
    pub(crate) processes: usize,
    /// Over how long the processes begin, one after the other, simulated seconds; 0: all in the same instant
    #[arg(long, default_value_t = 6.0)]
    pub(crate) ramp: f64,
    /// Callers in each process that always want to send
    #[arg(long, default_value_t = 2)]
    pub(crate) callers: usize,
    /// Their priority, where the scenario does not say: interactive, event or batch
    #[arg(long, default_value = "interactive", value_parser = priority)]
    pub(crate) priority: Priority,
    /// How long a call waits for its slot before it is told to come back, simulated seconds
    #[arg(long, default_value_t = 3.0)]
    pub(crate) patience: f64,
    /// Processes that are killed and started again, where the scenario kills
    #[arg(long, default_value_t = 5)]
    pub(crate) killed: usize,
    /// What each request to the store takes longer, real milliseconds
    #[arg(long, default_value_t = 0)]
    pub(crate) store_latency: u64,
    /// How wrong a process takes its clock to be until the store's stamps tell, real milliseconds
    #[arg(long, default_value_t = 0)]
    pub(crate) clock_error: u32,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn priority(name: &str) -> Result<Priority, String> {
    match name {
        "interactive" => Ok(Priority::Interactive),
        "event" => Ok(Priority::Event),
        "batch" => Ok(Priority::Batch),
        _ => Err("one of interactive, event and batch".to_owned()),
    }
}

impl Options {
    /// A simulated duration as real time.
    pub(crate) fn real(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64(seconds / self.clock).unwrap_or_default()
    }

    /// Runs what was asked for and prints what came out.
    pub(crate) fn carry_out(self) -> Result<ExitCode, Failure> {
        if self.list {
            SCENARIOS.iter().for_each(|scenario| println!("{:<14} {}", scenario.name, scenario.about));
            println!("{:<14} {}", cost::NAME, cost::ABOUT);
            return Ok(ExitCode::SUCCESS);
        }
        // `cargo test` starts every bench once to see that it does: a fleet is not for that.
        if !self.bench {
            println!("fleet: start it with `cargo bench -p trunkline-tests --bench fleet`");
            return Ok(ExitCode::SUCCESS);
        }
        let chosen = self.chosen()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async {
            let (mut measured, mut failed) = (Vec::new(), false);
            for scenario in chosen {
                println!("{}: {}", scenario.name, scenario.about);
                let one = run::measure(scenario, &self).await?;
                failed |= !one.failures.is_empty();
                measured.push(one);
            }
            report::print(&measured, &self);
            if self.scenarios.is_empty() || self.scenarios.iter().any(|name| name == cost::NAME) {
                cost::measure(&self).await?;
            }
            Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        })
    }

    fn chosen(&self) -> Result<Vec<&'static Scenario>, Failure> {
        if self.scenarios.is_empty() {
            return Ok(SCENARIOS.iter().collect());
        }
        let named = self.scenarios.iter().filter(|name| *name != cost::NAME);
        named
            .map(|name| {
                let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
                found
                    .ok_or_else(|| format!("there is no scenario {name}; --list says which there are").into())
            })
            .collect()
    }
}
