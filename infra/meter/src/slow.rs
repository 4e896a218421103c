//! A cold receiver on a twentieth of a core: RingCentral waits 3 s, whatever there is to wait for.

use std::time::Duration;

use crate::{
    error::MeterError,
    figures::{median, ms},
    ground::Ground,
    sample::{Function, sample},
};

/// A fifth of what RingCentral waits for an answer.
const BOUND: Duration = Duration::from_millis(600);

/// How long one payload took from the start of its process to the answer.
#[derive(Debug, Clone)]
pub(crate) struct Slow {
    pub(crate) payload: String,
    pub(crate) median: Duration,
    pub(crate) worst: Duration,
    /// The share of a core that it really had.
    pub(crate) share: f64,
}

impl Slow {
    /// Measures a function with a payload.
    pub(crate) async fn measure(function: &Function, ground: &Ground, runs: u32) -> Result<Self, MeterError> {
        let environment = ground.environment();
        let mut samples = Vec::new();
        for turn in 0..runs {
            let payload = ground.payload(&function.payload, turn)?;
            samples.push(sample(function, &environment, payload, true).await?);
        }
        let median_of = median(samples.iter().map(|sample| sample.first_answer));
        let worst = samples.iter().map(|sample| sample.first_answer).max().unwrap_or_default();
        let cpu = median(samples.iter().map(|sample| sample.cpu));
        Ok(Self {
            payload: format!(
                "{} {}",
                function.name,
                function.payload.file_stem().unwrap_or_default().display()
            ),
            median: median_of,
            worst,
            share: cpu.as_secs_f64() / median_of.as_secs_f64(),
        })
    }

    /// What is out of bounds.
    pub(crate) fn excess(&self) -> Option<String> {
        let over = self.worst > BOUND;
        over.then(|| {
            format!(
                "{}: {:.0} ms on a twentieth of a core, bound {:.0}",
                self.payload,
                ms(self.worst),
                ms(BOUND)
            )
        })
    }
}
