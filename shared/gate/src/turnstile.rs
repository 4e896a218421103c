//! One bucket in one process: whoever holds the window writes for everybody who waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clock::{Bounded, Millis};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::oneshot;

use crate::{
    Ask, Bucket, Cause, GateError, Priority, Probation, Reservation, Slot, StoreError, Window, WindowStore,
    Written, learned::Learned,
};

/// What a waiter wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) priority: Priority,
    /// A slot that opens later is of no use.
    pub(crate) deadline: Millis,
    /// A slot that it could not use and gives back, and whether it was the probe's.
    pub(crate) give_back: Option<(Slot, bool)>,
    /// How far ahead its slot must lie, for the write that takes it takes time as well.
    pub(crate) lead: Millis,
}

type Answer = Result<Reservation, Arc<GateError>>;

/// After so many lost races in a row the window is read before it is written: a lost write costs more than a read.
const CONTENDED: u32 = 1;
/// Lost races make the pause before the next try longer, up to two to this power of round trips.
const STEEPEST: u32 = 5;

/// The state of a bucket in this process.
pub(crate) struct Turnstile {
    store: Arc<dyn WindowStore>,
    clock: Bounded,
    bucket: Bucket,
    dice: Mutex<StdRng>,
    state: tokio::sync::Mutex<State>,
    waiting: Mutex<Vec<(Wish, oneshot::Sender<Answer>)>>,
    learned: Mutex<Learned>,
}

struct State {
    window: Window,
    /// Whether the window was read or written at all.
    known: bool,
    /// Races lost since nobody else was seen to write.
    lost: u32,
    /// How long the store took to answer last (ms).
    round_trip: Millis,
}

impl Turnstile {
    pub(crate) fn new(store: Arc<dyn WindowStore>, clock: Bounded, bucket: Bucket, seed: u64) -> Self {
        let state = State { window: Window::unused(&bucket.group), known: false, lost: 0, round_trip: 0 };
        Self {
            store,
            clock,
            bucket,
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            state: tokio::sync::Mutex::new(state),
            waiting: Mutex::default(),
            learned: Mutex::default(),
        }
    }

    /// Notes what an answer said, for the next write.
    pub(crate) fn learn(&self, news: Learned) {
        locked(&self.learned).add(news);
    }

    /// Whether this process believes that somebody's probe is under way.
    pub(crate) async fn awaits_probe(&self, now: Millis) -> bool {
        let window = self.known().await;
        matches!(window.probation, Probation::Running(until) if until > now) && window.blocked_until <= now
    }

    /// The window as this process last read or wrote it.
    pub(crate) async fn known(&self) -> Window {
        self.state.lock().await.window.clone()
    }

    /// The window as last seen, with what answers have said since.
    pub(crate) async fn seen(&self) -> Window {
        let mut window = self.known().await;
        locked(&self.learned).teach(&mut window);
        window
    }

    /// When a refused caller should be back, so that not all of them come at once when a slot opens at `at`.
    pub(crate) async fn back_at(&self, at: Millis, cause: Cause) -> Millis {
        let window = self.known().await;
        let spread = match cause {
            Cause::Window => window.span() / 10,
            Cause::Penalty | Cause::Breaker => window.span() / 60,
        };
        at + locked(&self.dice).random_range(0..=spread)
    }

    /// Takes a slot, together with everybody who waits.
    pub(crate) async fn reserve(&self, wish: Wish) -> Result<Reservation, GateError> {
        loop {
            let (answer, mut answered) = oneshot::channel();
            locked(&self.waiting).push((wish, answer));
            let mut state = self.state.lock().await;
            if let Ok(answer) = answered.try_recv() {
                return answer.map_err(unshare);
            }
            let mut waiting = std::mem::take(&mut *locked(&self.waiting));
            // Interactive first, whoever came first among equals.
            waiting.sort_by_key(|(wish, _)| wish.priority);
            let mut reservations = Vec::new();
            let written = self
                .change(&mut state, |window| {
                    let now = self.clock.now();
                    for (slot, probe) in waiting.iter().filter_map(|(wish, _)| wish.give_back) {
                        window.release(slot, probe);
                    }
                    // A quarter of the pad covers a small doubt.
                    let slack = (now.width() - window.pad / 4).max(0);
                    let reserve = |(Wish { priority, deadline, lead, .. }, _): &(Wish, _)| {
                        let now = now.earliest + lead;
                        window.reserve(Ask { now, deadline: now.max(*deadline), priority: *priority, slack })
                    };
                    reservations = waiting.iter().map(reserve).collect();
                })
                .await
                .map_err(Arc::new);
            for ((_, waiter), reservation) in waiting.into_iter().zip(answers(written, reservations)) {
                // A waiter that gave up has dropped its receiver; its slot is lost, never used twice.
                let _ = waiter.send(reservation);
            }
            // No answer: whoever had taken this waiter along was cancelled in the middle. Ask again.
            if let Ok(answer) = answered.try_recv() {
                return answer.map_err(unshare);
            }
        }
    }

    /// Until when the request of a promised slot may be sent, `None` if it may not; `fresh` asks the store.
    pub(crate) async fn look(&self, slot: Slot, fresh: bool) -> Result<Option<Millis>, GateError> {
        let mut state = self.state.lock().await;
        if fresh {
            self.read(&mut state).await?;
        }
        Ok(state.window.holds(slot))
    }

    /// Reads the window anew.
    pub(crate) async fn refresh(&self) -> Result<(), GateError> {
        self.read(&mut *self.state.lock().await).await
    }

    /// Changes the window for everybody.
    pub(crate) async fn write(&self, change: impl FnMut(&mut Window)) -> Result<(), GateError> {
        self.change(&mut *self.state.lock().await, change).await
    }

    async fn read(&self, state: &mut State) -> Result<(), GateError> {
        let asked = self.clock.clock().now();
        let stored = self.store.read(&self.bucket).await?;
        state.round_trip = self.clock.clock().now() - asked;
        if let Some(stored) = stored {
            if state.known && stored.version == state.window.version {
                state.lost = 0;
            }
            state.window = stored;
        }
        state.known = true;
        Ok(())
    }

    /// Applies `change` to the freshest window until the store takes it; one that changes nothing is not written.
    async fn change(&self, state: &mut State, mut change: impl FnMut(&mut Window)) -> Result<(), GateError> {
        let learned = std::mem::take(&mut *locked(&self.learned));
        let changed = self.try_change(state, &learned, &mut change).await;
        if !matches!(changed, Ok(true)) {
            // What was learned is older than what may have been said meanwhile.
            let newer = std::mem::replace(&mut *locked(&self.learned), learned);
            self.learn(newer);
        }
        changed.map(drop)
    }

    /// Whether something was written.
    async fn try_change(
        &self,
        state: &mut State,
        learned: &Learned,
        change: &mut impl FnMut(&mut Window),
    ) -> Result<bool, GateError> {
        let mut fresh = false;
        loop {
            let mut next = state.window.clone();
            learned.teach(&mut next);
            let taught = next.clone();
            change(&mut next);
            // What was only noticed waits for a write that somebody needs; a new limit and a late arrival do not.
            let same_limit = (next.limit, next.length) == (state.window.limit, state.window.length);
            // Others only ever take slots: whoever is refused by an old window is refused by the newest one as well.
            if next == taught && same_limit && learned.is_patient() {
                return Ok(false);
            }
            if !fresh && (!state.known || state.lost >= CONTENDED) {
                self.read(state).await?;
                fresh = true;
                continue;
            }
            next.version = state.window.version + 1;
            let asked = self.clock.clock().now();
            let written = self.store.write(&self.bucket, state.window.version, &next).await?;
            state.round_trip = self.clock.clock().now() - asked;
            match written {
                Written::Yes => {
                    (state.window, state.known) = (next, true);
                    return Ok(true);
                }
                Written::LostTo(newer) => {
                    (state.window, state.known) = (newer, true);
                    state.lost = state.lost.saturating_add(1);
                    fresh = self.step_aside(state).await;
                }
            }
        }
    }

    /// After a lost race: waits at random, longer after each, so that those who lost it do not meet again.
    /// Whether the window is still as good as new.
    async fn step_aside(&self, state: &State) -> bool {
        let longest = state.round_trip << state.lost.min(STEEPEST);
        let pause = locked(&self.dice).random_range(0..=longest);
        let clock = self.clock.clock();
        clock.sleep_until(clock.now() + pause).await;
        pause == 0
    }
}

/// No code panics while it holds one of these locks, so what a poisoned one guards is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One answer for each waiter: its own reservation, or the failure that all of them share.
fn answers(
    written: Result<(), Arc<GateError>>,
    reservations: Vec<Reservation>,
) -> impl Iterator<Item = Answer> {
    let failed = written.err();
    // A failure may come before any reservation was tried, and is everybody's all the same.
    let tried = reservations.into_iter().map(Some).chain(std::iter::repeat(None));
    tried.map_while(move |reservation| match (&failed, reservation) {
        (Some(failed), _) => Some(Err(failed.clone())),
        (None, reservation) => reservation.map(Ok),
    })
}

fn unshare(error: Arc<GateError>) -> GateError {
    Arc::try_unwrap(error).unwrap_or_else(|shared| GateError::Store(StoreError(Box::new(Shared(shared)))))
}

/// A failure that several waiters of one write share.
#[derive(Debug, thiserror::Error)]
#[error("the write made for several waiters failed")]
struct Shared(#[source] Arc<GateError>);
