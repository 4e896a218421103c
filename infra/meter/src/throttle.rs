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
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::usage;

/// A process gets one part in this many of a core: less than Lambda gives with its smallest memory.
pub(crate) const PARTS: u32 = 20;
/// How long it runs before it is looked at again.
const TURN: Duration = Duration::from_millis(1);

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
        let ends = over.clone();
        let turns = move || {
            let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
            let mut used = Duration::ZERO;
            while !ends.load(Ordering::Relaxed) {
                let began = Instant::now();
                thread::sleep(TURN);
                let stopped = kill_process(process, Signal::STOP);
                // What it had too much, because a signal came late, it waits for; what it did not use is lost, as on Lambda.
                let Ok(by_now) = usage::cpu(pid) else { return };
                thread::sleep((by_now.saturating_sub(used) * PARTS).saturating_sub(began.elapsed()));
                used = by_now;
                if stopped.and_then(|()| kill_process(process, Signal::CONT)).is_err() {
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
    use crate::usage;

    #[test]
    fn a_busy_process_gets_its_share_and_little_more() {
        let mut busy = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let throttle = Throttle::hold(busy.id());
        let (began, before) = (Instant::now(), usage::cpu(busy.id()).unwrap());
        let worked = Duration::from_millis(20);
        while usage::cpu(busy.id()).unwrap() < before + worked {
            thread::yield_now();
        }
        let took = began.elapsed();
        drop(throttle);
        busy.kill().unwrap();
        busy.wait().unwrap();
        // Its last turn may have been longer than it should.
        assert!(took > worked * (PARTS / 2), "{took:?} for {worked:?} of work");
    }
}
