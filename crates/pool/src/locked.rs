use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use underpin_core::Error;

use crate::acquire::Request;
use crate::fast::cache::IdleCache;
use crate::fast::connection::PoolConnection;
use crate::fast::mailbox::MailboxNumbers;
use crate::fast::outcome::{Answer, Delivery, Outcome};
use crate::lane::Lane;
use crate::state::{Acquisition, Action, Placement, SlotId, State, Ticket, Waiter};
use crate::timestamp::Timestamp;
use crate::work::{Job, Work};

/// The data that the lock guards. It begins on a cache line of its own, so that threads waiting for
/// the lock do not disturb the thread that holds it.
#[repr(C, align(64))]
pub(crate) struct Locked<T> {
    pub(crate) mailboxes: MailboxNumbers,
    /// Whether `work` is not empty.
    has_work: bool,
    pub(crate) state: State,
    /// The connections without a holder, by slot.
    connections: Vec<Option<Box<PoolConnection<T>>>>,
    cache: Arc<IdleCache<T>>,
    /// The lanes, by slot.
    lanes: Vec<Option<Arc<Lane<T>>>>,
    pub(crate) last_error: Option<(Arc<Error>, Timestamp)>,
    work: Work<T>,
}

/// A place in the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    /// The number of the mailbox.
    pub(crate) cell: u32,
    pub(crate) ticket: Ticket,
    /// The pool's total time spent connecting when the wait began.
    pub(crate) connecting_before: Duration,
}

impl<T> Locked<T> {
    pub(crate) fn new(state: State, cache: Arc<IdleCache<T>>) -> Self {
        Locked {
            state,
            mailboxes: MailboxNumbers::default(),
            has_work: false,
            connections: Vec::new(),
            cache,
            lanes: Vec::new(),
            last_error: None,
            work: Work::default(),
        }
    }

    /// Takes back a connection whose session is clean. If a caller waits for it, returns the
    /// delivery to that caller: the usual case under load, and the shortest path.
    pub(crate) fn take_back(
        &mut self,
        pooled: Box<PoolConnection<T>>,
        now: Timestamp,
    ) -> Option<Delivery<T>> {
        match self.state.returned(pooled.slot, now) {
            Placement::Handoff { cell, check } => Some(self.address(pooled, cell, check, now)),
            placement => {
                self.put(pooled, placement, now);
                None
            }
        }
    }

    /// Gives a caller a seat or an idle connection, or returns why there is none, or makes it wait
    /// at this mailbox.
    pub(crate) fn serve(
        &mut self,
        request: &mut Request,
        waker: &Waker,
        now: Timestamp,
    ) -> Result<Outcome<T>, Wait> {
        if request.shares {
            if self.state.would_share_work(now) {
                self.close_cache(now);
            }
            if let Some(slot) = self.state.join(now) {
                return Ok(self.seat(slot, now));
            }
        }
        let Request {
            caller,
            since,
            moved,
            ..
        } = *request;
        let state = &mut self.state;
        let ticket = *request.ticket.get_or_insert_with(|| match moved {
            true => state.issue_ticket_since(since),
            false => state.issue_ticket(),
        });
        let mut acquired = self.state.acquire(caller, now);
        if acquired == Acquisition::Wait && self.close_cache(now) {
            acquired = self.state.acquire(caller, now);
        }
        match acquired {
            Acquisition::Closed => Ok(Answer::Closed.into()),
            Acquisition::Ready { slot, check } => Ok(self.lease(slot, check, now)),
            Acquisition::Wait if !self.state.has_room_for(ticket) => {
                let most = self.state.most_waiting().unwrap_or_default();
                Ok(Answer::Full { most }.into())
            }
            Acquisition::Wait => {
                let connecting_before = self.state.connecting_time(now);
                let cell = self.mailboxes.assign(waker);
                let waiter = Waiter {
                    ticket,
                    cell,
                    caller,
                    since,
                    retries: request.retries,
                    failures: 0,
                    due: now,
                    expires: request.expires,
                    shares: request.shares,
                };
                self.state.enqueue(waiter, now);
                Err(Wait {
                    cell,
                    ticket,
                    connecting_before,
                })
            }
        }
    }

    /// Returns the seat that was taken in a lane.
    fn seat(&self, slot: SlotId, now: Timestamp) -> Outcome<T> {
        match self.lane(slot) {
            Some(lane) => Answer::Seated {
                slot,
                lane,
                since: now,
            }
            .into(),
            None => Answer::Closed.into(),
        }
    }

    /// Puts a connection where the state machine decided.
    pub(crate) fn put(
        &mut self,
        pooled: Box<PoolConnection<T>>,
        placement: Placement,
        now: Timestamp,
    ) {
        match placement {
            Placement::Keep => {
                let slot = pooled.slot;
                *entry(&mut self.connections, slot) = Some(pooled);
            }
            Placement::Handoff { cell, check } => {
                let delivery = self.address(pooled, cell, check, now);
                self.has_work = true;
                self.work.deliveries.push(delivery);
            }
            Placement::Close => self.close(pooled),
        }
    }

    /// The delivery of a leased connection to the waiter with this cell.
    fn address(
        &mut self,
        pooled: Box<PoolConnection<T>>,
        cell: u32,
        check: bool,
        now: Timestamp,
    ) -> Delivery<T> {
        let outcome = self.grant(pooled, check, now, Some(cell));
        let waker = self.mailboxes.take_waker(cell);
        Delivery {
            cell,
            waker,
            outcome,
        }
    }

    /// Takes the connection of an idle slot.
    fn take(&mut self, slot: SlotId) -> Option<Box<PoolConnection<T>>> {
        let pooled = self
            .connections
            .get_mut(slot.index())
            .and_then(Option::take);
        debug_assert!(pooled.is_some(), "an idle slot has a connection");
        pooled
    }

    /// Takes the connection of a slot that was idle and is leased now.
    fn lease(&mut self, slot: SlotId, check: bool, now: Timestamp) -> Outcome<T> {
        match self.take(slot) {
            Some(pooled) => self.grant(pooled, check, now, None),
            None => Answer::Closed.into(),
        }
    }

    fn grant(
        &mut self,
        mut pooled: Box<PoolConnection<T>>,
        check: bool,
        now: Timestamp,
        mailbox: Option<u32>,
    ) -> Outcome<T> {
        pooled.stamp = self.state.stamp(pooled.slot, check, now);
        if let Some(emptied) = std::mem::replace(&mut pooled.mailbox, mailbox) {
            self.mailboxes.free(emptied);
        }
        pooled.into()
    }

    /// Tells the state machine about a connection that was taken out of the cache.
    pub(crate) fn returned_from_cache(&mut self, pooled: Box<PoolConnection<T>>, now: Timestamp) {
        let (slot, since) = (pooled.slot, pooled.since());
        let placement = self.state.returned_from_cache(slot, since, now);
        self.put(pooled, placement, now);
    }

    /// Empties the cache. Returns whether it held any connection.
    fn flush_cache(&mut self, now: Timestamp) -> bool {
        let cache = Arc::clone(&self.cache);
        let mut any = false;
        for pooled in self.state.slots().filter_map(|slot| cache.take(slot)) {
            self.returned_from_cache(pooled, now);
            any = true;
        }
        any
    }

    /// Closes and empties the cache, for a caller that would have to wait otherwise. It stays
    /// closed until no caller waits. Returns whether it held any connection.
    fn close_cache(&mut self, now: Timestamp) -> bool {
        let epoch = self.cache.epoch();
        if !epoch.is_open() {
            return false;
        }
        self.cache.set_epoch(epoch.closed());
        self.flush_cache(now)
    }

    /// Informs the state machine about the current holders, and about connections without one.
    pub(crate) fn reconcile(&mut self, now: Timestamp) {
        self.flush_cache(now);
        for slot in self.state.slots() {
            let known = self.state.leased_since(slot);
            let latest = self.cache.record(slot).holder();
            if let (Some(known), Some((caller, since))) = (known, latest)
                && since >= known
            {
                self.state.holder_changed(slot, caller, since);
            }
        }
    }

    /// Publishes whether connections may be cached, for callers that do not take the lock.
    fn publish_epoch(&mut self, now: Timestamp) {
        let (old, new) = (self.cache.epoch(), self.state.epoch());
        if old != new {
            self.cache.set_epoch(new);
            // A connection in the cache was returned under the old epoch.
            if old.is_open() {
                self.flush_cache(now);
            }
        }
    }

    /// The lane in a slot, in which the caller has a seat.
    pub(crate) fn lane(&self, slot: SlotId) -> Option<Arc<Lane<T>>> {
        let lane = self.lanes.get(slot.index()).cloned().flatten();
        debug_assert!(lane.is_some(), "a lane with seats has a connection");
        lane
    }

    pub(crate) fn open_lane(&mut self, slot: SlotId, lane: Arc<Lane<T>>) {
        *entry(&mut self.lanes, slot) = Some(lane);
    }

    pub(crate) fn end_lane(&mut self, slot: SlotId) {
        if let Some(lane) = entry(&mut self.lanes, slot).take() {
            self.give(Job::Return(lane));
        }
    }

    /// Takes out all connections without a holder.
    pub(crate) fn take_connections(&mut self) -> Vec<Box<PoolConnection<T>>> {
        let lanes = self.lanes.drain(..).flatten();
        let lanes = lanes.filter_map(|lane| Arc::into_inner(lane).map(Lane::into_connection));
        self.connections.drain(..).flatten().chain(lanes).collect()
    }

    /// Takes the work that remains after the lock is released.
    #[inline]
    pub(crate) fn take_work(&mut self) -> Option<Work<T>> {
        std::mem::take(&mut self.has_work).then(|| std::mem::take(&mut self.work))
    }

    /// Queues a connection to be closed by a background task.
    pub(crate) fn close(&mut self, mut pooled: Box<PoolConnection<T>>) {
        self.forget(&mut pooled);
        self.give(Job::Close(pooled));
    }

    /// Records that a connection leaves the pool.
    pub(crate) fn forget(&mut self, pooled: &mut PoolConnection<T>) {
        if let Some(emptied) = pooled.mailbox.take() {
            self.mailboxes.free(emptied);
        }
    }

    /// Queues a job for a background task.
    pub(crate) fn give(&mut self, job: Job<T>) {
        self.has_work = true;
        self.work.jobs.push(job);
    }

    fn deliver(&mut self, cell: u32, outcome: impl Into<Outcome<T>>) {
        self.has_work = true;
        let waker = self.mailboxes.take_waker(cell);
        let outcome = outcome.into();
        self.work.deliveries.push(Delivery {
            cell,
            waker,
            outcome,
        });
    }

    /// Carries out the actions of the state machine, as far as that happens under the lock.
    #[inline]
    pub(crate) fn carry_out_actions(&mut self, now: Timestamp) {
        self.publish_epoch(now);
        if self.state.has_actions() {
            self.carry_out_all(now);
        }
    }

    fn carry_out_all(&mut self, now: Timestamp) {
        while let Some(action) = self.state.next_action() {
            self.has_work = true;
            match action {
                Action::Connect(slot) => self.work.jobs.push(Job::Connect(slot)),
                Action::Close(slot) => {
                    if let Some(pooled) = self.take(slot) {
                        self.close(pooled);
                    }
                }
                Action::Check(slot) => {
                    if let Some(pooled) = self.take(slot) {
                        self.work.jobs.push(Job::Check(pooled));
                    }
                }
                Action::Fail { cell, attempts } => {
                    if let Some((error, _)) = &self.last_error {
                        let error = Arc::clone(error);
                        self.deliver(cell, Answer::Failed { error, attempts });
                    }
                }
                Action::Expire {
                    cell,
                    waiting,
                    awaits_connect,
                } => {
                    let outcome = Answer::TimedOut {
                        waiting,
                        awaits_connect,
                    };
                    self.deliver(cell, outcome);
                }
                Action::Seat { cell, slot } => {
                    let outcome = self.seat(slot, now);
                    self.deliver(cell, outcome);
                }
                Action::ReturnLane(slot) => self.end_lane(slot),
                Action::Rescue(slot) => {
                    if let Some(lane) = self.lane(slot) {
                        self.work.jobs.push(Job::Rescue(lane));
                    }
                }
                Action::Handoff { slot, cell, check } => {
                    if let Some(pooled) = self.take(slot) {
                        self.put(pooled, Placement::Handoff { cell, check }, now);
                    }
                }
                Action::Shed { cell, overload } => self.deliver(cell, Answer::Shed { overload }),
                Action::Refuse { cell } => self.deliver(cell, Answer::Closed),
                Action::CancelConnects => self.work.cancel_connects = true,
                Action::ReportLeak(holder) => self.work.leaks.push(holder),
                Action::Reschedule => self.work.reschedule = true,
                Action::Drained => self.work.drained = true,
            }
        }
    }
}

/// The place of a slot in a list that grows as slots are used.
fn entry<T>(list: &mut Vec<Option<T>>, slot: SlotId) -> &mut Option<T> {
    let index = slot.index();
    if list.len() <= index {
        list.resize_with(index + 1, || None);
    }
    &mut list[index]
}
