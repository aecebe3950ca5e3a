use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use underpin_core::driver::{Pooled, SessionState};
use underpin_core::{Class, Error, Result, Stage};

use crate::inner::close;

/// Time limit for a hook.
pub(crate) const HOOK_BOUND: Duration = Duration::from_secs(5);

/// Return type of a hook: `Box::pin(async move { … })`.
pub type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

type Hook<T> = Arc<dyn for<'a> Fn(&'a T) -> HookFuture<'a> + Send + Sync>;

/// Hooks that the pool runs at certain points in the life of a connection.
///
/// Each hook gets the connection and can refuse it by returning an error. The connection is then
/// closed, and another takes its place. A hook that panics or takes longer than 5 s refuses too.
/// The error of the hook is logged at DEBUG and kept as the last error, which explanations name. A
/// hook that is not set costs nothing.
///
/// ```
/// # use underpin_core::driver::{Connector, Pooled};
/// # use underpin_core::{Deadline, Result};
/// use underpin_pool::{Hooks, Pool, PoolOptions};
///
/// # fn example<C: Connector>(connector: C) -> Result<()> {
/// let hooks = Hooks::new()
///     .after_connect(|connection: &C::Connection| Box::pin(connection.ping(Deadline::NONE)));
/// let pool = Pool::open_with(connector, PoolOptions::new("db1:5432/shop"), hooks)?;
/// # Ok(())
/// # }
/// ```
pub struct Hooks<T> {
    after_connect: Option<Hook<T>>,
    before_acquire: Option<Hook<T>>,
    after_release: Option<Hook<T>>,
    on_close: Option<Hook<T>>,
}

impl<T> Hooks<T> {
    /// No hooks.
    pub fn new() -> Self {
        Hooks {
            after_connect: None,
            before_acquire: None,
            after_release: None,
            on_close: None,
        }
    }

    /// Runs on each new connection before its first lease, and again after each reset, since a
    /// reset undoes what was set up: `SET search_path` belongs here. If it refuses a new
    /// connection, that is a failed attempt to connect, which is retried if the class of the error
    /// makes that sensible.
    #[must_use]
    pub fn after_connect<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a T) -> HookFuture<'a> + Send + Sync + 'static,
    {
        self.after_connect = Some(Arc::new(hook));
        self
    }

    /// Runs on each connection before a caller gets it, in the caller's time. If it refuses, the
    /// caller continues to wait for another connection, within its time. Each caller pays for it;
    /// changes that it makes to the session are undone when the connection is returned.
    #[must_use]
    pub fn before_acquire<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a T) -> HookFuture<'a> + Send + Sync + 'static,
    {
        self.before_acquire = Some(Arc::new(hook));
        self
    }

    /// Runs in the background on each connection that was returned in a usable state, after a reset
    /// if one was needed, before the connection is idle or goes to the next caller.
    #[must_use]
    pub fn after_release<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a T) -> HookFuture<'a> + Send + Sync + 'static,
    {
        self.after_release = Some(Arc::new(hook));
        self
    }

    /// Runs on each connection before it is closed, including lost ones, but not on a connection
    /// that was taken out of the pool. It cannot prevent the close; its error is logged.
    #[must_use]
    pub fn on_close<F>(mut self, hook: F) -> Self
    where
        F: for<'a> Fn(&'a T) -> HookFuture<'a> + Send + Sync + 'static,
    {
        self.on_close = Some(Arc::new(hook));
        self
    }

    /// The same hooks for connections of another type, from which `view` returns theirs.
    #[must_use]
    pub fn on<U: 'static>(self, view: fn(&U) -> &T) -> Hooks<U>
    where
        T: 'static,
    {
        let on = |hook: Option<Hook<T>>| {
            hook.map(|hook| -> Hook<U> { Arc::new(move |connection| hook(view(connection))) })
        };
        Hooks {
            after_connect: on(self.after_connect),
            before_acquire: on(self.before_acquire),
            after_release: on(self.after_release),
            on_close: on(self.on_close),
        }
    }

    pub(crate) fn has_before_acquire(&self) -> bool {
        self.before_acquire.is_some()
    }

    pub(crate) fn has_after_release(&self) -> bool {
        self.after_release.is_some()
    }
}

impl<T: Pooled> Hooks<T> {
    /// Sets up a new or reset session for callers.
    pub(crate) async fn run_after_connect(&self, connection: &T) -> Result<()> {
        let Some(hook) = &self.after_connect else {
            return Ok(());
        };
        run(
            "after_connect",
            hook,
            Stage::Connect,
            HOOK_BOUND,
            connection,
        )
        .await?;
        connection.accept_changes().await
    }

    /// Runs within `limit` if that is less than the time limit of all hooks.
    pub(crate) async fn run_before_acquire(&self, connection: &T, limit: Duration) -> Result<()> {
        let Some(hook) = &self.before_acquire else {
            return Ok(());
        };
        let limit = limit.min(HOOK_BOUND);
        run("before_acquire", hook, Stage::Validate, limit, connection).await
    }

    pub(crate) async fn run_after_release(&self, connection: &T) -> Result<()> {
        let Some(hook) = &self.after_release else {
            return Ok(());
        };
        run(
            "after_release",
            hook,
            Stage::Validate,
            HOOK_BOUND,
            connection,
        )
        .await?;
        connection.accept_changes().await
    }

    /// Runs the hook on a connection and closes it, each within its time limit.
    pub(crate) async fn close(&self, connection: T) {
        if let Some(hook) = &self.on_close {
            let said = bounded("on_close", hook, Stage::Close, HOOK_BOUND, &connection).await;
            if let Err(error) = said {
                tracing::debug!(%error, "a hook failed");
            }
        }
        close(connection).await;
    }
}

/// Runs a hook, which must leave the connection usable.
async fn run<T: Pooled>(
    name: &str,
    hook: &Hook<T>,
    stage: Stage,
    limit: Duration,
    connection: &T,
) -> Result<()> {
    bounded(name, hook, stage, limit, connection).await?;
    match connection.state() {
        SessionState::Clean | SessionState::Changed => Ok(()),
        SessionState::Broken => Err(Error::new(
            Class::Connect,
            format!("The connection was lost while the hook `{name}` had it."),
        )),
        _ => Err(Error::new(
            Class::Config,
            format!("The hook `{name}` left a transaction open or a statement unfinished."),
        )
        .with_hint("End every transaction and statement in the hook that begins it.")),
    }
}

async fn bounded<T>(
    name: &str,
    hook: &Hook<T>,
    stage: Stage,
    limit: Duration,
    connection: &T,
) -> Result<()> {
    // Nothing reads what a panicking hook leaves behind.
    let running = AssertUnwindSafe(async { hook(connection).await }).catch_unwind();
    match tokio::time::timeout(limit, running).await {
        Ok(Ok(result)) => result.map_err(|error| {
            error.with_context(format!("The hook `{name}` refused the connection:"))
        }),
        Ok(Err(_)) => Err(
            Error::new(Class::Connect, format!("The hook `{name}` panicked."))
                .with_hint("The panic's own message is on the program's standard error."),
        ),
        Err(_) => Err(Error::new(
            Class::Timeout { stage },
            format!("The hook `{name}` took longer than {limit:.1?}."),
        )),
    }
}

impl<T> Default for Hooks<T> {
    fn default() -> Self {
        Hooks::new()
    }
}

impl<T> Clone for Hooks<T> {
    fn clone(&self) -> Self {
        Hooks {
            after_connect: self.after_connect.clone(),
            before_acquire: self.before_acquire.clone(),
            after_release: self.after_release.clone(),
            on_close: self.on_close.clone(),
        }
    }
}

impl<T> fmt::Debug for Hooks<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("after_connect", &self.after_connect.is_some())
            .field("before_acquire", &self.before_acquire.is_some())
            .field("after_release", &self.after_release.is_some())
            .field("on_close", &self.on_close.is_some())
            .finish()
    }
}
