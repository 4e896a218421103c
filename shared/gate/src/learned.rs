//! What answers have said and no write has carried yet.

use clock::Millis;

use crate::{Notice, Outcome, Slot, Window};

/// Nothing of it is lost when a write fails: the next one takes it along.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// A limit, the length of its window, and when the answer came.
    announced: Option<(u32, Millis, Millis)>,
    /// The request's grant, when its answer came, and what that had counted.
    counted: Option<(Millis, Millis, u32)>,
    /// Slots and the instants by which their requests had certainly arrived, where that was late.
    late: Vec<(Slot, Millis)>,
}

impl Learned {
    /// What the answer says that came at `answered` to the request of a slot, which may have been late.
    pub(crate) fn of(slot: Slot, answered: Millis, late: bool, notice: &Notice) -> Self {
        // A 429 counts nothing: it says that nothing is left, whatever was used.
        let limit = notice.announced.filter(|_| notice.outcome == Outcome::Answered).map(|(limit, _)| limit);
        let counted = limit.zip(notice.remaining);
        let counted = counted.map(|(limit, left)| (slot.at, answered, limit.saturating_sub(left)));
        let late = late.then_some((slot, answered)).into_iter().collect();
        let announced = notice.announced.map(|(limit, length)| (limit, length, answered));
        Self { announced, counted, late }
    }

    /// Adds what was said after this.
    pub(crate) fn add(&mut self, newer: Self) {
        self.announced = newer.announced.or(self.announced);
        self.counted = newer.counted.or(self.counted);
        self.late.extend(newer.late);
    }

    /// Whether others must hear of it at once: a new limit, a late arrival, or other tools that use more than was known. All else
    /// waits for a write that somebody needs.
    pub(crate) fn is_urgent(&self, known: &Window) -> bool {
        let mut taught = known.clone();
        self.teach(&mut taught);
        let new_limit = (taught.limit, taught.length) != (known.limit, known.length);
        new_limit || !self.late.is_empty() || taught.foreign() > known.foreign()
    }

    pub(crate) fn teach(&self, window: &mut Window) {
        if let Some((limit, length, heard)) = self.announced {
            window.learn(limit, length, heard);
        }
        if let Some((granted, answered, counted)) = self.counted {
            window.notice_foreign(granted, answered, counted);
        }
        for (slot, arrived) in &self.late {
            window.correct(*slot, *arrived);
        }
    }
}
