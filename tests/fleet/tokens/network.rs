//! The network between a container and the tables: slow, and if the scenario says so it fails.

use std::sync::{Arc, Mutex};

use clock::{Bounded, Clock, Millis};
use tokio::sync::oneshot;

use super::{ContainerId, Dice, Event, Journal, SkewedClock, Timeline, ledger::Ledger};

/// The SDK sends a request again after this long without an answer.
const AGAIN: Millis = 1_200;

/// The way to the tables. Clones share it.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) timeline: Timeline,
    pub(crate) journal: Journal<Event>,
    pub(crate) ledger: Ledger,
    pub(crate) faults: bool,
    pub(crate) dice: Arc<Mutex<Dice>>,
}

/// The network as one container has it.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) network: Network,
    pub(crate) container: ContainerId,
    pub(crate) clock: SkewedClock,
    /// What the stamps of answers teach.
    pub(crate) bounded: Bounded,
}

enum Fate {
    Well,
    NotReached,
    AnswerLost,
    /// Its answer is lost, and the SDK sends it again.
    Twice,
}

impl Line {
    /// Has `apply` done at the tables, even if nobody lives to hear of it.
    pub(crate) async fn request<T: Send + 'static>(
        &self,
        apply: impl Fn() -> T + Send + 'static,
    ) -> Result<T, &'static str> {
        let (reply, answer) = oneshot::channel();
        let (there, back, fate) = self.network.fate();
        let (network, container) = (self.network.clone(), self.container);
        let sent = self.clock.now();
        self.network.timeline.clone().after(there, move || {
            let lost = |event| {
                network.ledger.troubled(container);
                network.journal.note(container, event);
            };
            match fate {
                Fate::Well => network.answer(back, reply, Some(apply())),
                Fate::NotReached => {
                    lost(Event::RequestFailed);
                    network.answer(back, reply, None);
                }
                Fate::AnswerLost => {
                    apply();
                    lost(Event::AnswerLost);
                    network.answer(back, reply, None);
                }
                Fate::Twice => {
                    apply();
                    network.journal.note(container, Event::SentTwice);
                    let again = network.clone();
                    network.timeline.after(AGAIN, move || again.answer(back, reply, Some(apply())));
                }
            }
        });
        let (at, result) = answer.await.ok().flatten().ok_or("no answer from the tables")?;
        self.bounded.heard(sent, self.clock.now(), at / 1_000 * 1_000);
        Ok(result)
    }
}

impl Network {
    /// Carries an answer back, stamped with the time of the tables.
    fn answer<T: Send + 'static>(
        &self,
        back: Millis,
        reply: oneshot::Sender<Option<(Millis, T)>>,
        result: Option<T>,
    ) {
        let stamped = result.map(|result| (self.timeline.now(), result));
        self.timeline.after(back, move || {
            // Nobody waits for it any more if the container crashed.
            let _ = reply.send(stamped);
        });
    }

    fn fate(&self) -> (Millis, Millis, Fate) {
        let mut dice = self.dice.lock().unwrap();
        let (there, back) = (dice.between(1, 20), dice.between(1, 20));
        if !self.faults || !dice.chance(60) {
            // A slow answer is nobody's failure.
            let back = if dice.chance(10) { dice.between(20, 800) } else { back };
            return (there, back, Fate::Well);
        }
        match dice.index(3) {
            0 => (there, back, Fate::NotReached),
            // Whoever waits for a lost answer waits for a timeout.
            1 => (there, dice.between(AGAIN, 2_500), Fate::AnswerLost),
            _ => (there, back, Fate::Twice),
        }
    }
}
