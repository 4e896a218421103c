//! The books of the token requests: each one was needed, was the only one, and came to a token or failed for a reason.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

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
    /// By the key of the record.
    published: BTreeMap<String, String>,
}

struct Flight {
    key: String,
    container: ContainerId,
    /// Its answer was no token, or it had none.
    failed: bool,
    over: bool,
}

impl Flight {
    /// It is not over, and this container's, with the credentials of this record.
    fn is_of(&self, container: ContainerId, key: Option<&str>) -> bool {
        !self.over && self.container == container && key.is_none_or(|key| self.key == key)
    }
}

/// What happened to a container.
#[derive(Default)]
struct Record {
    /// When its lease of a record was claimed, and when that was last renewed.
    leases: BTreeMap<String, (Millis, Millis)>,
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
    fn is_excused(&self, key: &str, now: Millis) -> bool {
        let (claimed, renewed) = self.leases.get(key).copied().unwrap_or_default();
        let troubled = self.troubles.iter().any(|at| *at >= claimed);
        self.crashed || troubled || self.frozen(renewed, now) >= LONG
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

    /// The token that everybody has been given who has the same credentials.
    pub(crate) fn published_token(&self, key: &str) -> Option<String> {
        self.with(|accounts, _| accounts.published.get(key).cloned())
    }

    pub(crate) fn started(&self) {
        self.with(|accounts, _| accounts.containers.push(Record::default()));
    }

    pub(crate) fn claimed(&self, container: ContainerId, key: &str) {
        self.end(container, Some(key), false, "claims again");
        self.with(|accounts, now| {
            accounts.containers[container].leases.insert(key.to_owned(), (now, now));
        });
    }

    pub(crate) fn renewed(&self, container: ContainerId, key: &str) {
        self.with(|accounts, now| {
            let lease = accounts.containers[container].leases.get_mut(key);
            lease.into_iter().for_each(|(_, renewed)| *renewed = now);
        });
    }

    /// A token request leaves its container; `needed` says that the published token does not do.
    pub(crate) fn sent(&self, container: ContainerId, key: &str, needed: bool) -> usize {
        self.end(container, Some(key), false, "asks again");
        let overlaps = self.with(|accounts, now| {
            let excused = |flight: &Flight| accounts.containers[flight.container].is_excused(key, now);
            let open = accounts.flights.iter().filter(|flight| flight.key == key && !flight.over);
            let open = open.filter(|flight| !excused(flight));
            let overlaps = open.map(|flight| flight.container).collect::<Vec<_>>();
            accounts.books.sent += 1;
            accounts.flights.push(Flight { key: key.to_owned(), container, failed: false, over: false });
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
    pub(crate) fn published(&self, container: ContainerId, key: &str, token: &str, taken: bool) {
        if taken {
            self.with(|accounts, _| accounts.published.insert(key.to_owned(), token.to_owned()));
        }
        self.end(container, Some(key), taken, "could not publish its token");
    }

    /// A container gave its lease back without a token.
    pub(crate) fn released(&self, container: ContainerId, key: &str) {
        self.end(container, Some(key), false, "gave its lease back");
    }

    /// A container said that the credentials are refused: because of its own request, or because of a token that was of no use.
    pub(crate) fn refused(&self, container: ContainerId, key: &str) {
        let failed = |flight: &Flight| flight.is_of(container, Some(key)) && flight.failed;
        if self.with(|accounts, _| accounts.flights.iter().any(failed)) {
            self.end(container, Some(key), false, "was refused");
        }
    }

    fn end(&self, container: ContainerId, key: Option<&str>, published: bool, why: &str) -> bool {
        let excused = self.with(|accounts, now| {
            let flight = accounts.flights.iter_mut().find(|flight| flight.is_of(container, key))?;
            flight.over = true;
            let excused = flight.failed || accounts.containers[container].is_excused(&flight.key, now);
            match published {
                true => accounts.books.published += 1,
                false => accounts.books.excused += usize::from(excused),
            }
            Some(published || excused)
        });
        if excused == Some(false) {
            self.broken(format!("container {container} {why} and nothing had happened to it"));
        }
        excused.is_some()
    }

    /// A table failed a container, or a caller of it gave up.
    pub(crate) fn troubled(&self, container: ContainerId) {
        self.with(|accounts, now| accounts.containers[container].troubles.push(now));
    }

    pub(crate) fn crashed(&self, container: ContainerId) {
        self.with(|accounts, _| accounts.containers[container].crashed = true);
        while self.end(container, None, false, "crashed") {}
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
        for container in 0..containers {
            while self.end(container, None, false, "left its request open") {}
        }
        self.with(|accounts, _| accounts.books.clone())
    }
}
