use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;
use underpin_core::driver::{Connector, Pooled};
use underpin_core::{Deadline, Error};

use crate::background;
use crate::failure;
use crate::hooks::Hooks;
use crate::lane::Lane;
use crate::mailbox::{Mailboxes, Outcome};
use crate::metrics::Publishing;
use crate::moment::Moment;
use crate::name::Name;
use crate::options::PoolOptions;
use crate::source::Source;
use crate::state::{Action, Placement, SlotId, State};
use crate::statistics::Statistics;
use crate::work::{Delivery, Job, Work};

/// What all handles, leases and background tasks of a pool share.
pub(crate) struct Inner<C: Connector> {
    pub(crate) source: Source<C>,
    pub(crate) called: Name,
    pub(crate) options: PoolOptions,
    pub(crate) hooks: Arc<Hooks<C::Connection>>,
    pub(crate) runtime: Handle,
    opened_at: Instant,
    locked: Mutex<Locked<C::Connection>>,
    pub(crate) reschedule: Arc<Notify>,
    pub(crate) drained: Notify,
    /// The pool was closed because the runtime that keeps it up came to its end.
    pub(crate) runtime_ended: AtomicBool,
    pub(crate) publishing: Publishing,
    /// The state's, for those who do not take the lock.
    generation: AtomicU64,
    crowded: AtomicBool,
}

/// What the lock guards. It begins on a cache line of its own, so that who waits for the lock
/// does not disturb who works under it.
#[repr(align(64))]
pub(crate) struct Locked<T> {
    pub(crate) state: State,
    /// The connections that nobody holds, by slot.
    connections: Vec<Option<T>>,
    /// The lanes, by slot.
    lanes: Vec<Option<Arc<Lane<T>>>>,
    pub(crate) mailboxes: Mailboxes<T>,
    pub(crate) last_error: Option<(Arc<Error>, Moment)>,
    pub(crate) work: Work<T>,
    has_work: bool,
}

impl<C: Connector> Inner<C> {
    pub(crate) fn new(
        connector: C,
        options: PoolOptions,
        hooks: Hooks<C::Connection>,
        runtime: Handle,
    ) -> Self {
        Inner {
            source: Source::new(connector),
            called: Name::new(options.name.clone()),
            hooks: Arc::new(hooks),
            runtime,
            opened_at: Instant::now(),
            locked: Mutex::new(Locked {
                state: State::new(&options),
                connections: Vec::new(),
                lanes: Vec::new(),
                mailboxes: Mailboxes::new(),
                last_error: None,
                work: Work::default(),
                has_work: false,
            }),
            options,
            reschedule: Arc::new(Notify::new()),
            drained: Notify::new(),
            runtime_ended: AtomicBool::new(false),
            publishing: Publishing::new(),
            generation: AtomicU64::new(0),
            crowded: AtomicBool::new(false),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.called.get()
    }

    /// The error of a pool that was closed.
    pub(crate) fn closed(&self) -> Error {
        failure::closed(self.name(), self.runtime_ended.load(Ordering::Acquire))
    }

    pub(crate) fn now(&self) -> Moment {
        self.moment(Instant::now())
    }

    pub(crate) fn moment(&self, instant: Instant) -> Moment {
        Moment::at(instant.saturating_duration_since(self.opened_at))
    }

    /// The instant of a moment; `None` where a clock cannot hold it.
    pub(crate) fn instant(&self, moment: Moment) -> Option<Instant> {
        match moment {
            Moment::NEVER => None,
            moment => self.opened_at.checked_add(moment.since(Moment::START)),
        }
    }

    /// Does something under the lock, and what follows from it once the lock is released.
    pub(crate) fn with<R>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut Locked<C::Connection>, Moment) -> R,
    ) -> R {
        self.with_at(self.now(), act)
    }

    /// As `with`, for who has looked at the clock already.
    #[inline]
    pub(crate) fn with_at<R>(
        self: &Arc<Self>,
        now: Moment,
        act: impl FnOnce(&mut Locked<C::Connection>, Moment) -> R,
    ) -> R {
        let mut locked = self.lock();
        let result = act(&mut locked, now);
        if locked.state.has_actions() {
            locked.carry_out_actions(now);
        }
        let work = locked.take_work();
        self.note(&locked.state);
        drop(locked);
        if let Some(work) = work {
            background::start(self, work);
        }
        result
    }

    /// Lets those know who do not take the lock.
    fn note(&self, state: &State) {
        let generation = state.generation();
        if self.generation.load(Ordering::Relaxed) != generation {
            self.generation.store(generation, Ordering::Release);
        }
        let crowded = state.is_crowded();
        if self.crowded.load(Ordering::Relaxed) != crowded {
            self.crowded.store(crowded, Ordering::Relaxed);
        }
    }

    /// Whether who asks now will probably have to wait.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Whether connections of this generation are still to be leased out.
    pub(crate) fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    /// The pool in numbers, all of the same moment.
    pub(crate) fn statistics(&self) -> Statistics {
        let locked = self.lock();
        let last_error = locked
            .last_error
            .as_ref()
            .map(|(error, _)| error.to_string());
        Statistics::new(self.name(), &locked.state, last_error)
    }

    /// For looking only: whatever changes the state goes through `with`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Locked<C::Connection>> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Locked<T> {
    /// Puts a connection where the state machine wants it.
    pub(crate) fn put(&mut self, slot: SlotId, connection: T, placement: Placement) {
        match placement {
            Placement::Keep => *entry(&mut self.connections, slot) = Some(connection),
            Placement::HandOver { cell, check } => {
                self.deliver(
                    cell,
                    Outcome::Granted {
                        slot,
                        connection,
                        check,
                        generation: self.state.generation(),
                    },
                );
            }
            Placement::Close => self.give(Job::Close(slot, connection)),
        }
    }

    /// Takes the connection of a slot that was idle.
    pub(crate) fn take(&mut self, slot: SlotId) -> Option<T> {
        let connection = self
            .connections
            .get_mut(slot.index())
            .and_then(Option::take);
        debug_assert!(connection.is_some(), "an idle slot has a connection");
        connection
    }

    /// The lane in a slot, of which the caller has a seat.
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
            self.give(Job::Return(slot, lane));
        }
    }

    /// What is left to do once the lock is released.
    fn take_work(&mut self) -> Option<Work<T>> {
        std::mem::take(&mut self.has_work).then(|| std::mem::take(&mut self.work))
    }

    /// Leaves a job to a background task.
    pub(crate) fn give(&mut self, job: Job<T>) {
        self.has_work = true;
        self.work.jobs.push(job);
    }

    fn deliver(&mut self, cell: u32, outcome: Outcome<T>) {
        if let Some(to) = self.mailboxes.remove(cell) {
            self.has_work = true;
            self.work.deliver(Delivery { to, outcome });
        }
    }

    fn carry_out_actions(&mut self, now: Moment) {
        while let Some(action) = self.state.next_action() {
            self.has_work = true;
            match action {
                Action::Connect(slot) => self.work.jobs.push(Job::Connect(slot)),
                Action::Close(slot) => {
                    if let Some(connection) = self.take(slot) {
                        self.work.jobs.push(Job::Close(slot, connection));
                    }
                }
                Action::Check(slot) => {
                    if let Some(connection) = self.take(slot) {
                        self.work.jobs.push(Job::Check(slot, connection));
                    }
                }
                Action::Fail { cell, attempts } => {
                    if let Some((error, _)) = &self.last_error {
                        let error = Arc::clone(error);
                        self.deliver(cell, Outcome::Failed { error, attempts });
                    }
                }
                Action::Expire {
                    cell,
                    waiting,
                    awaits_connect,
                } => {
                    let outcome = Outcome::TimedOut {
                        waiting,
                        awaits_connect,
                    };
                    self.deliver(cell, outcome);
                }
                Action::Seat { cell, slot } => {
                    if let Some(lane) = self.lane(slot) {
                        self.deliver(
                            cell,
                            Outcome::Seated {
                                slot,
                                lane,
                                since: now,
                            },
                        );
                    }
                }
                Action::ReturnLane(slot) => self.end_lane(slot),
                Action::Rescue(slot) => {
                    if let Some(lane) = self.lane(slot) {
                        self.work.jobs.push(Job::Rescue(slot, lane));
                    }
                }
                Action::HandOver { slot, cell, check } => {
                    if let Some(connection) = self.take(slot) {
                        self.put(slot, connection, Placement::HandOver { cell, check });
                    }
                }
                Action::Shed { cell, standing } => self.deliver(cell, Outcome::Shed { standing }),
                Action::Refuse { cell } => self.deliver(cell, Outcome::Closed),
                Action::CancelConnects => self.work.cancel_connects = true,
                Action::ReportLeak(holder) => self.work.leaks.push(holder),
                Action::Reschedule => self.work.reschedule = true,
                Action::Drained => self.work.drained = true,
            }
        }
    }
}

impl<C: Connector> Drop for Inner<C> {
    fn drop(&mut self) {
        self.reschedule.notify_one();
        let locked = self
            .locked
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let lanes = locked.lanes.drain(..).flatten();
        let lanes = lanes.filter_map(|lane| Arc::into_inner(lane).map(Lane::into_connection));
        let idle = locked.connections.drain(..).flatten();
        let left: Vec<C::Connection> = idle.chain(lanes).collect();
        for connection in left {
            let hooks = Arc::clone(&self.hooks);
            self.runtime
                .spawn(async move { hooks.close(connection).await });
        }
    }
}

/// Closes a connection within a bound of time.
pub(crate) async fn close<T: Pooled>(connection: T) {
    let bound = bounded(background::CLOSE_BOUND);
    let _ = tokio::time::timeout(background::CLOSE_BOUND, connection.close(bound)).await;
}

/// The deadline this far from now.
pub(crate) fn bounded(length: Duration) -> Deadline {
    Deadline::after(Instant::now().into_std(), length)
}

/// The place of a slot in a list that grows as slots are used.
fn entry<T>(list: &mut Vec<Option<T>>, slot: SlotId) -> &mut Option<T> {
    let index = slot.index();
    if list.len() <= index {
        list.resize_with(index + 1, || None);
    }
    &mut list[index]
}
