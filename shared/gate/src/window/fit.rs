//! Where one more grant fits into the ring. The only place that knows what makes it exact.

use clock::Millis;

use super::{Slot, Window};

impl Window {
    /// The earliest slot from `wish` on, of its slack, that keeps any `limit + 1` neighbours a span apart.
    pub(super) fn earliest(&self, wish: Slot, limit: u32) -> Slot {
        let mut slot = wish;
        loop {
            let index = self.grants.partition_point(|grant| grant.slot.at <= slot.at);
            // The sequence as it would be with the new grant in its place.
            let with = |i: usize| match i.cmp(&index) {
                std::cmp::Ordering::Less => Some(self.grants[i].slot),
                std::cmp::Ordering::Equal => Some(slot),
                std::cmp::Ordering::Greater => self.grants.get(i - 1).map(|grant| grant.slot),
            };
            // With slack of different sizes, a smaller limit that is kept does not prove that a larger one is.
            let crowd = [limit, self.ours(), self.limit]
                .into_iter()
                .find_map(|limit| self.crowded(with, index, limit));
            let Some(first) = crowd else { return slot };
            slot.at = match with(first) {
                // The crowd begins with an older grant: nothing fits before that one has left the window.
                Some(older) if first < index => older.until() + self.span(),
                // It lies ahead: go behind its first member and look again.
                _ => with(index + 1).map_or(slot.at + 1, |next| next.at.max(slot.at + 1)),
            };
        }
    }

    /// The latest instant at which the request of a promised slot may be sent; `None` if what was corrected since has
    /// closed the gap it was promised, or a block came in between.
    #[must_use]
    pub fn holds(&self, slot: Slot) -> Option<Millis> {
        let index = self.grants.iter().position(|grant| grant.slot == slot)?;
        let apart =
            self.crowded(|i| self.grants.get(i).map(|grant| grant.slot), index, self.ours()).is_none();
        (apart && slot.at >= self.blocked_until).then(|| self.latest(slot))
    }

    /// The latest instant at which the request of a slot may be sent.
    pub(super) fn latest(&self, slot: Slot) -> Millis {
        slot.until() + self.pad / 2
    }

    /// How many requests of an interactive caller may be sent at `now`, one after the other without a wait.
    #[must_use]
    pub fn remaining(&self, now: Millis) -> u32 {
        if self.blocked_until > now {
            return 0;
        }
        let near = |slot: &Slot| slot.until() > now - self.span() && slot.at < now + self.span();
        let slots: Vec<Slot> = self.grants.iter().map(|grant| grant.slot).filter(near).collect();
        // The fullest window that `now` would be part of; each begins with a grant up to now, or with now itself.
        let starts = slots.iter().copied().filter(|slot| slot.at <= now).chain([Slot { at: now, slack: 0 }]);
        let inside = |start: Slot| {
            slots.iter().filter(|slot| slot.at >= start.at && slot.at < start.until() + self.span()).count()
        };
        let fullest = starts.map(inside).max().unwrap_or(0);
        self.ours().saturating_sub(u32::try_from(fullest).unwrap_or(u32::MAX))
    }

    /// The first of `limit + 1` neighbours around `index` that are less than a span apart; of several crowds the last.
    fn crowded(&self, at: impl Fn(usize) -> Option<Slot>, index: usize, limit: u32) -> Option<usize> {
        let limit = limit.max(1) as usize;
        (index.saturating_sub(limit)..=index).find(|first| {
            at(first + limit)
                .zip(at(*first))
                .is_some_and(|(last, first)| last.at < first.until() + self.span())
        })
    }
}
