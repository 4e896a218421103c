//! What answers have said and no write has carried yet.

use clock::Millis;

use crate::{Cause, Grant, Notice, Outcome, Slot, Window};

/// Nothing of it is lost when a write fails: the next one takes it along, and this process keeps to it meanwhile.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// A limit, the length of its window, and when the answer came.
    announced: Option<(u32, Millis, Millis)>,
    /// The request's grant, when its answer came, and what that had counted.
    counted: Option<(Millis, Millis, u32)>,
    /// Slots and the instants by which their requests had certainly arrived, where that was late.
    late: Vec<(Slot, Millis)>,
    /// How late an answer was at most that the pad covered (ms), and when the last of them came.
    lag: Option<(Millis, Millis)>,
    /// Requests that RingCentral counted here though they were granted elsewhere.
    charged: Vec<Grant>,
    /// The 429s.
    stops: Vec<Stop>,
}

/// A 429.
#[derive(Debug, Clone, Copy)]
enum Stop {
    /// About this window: when it came, the pause it asks for (ms), and whether a probe met it.
    Window { at: Millis, penalty: Millis, probe: bool },
    /// About more than this window: until when nobody may ask.
    Wider { until: Millis },
}

impl Learned {
    /// What the answer says that came at `answered` to the request of a slot.
    pub(crate) fn of(known: &Window, slot: Slot, answered: Millis, probe: bool, notice: &Notice) -> Self {
        // A 429 counts nothing: it says that nothing is left, whatever was used.
        let limit = notice.announced.filter(|_| notice.outcome == Outcome::Answered).map(|(limit, _)| limit);
        let counted = limit.zip(notice.remaining);
        let counted = counted.map(|(limit, left)| (slot.at, answered, limit.saturating_sub(left)));
        let lag = known.lag_of(slot, answered).filter(|_| notice.outcome != Outcome::Unsent);
        let (covered, late) = match lag {
            Some(lag) if lag > known.pad_of(slot) => (None, vec![(slot, answered)]),
            covered => (covered.map(|lag| (lag, answered)), Vec::new()),
        };
        let announced = notice.announced.map(|(limit, length)| (limit, length, answered));
        let stop = match notice.outcome {
            Outcome::Throttled(penalty) => Some(Stop::Window { at: answered, penalty, probe }),
            _ => None,
        };
        Self {
            announced,
            counted,
            late,
            lag: covered,
            charged: Vec::new(),
            stops: stop.into_iter().collect(),
        }
    }

    /// A 429 about more than this window: nobody may ask before `until`.
    pub(crate) fn stopped(until: Millis) -> Self {
        Self { stops: vec![Stop::Wider { until }], ..Self::default() }
    }

    /// A request that was granted elsewhere and counted here.
    pub(crate) fn charged(grant: Grant) -> Self {
        Self { charged: vec![grant], ..Self::default() }
    }

    /// What it says of slots that a window has counted: of no use to one that doesn't count them yet.
    pub(crate) fn late(&self) -> Self {
        Self { late: self.late.clone(), ..Self::default() }
    }

    /// Until when nobody may ask, at least.
    pub(crate) fn stopped_until(&self) -> Option<Millis> {
        self.stops.iter().map(|stop| stop.until()).max()
    }

    /// Adds what was said after this.
    pub(crate) fn add(&mut self, newer: Self) {
        self.announced = newer.announced.or(self.announced);
        self.counted = newer.counted.or(self.counted);
        self.late.extend(newer.late);
        self.lag = match (self.lag, newer.lag) {
            (Some((one, _)), Some((other, at))) => Some((one.max(other), at)),
            (one, other) => other.or(one),
        };
        self.charged.extend(newer.charged);
        self.stops.extend(newer.stops);
    }

    /// Whether others must hear of it at once: a new limit, a 429, a request that was counted elsewhere than it was granted, a late
    /// arrival, or other tools that use more than was known. All else waits for a write that somebody needs.
    pub(crate) fn is_urgent(&self, known: &Window) -> bool {
        let mut taught = known.clone();
        self.teach(&mut taught);
        let new_limit = (taught.limit, taught.length) != (known.limit, known.length);
        let stopped = taught.blocked_until > known.blocked_until;
        let moved = !self.late.is_empty() || !self.charged.is_empty();
        new_limit || stopped || moved || taught.foreign() > known.foreign()
    }

    pub(crate) fn teach(&self, window: &mut Window) {
        if let Some((limit, length, heard)) = self.announced {
            window.learn(limit, length, heard);
        }
        if let Some((granted, answered, counted)) = self.counted {
            window.notice_foreign(granted, answered, counted);
        }
        for grant in &self.charged {
            window.charge(*grant);
        }
        for (slot, arrived) in &self.late {
            window.correct(*slot, *arrived);
        }
        if let Some((lag, answered)) = self.lag {
            window.lags(lag, answered);
        }
        for stop in &self.stops {
            stop.teach(window);
        }
    }
}

impl Stop {
    fn until(self) -> Millis {
        match self {
            Self::Window { at, penalty, .. } => at + penalty,
            Self::Wider { until } => until,
        }
    }

    /// A window that is stopped for as long already knows of it: a write whose answer was lost may have told it.
    fn teach(self, window: &mut Window) {
        if self.until() <= window.blocked_until {
            return;
        }
        match self {
            Self::Window { at, penalty, probe } => window.punish(at, penalty, probe),
            Self::Wider { until } => window.block(until, Cause::Penalty),
        }
    }
}
