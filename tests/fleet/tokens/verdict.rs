//! What a world came to, and whether the session kept its promises.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use clock::Millis;

use super::{
    Event, Journal, Scenario,
    ledger::{Books, Ledger},
    platform::{LIMIT, Platform, WINDOW},
};
use crate::world::densest;

/// A caller has its token or an error after this long at the latest: a call's budget is a second more.
const WAIT: Millis = 24_000;
/// How long credentials rest whose tokens are of no use.
const REST: Millis = 15 * 60_000;

/// What callers got. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Callers>>);

/// How callers fared, in all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callers {
    pub(crate) served: usize,
    pub(crate) failed: BTreeMap<&'static str, usize>,
    /// When the last one failed.
    pub(crate) failed_last: Option<Millis>,
    pub(crate) crashed: usize,
    pub(crate) longest: Millis,
}

impl Tally {
    pub(crate) fn served(&self) {
        self.0.lock().unwrap().served += 1;
    }

    pub(crate) fn failed(&self, why: &'static str, at: Millis) {
        let mut callers = self.0.lock().unwrap();
        *callers.failed.entry(why).or_default() += 1;
        callers.failed_last = callers.failed_last.max(Some(at));
    }

    pub(crate) fn crashed(&self, callers: usize) {
        self.0.lock().unwrap().crashed += callers;
    }

    pub(crate) fn waited(&self, span: Millis) {
        let mut callers = self.0.lock().unwrap();
        callers.longest = callers.longest.max(span);
    }
}

/// The end of one world.
pub(crate) struct Verdict {
    /// Promises that were broken; none in a good world.
    pub(crate) broken: Vec<String>,
    pub(crate) books: Books,
    pub(crate) callers: Callers,
    /// When the last caller failed, counted from the start.
    pub(crate) last_failure: Option<Millis>,
    /// When token requests arrived, and how they were answered.
    pub(crate) arrivals: Vec<(Millis, u16)>,
    pub(crate) journal: Journal<Event>,
}

impl Verdict {
    pub(crate) fn of(
        scenario: &Scenario,
        platform: &Platform,
        ledger: &Ledger,
        tally: &Tally,
        journal: Journal<Event>,
        ended: Result<(), String>,
    ) -> Self {
        let (books, arrivals, callers) =
            (ledger.close(), platform.arrivals(), tally.0.lock().unwrap().clone());
        let mut broken = books.broken.clone();
        broken.extend(ended.err());
        let instants = arrivals.iter().map(|arrival| arrival.0).collect::<Vec<_>>();
        let busiest = densest(&instants, WINDOW);
        if busiest > LIMIT {
            broken.push(format!("{busiest} token requests in one window of {LIMIT}"));
        }
        if callers.longest > WAIT {
            broken.push(format!("a caller waited for {} ms", callers.longest));
        }
        let with = |status| arrivals.iter().filter(|arrival| arrival.1 == status).count();
        if with(429) > 0 {
            broken.push(format!("{} answers were 429", with(429)));
        }
        // One, and one more for each whose refusal nobody was told of.
        if with(400) > 1 + books.excused {
            broken.push(format!("{} requests with refused credentials", with(400)));
        }
        let refused = with(400) + with(401) + with(403);
        if scenario.is_calm() && books.sent != books.published + refused {
            broken.push(format!("{} requests for {} tokens", books.sent, books.published));
        }
        let sound =
            scenario.refused_from.is_none() && scenario.poisoned_from.is_none() && !scenario.is_troubled();
        if scenario.is_calm() && sound && !callers.failed.is_empty() {
            broken.push(format!("callers failed for no reason: {:?}", callers.failed));
        }
        let useless = densest(&platform.poisoned(), REST);
        // Each caller needs three of them to be sure, and whoever fails for another reason begins again.
        if useless > 2 * LIMIT + books.excused {
            broken.push(format!("{useless} requests for tokens of no use in a quarter of an hour"));
        }
        let last_failure = callers.failed_last.map(|at| at - platform.start);
        Self { broken, books, callers, last_failure, arrivals, journal }
    }
}
