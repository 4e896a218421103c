//! One bucket in one process: whoever holds the window writes for everybody who waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clock::{Millis, SharedClock};
use tokio::sync::oneshot;

use crate::{
    Bucket, GateError, Group, Notice, Outcome, Priority, Probation, Reservation, StoreError, Window,
    WindowStore, Written,
};

/// What a waiter wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) priority: Priority,
    /// A slot that opens later is of no use.
    pub(crate) deadline: Millis,
    /// A slot that it could not use and gives back, and whether it was the probe's.
    pub(crate) give_back: Option<(Millis, bool)>,
    /// How far ahead its slot must lie, for the write that takes it takes time as well.
    pub(crate) lead: Millis,
}

type Answer = Result<Reservation, Arc<GateError>>;

/// After so many lost races in a row the window is read before it is written: a lost write costs more than a read.
const CONTENDED: u32 = 1;

/// What answers have said and no write has carried yet. Nothing of it is lost when a write fails: the next one takes it along.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    announced: Option<(u32, Millis)>,
    counted: Option<(Millis, u32)>,
    /// Grants and the instants by which their requests had certainly arrived, where that was late.
    late: Vec<(Millis, Millis)>,
}

impl Learned {
    /// What the answer to a request that was granted for `granted` says; `arrived` if that was late.
    pub(crate) fn of(granted: Millis, arrived: Option<Millis>, notice: Notice) -> Self {
        // A 429 counts nothing: it says that nothing is left, whatever was used.
        let limit = notice.announced.filter(|_| notice.outcome == Outcome::Answered).map(|(limit, _)| limit);
        let counted = limit.zip(notice.remaining).map(|(limit, left)| (granted, limit.saturating_sub(left)));
        let late = arrived.map(|arrived| (granted, arrived)).into_iter().collect();
        Self { announced: notice.announced, counted, late }
    }

    /// Adds what was said after this.
    fn add(&mut self, newer: Self) {
        self.announced = newer.announced.or(self.announced);
        self.counted = newer.counted.or(self.counted);
        self.late.extend(newer.late);
    }

    fn teach(&self, window: &mut Window) {
        if let Some((limit, length)) = self.announced {
            window.learn(limit, length);
        }
        if let Some((granted, counted)) = self.counted {
            window.notice_foreign(granted, counted);
        }
        for (granted, arrived) in &self.late {
            window.correct(*granted, *arrived);
        }
    }
}

/// The state of a bucket in this process.
pub(crate) struct Turnstile {
    state: tokio::sync::Mutex<State>,
    waiting: Mutex<Vec<(Wish, oneshot::Sender<Answer>)>>,
    learned: Mutex<Learned>,
}

struct State {
    window: Window,
    /// Races lost in a row.
    lost: u32,
}

impl Turnstile {
    pub(crate) fn new(group: &Group) -> Self {
        let state = State { window: Window::unused(group), lost: 0 };
        Self { state: tokio::sync::Mutex::new(state), waiting: Mutex::default(), learned: Mutex::default() }
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

    /// Takes a slot, together with everybody who waits.
    pub(crate) async fn reserve(
        &self,
        store: &dyn WindowStore,
        clock: &SharedClock,
        bucket: &Bucket,
        wish: Wish,
    ) -> Result<Reservation, GateError> {
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
                .change(store, bucket, &mut state, |window| {
                    let now = clock.now();
                    for (at, probe) in waiting.iter().filter_map(|(wish, _)| wish.give_back) {
                        window.release(at, probe);
                    }
                    let reserve = |(wish, _): &(Wish, _)| {
                        let from = now + wish.lead;
                        window.reserve(from, wish.deadline.max(from), wish.priority)
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

    /// Whether a promised slot may still be used, and the pad; `fresh` asks the store.
    pub(crate) async fn look(
        &self,
        store: &dyn WindowStore,
        bucket: &Bucket,
        granted: Millis,
        fresh: bool,
    ) -> Result<(bool, Millis), GateError> {
        if fresh {
            self.refresh(store, bucket).await?;
        }
        let window = self.known().await;
        Ok((window.holds(granted), window.pad))
    }

    /// Reads the window anew.
    pub(crate) async fn refresh(&self, store: &dyn WindowStore, bucket: &Bucket) -> Result<(), GateError> {
        let mut state = self.state.lock().await;
        if let Some(stored) = store.read(bucket).await? {
            state.window = stored;
        }
        Ok(())
    }

    /// Changes the window for everybody.
    pub(crate) async fn write(
        &self,
        store: &dyn WindowStore,
        bucket: &Bucket,
        change: impl FnMut(&mut Window),
    ) -> Result<(), GateError> {
        let mut state = self.state.lock().await;
        self.change(store, bucket, &mut state, change).await
    }

    /// Applies `change` to the freshest window until the store takes it; one that changes nothing is not written.
    async fn change(
        &self,
        store: &dyn WindowStore,
        bucket: &Bucket,
        state: &mut State,
        mut change: impl FnMut(&mut Window),
    ) -> Result<(), GateError> {
        let learned = std::mem::take(&mut *locked(&self.learned));
        let changed = self.try_change(store, bucket, state, &learned, &mut change).await;
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
        store: &dyn WindowStore,
        bucket: &Bucket,
        state: &mut State,
        learned: &Learned,
        change: &mut impl FnMut(&mut Window),
    ) -> Result<bool, GateError> {
        if state.lost >= CONTENDED
            && let Some(stored) = store.read(bucket).await?
        {
            state.lost = if stored.version == state.window.version { 0 } else { state.lost };
            state.window = stored;
        }
        loop {
            let mut next = state.window.clone();
            learned.teach(&mut next);
            let taught = next.clone();
            change(&mut next);
            // What was only noticed waits for a write that somebody needs; a new limit and a late arrival do not.
            let same_limit = (next.limit, next.length) == (state.window.limit, state.window.length);
            if next == taught && same_limit && learned.late.is_empty() {
                return Ok(false);
            }
            next.version = state.window.version + 1;
            match store.write(bucket, state.window.version, &next).await? {
                Written::Yes => {
                    state.window = next;
                    return Ok(true);
                }
                Written::LostTo(fresh) => {
                    state.window = fresh;
                    state.lost = state.lost.saturating_add(1);
                }
            }
        }
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
