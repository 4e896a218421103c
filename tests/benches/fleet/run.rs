//! One scenario from its empty window to its last figure.

use std::time::Duration;

use futures::future::try_join_all;
use gate::Priority;
use tokio::time::Instant;

use crate::{
    Failure,
    measured::{Measured, Phase},
    options::Options,
    outside,
    platform::{Platform, now},
    process::Process,
    role::Role,
    scenario::{Event, Load, Scenario},
    worker::{Caller, Line, Plan},
};

/// Length of RingCentral's windows, simulated seconds.
pub(crate) const WINDOW: f64 = 60.0;
/// Processes that ask interactively where batch saturates.
const INTERACTIVE: usize = 2;

/// Runs a scenario.
pub(crate) async fn measure(scenario: &'static Scenario, options: &Options) -> Result<Measured, Failure> {
    let bucket = scenario.bucket;
    let platform = Platform::start(options).await?;
    platform.teach(bucket.operation).await?;
    let taught = Instant::now();
    let environment = platform.environment();
    let plans = (0..options.processes).map(|index| Role::Worker(plan(scenario, options, index)));
    let mut fleet = try_join_all(plans.map(async |role| Process::start(&role, &environment).await)).await?;
    if let Event::Outside(share) = scenario.event {
        let every = options.real(WINDOW) / share_of(bucket.limit, share);
        let role = Role::Outside(outside::Plan {
            server_url: platform.simulator_url().to_owned(),
            path: format!("{}?perPage=1", crate::worker::request(bucket.operation).path()),
            every: u64::try_from(every.as_millis())?,
        });
        fleet.push(Process::start(&role, &[]).await?);
    }
    platform.slow_down(options.store_latency).await?;
    // The window is empty again, whatever the gate adds to its length.
    tokio::time::sleep_until(taught + options.real(WINDOW).mul_f64(1.1)).await;

    let mut version = platform.window(bucket.group).await?.version;
    let begin = platform.counts(bucket).await?;
    for process in &mut fleet {
        process.go().await?;
    }
    let started = Instant::now();
    let length = options.real(options.minutes * 60.0);
    tokio::time::sleep_until(started + length / 2).await;
    let mut lines = Vec::new();
    let mut phases = Vec::new();
    let mut limit = bucket.limit;
    let mut happened = None;
    match scenario.event {
        Event::Nothing | Event::Outside(_) => {}
        Event::Kill => {
            happened = Some(now());
            for _ in 0..options.killed.min(options.processes) {
                lines.extend(fleet.remove(0).kill().await?);
            }
            let plans = (0..options.killed.min(options.processes))
                .map(|index| Role::Worker(Plan { at_once: true, ..plan(scenario, options, index) }));
            fleet.extend(
                try_join_all(plans.map(async |role| Process::start(&role, &environment).await)).await?,
            );
        }
        Event::Limit(new) => {
            let middle = platform.counts(bucket).await?;
            phases.push(Phase { limit, from: begin, to: middle });
            platform.set_limit(bucket.group, new).await?;
            (limit, happened) = (new, Some(now()));
        }
        Event::Penalty => happened = Some(platform.penalise(bucket).await?),
    }
    tokio::time::sleep_until(started + length).await;
    let end = platform.counts(bucket).await?;
    version = platform.window(bucket.group).await?.version.saturating_sub(version);
    phases.push(Phase { limit, from: phases.last().map_or(begin, |before| before.to), to: end });

    let mut failures = Vec::new();
    for finished in try_join_all(fleet.into_iter().map(Process::finish)).await? {
        lines.extend(finished.0);
        failures.extend(finished.1);
    }
    let lines = lines.iter().map(|line| serde_json::from_str(line)).collect::<Result<Vec<Line>, _>>()?;
    Ok(Measured { scenario, phases, lines, happened, written: version, failures })
}

/// How many requests a share of a limit is, at least one.
fn share_of(limit: u32, share: f64) -> u32 {
    ((f64::from(limit) * share).round() as u32).max(1)
}

/// What the process of this number does.
fn plan(scenario: &Scenario, options: &Options, index: usize) -> Plan {
    let callers = match scenario.load {
        Load::Saturated => vec![Caller { priority: options.priority, every: 0 }; options.callers],
        Load::Mixed { interactive_per_minute } if index < INTERACTIVE => {
            let every: Duration = options.real(60.0 * INTERACTIVE as f64 / interactive_per_minute);
            vec![Caller { priority: Priority::Interactive, every: every.as_millis() as u64 }]
        }
        Load::Mixed { .. } => vec![Caller { priority: Priority::Batch, every: 0 }; options.callers],
    };
    let after = options.real(options.ramp).mul_f64(index as f64 / options.processes.max(1) as f64);
    let after = after.as_millis() as u64;
    Plan { operation: scenario.bucket.operation.id.to_owned(), callers, after, at_once: false }
}
