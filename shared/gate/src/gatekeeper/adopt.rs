//! Buckets that turn out to be one window of RingCentral.

use clock::Millis;

use super::Gate;
use crate::{Bucket, GateError, Slot, Window, learned::Learned};

impl Gate {
    /// Counts in one bucket what was granted in another of the same group: both turned out to be the same window of RingCentral, such as
    /// when the first token says which user its credential belongs to.
    ///
    /// First `from` is closed with one write: it grants nothing any more, in no process. Then its grants, its block and what it had
    /// learned are added to `into`, with one write. Whoever still asks for `from` is served from `into`, once the grants are there. So
    /// both together never admit more than the limit, if everybody who uses `into` has adopted what it could have been
    /// called before. It may be called as often as one likes: a process that knows that it is done asks nobody.
    ///
    /// Names are adopted in one direction: what is known of a credential into what is known of its user.
    ///
    /// # Errors
    /// [`GateError::Store`] if one of the windows could not be read or written. Ask again before anything of `into` is used.
    pub async fn adopt(&self, from: &Bucket, into: &Bucket) -> Result<(), GateError> {
        let into = self.follow(into).await?;
        if *from == into {
            return Ok(());
        }
        let old = self.turnstile(from);
        if old.moved().is_none_or(|identity| identity != into.identity) {
            old.write(|window| window.close(&into.identity)).await?;
        }
        self.hand_over(from, &into).await
    }

    /// The bucket that is asked instead of this one, as far as this process knows. What the closed ones had granted is counted there.
    pub(super) async fn follow(&self, bucket: &Bucket) -> Result<Bucket, GateError> {
        loop {
            let last = self.resolve(bucket);
            let mut from = bucket.clone();
            while from != last {
                self.hand_over(&from, &last).await?;
                let Some(identity) = self.turnstile(&from).moved() else { break };
                from.identity = identity;
            }
            // It may have been closed while the others were handed over.
            if self.resolve(bucket) == last {
                return Ok(last);
            }
        }
    }

    /// Adds to a window what a closed one had granted. Whoever closed it may have died before that.
    async fn hand_over(&self, from: &Bucket, into: &Bucket) -> Result<(), GateError> {
        let (old, new) = (self.turnstile(from), self.turnstile(into));
        // A 429 that this process has met and that could not be written yet.
        if old.stopped_until() > new.stopped_until() {
            new.learn(Learned::stopped(old.stopped_until()));
        }
        if old.is_handed_over(&into.identity) {
            return Ok(());
        }
        if !new.known().adopted.contains(&from.identity) {
            // With what was corrected since it was closed, here and elsewhere.
            old.write(|_| {}).await?;
            old.refresh().await?;
            let closed = old.known();
            new.write(|window| window.adopt(&from.identity, &closed)).await?;
        }
        old.handed_over(&into.identity);
        Ok(())
    }

    /// Notes for a closed window which of its requests were late, too: whoever counts them elsewhere may not have done it yet.
    pub(super) fn learn_late(&self, granted: &Bucket, counted: &Bucket, learned: &Learned) {
        if granted.group == counted.group && granted != counted {
            self.turnstile(granted).learn(learned.late());
        }
    }

    /// Gives slots back, each with whether it was the probe's.
    pub(crate) async fn give_back(&self, bucket: &Bucket, slots: &[(Slot, bool)]) -> Result<(), GateError> {
        let release =
            |window: &mut Window| slots.iter().for_each(|(slot, probe)| window.release(*slot, *probe));
        self.change(bucket, &Learned::default(), release).await
    }

    /// Changes the window of a bucket, or of the one that it has become, which is told the news as well if it was not known to be it.
    pub(super) async fn change(
        &self,
        bucket: &Bucket,
        news: &Learned,
        mut change: impl FnMut(&mut Window),
    ) -> Result<(), GateError> {
        let mut told = self.resolve(bucket);
        loop {
            let asked = self.follow(bucket).await?;
            if asked != told {
                self.turnstile(&asked).learn(news.clone());
                told = asked;
            }
            let mut closed = false;
            let open = |window: &mut Window| {
                closed = window.moved.is_some();
                if !closed {
                    change(window);
                }
            };
            self.turnstile(&told).write(open).await?;
            if !closed || self.resolve(bucket) == told {
                return Ok(());
            }
        }
    }

    /// Looks up a slot that somebody has slept for: until when its request may be sent, `None` if it may not any more.
    pub(super) async fn look(&self, bucket: &Bucket, slot: Slot) -> Result<Option<Millis>, GateError> {
        loop {
            let bucket = self.follow(bucket).await?;
            let stored = self.store.read(&bucket).await?;
            if stored.as_ref().is_none_or(|window| window.moved.is_none()) {
                return Ok(stored.and_then(|window| window.holds(slot)));
            }
            // It was closed meanwhile: its grants are counted elsewhere, each under its own slot.
            self.turnstile(&bucket).refresh().await?;
            if self.resolve(&bucket) == bucket {
                return Ok(None);
            }
        }
    }

    /// The bucket that is asked instead of this one, as far as this process knows. Of buckets that were adopted by each other at the
    /// same moment none is asked: each stays closed, and nothing is sent.
    pub(crate) fn resolve(&self, bucket: &Bucket) -> Bucket {
        let (mut passed, mut last) = (Vec::new(), bucket.clone());
        while let Some(identity) = self.turnstile(&last).moved() {
            passed.push(std::mem::replace(&mut last.identity, identity));
            if passed.contains(&last.identity) {
                return bucket.clone();
            }
        }
        last
    }
}

#[cfg(test)]
mod tests;
