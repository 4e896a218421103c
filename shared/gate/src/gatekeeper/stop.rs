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
        let (struck, bucket) = (self.names(bucket), &self.resolve(bucket));
        let stop = Learned::stopped(self.clock.now().latest + penalty.max(1));
        let mut concerned = self.concerned(bucket, &struck, scope);
        concerned.insert(bucket.clone());
        for bucket in &concerned {
            self.turnstile(bucket).learn(stop.clone());
        }
        let (mut news, elsewhere) = permit.map(|permit| self.count(bucket, permit)).unwrap_or_default();
        self.turnstile(bucket).learn(news.clone());
        news.add(stop.clone());
        let mut outcomes = vec![self.tell(bucket, &news).await];
        let others = concerned.iter().filter(|other| *other != bucket);
        outcomes.extend(join_all(others.map(|other| self.tell(other, &stop))).await);
        if scope != Scope::Group {
            outcomes.push(self.block_others(&struck, scope, &concerned, &stop).await);
        }
        if let Some((granted, slot, probe)) = elsewhere {
            outcomes.push(self.give_back(&granted, &[(slot, probe)]).await);
        }
        outcomes.into_iter().collect()
    }

    /// Whether this process has met a 429 that is not over at `now`, whatever the store knows of it.
    pub(super) fn is_stopped(&self, bucket: &Bucket, now: Millis) -> bool {
        let asked = self.turnstile(&self.resolve(bucket));
        let until = asked.stopped_until().max(self.turnstile(bucket).stopped_until());
        let stopped = now < until;
        if stopped {
            // The window may have been told under another name, or may have been lost.
            asked.learn(Learned::stopped(until));
        }
        stopped
    }

    /// A bucket under all names that this process knows of it: others may still go by an older one.
    fn names(&self, bucket: &Bucket) -> Vec<Bucket> {
        let last = self.resolve(bucket);
        let older = self.used().into_iter().filter(|used| self.resolve(used).identity == last.identity);
        let adopted = self.turnstile(&last).known().adopted;
        let identities = older.map(|used| used.identity).chain(adopted).chain([bucket.identity.clone()]);
        let names = identities.map(|identity| Bucket { identity, ..last.clone() });
        names.chain([last.clone()]).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The windows that are known here: those of the user, who may never have sent a request of some group, and those this process uses.
    fn concerned(&self, bucket: &Bucket, struck: &[Bucket], scope: Scope) -> BTreeSet<Bucket> {
        if scope == Scope::Group {
            return BTreeSet::new();
        }
        let own = ["light", "medium", "heavy", "auth"].map(Group::named);
        let own = own.map(|group| Bucket { group, ..bucket.clone() });
        let used = self.used().into_iter().filter(|used| covers(scope, struck, used));
        own.into_iter().chain(used).map(|bucket| self.resolve(&bucket)).collect()
    }

    /// Those that others use.
    async fn block_others(
        &self,
        struck: &[Bucket],
        scope: Scope,
        told: &BTreeSet<Bucket>,
        stop: &Learned,
    ) -> Result<(), GateError> {
        let stored = self.store.buckets().await?.into_iter().filter(|other| covers(scope, struck, other));
        let others = stored.map(|other| self.resolve(&other)).filter(|other| !told.contains(other));
        let others = others.collect::<BTreeSet<_>>();
        let others = others.iter().map(|other| async move {
            self.turnstile(other).learn(stop.clone());
            self.tell(other, stop).await
        });
        join_all(others).await.into_iter().collect()
    }

    /// What is to be counted in `bucket` of the request of a permit; if that is not where its slot was granted, where it has to be given
    /// back.
    fn count(&self, bucket: &Bucket, permit: Permit) -> (Learned, Option<(Bucket, Slot, bool)>) {
        let Permit { bucket: granted, slot, probe, priority } = permit;
        let arrived = self.clock.now().latest;
        if self.resolve(&granted) == *bucket {
            let known = self.turnstile(bucket).known();
            let news = Learned::of(&known, slot, arrived, probe, &Notice::default());
            self.learn_late(&granted, bucket, &news);
            return (news, None);
        }
        let sent = Slot { slack: arrived - slot.at, ..slot };
        (Learned::charged(Grant { slot: sent, priority, count: 1 }), Some((granted, slot, probe)))
    }

    /// Writes what was learned of a window.
    async fn tell(&self, bucket: &Bucket, news: &Learned) -> Result<(), GateError> {
        self.change(bucket, news, |_| {}).await
    }
}

/// Whether a 429 that struck a bucket of any of these names concerns the other one.
fn covers(scope: Scope, struck: &[Bucket], other: &Bucket) -> bool {
    struck.iter().any(|name| scope.covers(name, other))
}

#[cfg(test)]
mod tests;
