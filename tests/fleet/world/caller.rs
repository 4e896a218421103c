//! A caller: it asks for a slot, sends, settles, and begins again. Between the permit and the request it never waits.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use clock::{Clock, Millis};
use futures::future::{Either, select};
use gate::Priority;

use super::{ContainerId, Dice, Event, Journal, Ledger, Limiter, Pass, Platform, Scenario, SkewedClock};

/// What the callers of one container share.
pub(crate) struct Container {
    pub(crate) id: ContainerId,
    pub(crate) clock: SkewedClock,
    pub(crate) limiter: Arc<dyn Limiter>,
    pub(crate) platform: Platform,
    pub(crate) journal: Journal,
    pub(crate) ledger: Ledger,
    pub(crate) scenario: Arc<Scenario>,
    /// True time at which its callers stop.
    pub(crate) ends: Millis,
    /// How many callers wait for a slot now.
    pub(crate) passing: AtomicUsize,
    /// How many requests with a late arrival are not settled yet.
    pub(crate) late: AtomicUsize,
}

impl Container {
    pub(crate) async fn call(self: Arc<Self>, caller: usize, mut dice: Dice) {
        let timeline = &self.clock.timeline;
        while timeline.now() < self.ends {
            match self.pass(caller, &mut dice).await {
                Some(Pass::Go(ticket)) => {
                    let late_start = self.clock.now() - ticket.granted;
                    self.ledger.used(ticket.granted);
                    let flight = self.platform.send(self.id);
                    let event =
                        Event::Sent { caller, flight: flight.number, late: flight.late, after: late_start };
                    self.journal.note(self.id, event);
                    self.late.fetch_add(usize::from(flight.late), Ordering::Relaxed);
                    if let Ok(answer) = flight.answer.await {
                        self.journal.note(self.id, Event::Answered { caller, flight: flight.number });
                        self.ledger.answered(self.clock.now());
                        let written = self.limiter.settle(ticket, answer).await;
                        self.journal.note(self.id, Event::Settled { caller, written });
                    }
                    self.late.fetch_sub(usize::from(flight.late), Ordering::Relaxed);
                    self.rest(dice.between(0, self.scenario.pause)).await;
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
        let priority = if self.scenario.priorities {
            dice.one_of(&[Priority::Interactive, Priority::Event, Priority::Batch])
        } else {
            Priority::Interactive
        };
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

    async fn rest(&self, span: Millis) {
        let timeline = &self.clock.timeline;
        timeline.sleep_until((timeline.now() + span).min(self.ends)).await;
    }
}
