//! The gate of one process: its last known windows, and waiters joined into one write.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use clock::{Millis, SharedClock};
use tokio::sync::oneshot;

use crate::{Bucket, GateError, Reservation, Window, WindowStore, Written};

/// How long a caller can wait for its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Millis);

/// The right to send one request of a bucket now. Settle it with what the answer said.
#[derive(Debug)]
#[must_use = "a permit is used at once or thrown away"]
pub struct Permit {
    bucket: Bucket,
    granted: Millis,
}

impl Permit {
    /// The instant the slot was granted for, milliseconds since the epoch.
    #[must_use]
    pub fn granted(&self) -> Millis {
        self.granted
    }
}

/// What an answer's headers say about the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notice {
    /// `X-Rate-Limit-Limit` and `X-Rate-Limit-Window` (as milliseconds), when both came.
    pub announced: Option<(u32, Millis)>,
    /// The answer was a 429 and this is how long nobody may ask again (milliseconds).
    pub penalty: Option<Millis>,
}

/// The gate. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Gate {
    store: Arc<dyn WindowStore>,
    clock: SharedClock,
    turnstiles: Arc<Mutex<HashMap<Bucket, Arc<Turnstile>>>>,
}

type Answer = Result<Reservation, Arc<GateError>>;

/// One bucket in one process: whoever holds `window` writes for everybody in `waiting`.
struct Turnstile {
    window: tokio::sync::Mutex<Window>,
    waiting: Mutex<Vec<(Millis, oneshot::Sender<Answer>)>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate over a store, with nothing known yet.
    #[must_use]
    pub fn new(store: Arc<dyn WindowStore>, clock: SharedClock) -> Self {
        Self { store, clock, turnstiles: Arc::default() }
    }

    /// Waits for a slot and returns the right to send, or says when to come back.
    ///
    /// # Errors
    /// [`GateError::Later`] if the slot opens after `patience`; [`GateError::Store`] if the windows can't
    /// be written. Nothing was taken in either case.
    pub async fn pass(&self, bucket: &Bucket, patience: Patience) -> Result<Permit, GateError> {
        let deadline = self.clock.now() + patience.0;
        loop {
            match self.reserve(bucket, deadline).await? {
                Reservation::Later(at) => return Err(GateError::Later { at, group: bucket.group.clone() }),
                Reservation::Go(granted) => {
                    self.clock.sleep_until(granted).await;
                    // Somebody may have run into a penalty while this caller slept: its slot is void then.
                    if self.turnstile(bucket).window.lock().await.blocked_until <= granted {
                        return Ok(Permit { bucket: bucket.clone(), granted });
                    }
                }
            }
        }
    }

    /// Takes over what an answer said: the announced limit, a penalty, and an arrival later than the pad covers.
    ///
    /// # Errors
    /// [`GateError::Store`] if a penalty or a correction could not be written; limits ride on the next write.
    pub async fn settle(&self, permit: Permit, notice: Notice) -> Result<(), GateError> {
        let arrived = self.clock.now();
        let turnstile = self.turnstile(&permit.bucket);
        let mut window = turnstile.window.lock().await;
        if let Some((limit, length)) = notice.announced {
            window.learn(limit, length);
        }
        let late = arrived - permit.granted > window.pad();
        if notice.penalty.is_none() && !late {
            return Ok(());
        }
        self.write(&permit.bucket, &mut window, |window| {
            if let Some((limit, length)) = notice.announced {
                window.learn(limit, length);
            }
            if late {
                window.correct(permit.granted, arrived);
            }
            if let Some(penalty) = notice.penalty {
                window.block(arrived + penalty.max(1));
            }
        })
        .await
    }

    async fn reserve(&self, bucket: &Bucket, deadline: Millis) -> Result<Reservation, GateError> {
        let turnstile = self.turnstile(bucket);
        loop {
            let (answer, mut answered) = oneshot::channel();
            locked(&turnstile.waiting).push((deadline, answer));
            let mut window = turnstile.window.lock().await;
            if let Ok(answer) = answered.try_recv() {
                return answer.map_err(unshare);
            }
            let waiting = std::mem::take(&mut *locked(&turnstile.waiting));
            let mut reservations = Vec::new();
            let written = self
                .write(bucket, &mut window, |window| {
                    let now = self.clock.now();
                    reservations =
                        waiting.iter().map(|(deadline, _)| window.reserve(now, *deadline)).collect();
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

    /// Applies `change` to the freshest window until the store takes it; a change that changes nothing is not written.
    async fn write(
        &self,
        bucket: &Bucket,
        window: &mut Window,
        mut change: impl FnMut(&mut Window),
    ) -> Result<(), GateError> {
        loop {
            let mut next = window.clone();
            change(&mut next);
            if next == *window {
                return Ok(());
            }
            next.version = window.version + 1;
            match self.store.write(bucket, window.version, &next).await? {
                Written::Yes => {
                    *window = next;
                    return Ok(());
                }
                Written::LostTo(fresh) => *window = fresh,
            }
        }
    }

    fn turnstile(&self, bucket: &Bucket) -> Arc<Turnstile> {
        locked(&self.turnstiles)
            .entry(bucket.clone())
            .or_insert_with(|| {
                let window = tokio::sync::Mutex::new(Window::unused(&bucket.group));
                Arc::new(Turnstile { window, waiting: Mutex::default() })
            })
            .clone()
    }
}

/// No code panics while it holds one of these locks, so what a poisoned one guards is whole.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One answer for each waiter: its own reservation, or the failure that all of them share.
fn answers(
    written: Result<(), Arc<GateError>>,
    reservations: Vec<Reservation>,
) -> impl Iterator<Item = Answer> {
    let failed = written.err();
    reservations.into_iter().map(move |reservation| failed.clone().map_or(Ok(reservation), Err))
}

fn unshare(error: Arc<GateError>) -> GateError {
    Arc::try_unwrap(error)
        .unwrap_or_else(|shared| GateError::Store(crate::StoreError(Box::new(Shared(shared)))))
}

/// A failure that several waiters of one write share.
#[derive(Debug, thiserror::Error)]
#[error("the write made for several waiters failed")]
struct Shared(#[source] Arc<GateError>);
