use std::fmt;
use std::sync::Arc;

/// Ends a connection from outside, whichever caller holds it and whatever is in progress on it. It
/// does not keep the connection open.
#[derive(Clone)]
pub struct AbortHandle(Arc<dyn Abort>);

/// A driver's way to end a connection from outside.
pub trait Abort: Send + Sync + 'static {
    /// Ends it without telling the server. Calls in progress fail immediately, each with the known
    /// effect. Does nothing if it has already ended.
    fn abort(&self);

    /// Whether it has ended.
    fn is_over(&self) -> bool;
}

impl AbortHandle {
    /// A handle to a driver's connection.
    pub fn new(connection: impl Abort) -> Self {
        AbortHandle(Arc::new(connection))
    }

    /// Ends the connection, like [`Abort::abort`].
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Whether the connection has ended.
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("is_over", &self.is_over())
            .finish()
    }
}
