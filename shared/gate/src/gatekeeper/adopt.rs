//! Buckets that turn out to be one window of RingCentral.

use super::Gate;
use crate::{Bucket, GateError, Slot};

impl Gate {
    /// Counts in one bucket what was granted in another: both turned out to be the same window of RingCentral, such as when the first
    /// token says which user its credential belongs to.
    ///
    /// First `from` is closed with one write: it grants nothing any more, in no process, and whoever asks for it is served from `into`.
    /// Then its grants, its block and what it had learned are added to `into`, with one write. So both together never admit more
    /// than the limit, if those who use `into` have adopted what they used before. It may be called as often as one likes: a
    /// process that knows that it is done asks nobody.
    ///
    /// # Errors
    /// [`GateError::Store`] if one of the windows could not be read or written. Ask again before anything of `into` is used.
    pub async fn adopt(&self, from: &Bucket, into: &Bucket) -> Result<(), GateError> {
        let into = self.resolve(into);
        if *from == into {
            return Ok(());
        }
        let (old, new) = (self.turnstile(from), self.turnstile(&into));
        let closed = old.moved().is_some_and(|identity| identity == into.identity);
        if closed && new.known().adopted.contains(&from.identity) {
            return Ok(());
        }
        old.write(|window| window.close(&into.identity)).await?;
        // With what was corrected since it was closed.
        old.refresh().await?;
        let closed = old.known();
        new.write(|window| window.adopt(&from.identity, &closed)).await
    }

    /// Gives a slot back. Not one of a window that was closed: another of the same instant might be taken for its copy, so it is lost
    /// for one window.
    pub(super) async fn give_back(&self, bucket: &Bucket, slot: Slot, probe: bool) -> Result<(), GateError> {
        if self.resolve(bucket) != *bucket {
            return Ok(());
        }
        self.turnstile(bucket).write(|window| window.release(slot, probe)).await
    }

    /// The bucket that is asked instead of this one, as far as this process knows. Of buckets that were adopted by each other at the
    /// same moment none is asked: each stays closed, and nothing is sent.
    pub(crate) fn resolve(&self, bucket: &Bucket) -> Bucket {
        let mut passed = vec![bucket.clone()];
        let mut last = bucket.clone();
        while let Some(identity) = self.turnstile(&last).moved() {
            last.identity = identity;
            if passed.contains(&last) {
                return bucket.clone();
            }
            passed.push(last.clone());
        }
        last
    }
}
