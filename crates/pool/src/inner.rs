use std::hint::spin_loop;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;
use underpin_core::driver::{Connector, Lingering, Pooled};
use underpin_core::{Deadline, Error};

use crate::background;
use crate::clock::Clock;
use crate::failure;
use crate::fast::cache::IdleCache;
use crate::fast::connection::PoolConnection;
use crate::fast::outcome::Mailbox;
use crate::fast::table::ChunkedTable;
use crate::hooks::Hooks;
use crate::locked::Locked;
use crate::metrics::Publishing;
use crate::name::Name;
use crate::options::PoolOptions;
use crate::source::Source;
use crate::state::State;
use crate::statistics::Statistics;
use crate::timestamp::Timestamp;

/// The state that all handles, leases and background tasks of a pool share.
pub(crate) struct Inner<C: Connector> {
    pub(crate) source: Source<C>,
    pub(crate) called: Name,
    pub(crate) options: PoolOptions,
    pub(crate) hooks: Arc<Hooks<C::Connection>>,
    pub(crate) runtime: Handle,
    pub(crate) clock: Clock,
    locked: Mutex<Locked<C::Connection>>,
    pub(crate) cache: Arc<IdleCache<C::Connection>>,
    mailboxes: ChunkedTable<Mailbox<C::Connection>>,
    pub(crate) reschedule: Arc<Notify>,
    pub(crate) drained: Notify,
    /// Whether the pool was closed because the runtime of its upkeep task ended.
    pub(crate) runtime_ended: AtomicBool,
    pub(crate) publishing: Publishing,
    /// A copy of the state's generation, for readers without the lock.
    generation: AtomicU64,
}

/// A reference to a pool, counted at the handle that a caller uses. If each thread has a handle of
/// its own, threads do not count in the same place.
pub(crate) type PoolHandle<C> = Arc<Counted<C>>;

/// The target of a handle's counter, on two cache lines of its own, since processors fetch them in
/// pairs.
#[repr(align(128))]
pub(crate) struct Counted<C: Connector>(pub(crate) Arc<Inner<C>>);

impl<C: Connector> Deref for Counted<C> {
    type Target = Arc<Inner<C>>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Number of times that a thread tries the lock before it sleeps, with one pause instruction of the
/// processor (20 to 50 ns) between two tries: about 15 µs in total. The lock is held for a fraction
/// of 1 µs, and waking a thread takes longer than that.
const TRIES: u32 = 320;

impl<C: Connector> Inner<C> {
    pub(crate) fn new(
        connector: C,
        options: PoolOptions,
        hooks: Hooks<C::Connection>,
        runtime: Handle,
    ) -> Self {
        let mut state = State::new(&options);
        if hooks.has_before_acquire() || hooks.has_after_release() {
            state.disable_cache();
        }
        let cache = Arc::new(IdleCache::new(state.epoch(), state.check_after()));
        Inner {
            source: Source::new(connector),
            called: Name::new(options.name.clone()),
            hooks: Arc::new(hooks),
            runtime,
            clock: Clock::new(),
            locked: Mutex::new(Locked::new(state, Arc::clone(&cache))),
            cache,
            mailboxes: ChunkedTable::new(),
            options,
            reschedule: Arc::new(Notify::new()),
            drained: Notify::new(),
            runtime_ended: AtomicBool::new(false),
            publishing: Publishing::new(),
            generation: AtomicU64::new(0),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.called.get()
    }

    /// The error of a closed pool.
    pub(crate) fn closed(&self) -> Error {
        failure::closed(self.name(), self.runtime_ended.load(Ordering::Acquire))
    }

    #[inline]
    pub(crate) fn now(&self) -> Timestamp {
        #[cfg(test)]
        counts::CLOCK.with(|count| count.set(count.get() + 1));
        self.clock.now()
    }

    /// Runs a closure under the lock, and then the resulting work without it.
    pub(crate) fn with<R>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut Locked<C::Connection>, Timestamp) -> R,
    ) -> R {
        self.with_at(self.now(), act)
    }

    /// Like `with`, for callers that have already read the clock.
    #[inline]
    pub(crate) fn with_at<R>(
        self: &Arc<Self>,
        now: Timestamp,
        act: impl FnOnce(&mut Locked<C::Connection>, Timestamp) -> R,
    ) -> R {
        let mut locked = self.lock();
        let result = act(&mut locked, now);
        locked.carry_out_actions(now);
        let work = locked.take_work();
        self.note(&locked.state);
        drop(locked);
        if let Some(work) = work {
            background::start(self, work);
        }
        result
    }

    /// Publishes the state for readers that do not take the lock.
    fn note(&self, state: &State) {
        let generation = state.generation();
        if self.generation.load(Ordering::Relaxed) != generation {
            self.generation.store(generation, Ordering::Release);
        }
    }

    /// Counts that the holder of a connection has returned it.
    #[inline]
    pub(crate) fn count_return(&self, pooled: &PoolConnection<C::Connection>, now: Timestamp) {
        let held = now.nanos_since(pooled.since());
        self.cache.record(pooled.slot).returned(held);
    }

    /// A waiter's mailbox.
    #[inline]
    pub(crate) fn mailbox(&self, cell: u32) -> &Mailbox<C::Connection> {
        self.mailboxes.at(cell as usize)
    }

    /// Whether connections of this generation may still be leased.
    pub(crate) fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    /// The pool in numbers, all taken at the same time.
    pub(crate) fn statistics(self: &Arc<Self>) -> Statistics {
        self.with(|locked, now| {
            locked.reconcile(now);
            let last_error = locked.last_error.as_ref();
            let last_error = last_error.map(|(error, _)| error.to_string());
            Statistics::new(self.name(), &locked.state, self.cache.leases(), last_error)
        })
    }

    /// For reading only: every change of the state goes through `with`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Locked<C::Connection>> {
        #[cfg(test)]
        counts::LOCK.with(|count| count.set(count.get() + 1));
        for _ in 0..TRIES {
            match self.locked.try_lock() {
                Ok(locked) => return locked,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => spin_loop(),
            }
        }
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Connector> Drop for Inner<C> {
    fn drop(&mut self) {
        self.reschedule.notify_one();
        let locked = self.locked.get_mut();
        let left = locked
            .unwrap_or_else(PoisonError::into_inner)
            .take_connections();
        for pooled in left.into_iter().chain(self.cache.drain()) {
            let (hooks, lingering) = (Arc::clone(&self.hooks), Lingering::begin());
            self.runtime.spawn(async move {
                hooks.close(pooled.connection).await;
                drop(lingering);
            });
        }
    }
}

/// Closes a connection within a time limit.
pub(crate) async fn close<T: Pooled>(connection: T) {
    let bound = bounded(background::CLOSE_BOUND);
    let _ = tokio::time::timeout(background::CLOSE_BOUND, Box::new(connection).close(bound)).await;
}

/// Returns a deadline this far from now.
pub(crate) fn bounded(length: Duration) -> Deadline {
    Deadline::after(Instant::now().into_std(), length)
}

/// Per-thread counts of the operations that a lease should do as rarely as possible.
#[cfg(test)]
mod counts {
    use std::cell::Cell;

    thread_local! {
        pub(super) static LOCK: Cell<u32> = const { Cell::new(0) };
        pub(super) static CLOCK: Cell<u32> = const { Cell::new(0) };
    }

    /// The locks taken and the clock readings since this was called last.
    pub(super) fn take() -> (u32, u32) {
        (LOCK.take(), CLOCK.take())
    }
}

#[cfg(test)]
mod tests;
