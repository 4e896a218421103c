//! The books of the slots: each one that was taken has been used, moved, given back, or lost for a reason.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use clock::Millis;

/// What became of slots and requests, in all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Books {
    /// Slots written to the store.
    pub(crate) taken: u64,
    /// Requests sent.
    pub(crate) used: u64,
    /// Slots taken out of the store before their time.
    pub(crate) given_back: u64,
    /// Slots nobody used or gave back.
    pub(crate) lost: u64,
    /// How many slots crashes, failures of the store and callers that gave up can have cost.
    pub(crate) excused: u64,
}

/// The ledger of one world. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Accounts>>);

#[derive(Default)]
struct Accounts {
    books: Books,
    /// Of each instant, the slots that nobody has accounted for yet.
    open: BTreeMap<Millis, i64>,
}

impl Ledger {
    /// The stored grants changed: what came is taken, what went is given back. Returns how many, of which instants.
    /// What went and was granted before `over` has had its time.
    pub(crate) fn rewritten(&self, before: &[Millis], after: &[Millis], over: Millis) -> Vec<(Millis, i64)> {
        let mut accounts = self.0.lock().unwrap();
        let mut changes = BTreeMap::<Millis, i64>::new();
        after.iter().for_each(|at| *changes.entry(*at).or_default() += 1);
        before.iter().for_each(|at| *changes.entry(*at).or_default() -= 1);
        changes.retain(|at, change| *change > 0 || (*change < 0 && *at >= over));
        for (at, change) in &changes {
            match *change > 0 {
                true => accounts.books.taken += change.unsigned_abs(),
                false => accounts.books.given_back += change.unsigned_abs(),
            }
            *accounts.open.entry(*at).or_default() += change;
        }
        changes.into_iter().collect()
    }

    /// A request was sent on the slot of this instant.
    pub(crate) fn used(&self, granted: Millis) {
        let mut accounts = self.0.lock().unwrap();
        accounts.books.used += 1;
        *accounts.open.entry(granted).or_default() -= 1;
    }

    /// Something happened that can cost this many slots.
    pub(crate) fn excuse(&self, slots: usize) {
        self.0.lock().unwrap().books.excused += slots as u64;
    }

    pub(crate) fn close(&self) -> Books {
        let accounts = self.0.lock().unwrap();
        let lost = accounts.open.values().filter(|open| **open > 0).sum::<i64>().unsigned_abs();
        Books { lost, ..accounts.books }
    }
}
