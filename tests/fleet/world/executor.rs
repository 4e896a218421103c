//! A single-threaded executor: whoever is ready is polled in seeded order, and a frozen container is not polled at all.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::Dice;

/// The number of a container; a restarted one gets a new number.
pub(crate) type ContainerId = usize;

type Ready = Arc<Mutex<Vec<usize>>>;

/// All tasks of the world.
pub(crate) struct Executor {
    tasks: Vec<Option<Task>>,
    ready: Ready,
    /// Of each frozen container, the tasks that would be polled.
    frozen: Vec<(ContainerId, Vec<usize>)>,
    dice: Dice,
    polls: u64,
}

struct Task {
    container: ContainerId,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    signal: Arc<Signal>,
    waker: Waker,
}

struct Signal {
    task: usize,
    queued: AtomicBool,
    ready: Ready,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap().push(self.task);
        }
    }
}

impl Executor {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { tasks: Vec::new(), ready: Ready::default(), frozen: Vec::new(), dice, polls: 0 }
    }

    pub(crate) fn spawn(
        &mut self,
        container: ContainerId,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let signal = Arc::new(Signal {
            task: self.tasks.len(),
            queued: AtomicBool::new(false),
            ready: self.ready.clone(),
        });
        let waker = Waker::from(signal.clone());
        waker.wake_by_ref();
        self.tasks.push(Some(Task { container, future: Box::pin(future), signal, waker }));
    }

    /// Polls until nobody is ready.
    pub(crate) fn run_ready(&mut self) {
        while let Some(id) = self.next() {
            let Some(task) = &mut self.tasks[id] else { continue };
            let container = task.container;
            if let Some((_, held)) = self.frozen.iter_mut().find(|(frozen, _)| *frozen == container) {
                held.push(id);
                continue;
            }
            self.polls += 1;
            task.signal.queued.store(false, Ordering::Relaxed);
            let waker = task.waker.clone();
            if task.future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(()) {
                self.tasks[id] = None;
            }
        }
    }

    fn next(&mut self) -> Option<usize> {
        let mut ready = self.ready.lock().unwrap();
        if ready.is_empty() {
            return None;
        }
        let index = self.dice.index(ready.len());
        Some(ready.swap_remove(index))
    }

    /// Drops everything a container was doing.
    pub(crate) fn crash(&mut self, container: ContainerId) {
        self.frozen.retain(|(frozen, _)| *frozen != container);
        for task in &mut self.tasks {
            if task.as_ref().is_some_and(|task| task.container == container) {
                *task = None;
            }
        }
    }

    pub(crate) fn freeze(&mut self, container: ContainerId) {
        self.frozen.push((container, Vec::new()));
    }

    pub(crate) fn thaw(&mut self, container: ContainerId) {
        if let Some(index) = self.frozen.iter().position(|(frozen, _)| *frozen == container) {
            let (_, held) = self.frozen.swap_remove(index);
            self.ready.lock().unwrap().extend(held);
        }
    }

    pub(crate) fn is_frozen(&self, container: ContainerId) -> bool {
        self.frozen.iter().any(|(frozen, _)| *frozen == container)
    }

    pub(crate) fn is_alive(&self, container: ContainerId) -> bool {
        self.tasks.iter().flatten().any(|task| task.container == container)
    }

    /// How many tasks have not ended.
    pub(crate) fn unfinished(&self) -> usize {
        self.tasks.iter().flatten().count()
    }

    pub(crate) fn polls(&self) -> u64 {
        self.polls
    }
}
