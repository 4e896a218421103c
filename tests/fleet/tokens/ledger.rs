//! The books of the token requests: each one was needed, was the only one, and came to a token or failed for a reason.

use std::sync::{Arc, Mutex};

use clock::Millis;

use super::{ContainerId, Timeline};

/// Who was frozen for less than this since it claimed or renewed its lease has no excuse for losing it.
const LONG: Millis = 3_000;

/// What became of the token requests, in all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    /// Requests sent.
    pub(crate) sent: usize,
    /// Requests whose token everybody got.
    pub(crate) published: usize,
    /// Requests that came to nothing because of something that happened to them or to their container.
    pub(crate) excused: usize,
    /// Whatever can't be excused.
    pub(crate) broken: Vec<String>,
}

/// The ledger of one world. Clones share it.
#[derive(Clone)]
pub(crate) struct Ledger {
    timeline: Timeline,
    start: Millis,
    accounts: Arc<Mutex<Accounts>>,
}

#[derive(Default)]
struct Accounts {
    books: Books,
    flights: Vec<Flight>,
    containers: Vec<Record>,
    published: Option<String>,
}

struct Flight {
    container: ContainerId,
    /// Its answer was no token, or it had none.
    failed: bool,
    over: bool,
}

/// What happened to a container.
#[derive(Default)]
struct Record {
    claimed: Millis,
    renewed: Millis,
    frozen: Vec<(Millis, Millis)>,
    /// When a table failed it, or a caller of it gave up.
    troubles: Vec<Millis>,
    crashed: bool,
}

impl Record {
    fn frozen(&self, from: Millis, to: Millis) -> Millis {
        let spans = self.frozen.iter().map(|(start, end)| ((*end).min(to) - (*start).max(from)).max(0));
        spans.sum()
    }

    /// Something happened to it that can cost it its lease.
    fn is_excused(&self, now: Millis) -> bool {
        let troubled = self.troubles.iter().any(|at| *at >= self.claimed);
        self.crashed || troubled || self.frozen(self.renewed, now) >= LONG
    }
}

impl Ledger {
    pub(crate) fn new(timeline: Timeline) -> Self {
        Self { start: timeline.now(), timeline, accounts: Arc::default() }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Accounts, Millis) -> T) -> T {
        let now = self.timeline.now();
        use_it(&mut self.accounts.lock().unwrap(), now)
    }

    /// Something went wrong.
    pub(crate) fn broken(&self, what: String) {
        let after = self.timeline.now() - self.start;
        self.with(|accounts, _| accounts.books.broken.push(format!("after {after} ms {what}")));
    }

    /// The token that everybody has been given.
    pub(crate) fn published_token(&self) -> Option<String> {
        self.with(|accounts, _| accounts.published.clone())
    }

    pub(crate) fn started(&self) {
        self.with(|accounts, _| accounts.containers.push(Record::default()));
    }

    pub(crate) fn claimed(&self, container: ContainerId) {
        self.end(container, false, "claims again");
        self.with(|accounts, now| {
            let record = &mut accounts.containers[container];
            (record.claimed, record.renewed) = (now, now);
        });
    }

    pub(crate) fn renewed(&self, container: ContainerId) {
        self.with(|accounts, now| accounts.containers[container].renewed = now);
    }

    /// A token request leaves its container; `needed` says that the published token does not do.
    pub(crate) fn sent(&self, container: ContainerId, needed: bool) -> usize {
        self.end(container, false, "asks again");
        let overlaps = self.with(|accounts, now| {
            let excused = |flight: &Flight| accounts.containers[flight.container].is_excused(now);
            let open = accounts.flights.iter().filter(|flight| !flight.over && !excused(flight));
            let overlaps = open.map(|flight| flight.container).collect::<Vec<_>>();
            accounts.books.sent += 1;
            accounts.flights.push(Flight { container, failed: false, over: false });
            overlaps
        });
        if !needed {
            self.broken(format!("container {container} asked for a token without need"));
        }
        for other in overlaps {
            self.broken(format!("container {container} asked for a token while container {other} did"));
        }
        self.with(|accounts, _| accounts.flights.len() - 1)
    }

    /// A token request came to no token.
    pub(crate) fn failed(&self, flight: usize) {
        self.with(|accounts, _| accounts.flights[flight].failed = true);
    }

    /// A container has handed its token in, and everybody has it if it was taken.
    pub(crate) fn published(&self, container: ContainerId, token: &str, taken: bool) {
        if taken {
            self.with(|accounts, _| accounts.published = Some(token.to_owned()));
        }
        self.end(container, taken, "could not publish its token");
    }

    /// A container gave its lease back without a token.
    pub(crate) fn released(&self, container: ContainerId) {
        self.end(container, false, "gave its lease back");
    }

    /// A container said that the credentials are refused: because of its own request, or because of a token that was of no use.
    pub(crate) fn refused(&self, container: ContainerId) {
        let failed = |flight: &Flight| flight.container == container && !flight.over && flight.failed;
        if self.with(|accounts, _| accounts.flights.iter().any(failed)) {
            self.end(container, false, "was refused");
        }
    }

    fn end(&self, container: ContainerId, published: bool, why: &str) {
        let excused = self.with(|accounts, now| {
            let mut flights = accounts.flights.iter_mut();
            let flight = flights.find(|flight| flight.container == container && !flight.over)?;
            flight.over = true;
            let excused = flight.failed || accounts.containers[container].is_excused(now);
            match published {
                true => accounts.books.published += 1,
                false => accounts.books.excused += usize::from(excused),
            }
            Some(published || excused)
        });
        if excused == Some(false) {
            self.broken(format!("container {container} {why} and nothing had happened to it"));
        }
    }

    /// A table failed a container, or a caller of it gave up.
    pub(crate) fn troubled(&self, container: ContainerId) {
        self.with(|accounts, now| accounts.containers[container].troubles.push(now));
    }

    pub(crate) fn crashed(&self, container: ContainerId) {
        self.with(|accounts, _| accounts.containers[container].crashed = true);
        self.end(container, false, "crashed");
    }

    pub(crate) fn froze(&self, container: ContainerId, span: Millis) {
        self.with(|accounts, now| accounts.containers[container].frozen.push((now, now + span)));
    }

    /// How long a container has stood still since then.
    pub(crate) fn frozen(&self, container: ContainerId, since: Millis) -> Millis {
        self.with(|accounts, now| accounts.containers[container].frozen(since, now))
    }

    pub(crate) fn close(&self) -> Books {
        let containers = self.with(|accounts, _| accounts.containers.len());
        (0..containers).for_each(|container| self.end(container, false, "left its request open"));
        self.with(|accounts, _| accounts.books.clone())
    }
}
