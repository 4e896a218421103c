//! What many samples come to, and whether that is within bounds.

use std::{path::Path, time::Duration};

use crate::{
    archive,
    builds::HELLO,
    error::{MeterError, io},
    sample::{Function, Sample},
};

/// The largest binary (bytes).
const FILE: f64 = 7e6;
/// The largest zip (bytes).
const ZIP: f64 = 3.5e6;
/// How many times as long as the hello-world a function may take until it asks for work.
const FIRST_NEXT: f64 = 2.0;
/// The same for the receiver, which RingCentral waits for.
const FIRST_NEXT_RECEIVE: f64 = 1.6;
/// How many times as much memory as the hello-world a function may have resident.
const PEAK: f64 = 3.0;

/// A function's figures: the median of its samples.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) name: String,
    pub(crate) file: u64,
    pub(crate) zip: u64,
    pub(crate) typical: Sample,
}

impl Figures {
    /// Weighs a binary and takes the median of its samples, figure by figure.
    pub(crate) fn of(function: &Function, samples: &[Sample]) -> Result<Self, MeterError> {
        let (file, zip) = weigh(&function.binary)?;
        let typical = Sample {
            first_next: median(samples.iter().map(|sample| sample.first_next)),
            first_answer: median(samples.iter().map(|sample| sample.first_answer)),
            cpu: median(samples.iter().map(|sample| sample.cpu)),
            peak: median(samples.iter().map(|sample| sample.peak)),
        };
        Ok(Self { name: function.name.clone(), file, zip, typical })
    }

    /// How many times the hello-world's time until it asks for work.
    pub(crate) fn first_next(&self, hello: &Self) -> f64 {
        self.typical.first_next.as_secs_f64() / hello.typical.first_next.as_secs_f64()
    }

    /// How many times the hello-world's memory.
    pub(crate) fn peak(&self, hello: &Self) -> f64 {
        self.typical.peak as f64 / hello.typical.peak as f64
    }

    /// What is out of bounds.
    pub(crate) fn excesses(&self, hello: &Self) -> Vec<String> {
        if self.name == HELLO {
            return Vec::new();
        }
        let patience = if self.name == "events-receive" { FIRST_NEXT_RECEIVE } else { FIRST_NEXT };
        let bounds = [
            ("its file", self.file as f64 / 1e6, FILE / 1e6, "MB"),
            ("its zip", self.zip as f64 / 1e6, ZIP / 1e6, "MB"),
            ("until it asks for work", self.first_next(hello), patience, "x hello"),
            ("its memory", self.peak(hello), PEAK, "x hello"),
        ];
        let exceeded = bounds.into_iter().filter(|(_, is, bound, _)| is > bound);
        exceeded
            .map(|(what, is, bound, unit)| format!("{}: {what} {is:.2} {unit}, bound {bound}", self.name))
            .collect()
    }
}

fn weigh(file: &Path) -> Result<(u64, u64), MeterError> {
    let unreadable = || io(file.display().to_string());
    let binary = std::fs::read(file).map_err(unreadable())?;
    let zip = archive::zip(&binary).map_err(unreadable())?;
    Ok((binary.len() as u64, zip.len() as u64))
}

/// The middle one; the larger of two.
pub(crate) fn median<T: Ord + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    let middle = values.len() / 2;
    values.into_iter().nth(middle).unwrap_or_default()
}

/// In milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(name: &str, megabytes: u64, millis: u64) -> Figures {
        let typical = Sample {
            first_next: Duration::from_millis(millis),
            peak: megabytes * 1_000_000,
            ..Sample::default()
        };
        Figures { name: name.to_owned(), file: megabytes * 1_000_000, zip: megabytes * 500_000, typical }
    }

    #[test]
    fn what_is_out_of_bounds_is_named() {
        let hello = figures(HELLO, 2, 10);
        assert!(figures("api-health", 6, 20).excesses(&hello).is_empty());
        let excesses = figures("api-health", 8, 21).excesses(&hello);
        assert_eq!(excesses.len(), 4, "{excesses:?}");
        assert_eq!(excesses[2], "api-health: until it asks for work 2.10 x hello, bound 2");
        assert_eq!(figures("events-receive", 6, 17).excesses(&hello).len(), 1);
    }

    #[test]
    fn one_slow_start_does_not_move_the_median() {
        assert_eq!(median([3, 1, 2, 1_000, 2].into_iter()), 2);
    }
}
