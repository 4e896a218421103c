//! A small share of a core: what Lambda gives a function with little memory.
//!
//! Lambda takes the processor away when the share of a period is used up. This does the same with signals, because it needs no
//! right to make a control group.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// Of every period …
pub(crate) const PERIOD: Duration = Duration::from_millis(20);
/// … a process runs this long: a twentieth of a core, which Lambda gives for less than 128 MB.
pub(crate) const RUNNING: Duration = Duration::from_millis(1);

/// Holds a process to its share until it is dropped.
#[derive(Debug)]
pub(crate) struct Throttle {
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Throttle {
    /// Starts with the process's turn.
    pub(crate) fn hold(pid: u32) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let ends = over.clone();
        let turns = move || {
            while let Some(pid) = pid.filter(|_| !ends.load(Ordering::Relaxed)) {
                thread::sleep(RUNNING);
                let stopped = kill_process(pid, Signal::STOP);
                thread::sleep(PERIOD - RUNNING);
                if stopped.and_then(|()| kill_process(pid, Signal::CONT)).is_err() {
                    return;
                }
            }
        };
        Self { over, thread: Some(thread::spawn(turns)) }
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It can't panic, and the process must not be stopped by it any more when this returns.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Instant};

    use super::*;

    /// How long some work of a process takes.
    fn work(throttled: bool) -> Duration {
        let began = Instant::now();
        let script = "i=0; while [ $i -lt 40000 ]; do i=$((i + 1)); done";
        let mut busy = Command::new("sh").args(["-c", script]).spawn().unwrap();
        let throttle = throttled.then(|| Throttle::hold(busy.id()));
        busy.wait().unwrap();
        drop(throttle);
        began.elapsed()
    }

    #[test]
    fn a_process_that_is_held_to_its_share_takes_many_times_as_long() {
        let (free, held) = (work(false), work(true));
        // Twenty times as long, but signals arrive late on a busy machine.
        assert!(held > free * 5, "{held:?} instead of {free:?}");
    }
}
