//! The public handle of a pool.
//!
//! **The lock.** One mutex guards the state machine, the idle connections and the numbers of the
//! mailboxes. It is held for the time of a decision: never across an await, and never while a
//! connection is tested, dropped or closed, a task is spawned or a waiter is woken. All work that
//! follows from a decision is collected as [`Work`](crate::work) and done after the lock is
//! released; `Inner::with` is the one place where that happens. While no caller waits, leases go
//! from caller to caller without the lock, through the [cache](crate::fast::cache) of idle
//! connections.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use underpin_core::driver::Connector;
use underpin_core::{Class, Deadline, Error, Result};

use crate::acquire::AcquireOptions;
use crate::background;
use crate::checkout::Checkout;
use crate::explanation::not_drained;
use crate::hooks::Hooks;
use crate::inner::{Counted, Inner, PoolHandle};
use crate::lane::Grant;
use crate::lease::Lease;
use crate::options::Bounds;
use crate::options::{PoolOptions, check_bounds};
use crate::statistics::Statistics;

/// The connections of one endpoint, and the callers waiting for one. Cloning gives another handle
/// to the same pool; it is fastest when each task has a handle of its own. When the last handle and
/// the last lease are dropped, so is the pool, with its connections and its tasks;
/// [`close`](Pool::close) does that in an orderly way.
pub struct Pool<C: Connector> {
    inner: PoolHandle<C>,
}

impl<C: Connector> Pool<C> {
    /// Opens a pool. Connections are established in the background; failures surface from
    /// [`acquire`](Pool::acquire).
    ///
    /// # Errors
    /// `Class::Config` if the options contradict each other, or outside a Tokio runtime.
    pub fn open(connector: C, options: PoolOptions) -> Result<Self> {
        Pool::open_with(connector, options, Hooks::new())
    }

    /// Opens a pool with hooks, like [`open`](Pool::open).
    ///
    /// # Errors
    /// As for [`open`](Pool::open).
    pub fn open_with(
        connector: C,
        options: PoolOptions,
        hooks: Hooks<C::Connection>,
    ) -> Result<Self> {
        options.check()?;
        let runtime = Handle::try_current().map_err(|error| {
            Error::new(
                Class::Config,
                "A pool can only be opened within a Tokio runtime.",
            )
            .with_source(error)
        })?;
        let inner = Arc::new(Inner::new(connector, options, hooks, runtime));
        let PoolOptions {
            name,
            min,
            max,
            max_overflow,
            ..
        } = &inner.options;
        tracing::info!(
            pool = name,
            min,
            max,
            max_overflow,
            acquire_timeout = ?inner.options.acquire_timeout,
            connection_timeout = ?inner.options.connection_timeout,
            idle_timeout = ?inner.options.idle_timeout,
            max_lifetime = ?inner.options.max_lifetime,
            health_check = ?inner.options.health_check,
            max_retries = inner.options.retry.max_retries,
            "pool opened"
        );
        // Begins the first attempts to connect now rather than when the task first runs.
        inner.with(|locked, now| locked.state.upkeep(now));
        let reschedule = Arc::clone(&inner.reschedule);
        inner
            .runtime
            .spawn(background::upkeep(Arc::downgrade(&inner), reschedule));
        inner.publishing.start(&inner);
        Ok(Pool {
            inner: PoolHandle::new(Counted(inner)),
        })
    }

    /// Acquires a connection for the caller alone: an idle one, or the next that is returned or
    /// opened, in the order of arrival.
    ///
    /// # Errors
    /// `Class::Timeout` with an explanation; its stage tells which wait timed out. The class of the
    /// failed attempt to connect (`Connect`, `Auth`, …), after as many retries as the options or
    /// the pool allow; without retries if they cannot help. `Class::Busy` if the queue is full or
    /// load is shed. `Class::Closed`.
    /// The effect is always `NotSent`.
    ///
    /// # Cancel safety
    /// Safe at any point: a connection that was already on its way goes to the next caller.
    pub fn acquire(
        &self,
        options: AcquireOptions,
    ) -> impl Future<Output = Result<Lease<C>>> + Send + use<C> {
        Checkout::lease(PoolHandle::clone(&self.inner), options)
    }

    /// Acquires a connection for one autocommit statement of which the caller needs only the
    /// answer: a seat in a lane, beside other callers' statements, or a lease if no lane takes
    /// another statement.
    ///
    /// A statement may run in a lane only if it does not wait for a lock, does not change the
    /// session, and has no effect: all statements behind it wait for its answer, and a statement
    /// that waits for too long is sent again on another connection. The caller has to know whether
    /// a statement qualifies.
    ///
    /// # Errors
    /// As for [`acquire`](Pool::acquire).
    ///
    /// # Cancel safety
    /// As for [`acquire`](Pool::acquire).
    pub fn share(
        &self,
        options: AcquireOptions,
    ) -> impl Future<Output = Result<Grant<C>>> + Send + use<C> {
        Checkout::share(PoolHandle::clone(&self.inner), options)
    }

    /// Marks all connections as stale, for example after the server has changed its role or the
    /// password has changed: idle ones are closed now, leased ones when they are returned.
    pub fn invalidate(&self) {
        self.inner.with(|locked, now| locked.state.invalidate(now));
    }

    /// Number of times that the connections have been marked as stale.
    pub fn generation(&self) -> u64 {
        self.inner.lock().state.generation()
    }

    /// Leases nothing until [`resume`](Pool::resume): during a switchover, or work on the server.
    /// Callers wait in order, as long as their time allows; existing leases continue. Pausing a
    /// paused pool changes nothing.
    pub fn pause(&self) {
        let was = self.inner.with(|locked, now| {
            let was = locked.state.is_paused();
            locked.state.pause(now);
            was
        });
        if !was {
            tracing::info!(pool = self.inner.name(), "pool paused");
        }
    }

    /// Ends a [`pause`](Pool::pause). The caller that has waited longest is served first.
    pub fn resume(&self) {
        let was = self.inner.with(|locked, now| {
            let was = locked.state.is_paused();
            locked.state.resume(now);
            was
        });
        if was {
            tracing::info!(pool = self.inner.name(), "pool resumed");
        }
    }

    /// Whether the pool is paused.
    pub fn is_paused(&self) -> bool {
        self.inner.lock().state.is_paused()
    }

    /// Changes how many connections the pool may have. Connections beyond that are closed when idle.
    ///
    /// # Errors
    /// `Class::Config` if the bounds contradict each other; nothing changes then.
    pub fn resize(&self, bounds: Bounds) -> Result<()> {
        check_bounds(bounds)?;
        self.inner
            .with(|locked, now| locked.state.resize(bounds, now));
        Ok(())
    }

    /// The numbers of the pool.
    pub fn statistics(&self) -> Statistics {
        self.inner.statistics()
    }

    /// The options that the pool was opened with. Later changes are in the
    /// [statistics](Pool::statistics).
    pub fn options(&self) -> &PoolOptions {
        &self.inner.options
    }

    /// The connector that opens the pool's connections.
    pub fn connector(&self) -> Arc<C> {
        self.inner.source.current().0
    }

    /// Opens one connection with this connector and the hook `after_connect`, and closes it again, to
    /// test whether the connector can replace the pool's. The pool is not touched.
    ///
    /// # Errors
    /// The error of connecting, or of the hook. Past the deadline or the pool's
    /// `connection_timeout`, `Class::Timeout { stage: Stage::Connect }`.
    ///
    /// # Cancel safety
    /// If the future is dropped, the connection is closed.
    pub async fn try_connector(&self, connector: &C, deadline: Deadline) -> Result<()> {
        let limit = self.inner.options.connection_timeout;
        let (name, hooks) = (self.inner.name(), &self.inner.hooks);
        let connection = background::open(connector, hooks, name, limit, deadline).await?;
        hooks.close(connection).await;
        Ok(())
    }

    /// Replaces the connector: from now on connections lead to new hosts, or use new credentials. The
    /// connections of the old one are stale: idle ones are closed now, leased ones when they are
    /// returned, and attempts to connect are canceled. Waiting callers go on waiting, for a
    /// connection of the new connector. Test it first with
    /// [`try_connector`](Pool::try_connector).
    pub fn replace(&self, connector: C) {
        let inner = &self.inner;
        let old = inner.with(|locked, now| {
            let old = inner.source.replace(connector);
            locked.state.replaced(now);
            old
        });
        drop(old);
        tracing::info!(pool = inner.name(), "the pool has a new connector");
    }

    /// Changes the name of the pool in messages, logs and metrics. Never put a password here.
    pub fn rename(&self, name: &str) {
        self.inner.called.set(name);
    }

    /// Whether [`close`](Pool::close) was called.
    pub fn is_closed(&self) -> bool {
        self.inner.lock().state.is_closing()
    }

    /// Stops leasing, fails waiting callers, closes idle connections, and waits until all leases have
    /// been returned and all connections are closed. It may be called again, before the first use,
    /// and from several tasks.
    ///
    /// # Errors
    /// `Class::Timeout { stage: Stage::Close }` past the deadline, naming the callers that still
    /// hold a connection, and for how long. The pool is closed in any case.
    ///
    /// # Cancel safety
    /// Once polled, the pool is closed; dropping the future only ends the wait.
    pub async fn close(&self, deadline: Deadline) -> Result<()> {
        let inner = &self.inner;
        let mut drained = std::pin::pin!(inner.drained.notified());
        drained.as_mut().enable();
        let (first, done) = inner.with(|locked, now| {
            let first = !locked.state.is_closing();
            locked.state.drain(now);
            (first, locked.state.is_drained())
        });
        if first {
            tracing::info!(pool = inner.name(), "pool closing");
        }
        if done {
            return Ok(());
        }
        let Some(at) = deadline.instant() else {
            drained.await;
            return Ok(());
        };
        match tokio::time::timeout_at(at.into(), drained).await {
            Ok(()) => Ok(()),
            Err(_) => {
                let (snapshot, holders) = inner.with(|locked, now| {
                    locked.reconcile(now);
                    (locked.state.snapshot(), locked.state.holders(now))
                });
                let error = not_drained(inner.name(), &snapshot, &holders);
                tracing::error!(pool = inner.name(), %error, "pool not drained in time");
                Err(error)
            }
        }
    }
}

impl<C: Connector> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Pool {
            inner: PoolHandle::new(Counted(Arc::clone(&self.inner))),
        }
    }
}

impl<C: Connector> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.inner.name())
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}
