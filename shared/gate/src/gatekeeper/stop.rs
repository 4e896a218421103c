//! A 429 that is not about one user's window, and whom it stops.

use std::collections::BTreeSet;

use clock::Millis;
use futures::future::join_all;

use super::{Gate, Notice, Outcome, Permit};
use crate::{Bucket, GateError, Grant, Group, Scope, Slot, learned::Learned};

impl Gate {
    /// Stops everybody whom a 429 concerns for `penalty` (ms), and settles the permit of the request that met it, if it had one.
    /// `bucket` is where RingCentral counted that request.
    ///
    /// This process keeps to it from now on, whatever becomes of the writes: first the window of the request, then those of the same
    /// user, then all others that the scope covers. One that fails does not keep the rest from being tried.
    ///
    /// # Errors
    /// The first [`GateError::Store`], if something could not be read or written.
    pub async fn block(
        &self,
        bucket: &Bucket,
        permit: Option<Permit>,
        scope: Scope,
        penalty: Millis,
    ) -> Result<(), GateError> {
        if scope == Scope::Call {
            let answered = Notice { outcome: Outcome::Answered, ..Notice::default() };
            return match permit {
                Some(permit) => self.settle_in(&bucket.group, permit, answered).await,
                None => Ok(()),
            };
        }
        let bucket = &self.resolve(bucket);
        let until = self.clock.now().latest + penalty.max(1);
        let mut concerned = self.concerned(bucket, scope);
        concerned.insert(bucket.clone());
        for bucket in &concerned {
            self.turnstile(bucket).learn(Learned::stopped(until));
        }
        let elsewhere = permit.and_then(|permit| self.count(bucket, permit));
        let mut outcomes = vec![self.tell(bucket).await];
        concerned.remove(bucket);
        outcomes.extend(join_all(concerned.iter().map(|other| self.tell(other))).await);
        if scope != Scope::Group {
            outcomes.push(self.block_others(bucket, scope, &concerned, until).await);
        }
        if let Some((granted, slot, probe)) = elsewhere {
            outcomes.push(self.give_back(&granted, slot, probe).await);
        }
        outcomes.into_iter().collect()
    }

    /// The windows that are known here: those of the user, who may never have sent a request of some group, and those this process uses.
    fn concerned(&self, struck: &Bucket, scope: Scope) -> BTreeSet<Bucket> {
        if scope == Scope::Group {
            return BTreeSet::new();
        }
        let own = ["light", "medium", "heavy", "auth"].map(Group::named);
        let own = own.map(|group| Bucket { group, ..struck.clone() });
        let used = self.used().into_iter().filter(|used| scope.covers(struck, used));
        own.into_iter().chain(used).collect()
    }

    /// Those that others use.
    async fn block_others(
        &self,
        struck: &Bucket,
        scope: Scope,
        told: &BTreeSet<Bucket>,
        until: Millis,
    ) -> Result<(), GateError> {
        let stored = self.store.buckets().await?;
        let others = stored.into_iter().filter(|other| scope.covers(struck, other) && other != struck);
        let others = others.filter(|other| !told.contains(other)).map(|other| async move {
            self.turnstile(&other).learn(Learned::stopped(until));
            self.tell(&other).await
        });
        join_all(others).await.into_iter().collect()
    }

    /// Counts the request of a permit in `bucket`, with the next write; if that is not where its slot was granted, says where it has to
    /// be given back.
    fn count(&self, bucket: &Bucket, permit: Permit) -> Option<(Bucket, Slot, bool)> {
        let Permit { bucket: granted, slot, probe, priority } = permit;
        let (turnstile, arrived) = (self.turnstile(bucket), self.clock.now().latest);
        if self.resolve(&granted) == *bucket {
            turnstile.learn(Learned::of(&turnstile.known(), slot, arrived, probe, &Notice::default()));
            return None;
        }
        let sent = Slot { slack: arrived - slot.at, ..slot };
        turnstile.learn(Learned::charged(Grant { slot: sent, priority, count: 1 }));
        Some((granted, slot, probe))
    }

    /// Writes what was learned of a window.
    async fn tell(&self, bucket: &Bucket) -> Result<(), GateError> {
        self.turnstile(bucket).write(|_| {}).await
    }
}

#[cfg(test)]
mod tests;
