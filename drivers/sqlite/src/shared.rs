use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::InterruptHandle;
use underpin_core::driver::SessionState;

/// The state that the thread of a connection shares with its callers. The thread writes after each
/// job, so callers do not have to ask it.
pub(crate) struct Shared {
    gate: Mutex<Gate>,
    interrupt: OnceLock<InterruptHandle>,
    /// Whether the current job should stop.
    stop: AtomicBool,
    in_flight: AtomicUsize,
    flags: AtomicU8,
}

/// The current job, so that an interrupt affects that one and never the next.
#[derive(Default)]
struct Gate {
    last_sent: u64,
    last_started: u64,
    running: bool,
    /// Whether the current job must not be interrupted.
    protected: bool,
    withdrawn: Vec<u64>,
}

/// The result of an attempt to stop a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It had not begun, and will not.
    Withdrawn,
    /// It was running and has been told to stop; its answer contains the outcome.
    Interrupted,
    /// It had ended; its answer is available.
    Over,
}

const IN_TRANSACTION: u8 = 1;
const FAILED: u8 = 2;
const CHANGED: u8 = 4;
const BROKEN: u8 = 8;

impl Shared {
    pub(crate) fn new() -> Self {
        Shared {
            gate: Mutex::default(),
            interrupt: OnceLock::new(),
            stop: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            flags: AtomicU8::new(0),
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_interrupt(&self, handle: InterruptHandle) {
        let _ = self.interrupt.set(handle);
    }

    /// Assigns the job its number and sends it, in one step, so that numbers increase in the order
    /// in which jobs run. `None` if `send` failed.
    pub(crate) fn send(&self, send: impl FnOnce(u64) -> bool) -> Option<u64> {
        let mut gate = self.gate();
        let id = gate.last_sent + 1;
        // Before the job is sent: the thread may have finished it before this returns.
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        if !send(id) {
            self.in_flight.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        gate.last_sent = id;
        Some(id)
    }

    /// On the thread: whether the job is still needed. It runs from here on.
    pub(crate) fn start(&self, id: u64, protected: bool) -> bool {
        let mut gate = self.gate();
        gate.last_started = id;
        if let Some(at) = gate.withdrawn.iter().position(|withdrawn| *withdrawn == id) {
            gate.withdrawn.swap_remove(at);
            drop(gate);
            self.in_flight.fetch_sub(1, Ordering::AcqRel);
            return false;
        }
        gate.running = true;
        gate.protected = protected;
        self.stop.store(false, Ordering::Relaxed);
        true
    }

    /// On the thread: the job has ended.
    pub(crate) fn finish(&self, open: bool, failed: bool, changed: bool) {
        let mut gate = self.gate();
        gate.running = false;
        self.stop.store(false, Ordering::Relaxed);
        drop(gate);
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(open, IN_TRANSACTION) | flag(failed, FAILED) | flag(changed, CHANGED);
        let broken = self.flags.load(Ordering::Acquire) & BROKEN;
        self.flags.store(flags | broken, Ordering::Release);
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// Stops the job, in any phase.
    pub(crate) fn stop(&self, id: u64) -> Stopped {
        let mut gate = self.gate();
        if id > gate.last_started {
            if !gate.withdrawn.contains(&id) {
                gate.withdrawn.push(id);
            }
            return Stopped::Withdrawn;
        }
        if id < gate.last_started || !gate.running {
            return Stopped::Over;
        }
        self.interrupt(&gate);
        Stopped::Interrupted
    }

    /// Stops the current job.
    pub(crate) fn stop_running(&self) {
        let gate = self.gate();
        if gate.running {
            self.interrupt(&gate);
        }
    }

    /// Stops the opening of the connection, which is not a job.
    pub(crate) fn stop_opening(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn interrupt(&self, gate: &MutexGuard<'_, Gate>) {
        if gate.protected {
            return;
        }
        // SQLite forgets an interrupt that arrives before a statement's first step. It does not
        // forget the flag, which the progress and busy handlers read.
        self.stop.store(true, Ordering::Relaxed);
        if let Some(handle) = self.interrupt.get() {
            handle.interrupt();
        }
    }

    /// Whether the current job should stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(crate) fn set_broken(&self) {
        self.flags.fetch_or(BROKEN, Ordering::AcqRel);
    }

    pub(crate) fn state(&self) -> SessionState {
        // In this order: the thread writes the flags before it counts a job as ended.
        let in_flight = self.in_flight();
        let flags = self.flags.load(Ordering::Acquire);
        if flags & BROKEN != 0 {
            SessionState::Broken
        } else if in_flight > 0 {
            SessionState::Busy
        } else if flags & FAILED != 0 {
            SessionState::Failed
        } else if flags & IN_TRANSACTION != 0 {
            SessionState::InTransaction
        } else if flags & CHANGED != 0 {
            SessionState::Changed
        } else {
            SessionState::Clean
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_withdrawn_interrupted_or_over() {
        let shared = Shared::new();
        let first = shared.send(|_| true).unwrap();
        let second = shared.send(|_| true).unwrap();
        assert_eq!(shared.state(), SessionState::Busy);
        assert!(shared.start(first, false));
        assert_eq!(shared.stop(second), Stopped::Withdrawn);
        assert_eq!(shared.stop(first), Stopped::Interrupted);
        assert!(shared.is_stopped());
        shared.finish(true, false, false);
        assert!(!shared.is_stopped());
        assert_eq!(shared.stop(first), Stopped::Over);
        assert!(!shared.is_stopped(), "an interrupt meets no later job");
        assert!(!shared.start(second, false));
        assert_eq!(shared.in_flight(), 0);
        assert_eq!(shared.state(), SessionState::InTransaction);
        let third = shared.send(|_| true).unwrap();
        assert!(shared.start(third, true));
        assert_eq!(shared.stop(third), Stopped::Interrupted);
        assert!(!shared.is_stopped(), "a job that is protected goes on");
        shared.finish(true, false, false);
        shared.set_broken();
        assert_eq!(shared.state(), SessionState::Broken);
        assert_eq!(shared.send(|_| false), None);
        assert_eq!(shared.in_flight(), 0);
    }
}
