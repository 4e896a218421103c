//! What answers have said and no write has carried yet.

use clock::Millis;

use crate::{Notice, Outcome, Slot, Window};

/// Nothing of it is lost when a write fails: the next one takes it along.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    announced: Option<(u32, Millis)>,
    counted: Option<(Millis, u32)>,
    /// Slots and the instants by which their requests had certainly arrived, where that was late.
    late: Vec<(Slot, Millis)>,
}

impl Learned {
    /// What the answer to the request of a slot says; `arrived` if that was late.
    pub(crate) fn of(slot: Slot, arrived: Option<Millis>, notice: &Notice) -> Self {
        // A 429 counts nothing: it says that nothing is left, whatever was used.
        let limit = notice.announced.filter(|_| notice.outcome == Outcome::Answered).map(|(limit, _)| limit);
        let counted = limit.zip(notice.remaining).map(|(limit, left)| (slot.at, limit.saturating_sub(left)));
        let late = arrived.map(|arrived| (slot, arrived)).into_iter().collect();
        Self { announced: notice.announced, counted, late }
    }

    /// Adds what was said after this.
    pub(crate) fn add(&mut self, newer: Self) {
        self.announced = newer.announced.or(self.announced);
        self.counted = newer.counted.or(self.counted);
        self.late.extend(newer.late);
    }

    /// Whether all of it can wait for a write that somebody needs.
    pub(crate) fn is_patient(&self) -> bool {
        self.late.is_empty()
    }

    pub(crate) fn teach(&self, window: &mut Window) {
        if let Some((limit, length)) = self.announced {
            window.learn(limit, length);
        }
        if let Some((granted, counted)) = self.counted {
            window.notice_foreign(granted, counted);
        }
        for (slot, arrived) in &self.late {
            window.correct(*slot, *arrived);
        }
    }
}
