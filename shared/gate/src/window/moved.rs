//! A window that turns out to be another one: RingCentral counts by app and user, and the user may be known only after the first
//! requests.

use crate::Cause;

use super::Window;

/// So many windows are remembered that were adopted last: by then nothing of the others is in the ring any more.
const ADOPTED: usize = 4;

impl Window {
    /// Grants nothing any more, for good: what is asked of it is asked of the window of this identity.
    pub fn close(&mut self, identity: &str) {
        if self.moved.as_deref() != Some(identity) {
            self.moved = Some(identity.to_owned());
        }
    }

    /// Counts what the closed window of this identity had granted, once.
    pub fn adopt(&mut self, identity: &str, closed: &Self) {
        // A 429 that was told to the closed window may come after the rest.
        if closed.blocked_until > self.blocked_until {
            self.block(closed.blocked_until, closed.cause.unwrap_or(Cause::Penalty));
        }
        if self.adopted.iter().any(|known| known == identity) {
            return;
        }
        self.learn(closed.limit, closed.length, closed.learned);
        for grant in &closed.grants {
            // As it was granted, because its holder will name it so.
            let place = self.grants.partition_point(|known| known.slot.at <= grant.slot.at);
            self.grants.insert(place, *grant);
        }
        self.adopt_pad(closed);
        self.adopt_foreign(closed);
        self.interactive_seen = self.interactive_seen.max(closed.interactive_seen);
        self.adopted.push(identity.to_owned());
        if self.adopted.len() > ADOPTED {
            self.adopted.remove(0);
        }
    }
}
