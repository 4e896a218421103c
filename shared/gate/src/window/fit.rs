//! Where one more grant fits into the ring. The only place that knows what makes it exact.

use clock::Millis;

use super::{Slot, Window};

/// A slot, and how many requests share it.
type Run = (Slot, u32);

impl Window {
    /// The earliest slot from `wish` on, of its slack, that keeps any `limit + 1` neighbours a span apart.
    pub(super) fn earliest(&self, wish: Slot, limit: u32) -> Slot {
        let mut slot = wish;
        loop {
            let place = self.grants.partition_point(|grant| grant.slot.at <= slot.at);
            // The sequence as it would be with the new grant in its place.
            let with = |i: usize| match i.cmp(&place) {
                std::cmp::Ordering::Less => self.run(i),
                std::cmp::Ordering::Equal => Some((slot, 1)),
                std::cmp::Ordering::Greater => self.run(i - 1),
            };
            let before = self.before(place);
            // With slack of different sizes, a smaller limit that is kept does not prove that a larger one is.
            let crowd = [limit, self.ours(), self.limit]
                .into_iter()
                .find_map(|limit| self.crowded(with, place, before, limit));
            let Some(first) = crowd else { return slot };
            let next = match with(first) {
                // The crowd begins with an older grant: nothing fits before that one has left the window.
                Some((older, _)) if first < place => self.leaves(older),
                // It lies ahead: go behind its first member and look again.
                _ => with(place + 1).map_or(slot.at + 1, |(next, _)| next.at.max(slot.at + 1)),
            };
            slot.at = self.on_grain(next);
        }
    }

    /// The latest instant at which the request of a promised slot may be sent; `None` if what was corrected since has
    /// closed the gap it was promised, or a block came in between, or the window was closed.
    #[must_use]
    pub fn holds(&self, slot: Slot) -> Option<Millis> {
        let place = self.grants.iter().position(|grant| grant.slot == slot)?;
        let apart = self.crowded(|i| self.run(i), place, self.before(place), self.ours()).is_none();
        (apart && slot.at >= self.blocked_until && self.moved.is_none()).then(|| self.latest(slot))
    }

    /// The latest instant at which the request of a slot may be sent.
    pub(super) fn latest(&self, slot: Slot) -> Millis {
        slot.until() + self.pad_of(slot) / 2
    }

    /// How many requests of an interactive caller may be sent at `now`, one after the other without a wait.
    #[must_use]
    pub fn remaining(&self, now: Millis) -> u32 {
        if self.blocked_until > now || self.moved.is_some() {
            return 0;
        }
        let next = self.grained(Slot { at: now, slack: 0 });
        let near = |(slot, _): &Run| self.leaves(*slot) > next.at && slot.at < self.leaves(next);
        let runs: Vec<Run> = (0..self.grants.len()).filter_map(|i| self.run(i)).filter(near).collect();
        // The fullest window that `now` would be part of; each begins with a grant up to now, or with now itself.
        let starts = runs.iter().map(|(slot, _)| *slot).filter(|slot| slot.at <= next.at).chain([next]);
        let inside = |start: Slot| -> u64 {
            let inside = |(slot, _): &&Run| slot.at >= start.at && slot.at < self.leaves(start);
            runs.iter().filter(inside).map(|(_, count)| u64::from(*count)).sum()
        };
        let fullest = starts.map(inside).max().unwrap_or(0);
        self.ours().saturating_sub(u32::try_from(fullest).unwrap_or(u32::MAX))
    }

    fn run(&self, i: usize) -> Option<Run> {
        self.grants.get(i).map(|grant| (grant.slot, grant.count))
    }

    /// How many requests were granted before this place of the ring.
    fn before(&self, place: usize) -> u64 {
        self.grants[..place].iter().map(|grant| u64::from(grant.count)).sum()
    }

    /// Where the first of `limit + 1` neighbours is that are less than a span apart, among those that the first request at `place`
    /// belongs to, which has so many `before` it; of several crowds the first.
    fn crowded(
        &self,
        at: impl Fn(usize) -> Option<Run>,
        place: usize,
        before: u64,
        limit: u32,
    ) -> Option<usize> {
        let limit = u64::from(limit.max(1));
        let lowest = before.saturating_sub(limit);
        // The requests of one run are alike: the first one that matters stands for all of them.
        let (mut first, mut start) = (place, before);
        while start > lowest {
            first -= 1;
            start -= u64::from(at(first)?.1);
        }
        let (mut last, mut end) = (first, start + u64::from(at(first)?.1));
        while first <= place {
            while start.max(lowest) + limit >= end {
                last += 1;
                end += u64::from(at(last)?.1);
            }
            let ((earlier, count), (later, _)) = (at(first)?, at(last)?);
            if later.at < self.leaves(earlier) {
                return Some(first);
            }
            start += u64::from(count);
            first += 1;
        }
        None
    }
}
