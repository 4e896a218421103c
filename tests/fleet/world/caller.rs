//! A caller: it asks for a slot, sends, settles, and begins again. Between the permit and the request it never waits.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use clock::{Clock, Millis};
use futures::future::{Either, select};
use gate::Priority;

use super::{Act, ContainerId, Dice, Event, Journal, Ledger, Limiter, Pass, Platform, Scenario, SkewedClock};

/// What the callers of one container share.
pub(crate) struct Container {
    pub(crate) id: ContainerId,
    pub(crate) clock: SkewedClock,
    pub(crate) limiter: Arc<dyn Limiter>,
    pub(crate) platform: Platform,
    pub(crate) journal: Journal,
    pub(crate) ledger: Ledger,
    pub(crate) scenario: Arc<Scenario>,
    /// Its callers are interactive and rest for as long as this on average, instead of what the scenario says.
    pub(crate) interactive_every: Option<Millis>,
    /// True time at which its callers stop.
    pub(crate) ends: Millis,
    /// How many callers wait for a slot now.
    pub(crate) passing: AtomicUsize,
    /// This many requests from now it sends one whose answer it does not live to see.
    pub(crate) last_words: AtomicUsize,
    /// Does something to it after a while.
    pub(crate) plan: Box<dyn Fn(Millis, Act) + Send + Sync>,
    /// How many requests with a late arrival the store does not know of yet.
    pub(crate) late: AtomicUsize,
    /// True time before which it may send nothing, because a 429 told it so.
    pub(crate) stopped: AtomicI64,
}

impl Container {
    pub(crate) async fn call(self: Arc<Self>, caller: usize, mut dice: Dice) {
        let timeline = &self.clock.timeline;
        let mut asked = timeline.now();
        while timeline.now() < self.ends {
            match self.pass(caller, &mut dice).await {
                Some(Pass::Go(ticket)) => {
                    if timeline.now() < self.stopped.load(Ordering::Relaxed) {
                        self.platform.disobeyed();
                    }
                    self.waits(timeline.now() - asked);
                    let after = timeline.now() - ticket.granted;
                    self.ledger.used(ticket.granted);
                    let flight = self.platform.send(self.id);
                    let (number, late) = (flight.number, flight.late);
                    self.journal.note(self.id, Event::Sent { caller, flight: number, late, after });
                    self.late.fetch_add(usize::from(late), Ordering::Relaxed);
                    if self.last_words.fetch_sub(1, Ordering::Relaxed) == 1 {
                        (self.plan)(dice.between(1, self.scenario.pad()), Act::Crash(self.id));
                    }
                    let Ok(answer) = flight.answer.await else { return };
                    self.journal.note(self.id, Event::Answered { caller, flight: number });
                    if answer.throttled {
                        self.stopped.fetch_max(timeline.now() + answer.window, Ordering::Relaxed);
                    }
                    let written = self.limiter.settle(ticket, answer).await;
                    self.journal.note(self.id, Event::Settled { caller, written });
                    self.late.fetch_sub(usize::from(late && written), Ordering::Relaxed);
                    let longest = self.interactive_every.map_or(self.scenario.pause, |every| 2 * every);
                    self.rest(dice.between(0, longest)).await;
                    asked = timeline.now();
                }
                Some(Pass::Later(at)) => {
                    self.journal.note(self.id, Event::ToldLater { caller, at });
                    self.rest((at - self.clock.now()).max(0) + dice.between(1, 200)).await;
                }
                Some(Pass::Closed) => {
                    self.journal.note(self.id, Event::RefusedByStore { caller });
                    self.ledger.excuse(1);
                    self.rest(dice.between(100, 1_000)).await;
                }
                None => {
                    self.journal.note(self.id, Event::GaveUp { caller });
                    // It may have been writing for everybody in its container.
                    self.ledger.excuse(self.scenario.callers);
                    self.rest(dice.between(1, 1_000)).await;
                }
            }
        }
    }

    async fn pass(&self, caller: usize, dice: &mut Dice) -> Option<Pass> {
        let patience = self.scenario.patience;
        let priority = if self.scenario.interactive_every.is_some() {
            if self.interactive_every.is_some() { Priority::Interactive } else { Priority::Batch }
        } else if self.scenario.priorities {
            dice.one_of(&[Priority::Interactive, Priority::Event, Priority::Batch])
        } else {
            Priority::Interactive
        };
        // Standing still between a grant and its request is the worst moment.
        if self.scenario.freezes && dice.chance(30) {
            let span = dice.one_of(&[self.scenario.pad(), 3_000]);
            (self.plan)(dice.between(1, 60), Act::Freeze(self.id, dice.between(1, span)));
        }
        let gives_up = self.scenario.giving_up && dice.chance(100);
        self.journal.note(self.id, Event::Asked { caller, priority, patience });
        self.passing.fetch_add(1, Ordering::Relaxed);
        let pass = self.limiter.pass(priority, patience);
        let passed = if gives_up {
            let limit = self.clock.timeline.now() + dice.between(1, 500);
            match select(pass, self.clock.timeline.sleep_until(limit)).await {
                Either::Left((passed, _)) => Some(passed),
                Either::Right(_) => None,
            }
        } else {
            Some(pass.await)
        };
        self.passing.fetch_sub(1, Ordering::Relaxed);
        passed
    }

    /// Notes how long an interactive caller waited among batch.
    fn waits(&self, waited: Millis) {
        if self.interactive_every.is_some() {
            self.platform.waited(waited);
        }
    }

    async fn rest(&self, span: Millis) {
        let timeline = &self.clock.timeline;
        timeline.sleep_until((timeline.now() + span).min(self.ends)).await;
    }
}
