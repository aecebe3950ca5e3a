use underpin_core::{Deadline, Result};

use crate::connection::Connection;

impl Connection {
    /// Runs `work` on the thread of this connection with rusqlite's own connection, for
    /// all that it can do: hooks, functions, backup, blobs, settings. It may block.
    ///
    /// The session counts as changed from then on, and
    /// [`reset`](underpin_core::driver::Pooled::reset) restores all of its settings, its busy
    /// and progress handlers included, and drops what is temporary. Functions and
    /// collations stay. A transaction that `work` leaves open is rolled back there.
    ///
    /// # Errors
    /// [`Class::Connect`](underpin_core::Class::Connect) where the connection is lost,
    /// [`Class::Timeout`](underpin_core::Class::Timeout) past the deadline; SQLite is
    /// then interrupted, and `work` is not.
    ///
    /// # Panics
    /// Where `work` does.
    ///
    /// # Cancel safety
    /// Dropped before `work` began, it does not begin. Dropped while it runs, SQLite is
    /// interrupted, and the state is `Busy` until `work` returns.
    pub async fn with_client<R: Send + 'static>(
        &self,
        deadline: Deadline,
        work: impl FnOnce(&mut rusqlite::Connection) -> R + Send + 'static,
    ) -> Result<R> {
        let pending = self.worker.submit(move |session| {
            session.set_changed();
            Ok(work(&mut session.conn))
        })?;
        pending.by(deadline).await
    }
}
