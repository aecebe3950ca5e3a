use std::collections::VecDeque;
use std::panic::Location;
use std::time::Duration;

use crate::timestamp::Timestamp;

/// A caller's place in the order of arrival. The caller keeps it if the connection that it got
/// turns out to be dead, so that it does not go to the end of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    pub(crate) number: u64,
    /// For a caller from another pool, which stands behind the caller with this number: the time at
    /// which it began to wait there. `START` for all others.
    pub(crate) moved: Timestamp,
}

/// A waiting caller. On one cache line, since another thread reads what one wrote.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(crate) struct Waiter {
    pub(crate) ticket: Ticket,
    /// Where the shell delivers the result of the wait.
    pub(crate) cell: u32,
    pub(crate) caller: &'static Location<'static>,
    /// The time of the call.
    pub(crate) since: Timestamp,
    /// Number of further attempts to connect that it waits for after the first has failed.
    pub(crate) retries: u32,
    /// Number of failed attempts on its behalf.
    pub(crate) failures: u32,
    /// The time at which the next attempt on its behalf is due.
    pub(crate) due: Timestamp,
    /// The time at which it stops waiting.
    pub(crate) expires: Timestamp,
    /// Whether it also accepts a seat in a lane.
    pub(crate) shares: bool,
}

impl Waiter {
    /// Records a failed attempt, if it was made on this waiter's behalf: the first attempt, and
    /// then each that began when the waiter's own wait was over. Attempts that others made in
    /// between are additional chances, and do not use up its retries. Returns whether its retries
    /// are used up.
    pub(crate) fn is_used_up_by(
        &mut self,
        began: Timestamp,
        now: Timestamp,
        wait: impl FnOnce(u32) -> Duration,
    ) -> bool {
        if self.failures > 0 && began < self.due {
            return false;
        }
        self.due = now.after(wait(self.failures));
        self.failures += 1;
        self.failures > self.retries
    }
}

/// The waiting callers, in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiters: VecDeque<Waiter>,
    /// Number of waiters that accept a seat in a lane.
    sharing: usize,
}

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Number of waiters that need a connection of their own.
    pub(crate) fn exclusive(&self) -> usize {
        self.waiters.len() - self.sharing
    }

    /// Inserts a waiter at the place of its ticket: nearly always at the end.
    pub(crate) fn join(&mut self, waiter: Waiter) {
        self.sharing += usize::from(waiter.shares);
        let newest = self
            .waiters
            .back()
            .is_none_or(|last| last.ticket < waiter.ticket);
        if newest {
            return self.waiters.push_back(waiter);
        }
        let at = self
            .waiters
            .partition_point(|other| other.ticket < waiter.ticket);
        self.waiters.insert(at, waiter);
    }

    /// The ticket of the first waiter that came later than this.
    pub(crate) fn first_since(&self, arrived: Timestamp) -> Option<Ticket> {
        let mut waiters = self.waiters.iter();
        let later = waiters.find(|waiter| waiter.since > arrived)?;
        Some(later.ticket)
    }

    pub(crate) fn oldest(&self) -> Option<&Waiter> {
        self.waiters.front()
    }

    pub(crate) fn newest(&self) -> Option<&Waiter> {
        self.waiters.back()
    }

    /// Takes the oldest waiter.
    pub(crate) fn pop(&mut self) -> Option<Waiter> {
        let waiter = self.waiters.pop_front()?;
        self.sharing -= usize::from(waiter.shares);
        Some(waiter)
    }

    /// Takes the oldest waiter that accepts a seat in a lane.
    pub(crate) fn pop_sharing(&mut self) -> Option<Waiter> {
        if self.sharing == 0 {
            return None;
        }
        let at = self.waiters.iter().position(|waiter| waiter.shares)?;
        self.sharing -= 1;
        self.waiters.remove(at)
    }

    /// Takes out the waiter with this ticket, at any position.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<Waiter> {
        let at = self
            .waiters
            .binary_search_by_key(&ticket, |waiter| waiter.ticket)
            .ok()?;
        let waiter = self.waiters.remove(at)?;
        self.sharing -= usize::from(waiter.shares);
        Some(waiter)
    }

    /// The time at which the first attempt on a waiter's behalf is due.
    pub(crate) fn earliest_due(&self) -> Option<Timestamp> {
        self.waiters.iter().map(|waiter| waiter.due).min()
    }

    /// The time at which the first waiter stops waiting.
    pub(crate) fn earliest_expiry(&self) -> Option<Timestamp> {
        self.waiters.iter().map(|waiter| waiter.expires).min()
    }

    /// Takes out all waiters whose time is up, oldest first.
    pub(crate) fn take_expired(&mut self, now: Timestamp) -> Vec<Waiter> {
        self.take(|_, waiter| waiter.expires <= now)
    }

    /// Takes out, oldest first, all waiters from position `from` on whose retries are used up.
    pub(crate) fn take_used_up(
        &mut self,
        from: usize,
        mut is_used_up: impl FnMut(&mut Waiter) -> bool,
    ) -> Vec<Waiter> {
        self.take(|position, waiter| position >= from && is_used_up(waiter))
    }

    fn take(&mut self, mut goes: impl FnMut(usize, &mut Waiter) -> bool) -> Vec<Waiter> {
        let mut taken = Vec::new();
        let mut position = 0;
        self.waiters.retain_mut(|waiter| {
            let goes = goes(position, waiter);
            position += 1;
            if goes {
                taken.push(waiter.clone());
            }
            !goes
        });
        self.sharing -= taken.iter().filter(|waiter| waiter.shares).count();
        taken
    }
}
