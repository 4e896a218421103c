//! The coarser log of a large limit.
//!
//! A window of more than a thousand requests is not kept request by request. Its instants are those of a grain, a 120th of the
//! window: a slot begins with its grain and claims the whole of it, and requests whose slots are alike are one entry with a count.
//! The item is as long as the window has grains, some 140, however many requests it counts. An entry is as early as its
//! earliest request where it follows others, and as late as its latest where others follow it, so it never admits too much; it costs up to
//! two grains of the window where that is full.

use clock::Millis;

use super::{Grant, Slot, Window};

/// Larger limits than this are kept by the grain.
pub(super) const FINE: u32 = 1_000;

impl Window {
    /// The grain (ms), if the limit is a large one.
    fn grain(&self) -> Option<Millis> {
        (self.limit > FINE).then(|| (self.length / 120).max(1))
    }

    /// The slot that is kept of this one: it covers it.
    pub(super) fn grained(&self, slot: Slot) -> Slot {
        let Some(grain) = self.grain() else { return slot };
        let at = slot.at - slot.at.rem_euclid(grain);
        let slack =
            grain * (1 + slot.slack.max(0).unsigned_abs().div_ceil(grain.unsigned_abs()).cast_signed());
        // Nothing may be sent before the end of a block.
        if at < self.blocked_until { Slot { at: self.on_grain(slot.at), slack } } else { Slot { at, slack } }
    }

    /// The beginning of the next grain, if the limit is a large one.
    pub(super) fn on_grain(&self, at: Millis) -> Millis {
        self.grain().map_or(at, |grain| at + (-at).rem_euclid(grain))
    }

    /// Puts a grant into its place.
    pub(super) fn put(&mut self, grant: Grant) {
        let place = self.grants.partition_point(|known| known.slot.at <= grant.slot.at);
        if self.grain().is_some() {
            let beside =
                self.grants[..place].iter_mut().rev().take_while(|known| known.slot.at == grant.slot.at);
            let mut alike =
                beside.filter(|known| known.slot == grant.slot && known.priority == grant.priority);
            if let Some(known) = alike.next() {
                known.count = known.count.saturating_add(grant.count);
                return;
            }
        }
        self.grants.insert(place, grant);
    }

    /// Takes one request of this slot out.
    pub(super) fn take_out(&mut self, slot: Slot) -> Option<Grant> {
        let place = self.grants.iter().position(|grant| grant.slot == slot)?;
        let one = Grant { count: 1, ..self.grants[place] };
        match self.grants[place].count.checked_sub(1) {
            Some(left) if left > 0 => self.grants[place].count = left,
            _ => drop(self.grants.remove(place)),
        }
        Some(one)
    }
}
