//! The pool as its users hold it.
//!
//! **The lock.** One mutex guards the state machine, the connections that nobody holds and
//! the mailboxes of those who wait. It is held for the time of a decision: never across an
//! await, never while a connection is looked at, dropped or closed, a task is spawned or a
//! waiter is woken. All that follows from a decision is collected as [`Work`](crate::work)
//! and done after the lock is released; `Inner::with` is the one place where that happens.
//! While nobody waits, leases go from caller to caller without it: [`standby`](crate::fast::cache)
//! says how.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;
use underpin_core::driver::Connector;
use underpin_core::{Class, Deadline, Error, Result};

use crate::acquire::{self, AcquireOptions};
use crate::background;
use crate::bounds::Bounds;
use crate::explanation::not_drained;
use crate::hooks::Hooks;
use crate::inner::{Inner, PoolHandle};
use crate::lane::Grant;
use crate::lease::Lease;
use crate::options::{PoolOptions, check_bounds};
use crate::statistics::Statistics;

/// All connections of one endpoint, and who waits for one. Cloning gives another handle
/// to the same pool; threads that each have one of their own get into each other's way least. When the last handle and the last lease are gone, so is the pool, with
/// its connections and its tasks; [`close`](Pool::close) does that in an orderly way.
pub struct Pool<C: Connector> {
    inner: PoolHandle<C>,
}

impl<C: Connector> Pool<C> {
    /// Opens a pool, whose first connections are opened in the background: that they cannot
    /// be is learnt from [`acquire`](Pool::acquire).
    ///
    /// # Errors
    /// `Class::Config` where the options contradict each other, or outside a Tokio runtime.
    pub fn open(connector: C, options: PoolOptions) -> Result<Self> {
        Pool::open_with(connector, options, Hooks::new())
    }

    /// As [`open`](Pool::open), with hooks.
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
            inner: PoolHandle::new(inner),
        })
    }

    /// A connection for the caller alone: an idle one, or the next that is given back or
    /// opened, in the order of arrival.
    ///
    /// # Errors
    /// `Class::Timeout`, its stage saying which wait it was, with an explanation. The class
    /// of the failed attempt to connect (`Connect`, `Auth`, …), after as many retries as
    /// the options or the pool allow; none where they cannot help. `Class::Busy` where the
    /// queue is full or load is shed. `Class::Closed`.
    /// The effect is always `NotSent`.
    ///
    /// # Cancel safety
    /// Safe at any point: a connection that was already on its way goes to the next.
    pub fn acquire(
        &self,
        options: AcquireOptions,
    ) -> impl Future<Output = Result<Lease<C>>> + Send + use<C> {
        acquire::acquire(PoolHandle::clone(&self.inner), options)
    }

    /// A place for one autocommit statement whose answer is all that its caller wants: a
    /// seat in a lane, beside others' statements, or a lease where no lane takes another.
    ///
    /// Only what neither waits for a lock, nor changes the session, nor has an effect may be
    /// run in a lane: all behind it wait for its answer, and what waits for too long is asked
    /// again elsewhere. Whether a statement is such a one is for the caller to know.
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
        acquire::share(PoolHandle::clone(&self.inner), options)
    }

    /// Makes all connections stale, as when the server has changed its role or the password
    /// is another: idle ones are closed now, leased ones when they come back.
    pub fn invalidate(&self) {
        self.inner.with(|locked, now| locked.state.invalidate(now));
    }

    /// How often the connections have been made stale.
    pub fn generation(&self) -> u64 {
        self.inner.lock().state.generation()
    }

    /// Hands nothing out until [`resume`](Pool::resume): for the time of a switch-over, or of
    /// work on the server. Who asks waits in order, as long as its time allows; leases that
    /// are out go on. Pausing a paused pool changes nothing.
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

    /// Ends a [`pause`](Pool::pause): who has waited longest is served first.
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

    /// Changes how many connections the pool may have. Surplus ones are closed when idle.
    ///
    /// # Errors
    /// `Class::Config` where the bounds contradict each other; nothing changes then.
    pub fn resize(&self, bounds: Bounds) -> Result<()> {
        check_bounds(bounds)?;
        self.inner
            .with(|locked, now| locked.state.resize(bounds, now));
        Ok(())
    }

    /// The pool in numbers.
    pub fn statistics(&self) -> Statistics {
        self.inner.statistics()
    }

    /// The options that it was opened with; what was changed since is in the
    /// [statistics](Pool::statistics).
    pub fn options(&self) -> &PoolOptions {
        &self.inner.options
    }

    /// What opens its connections.
    pub fn connector(&self) -> Arc<C> {
        self.inner.source.current().0
    }

    /// Opens one connection by this connector, with the hook `after_connect`, and closes it
    /// again: to learn whether it can take the place of the pool's. The pool is not touched.
    ///
    /// # Errors
    /// What connecting failed with, or what the hook refused with. Past the deadline or the
    /// pool's `connection_timeout`, `Class::Timeout { stage: Stage::Connect }`.
    ///
    /// # Cancel safety
    /// Dropped half-way it closes what it has opened.
    pub async fn try_connector(&self, connector: &C, deadline: Deadline) -> Result<()> {
        let limit = self.inner.options.connection_timeout;
        let (name, hooks) = (self.inner.name(), &self.inner.hooks);
        let connection = background::open(connector, hooks, name, limit, deadline).await?;
        hooks.close(connection).await;
        Ok(())
    }

    /// Has another connector open the connections from now on: to new hosts, or with new
    /// credentials. The connections of the old one are stale: idle ones are closed now,
    /// leased ones when they come back, and attempts under way are given up. Who waits goes
    /// on waiting, for a connection of the new one. Try it first, by
    /// [`try_connector`](Pool::try_connector).
    pub fn replace(&self, connector: C) {
        let inner = &self.inner;
        let old = inner.with(|locked, now| {
            let old = inner.source.replace(connector);
            locked.state.replaced(now);
            old
        });
        drop(old);
        tracing::info!(pool = inner.name(), "the pool connects anew");
    }

    /// Changes what messages, logs and metrics call the pool from now on. Never put a
    /// password here.
    pub fn rename(&self, name: &str) {
        self.inner.called.set(name);
    }

    /// Whether [`close`](Pool::close) was called.
    pub fn is_closed(&self) -> bool {
        self.inner.lock().state.is_closing()
    }

    /// Leases nothing out any more, fails who waits, closes what is idle and waits until
    /// all leases have come back and all connections are closed. Calling it again, or
    /// before the first use, or from several tasks, is the same.
    ///
    /// # Errors
    /// `Class::Timeout { stage: Stage::Close }` past the deadline, naming who still holds a
    /// connection, from where, for how long. The pool is closed all the same.
    ///
    /// # Cancel safety
    /// Once polled, the pool is closed; dropping the future ends the waiting only.
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
            inner: PoolHandle::new(Arc::clone(&self.inner)),
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
