//! One bucket in one process: whoever holds the window writes for everybody who waits.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use clock::{Bounded, Millis};
use tokio::sync::oneshot;

use crate::{
    Ask, Bucket, Cause, GateError, Priority, Probation, Reservation, Slot, StoreError, Window, WindowStore,
    Written, learned::Learned, state::State,
};

/// What a waiter wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) priority: Priority,
    /// How many slots, at most; less than that if the others open too late.
    pub(crate) count: usize,
    /// A slot that opens later is of no use.
    pub(crate) deadline: Millis,
    /// A slot that it could not use and gives back, and whether it was the probe's.
    pub(crate) give_back: Option<(Slot, bool)>,
    /// How far ahead its slot must lie, for the write that takes it takes time as well.
    pub(crate) lead: Millis,
}

/// A slot that was taken for somebody: when, until when it may be used, and whether the others wait for what comes of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) slot: Slot,
    pub(crate) until: Millis,
    pub(crate) probe: bool,
}

impl Taken {
    pub(crate) fn of(reservation: Reservation) -> Option<Self> {
        match reservation {
            Reservation::Go { slot, until, probe } => Some(Self { slot, until, probe }),
            Reservation::Later { .. } | Reservation::Closed => None,
        }
    }
}

/// Slots that were taken, or the one reason why none was.
type Answer = Result<Vec<Reservation>, Arc<GateError>>;

/// The state of a bucket in this process.
pub(crate) struct Turnstile {
    store: Arc<dyn WindowStore>,
    clock: Bounded,
    bucket: Bucket,
    /// Held by whoever changes the stored window.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    waiting: Mutex<Vec<(Wish, oneshot::Sender<Answer>)>>,
    learned: Mutex<Learned>,
    /// No request before this instant, by the 429s that this process has met, whatever the store knows of them.
    stopped: AtomicI64,
    /// The identity whose window counts what this closed one had granted.
    handed_over: Mutex<Option<String>>,
}

impl Turnstile {
    pub(crate) fn new(store: Arc<dyn WindowStore>, clock: Bounded, bucket: Bucket, seed: u64) -> Self {
        let state = Mutex::new(State::new(&bucket.group, seed));
        let turn = tokio::sync::Mutex::default();
        Self {
            store,
            clock,
            bucket,
            turn,
            state,
            waiting: Mutex::default(),
            learned: Mutex::default(),
            stopped: AtomicI64::new(Millis::MIN),
            handed_over: Mutex::default(),
        }
    }

    /// Notes what an answer said, for the next write.
    pub(crate) fn learn(&self, news: Learned) {
        if let Some(until) = news.stopped_until() {
            self.stopped.fetch_max(until, Ordering::Relaxed);
        }
        locked(&self.learned).add(news);
    }

    /// Until when nobody may ask, by the 429s that this process has met: such as one whose write failed or is under way.
    pub(crate) fn stopped_until(&self) -> Millis {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether a refusal may rest on what is no longer true: others have given slots back, heard of a larger limit, or brought home
    /// the probe that this process believes to be under way.
    pub(crate) fn is_doubtful(&self) -> bool {
        let now = self.clock.now().earliest;
        let state = locked(&self.state);
        let probing = matches!(state.window.probation, Probation::Running(until) if until > now);
        state.is_stale(self.clock.clock().now()) || (probing && state.window.blocked_until <= now)
    }

    /// The window as this process last read or wrote it.
    pub(crate) fn known(&self) -> Window {
        locked(&self.state).window.clone()
    }

    /// The identity whose window is asked instead of this one, if this process knows that it was closed.
    pub(crate) fn moved(&self) -> Option<String> {
        locked(&self.state).window.moved.clone()
    }

    /// Whether this process knows that the window of this identity counts what this one, which is closed, had granted.
    pub(crate) fn is_handed_over(&self, identity: &str) -> bool {
        locked(&self.handed_over).as_deref() == Some(identity)
    }

    pub(crate) fn handed_over(&self, identity: &str) {
        *locked(&self.handed_over) = Some(identity.to_owned());
    }

    /// The window as last seen, with what answers have said since.
    pub(crate) fn seen(&self) -> Window {
        let mut window = self.known();
        locked(&self.learned).teach(&mut window);
        window
    }

    /// When a refused caller should be back: those of one process together, for one write serves them all, and not at the same
    /// time as those of others, who wait for the slot that opens at `at` as well.
    pub(crate) fn back_at(&self, at: Millis, cause: Cause, priority: Priority) -> Millis {
        locked(&self.state).back_at(at, cause, priority)
    }

    /// Takes slots, together with everybody who waits.
    pub(crate) async fn reserve(&self, wish: Wish) -> Result<Vec<Reservation>, GateError> {
        loop {
            let (answer, mut answered) = oneshot::channel();
            locked(&self.waiting).push((wish, answer));
            let _turn = self.turn.lock().await;
            if let Ok(answer) = answered.try_recv() {
                return answer.map_err(unshare);
            }
            let mut waiting = Vec::new();
            let mut reservations = Vec::new();
            // Nobody is kept longer than it can wait, so that others may go first.
            let patient = locked(&self.waiting).iter().map(|(wish, _)| wish.deadline).min();
            let written = self
                .change(patient.or(Some(wish.deadline)), |window| {
                    // Whoever came while others were waited for, or read, goes along.
                    waiting.append(&mut *locked(&self.waiting));
                    // Interactive first, whoever came first among equals.
                    waiting.sort_by_key(|(wish, _): &(Wish, _)| wish.priority);
                    let now = self.clock.now();
                    for (slot, probe) in waiting.iter().filter_map(|(wish, _)| wish.give_back) {
                        window.release(slot, probe);
                    }
                    // A quarter of the pad covers a small doubt.
                    let slack = (now.width() - window.pad / 4).max(0);
                    let reserve = |(Wish { priority, count, deadline, lead, .. }, _): &(Wish, _)| {
                        let deadline = now.earliest.max(*deadline);
                        let ask = Ask { now: now.earliest + lead, deadline, priority: *priority, slack };
                        window.reserve_several(ask, *count)
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

    /// Reads the window anew.
    pub(crate) async fn refresh(&self) -> Result<(), GateError> {
        let _turn = self.turn.lock().await;
        self.read().await
    }

    /// Changes the window for everybody.
    pub(crate) async fn write(&self, change: impl FnMut(&mut Window)) -> Result<(), GateError> {
        let _turn = self.turn.lock().await;
        self.change(None, change).await
    }

    async fn read(&self) -> Result<(), GateError> {
        let asked = self.clock.clock().now();
        let stored = self.store.read(&self.bucket).await?;
        let answered = self.clock.clock().now();
        locked(&self.state).take(
            stored.unwrap_or_else(|| Window::unused(&self.bucket.group)),
            asked,
            answered,
        );
        Ok(())
    }

    /// Applies `change` to the freshest window until the store takes it; one that changes nothing is not written. Whoever is
    /// patient until some instant steps aside where it is crowded; what others must know at once does not.
    async fn change(
        &self,
        patient: Option<Millis>,
        mut change: impl FnMut(&mut Window),
    ) -> Result<(), GateError> {
        let mut carried = Carried::of(&self.learned);
        if self.try_change(patient, &carried.news, &mut change).await? {
            carried.arrived();
        }
        Ok(())
    }

    /// Whether something was written.
    async fn try_change(
        &self,
        patient: Option<Millis>,
        learned: &Learned,
        change: &mut impl FnMut(&mut Window),
    ) -> Result<bool, GateError> {
        let mut fresh = false;
        loop {
            let known = self.known();
            let mut next = known.clone();
            learned.teach(&mut next);
            let taught = next.clone();
            change(&mut next);
            // A refusal changes nothing. Whether it may rest on this window is for whoever is refused to ask.
            let unseen = !fresh && !locked(&self.state).is_known();
            if next == taught && !learned.is_urgent(&known) && !unseen {
                return Ok(false);
            }
            if !fresh && !locked(&self.state).is_alone() {
                if let Some(patient) = patient {
                    self.step_aside(patient).await;
                }
                self.read().await?;
                fresh = true;
                continue;
            }
            let mark = locked(&self.state).mark();
            let next = next.marked(mark);
            let asked = self.clock.clock().now();
            let written = self.store.write(&self.bucket, known.version, &next).await?;
            let answered = self.clock.clock().now();
            match written {
                Written::Yes => {
                    locked(&self.state).won(next, answered);
                    return Ok(true);
                }
                // The client of the store may have repeated a write whose answer was lost, and lost the race to itself.
                Written::LostTo(newer) if newer.marks.contains(&mark) => {
                    locked(&self.state).take(newer, asked, answered);
                    return Ok(true);
                }
                Written::LostTo(newer) => {
                    locked(&self.state).lost_to(newer, asked, answered);
                    fresh = false;
                }
            }
        }
    }

    /// Where it is crowded, waits at random before it looks and writes, so that those who lost a race do not meet again.
    async fn step_aside(&self, patient: Millis) {
        let left = patient - self.clock.now().earliest;
        let pause = locked(&self.state).pause(left);
        let clock = self.clock.clock();
        clock.sleep_until(clock.now() + pause).await;
    }
}

/// What was learned, under way to the store. Until it has arrived there it is kept, even if whoever carries it gives up.
struct Carried<'a> {
    kept: &'a Mutex<Learned>,
    news: Learned,
}

impl<'a> Carried<'a> {
    fn of(kept: &'a Mutex<Learned>) -> Self {
        let news = std::mem::take(&mut *locked(kept));
        Self { kept, news }
    }

    fn arrived(&mut self) {
        self.news = Learned::default();
    }
}

impl Drop for Carried<'_> {
    fn drop(&mut self) {
        // It is older than what may have been said meanwhile.
        let mut kept = locked(self.kept);
        let newer = std::mem::replace(&mut *kept, std::mem::take(&mut self.news));
        kept.add(newer);
    }
}

/// No code panics while it holds one of these locks, so what a poisoned one guards is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One answer for each waiter: its own reservation, or the failure that all of them share.
fn answers(
    written: Result<(), Arc<GateError>>,
    reservations: Vec<Vec<Reservation>>,
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
