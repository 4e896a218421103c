//! The world's true time: it stands still while anybody is busy, and jumps to the next thing that is due.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use clock::{Clock, Millis};

/// True time and what is due. Clones share it.
#[derive(Clone)]
pub(crate) struct Timeline(Arc<Mutex<State>>);

struct State {
    now: Millis,
    planned: u64,
    due: BinaryHeap<Due>,
}

struct Due {
    at: Millis,
    /// Breaks ties: what was planned first happens first.
    planned: u64,
    run: Box<dyn FnOnce() + Send>,
}

impl Timeline {
    pub(crate) fn starting(now: Millis) -> Self {
        Self(Arc::new(Mutex::new(State { now, planned: 0, due: BinaryHeap::new() })))
    }

    pub(crate) fn now(&self) -> Millis {
        self.0.lock().unwrap().now
    }

    /// Runs `run` at this instant, whatever becomes of whoever planned it: requests on a wire, acts of the script.
    pub(crate) fn at(&self, at: Millis, run: impl FnOnce() + Send + 'static) {
        let mut state = self.0.lock().unwrap();
        state.planned += 1;
        let due = Due { at: at.max(state.now), planned: state.planned, run: Box::new(run) };
        state.due.push(due);
    }

    pub(crate) fn after(&self, delay: Millis, run: impl FnOnce() + Send + 'static) {
        self.at(self.now() + delay, run);
    }

    pub(crate) fn sleep_until(&self, at: Millis) -> Sleep {
        Sleep { timeline: self.clone(), at, armed: None }
    }

    /// Jumps to the next instant at which something is due and runs all of it; false if nothing is due any more.
    pub(crate) fn step(&self) -> bool {
        let mut state = self.0.lock().unwrap();
        let Some(next) = state.due.peek().map(|due| due.at) else { return false };
        state.now = next;
        let mut batch = Vec::new();
        while state.due.peek().is_some_and(|due| due.at == next) {
            batch.extend(state.due.pop());
        }
        drop(state);
        batch.into_iter().for_each(|due| (due.run)());
        true
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.planned).cmp(&(self.at, self.planned))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

/// Ready once true time has reached the instant.
pub(crate) struct Sleep {
    timeline: Timeline,
    at: Millis,
    armed: Option<Waker>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.timeline.now() >= self.at {
            return Poll::Ready(());
        }
        if !self.armed.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            let waker = context.waker().clone();
            self.armed = Some(waker.clone());
            self.timeline.at(self.at, move || waker.wake());
        }
        Poll::Pending
    }
}

/// A container's own clock: true time, wrong by a constant.
#[derive(Clone)]
pub(crate) struct SkewedClock {
    pub(crate) timeline: Timeline,
    pub(crate) skew: Millis,
}

impl std::fmt::Debug for SkewedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SkewedClock").field("skew", &self.skew).finish_non_exhaustive()
    }
}

#[async_trait]
impl Clock for SkewedClock {
    fn now(&self) -> Millis {
        self.timeline.now() + self.skew
    }

    async fn sleep_until(&self, at: Millis) {
        self.timeline.sleep_until(at - self.skew).await;
    }
}
