//! What a world came to, and whether it kept its promises.

use clock::Millis;

use super::{ContainerId, Journal, Ledger, Platform, Scenario, Store, ledger::Books, store::Counts};

/// The end of one world.
pub(crate) struct Verdict {
    /// Promises that were broken; none in a good world.
    pub(crate) broken: Vec<String>,
    /// The most requests that arrived in any one window.
    pub(crate) densest: usize,
    /// When requests arrived, and which of these instants were answered 429.
    pub(crate) arrivals: Vec<Millis>,
    pub(crate) throttled: Vec<Millis>,
    /// Whose requests were answered well, and when.
    pub(crate) served: Vec<(ContainerId, Millis)>,
    /// How long interactive callers waited among batch, shortest first.
    pub(crate) waits: Vec<Millis>,
    /// The share of what the window allows that was used.
    pub(crate) utilisation: f64,
    pub(crate) counts: Counts,
    pub(crate) books: Books,
    pub(crate) journal: Journal,
}

impl Verdict {
    pub(crate) fn of(
        scenario: &Scenario,
        platform: &Platform,
        store: &Store,
        ledger: &Ledger,
        journal: Journal,
        ended: Result<(), String>,
    ) -> Self {
        let (arrivals, books) = (platform.arrivals(), ledger.close());
        let (densest, throttled) = (densest(&arrivals, scenario.window), platform.throttled());
        let mut broken = Vec::new();
        if densest > scenario.most() as usize && scenario.keeps_its_limit() {
            broken.push(format!("{densest} arrivals in one window of {}", scenario.most()));
        }
        let disobeyed = platform.disobediences().len();
        if disobeyed > 0 {
            broken.push(format!("{disobeyed} requests were sent by containers that had heard of a 429"));
        }
        if !throttled.is_empty() && scenario.is_clean() {
            broken.push(format!("{} answers were 429", throttled.len()));
        }
        if books.lost > books.excused {
            broken.push(format!("{} slots were lost and only {} can be excused", books.lost, books.excused));
        }
        broken.extend(ended.err());
        let windows = scenario.duration as f64 / scenario.window as f64;
        let utilisation = arrivals.len() as f64 / (windows * f64::from(scenario.limit));
        let (waits, counts, served) = (platform.waits(), store.counts(), platform.served());
        Self { broken, densest, arrivals, throttled, served, waits, utilisation, counts, books, journal }
    }

    /// Conditional writes for each request, those that lost their race among them.
    pub(crate) fn writes_per_request(&self) -> f64 {
        self.counts.writes as f64 / self.arrivals.len().max(1) as f64
    }
}

/// The most arrivals in any `(a - window, a]`, counted without the platform's own log.
pub(crate) fn densest(arrivals: &[Millis], window: Millis) -> usize {
    let (mut first, mut densest) = (0, 0);
    for (last, arrival) in arrivals.iter().enumerate() {
        while arrivals[first] <= arrival - window {
            first += 1;
        }
        densest = densest.max(last + 1 - first);
    }
    densest
}
