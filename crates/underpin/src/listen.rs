//! Notifications of PostgreSQL for as long as the database is open, across lost connections and
//! failovers.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::Stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use underpin_core::driver::{AnyConnection, Pooled};
use underpin_core::{Class, Deadline, Effect, Error, Result};
use underpin_postgres::{Connection, Notification};

use crate::database::{Database, Shared};

/// Number of notifications that wait for a slow listener before the driver drops some.
const WAITING: usize = 1024;
/// Interval at which a quiet connection is checked, and the time limit of the check.
const QUIET: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(10);
/// The pauses between attempts to reconnect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// An event of a [`Listener`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// A notification that a session sent by `NOTIFY`.
    Notification(Notification),
    /// Notifications may be missing here: the connection was lost and has been replaced, or the
    /// listener fell behind. Read the data again that the notifications are about.
    Gap,
}

/// The notifications of some channels. Ends when the database is closed.
#[derive(Debug)]
pub struct Listener {
    heard: mpsc::Receiver<Heard>,
    task: AbortHandle,
}

impl Listener {
    /// The next event; `None` once the database is closed.
    ///
    /// # Cancel safety
    /// Safe: no event is lost.
    pub async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }
}

impl Stream for Listener {
    type Item = Heard;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Heard>> {
        self.heard.poll_recv(context)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Database {
    /// Listens to these channels of PostgreSQL, on a connection of its own outside the pool. If the
    /// connection is lost, another one to the current primary replaces it, and the listener gets a
    /// [gap](Heard::Gap).
    ///
    /// ```no_run
    /// # async fn example(db: underpin::Database) -> underpin::Result<()> {
    /// use underpin::Heard;
    ///
    /// let mut listener = db.listen(["orders"]).await?;
    /// while let Some(heard) = listener.next().await {
    ///     match heard {
    ///         Heard::Notification(said) => println!("{}: {}", said.channel, said.payload),
    ///         _ => println!("Something may be missing: read the orders again."),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of connecting, without retries; `Class::Config` for an invalid name of a channel;
    /// `Class::Unsupported` for an engine other than PostgreSQL.
    ///
    /// # Cancel safety
    /// If the future is dropped, no listener remains.
    pub fn listen<I>(&self, channels: I) -> impl Future<Output = Result<Listener>> + Send
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let statements: Result<Vec<String>> = channels
            .into_iter()
            .map(|channel| self.listen_statement(channel.as_ref()))
            .collect();
        async move {
            let statements = statements?.join("; ");
            let timeout = self.config().connection_timeout();
            let connection = open(&self.shared, &statements, timeout).await?;
            let (sender, heard) = mpsc::channel(WAITING);
            let ended = self.cluster()?.ended();
            let hearing = Hearing {
                database: Arc::downgrade(&self.shared),
                statements,
                timeout,
                sender,
            };
            let task = tokio::spawn(async move {
                tokio::select! {
                    () = hearing.run(connection) => {}
                    () = ended => {}
                }
            });
            Ok(Listener {
                heard,
                task: task.abort_handle(),
            })
        }
    }

    fn listen_statement(&self, channel: &str) -> Result<String> {
        let dialect = self.engine().dialect();
        let Some(dialect) = dialect.filter(|_| self.shared.driver.capabilities().notifications)
        else {
            return Err(Error::new(
                Class::Unsupported,
                format!("The engine {} has no notifications.", self.engine()),
            )
            .with_effect(Effect::NotSent));
        };
        Ok(format!("LISTEN {}", dialect.identifier(channel)?))
    }
}

/// The state of a listener's task.
struct Hearing {
    database: Weak<Shared>,
    statements: String,
    timeout: Duration,
    sender: mpsc::Sender<Heard>,
}

impl Hearing {
    async fn run(self, mut connection: AnyConnection) {
        loop {
            if !self.hear(&connection).await {
                return;
            }
            drop(connection);
            let Some(next) = self.connect_again().await else {
                return;
            };
            connection = next;
            if self.sender.send(Heard::Gap).await.is_err() {
                return;
            }
        }
    }

    /// Passes on notifications until the connection is lost. Returns whether the listener still
    /// exists.
    async fn hear(&self, connection: &AnyConnection) -> bool {
        let native = connection.downcast_ref::<Connection>();
        let mut notifications = native
            .expect("the connection is PostgreSQL's")
            .notifications();
        loop {
            let said = tokio::select! {
                said = notifications.recv() => said,
                () = tokio::time::sleep(QUIET) => {
                    let deadline = Deadline::after(Instant::now(), ANSWER);
                    let answer = tokio::time::timeout(2 * ANSWER, connection.ping(deadline));
                    match answer.await {
                        Ok(Ok(())) => continue,
                        _ => return true,
                    }
                }
            };
            let heard = match said {
                Ok(notification) => Heard::Notification(notification),
                Err(RecvError::Lagged(_)) => Heard::Gap,
                Err(RecvError::Closed) => return true,
            };
            if self.sender.send(heard).await.is_err() {
                return false;
            }
        }
    }

    /// Reconnects; `None` once the last handle of the database is dropped.
    async fn connect_again(&self) -> Option<AnyConnection> {
        let mut pause = FIRST_PAUSE;
        loop {
            let database = self.database.upgrade()?;
            match open(&database, &self.statements, self.timeout).await {
                Ok(connection) => return Some(connection),
                Err(error) => tracing::warn!(%error, "a listener reconnects"),
            }
            drop(database);
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
}

/// Opens a connection to the primary and listens on it.
async fn open(shared: &Shared, statements: &str, timeout: Duration) -> Result<AnyConnection> {
    let cluster = shared.backend.cluster();
    let cluster = cluster.expect("PostgreSQL's members are a cluster");
    let deadline = Deadline::after(Instant::now(), timeout);
    let connection = cluster.connect(deadline).await?;
    connection.batch(statements, deadline).await?;
    Ok(connection)
}
