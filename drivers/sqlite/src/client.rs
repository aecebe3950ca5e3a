use underpin_core::{Deadline, Result};

use crate::connection::Connection;

impl Connection {
    /// Runs `work` on the thread of this connection with rusqlite's own connection, with everything
    /// that it offers: hooks, functions, backup, blobs, settings. It may block.
    ///
    /// The session counts as changed from then on, and
    /// [`reset`](underpin_core::driver::Pooled::reset) restores all of its settings, including its
    /// busy and progress handlers, and drops temporary objects. Functions and collations stay. A
    /// transaction that `work` leaves open is rolled back by the reset.
    ///
    /// # Errors
    /// [`Class::Connect`](underpin_core::Class::Connect) if the connection is lost,
    /// [`Class::Timeout`](underpin_core::Class::Timeout) past the deadline; SQLite is then
    /// interrupted, but `work` is not.
    ///
    /// # Panics
    /// If `work` panics.
    ///
    /// # Cancel safety
    /// If the future is dropped before `work` began, it does not begin. If it is dropped while
    /// `work` runs, SQLite is interrupted, and the state is `Busy` until `work` returns.
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
