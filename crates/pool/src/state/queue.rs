use std::collections::VecDeque;
use std::panic::Location;
use std::time::Duration;

use crate::moment::Moment;

/// A caller's place in the order of arrival. It is kept when a connection that the caller
/// was given turns out to be dead, so that the caller does not go to the end of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(pub(crate) u64);

/// A caller who waits.
#[derive(Debug, Clone)]
pub(crate) struct Waiter {
    pub(crate) ticket: Ticket,
    /// Where the shell leaves what becomes of the wait.
    pub(crate) cell: u32,
    pub(crate) place: &'static Location<'static>,
    /// When the caller asked.
    pub(crate) since: Moment,
    /// How many more attempts to connect it waits for after the first has failed.
    pub(crate) retries: u32,
    /// How many attempts have failed on its behalf.
    pub(crate) failures: u32,
    /// When the next attempt on its behalf is due.
    pub(crate) due: Moment,
}

impl Waiter {
    /// Takes note of a failed attempt, if it was made on this waiter's behalf: the first,
    /// and then each that began when its own wait was over. What others tried in between
    /// is a chance more, and does not shorten its patience. Gives whether it is used up.
    pub(crate) fn is_used_up_by(
        &mut self,
        began: Moment,
        now: Moment,
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

/// Who waits, in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Queue(VecDeque<Waiter>);

impl Queue {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts a waiter where its ticket belongs.
    pub(crate) fn join(&mut self, waiter: Waiter) {
        let at = self.0.partition_point(|other| other.ticket < waiter.ticket);
        self.0.insert(at, waiter);
    }

    pub(crate) fn oldest(&self) -> Option<&Waiter> {
        self.0.front()
    }

    pub(crate) fn newest(&self) -> Option<&Waiter> {
        self.0.back()
    }

    /// Takes the oldest.
    pub(crate) fn pop(&mut self) -> Option<Waiter> {
        self.0.pop_front()
    }

    /// Takes out the waiter with this ticket, wherever it stands.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> Option<Waiter> {
        let at = self
            .0
            .binary_search_by_key(&ticket, |waiter| waiter.ticket)
            .ok()?;
        self.0.remove(at)
    }

    /// When the first attempt on anybody's behalf is due.
    pub(crate) fn earliest_due(&self) -> Option<Moment> {
        self.0.iter().map(|waiter| waiter.due).min()
    }

    /// Takes out, oldest first, all from position `from` on whose patience is used up.
    pub(crate) fn take_used_up(
        &mut self,
        from: usize,
        mut is_used_up: impl FnMut(&mut Waiter) -> bool,
    ) -> Vec<Waiter> {
        let mut taken = Vec::new();
        let mut position = 0;
        self.0.retain_mut(|waiter| {
            position += 1;
            let goes = position > from && is_used_up(waiter);
            if goes {
                taken.push(waiter.clone());
            }
            !goes
        });
        taken
    }
}
