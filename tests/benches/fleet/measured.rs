//! The figures of one scenario, worked out of what was counted and reported.

use clock::Millis;
use gate::Priority;

use crate::{options::Options, platform::Counts, run::WINDOW, scenario::Scenario, worker::Line};

/// What came out of a scenario.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) scenario: &'static Scenario,
    /// The stretches in which the limit was the same.
    pub(crate) phases: Vec<Phase>,
    /// What the processes reported.
    pub(crate) lines: Vec<Line>,
    /// When the scenario's event happened.
    pub(crate) happened: Option<Millis>,
    /// Writes of the window that succeeded.
    pub(crate) written: u64,
    /// Processes that ended as they should not.
    pub(crate) failures: Vec<String>,
}

/// A stretch of time with one limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) limit: u32,
    pub(crate) from: Counts,
    pub(crate) to: Counts,
}

impl Phase {
    /// How many requests the windows of this stretch had room for.
    fn room(&self, options: &Options) -> f64 {
        let windows = (self.to.at - self.from.at) as f64 / options.real(WINDOW).as_millis() as f64;
        windows * f64::from(self.limit)
    }

    fn accepted(&self) -> u64 {
        self.to.accepted - self.from.accepted
    }
}

/// How long callers of one priority waited, simulated seconds, from asking for the first time to the answer.
#[derive(Debug)]
pub(crate) struct Waits {
    pub(crate) priority: Priority,
    /// Of those that were served, in order.
    pub(crate) served: Vec<f64>,
    /// Of those that were not, in order.
    pub(crate) waiting: Vec<f64>,
    /// Calls of the client for one answer.
    pub(crate) calls: f64,
}

impl Waits {
    /// The wait that this share of those served did not exceed.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let rank = (self.served.len() as f64 * share).ceil() as usize;
        self.served.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
    }
}

impl Measured {
    /// Requests that arrived at RingCentral from the fleet.
    pub(crate) fn requests(&self) -> u64 {
        let (from, to) = self.ends();
        (to.accepted + to.rejected - from.accepted - from.rejected).saturating_sub(self.outside(|_| true))
    }

    /// Accepted requests, as a share of what the windows had room for.
    pub(crate) fn used(&self, options: &Options) -> f64 {
        let accepted: u64 = self.phases.iter().map(Phase::accepted).sum();
        accepted as f64 / self.phases.iter().map(|phase| phase.room(options)).sum::<f64>()
    }

    /// The same for each phase.
    pub(crate) fn used_by_phase(&self, options: &Options) -> Vec<(u32, f64)> {
        let used = |phase: &Phase| (phase.limit, phase.accepted() as f64 / phase.room(options));
        self.phases.iter().map(used).collect()
    }

    /// The pace of the fleet as a share of the limit: how long a whole number of full windows took from its first answer on,
    /// so that neither the first burst nor the last counts for more than it is. Only where the limit stays and is ours alone.
    pub(crate) fn pace(&self, options: &Options) -> Option<f64> {
        let (limit, times) = (self.scenario.bucket.limit as usize, self.answered());
        if self.phases.len() > 1 || self.outside(|_| true) > 0 || times.len() <= limit {
            return None;
        }
        let full = (times.len() - 1) / limit;
        let took = times[full * limit] - times[0];
        Some(full as f64 * options.real(WINDOW).as_millis() as f64 / took as f64)
    }

    /// 429s that the fleet got and that were not planned.
    pub(crate) fn rejected(&self) -> u64 {
        let (from, to) = self.ends();
        (to.rejected - from.rejected).saturating_sub(self.outside(|status| status == 429))
    }

    /// The most requests in any window.
    pub(crate) fn largest(&self) -> u64 {
        self.ends().1.largest
    }

    /// Requests to the store that write, for each request to RingCentral; those of them whose condition failed; reads.
    pub(crate) fn store(&self) -> (f64, f64, f64) {
        let ((from, to), requests) = (self.ends(), self.requests().max(1) as f64);
        let writes = to.writes - from.writes;
        let lost = writes.saturating_sub(self.written);
        (writes as f64 / requests, lost as f64 / requests, (to.reads - from.reads) as f64 / requests)
    }

    /// Answers of another tool.
    pub(crate) fn outside(&self, wanted: impl Fn(u16) -> bool) -> u64 {
        let outside = |line: &&Line| matches!(line, Line::Outside { status } if wanted(*status));
        self.lines.iter().filter(outside).count() as u64
    }

    /// What went wrong in another way than by a rate limit, each kind once.
    pub(crate) fn errors(&self) -> Vec<(&str, usize)> {
        let mut errors: Vec<(&str, usize)> = Vec::new();
        for line in &self.lines {
            let Line::Failed(text) = line else { continue };
            match errors.iter_mut().find(|(known, _)| known == text) {
                Some((_, count)) => *count += 1,
                None => errors.push((text, 1)),
            }
        }
        errors
    }

    /// The waits, by priority.
    pub(crate) fn waits(&self, options: &Options) -> Vec<Waits> {
        let simulated = |millis: Millis| millis as f64 * options.clock / 1_000.0;
        let end = self.ends().1.at;
        let of = |wanted: Priority| {
            let (mut served, mut waiting, mut all) = (Vec::new(), Vec::new(), 0);
            for line in &self.lines {
                match *line {
                    Line::Served { priority, asked, answered, calls } if priority == wanted => {
                        served.push(simulated(answered - asked));
                        all += calls;
                    }
                    Line::Waiting { priority, asked } if priority == wanted => {
                        waiting.push(simulated((end - asked).max(0)));
                    }
                    _ => {}
                }
            }
            served.sort_by(f64::total_cmp);
            waiting.sort_by(f64::total_cmp);
            let calls = f64::from(all) / served.len().max(1) as f64;
            Waits { priority: wanted, served, waiting, calls }
        };
        let all = [Priority::Interactive, Priority::Event, Priority::Batch].map(of);
        all.into_iter().filter(|waits| !waits.served.is_empty() || !waits.waiting.is_empty()).collect()
    }

    /// How long after an instant the first and the last of so many requests were answered, simulated seconds.
    pub(crate) fn recovery(&self, from: Millis, count: u32, options: &Options) -> Option<(f64, f64)> {
        let mut after = self.answered();
        after.retain(|at| *at > from);
        let simulated = |at: Millis| (at - from) as f64 * options.clock / 1_000.0;
        Some((simulated(*after.first()?), simulated(*after.get(count.max(1) as usize - 1)?)))
    }

    /// When the fleet's requests were answered, in order.
    fn answered(&self) -> Vec<Millis> {
        let answered = |line: &Line| match line {
            Line::Served { answered, .. } => Some(*answered),
            _ => None,
        };
        let mut times: Vec<_> = self.lines.iter().filter_map(answered).collect();
        times.sort_unstable();
        times
    }

    fn ends(&self) -> (Counts, Counts) {
        // There is always one phase.
        (self.phases[0].from, self.phases[self.phases.len() - 1].to)
    }
}
