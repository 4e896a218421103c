//! A function that has been invoked before: how long it works, and what it asks AWS and RingCentral for.

use std::time::{Duration, Instant};

use crate::{
    error::MeterError,
    figures::median,
    ground::{Counts, Ground},
    sample::{Function, Process},
};

/// Invocations that fill caches, and those that are measured afterwards.
const BEFORE: u32 = 3;
const MEASURED: u32 = 20;
/// Their events are their own: no start brings so many.
const FIRST_TURN: u32 = 0x8000_0000;

/// What one warm invocation takes.
#[derive(Debug, Clone)]
pub(crate) struct Warm {
    pub(crate) name: String,
    /// From the work being given out to its answer.
    pub(crate) took: Duration,
    pub(crate) cpu: Duration,
    /// What it logged (bytes).
    pub(crate) logged: u64,
    /// Requests by operation.
    pub(crate) asked: Counts,
}

impl Warm {
    /// Measures a function that keeps running.
    pub(crate) async fn measure(function: &Function, ground: &Ground) -> Result<Self, MeterError> {
        let mut process = Process::start(function, &ground.environment(), false).await?;
        let (mut counts, mut cpu, mut logged) = (Counts::new(), Duration::ZERO, 0);
        let mut took = Vec::new();
        for turn in 0..BEFORE + MEASURED {
            process.asks().await?;
            if turn == BEFORE {
                (counts, cpu, logged) = (ground.counts(), process.usage()?.0, process.logged());
            }
            let payload = ground.payload(&function.payload, FIRST_TURN + turn)?;
            let given = Instant::now();
            process.works(payload).await?;
            took.push(given.elapsed());
        }
        process.asks().await?;
        let asked = ground.counts().into_iter().map(|(operation, count)| {
            let more = count - counts.get(&operation).copied().unwrap_or_default();
            (operation, more / u64::from(MEASURED))
        });
        Ok(Self {
            name: function.name.clone(),
            took: median(took.into_iter().skip(BEFORE as usize)),
            cpu: (process.usage()?.0 - cpu) / MEASURED,
            logged: (process.logged() - logged) / u64::from(MEASURED),
            asked: asked.filter(|(_, count)| *count > 0).collect(),
        })
    }
}
