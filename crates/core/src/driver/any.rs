use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Connection, Connector, Pooled, SessionState};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::recycling::Recycling;

/// An open connection of any engine.
pub struct AnyConnection(Box<dyn Connection>);

impl AnyConnection {
    /// Erases the type of the connection; [`downcast_ref`](AnyConnection::downcast_ref) finds it
    /// again.
    pub fn new(connection: impl Connection) -> Self {
        AnyConnection(Box::new(connection))
    }

    /// The connection as the type of one driver, if it has that type.
    pub fn downcast_ref<C: Connection>(&self) -> Option<&C> {
        self.0.downcast_ref()
    }
}

impl Deref for AnyConnection {
    type Target = dyn Connection;

    fn deref(&self) -> &dyn Connection {
        &*self.0
    }
}

impl Pooled for AnyConnection {
    fn state(&self) -> SessionState {
        self.0.state()
    }

    fn is_open(&self) -> bool {
        self.0.is_open()
    }

    fn ping(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.0.ping(deadline)
    }

    fn reset(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.0.reset(deadline)
    }

    fn settle(&self, always: bool) -> bool {
        self.0.settle(always)
    }

    fn recycle<'a>(
        &'a self,
        recycling: &'a Recycling,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<()>> {
        self.0.recycle(recycling, deadline)
    }

    fn accept_changes(&self) -> BoxFuture<'_, Result<()>> {
        self.0.accept_changes()
    }

    fn close(self: Box<Self>, deadline: Deadline) -> BoxFuture<'static, ()> {
        self.0.close(deadline)
    }
}

impl fmt::Debug for AnyConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyConnection")
            .field("endpoint", self.0.endpoint())
            .field("state", &self.0.state())
            .finish_non_exhaustive()
    }
}

/// Opens connections of any engine.
#[derive(Clone)]
pub struct AnyConnector(Arc<dyn Connects>);

/// A connector without a static type of its connections.
trait Connects: Send + Sync {
    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<AnyConnection>>;
}

impl<C> Connects for C
where
    C: Connector,
    C::Connection: Connection,
{
    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<AnyConnection>> {
        Box::pin(async move {
            let connection = Connector::connect(self, deadline).await?;
            Ok(AnyConnection::new(connection))
        })
    }
}

impl AnyConnector {
    /// The connector of one driver.
    pub fn new<C>(connector: C) -> Self
    where
        C: Connector,
        C::Connection: Connection,
    {
        AnyConnector(Arc::new(connector))
    }

    /// The same connector, which reports the outcome of each attempt to `note`.
    #[must_use]
    pub fn noting(self, note: impl Fn(&Result<AnyConnection>) + Send + Sync + 'static) -> Self {
        AnyConnector(Arc::new(Noting {
            inner: self,
            note: Box::new(note),
        }))
    }
}

/// Observes the outcome of an attempt.
type Note = dyn Fn(&Result<AnyConnection>) + Send + Sync;

/// A connector whose attempts are observed.
struct Noting {
    inner: AnyConnector,
    note: Box<Note>,
}

impl Connects for Noting {
    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<AnyConnection>> {
        Box::pin(async move {
            let connected = self.inner.0.connect(deadline).await;
            (self.note)(&connected);
            connected
        })
    }
}

impl Connector for AnyConnector {
    type Connection = AnyConnection;

    fn connect(&self, deadline: Deadline) -> BoxFuture<'_, Result<AnyConnection>> {
        self.0.connect(deadline)
    }
}

impl fmt::Debug for AnyConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyConnector").finish_non_exhaustive()
    }
}
