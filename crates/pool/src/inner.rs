use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;
use underpin_core::driver::{Connector, Pooled};
use underpin_core::{Deadline, Error};

use crate::background;
use crate::failure;
use crate::fast::cache::IdleCache;
use crate::fast::connection::PoolConnection;
use crate::hooks::Hooks;
use crate::locked::Locked;
use crate::metrics::Publishing;
use crate::name::Name;
use crate::options::PoolOptions;
use crate::source::Source;
use crate::state::State;
use crate::statistics::Statistics;
use crate::timestamp::Timestamp;

/// What all handles, leases and background tasks of a pool share.
pub(crate) struct Inner<C: Connector> {
    pub(crate) source: Source<C>,
    pub(crate) called: Name,
    pub(crate) options: PoolOptions,
    pub(crate) hooks: Arc<Hooks<C::Connection>>,
    pub(crate) runtime: Handle,
    opened_at: Instant,
    locked: Mutex<Locked<C::Connection>>,
    pub(crate) cache: Arc<IdleCache<C::Connection>>,
    pub(crate) reschedule: Arc<Notify>,
    pub(crate) drained: Notify,
    /// The pool was closed because the runtime that keeps it up came to its end.
    pub(crate) runtime_ended: AtomicBool,
    pub(crate) publishing: Publishing,
    /// The state's, for those who do not take the lock.
    generation: AtomicU64,
    has_waiters: AtomicBool,
}

/// A hold on a pool, counted at the handle that a caller uses: where each thread has one of
/// its own, they do not count at the same place.
pub(crate) type PoolHandle<C> = Arc<Arc<Inner<C>>>;

/// So often the lock is tried, with so many of the processor's pauses in between, before a thread
/// goes to sleep over it: some 20 µs. It is held for a fraction of one, and to be woken takes
/// longer than that. Between two tries, who has it is left to work on what it guards.
const TRIES: u32 = 40;
const PAUSES: u32 = 8;

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
            opened_at: Instant::now(),
            locked: Mutex::new(Locked::new(state, Arc::clone(&cache))),
            cache,
            options,
            reschedule: Arc::new(Notify::new()),
            drained: Notify::new(),
            runtime_ended: AtomicBool::new(false),
            publishing: Publishing::new(),
            generation: AtomicU64::new(0),
            has_waiters: AtomicBool::new(false),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.called.get()
    }

    /// The error of a pool that was closed.
    pub(crate) fn closed(&self) -> Error {
        failure::closed(self.name(), self.runtime_ended.load(Ordering::Acquire))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.timestamp(Instant::now())
    }

    pub(crate) fn timestamp(&self, instant: Instant) -> Timestamp {
        Timestamp::at(instant.saturating_duration_since(self.opened_at))
    }

    /// The instant of a moment; `None` where a clock cannot hold it.
    pub(crate) fn instant(&self, timestamp: Timestamp) -> Option<Instant> {
        match timestamp {
            Timestamp::NEVER => None,
            timestamp => self
                .opened_at
                .checked_add(timestamp.since(Timestamp::START)),
        }
    }

    /// Does something under the lock, and what follows from it once the lock is released.
    pub(crate) fn with<R>(
        self: &Arc<Self>,
        act: impl FnOnce(&mut Locked<C::Connection>, Timestamp) -> R,
    ) -> R {
        self.with_at(self.now(), act)
    }

    /// As `with`, for who has looked at the clock already.
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

    /// Lets those know who do not take the lock.
    fn note(&self, state: &State) {
        let generation = state.generation();
        if self.generation.load(Ordering::Relaxed) != generation {
            self.generation.store(generation, Ordering::Release);
        }
        let has_waiters = state.has_waiters();
        if self.has_waiters.load(Ordering::Relaxed) != has_waiters {
            self.has_waiters.store(has_waiters, Ordering::Relaxed);
        }
    }

    /// Counts that the holder of a connection has given it back.
    #[inline]
    pub(crate) fn count_return(&self, pooled: &PoolConnection<C::Connection>, now: Timestamp) {
        let held = now.nanos_since(pooled.since());
        self.cache.record(pooled.slot).returned(held);
    }

    /// Whether who asks now will probably have to wait.
    pub(crate) fn has_waiters(&self) -> bool {
        self.has_waiters.load(Ordering::Relaxed)
    }

    /// Whether connections of this generation are still to be leased out.
    pub(crate) fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    /// The pool in numbers, all of the same moment.
    pub(crate) fn statistics(self: &Arc<Self>) -> Statistics {
        self.with(|locked, now| {
            locked.reconcile(now);
            let last_error = locked.last_error.as_ref();
            let last_error = last_error.map(|(error, _)| error.to_string());
            Statistics::new(self.name(), &locked.state, self.cache.leases(), last_error)
        })
    }

    /// For looking only: whatever changes the state goes through `with`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Locked<C::Connection>> {
        for _ in 0..TRIES {
            match self.locked.try_lock() {
                Ok(locked) => return locked,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => (0..PAUSES).for_each(|_| spin_loop()),
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
            let hooks = Arc::clone(&self.hooks);
            self.runtime
                .spawn(async move { hooks.close(pooled.connection).await });
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
