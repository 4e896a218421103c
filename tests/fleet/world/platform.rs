//! RingCentral as strict as it can be: an exact sliding window over arrivals, and a penalty that every request restarts.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use clock::Millis;
use tokio::sync::oneshot;

use super::{ContainerId, Dice, Event, Journal, Scenario, Timeline};

/// What an answer's status and headers say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) throttled: bool,
    /// The 429 is about the whole account.
    pub(crate) account: bool,
    pub(crate) limit: u32,
    pub(crate) window: Millis,
    pub(crate) remaining: u32,
}

/// A request on its way.
pub(crate) struct Flight {
    pub(crate) number: u64,
    /// It arrives later than the pad covers.
    pub(crate) late: bool,
    pub(crate) answer: oneshot::Receiver<Answer>,
}

/// The platform and the network in front of it. Clones share them.
#[derive(Clone)]
pub(crate) struct Platform {
    timeline: Timeline,
    journal: Journal,
    scenario: Arc<Scenario>,
    flights: Arc<AtomicU64>,
    dice: Arc<Mutex<Dice>>,
    bucket: Arc<Mutex<Bucket>>,
}

#[derive(Default)]
struct Bucket {
    accepted: VecDeque<Millis>,
    penalty_until: Millis,
    arrivals: Vec<Millis>,
    /// Whose requests were answered well, and when.
    served: Vec<(ContainerId, Millis)>,
    throttled: Vec<Millis>,
    waits: Vec<Millis>,
    disobeyed: Vec<Millis>,
    outside_rests_until: Millis,
    /// From here on the next request is answered 429.
    forced_from: Option<Millis>,
    limit: u32,
    /// The next limit, and from when on.
    changes: Option<(Millis, u32)>,
}

impl Platform {
    pub(crate) fn new(timeline: Timeline, journal: Journal, scenario: Arc<Scenario>, dice: Dice) -> Self {
        let forced_from = scenario.forced_429.map(|after| timeline.now() + after);
        let changes = scenario.changed.map(|(after, limit)| (timeline.now() + after, limit));
        let bucket = Bucket { forced_from, limit: scenario.limit, changes, ..Bucket::default() };
        let bucket = Arc::new(Mutex::new(bucket));
        let dice = Arc::new(Mutex::new(dice));
        Self { timeline, journal, scenario, flights: Arc::default(), dice, bucket }
    }

    /// Puts a request on the wire; it arrives even if its sender does not live to see the answer.
    pub(crate) fn send(&self, container: ContainerId) -> Flight {
        let pad = self.scenario.pad();
        let mut dice = self.dice.lock().unwrap();
        let late = self.scenario.late_arrivals && dice.chance(10);
        let there = if late { dice.between(pad, pad * 6) } else { dice.between(1, self.scenario.transit()) };
        let back = if dice.chance(20) { dice.between(pad, 3_000) } else { dice.between(1, pad) };
        let back = match self.scenario.slow_answers {
            true => back + dice.between(self.scenario.window / 300, self.scenario.window / 75),
            false => back,
        };
        let number = self.flights.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let platform = self.clone();
        self.timeline.after(there, move || {
            let answer = platform.arrive();
            let accepted = !answer.throttled;
            if accepted {
                platform.bucket.lock().unwrap().served.push((container, platform.timeline.now()));
            }
            let arrived = Event::Arrived { flight: number, accepted, remaining: answer.remaining };
            platform.journal.note(container, arrived);
            platform.timeline.after(back, move || {
                // Nobody waits for it any more if the container crashed.
                let _ = reply.send(answer);
            });
        });
        Flight { number, late, answer }
    }

    /// One request of another tool, which asks nobody; after a 429 it rests for a window.
    pub(crate) fn arrive_outside(&self) {
        let now = self.timeline.now();
        if now < self.bucket.lock().unwrap().outside_rests_until {
            return;
        }
        let accepted = !self.arrive().throttled;
        if !accepted {
            self.bucket.lock().unwrap().outside_rests_until = now + self.scenario.window + 1_000;
        }
        self.journal.note_outside(Event::OutsideArrived { accepted });
    }

    fn arrive(&self) -> Answer {
        let (now, window) = (self.timeline.now(), self.scenario.window);
        let mut bucket = self.bucket.lock().unwrap();
        if let Some((_, limit)) = bucket.changes.take_if(|(from, _)| now >= *from) {
            bucket.limit = limit;
        }
        let limit = bucket.limit;
        bucket.arrivals.push(now);
        while bucket.accepted.front().is_some_and(|accepted| *accepted <= now - window) {
            bucket.accepted.pop_front();
        }
        let forced = bucket.forced_from.take_if(|from| now >= *from).is_some();
        let throttled = forced || now < bucket.penalty_until || bucket.accepted.len() >= limit as usize;
        if throttled {
            bucket.penalty_until = now + window;
            bucket.throttled.push(now);
        } else {
            bucket.accepted.push_back(now);
        }
        let used = u32::try_from(bucket.accepted.len()).unwrap_or(limit);
        let account = forced && self.scenario.account;
        Answer { throttled, account, limit, window, remaining: limit.saturating_sub(used) }
    }

    /// When requests arrived, the fleet's and those from outside.
    pub(crate) fn arrivals(&self) -> Vec<Millis> {
        self.bucket.lock().unwrap().arrivals.clone()
    }

    /// Whose requests were answered well, and when.
    pub(crate) fn served(&self) -> Vec<(ContainerId, Millis)> {
        self.bucket.lock().unwrap().served.clone()
    }

    /// Notes that a container sent a request that it had asked for after it heard a 429, and before that was over.
    pub(crate) fn disobeyed(&self) {
        let now = self.timeline.now();
        self.bucket.lock().unwrap().disobeyed.push(now);
    }

    /// When that happened.
    pub(crate) fn disobediences(&self) -> Vec<Millis> {
        self.bucket.lock().unwrap().disobeyed.clone()
    }

    /// Notes how long somebody waited for a request to be sent.
    pub(crate) fn waited(&self, waited: Millis) {
        self.bucket.lock().unwrap().waits.push(waited);
    }

    /// How long interactive callers waited among batch, shortest first.
    pub(crate) fn waits(&self) -> Vec<Millis> {
        let mut waits = self.bucket.lock().unwrap().waits.clone();
        waits.sort_unstable();
        waits
    }

    /// When requests were answered 429.
    pub(crate) fn throttled(&self) -> Vec<Millis> {
        self.bucket.lock().unwrap().throttled.clone()
    }
}
