//! What one process knows of a window, and how crowded it finds it.

use clock::Millis;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::{Cause, Group, Priority, Window};

/// A lost race counts as much as so many won ones: about one write in so many is lost, however many containers compete.
const LOST: u32 = 12;
/// Whoever loses a race where nobody was expected has met a crowd that woke at the same time.
const SURPRISED: u32 = 48;
/// So many more of them double the pauses.
const DOUBLED_BY: u32 = 8;
/// Pauses grow up to two to this power of round trips.
const STEEPEST: u32 = 7;

/// A refusal is not rested on what was known longer ago than this (ms).
const STALE: Millis = 3_000;

/// The known window. Instants are those of the clock here.
pub(crate) struct State {
    pub(crate) window: Window,
    dice: Xoshiro256PlusPlus,
    /// Whether the window was read or written at all.
    known: bool,
    /// From then until then nobody else has written.
    quiet: (Millis, Millis),
    /// Lost races, less those that were won since.
    crowd: u32,
    /// How long the store took to answer last (ms).
    round_trip: Millis,
    /// When the caller will be back that was sent away last.
    meeting: Millis,
}

impl State {
    pub(crate) fn new(group: &Group, seed: u64) -> Self {
        let dice = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self {
            window: Window::unused(group),
            dice,
            known: false,
            quiet: (0, 0),
            crowd: 0,
            round_trip: 0,
            meeting: 0,
        }
    }

    /// Takes over the stored window.
    pub(crate) fn take(&mut self, stored: Window, asked: Millis, answered: Millis) {
        if !self.known {
            self.quiet.0 = stored.grants.last().map_or(0, |newest| newest.slot.until());
        } else if stored.version != self.window.version {
            self.quiet.0 = answered;
        }
        self.quiet.1 = answered;
        // A store on the same machine answers within the millisecond, which is no reason not to step aside.
        // Whoever was slow a moment ago will be slow again.
        self.round_trip = (answered - asked).max(self.round_trip * 7 / 8).max(1);
        (self.window, self.known) = (stored, true);
    }

    /// The window is what was written.
    pub(crate) fn won(&mut self, written: Window, answered: Millis) {
        (self.window, self.quiet.1) = (written, answered);
        self.crowd = self.crowd.saturating_sub(1);
    }

    /// Somebody else has written first.
    pub(crate) fn lost_to(&mut self, newer: Window, asked: Millis, answered: Millis) {
        let lost = if self.is_alone() { SURPRISED } else { self.crowd + LOST };
        self.crowd = lost.min(STEEPEST * DOUBLED_BY);
        self.take(newer, asked, answered);
    }

    /// Whether the window was read or written at all.
    pub(crate) fn is_known(&self) -> bool {
        self.known
    }

    /// Whether others may have written since, for all that is known.
    pub(crate) fn is_stale(&self, now: Millis) -> bool {
        now - self.quiet.1 > STALE
    }

    /// Nobody else wrote in a whole window, so what is known is probably the newest. Whoever is not alone reads before it
    /// writes: a lost write costs five reads.
    pub(crate) fn is_alone(&self) -> bool {
        self.known && self.quiet.1 - self.quiet.0 > self.window.length
    }

    /// When a refused caller should be back for a slot that opens at `at`.
    pub(crate) fn back_at(&mut self, at: Millis, cause: Cause, priority: Priority) -> Millis {
        let latest = at + self.spread(cause, priority);
        if !(at..=latest).contains(&self.meeting) {
            self.meeting = self.dice.random_range(at..=latest);
        }
        self.meeting
    }

    /// Over how long refused callers are spread (ms), so that they do not all come at once when a slot opens: the longer, the more of
    /// the window is taken by those who go before them or beside them.
    fn spread(&self, cause: Cause, priority: Priority) -> Millis {
        let window = &self.window;
        let longest = match cause {
            _ if self.is_alone() => return 0,
            Cause::Window if self.crowd > 0 => window.span() / 5,
            Cause::Window => window.span() / 10,
            Cause::Penalty | Cause::Breaker => return window.span() / 120,
        };
        let rivals = window.count(|grant| grant.priority <= priority);
        longest * Millis::from(rivals) / Millis::from(window.count(|_| true).max(1))
    }

    /// A name for a write.
    pub(crate) fn mark(&mut self) -> u32 {
        self.dice.random()
    }

    /// How long to wait before the next race (ms): nothing where none was lost lately, and never more than a 15th of the window.
    /// Whoever has less patience `left` (ms) waits a 120th of the window all the same, or it would meet the others again.
    pub(crate) fn pause(&mut self, left: Millis) -> Millis {
        let longest = (self.round_trip << self.crowd.div_ceil(DOUBLED_BY)) - self.round_trip;
        let patience = left.clamp(self.window.length / 60, self.window.length / 15);
        self.dice.random_range(0..=longest.clamp(0, patience))
    }
}
