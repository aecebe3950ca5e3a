use tokio::time::timeout_at;
use underpin_core::driver::{BoxFuture, Pooled, SessionState};
use underpin_core::{Class, Deadline, Effect, Error, Recycling, Result};

use crate::connection::Connection;
use crate::pending::GRACE;
use crate::session::Session;

impl Pooled for Connection {
    fn state(&self) -> SessionState {
        self.worker.shared().state()
    }

    fn ping(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.worker.submit(look)?.by(self.deadline(deadline)).await })
    }

    fn reset(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        self.recycle(&Recycling::Verified, deadline)
    }

    fn recycle<'a>(
        &'a self,
        recycling: &'a Recycling,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<()>> {
        let recycling = recycling.clone();
        Box::pin(async move {
            // No caller waits for a statement that still runs: the connection was returned.
            self.worker.shared().stop_running();
            let recycle = move |session: &mut Session| session.recycle(&recycling);
            let outcome = self.worker.submit(recycle)?.by(deadline).await;
            if outcome.is_err() {
                self.worker.shared().set_broken();
            }
            outcome
        })
    }

    fn accept_changes(&self) -> BoxFuture<'_, Result<()>> {
        let accept = |session: &mut Session| {
            session.accept_changes();
            Ok(())
        };
        Box::pin(async move { self.worker.submit(accept)?.by(Deadline::NONE).await })
    }

    fn close(self: Box<Self>, deadline: Deadline) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let (shared, mut ended) = self.worker.end();
            let first = match deadline.instant() {
                None => Ok((&mut ended).await),
                Some(at) => timeout_at(at.into(), &mut ended).await,
            };
            if first.is_err() {
                shared.stop_running();
                let _ = tokio::time::timeout(GRACE.min(MOMENT), ended).await;
            }
        })
    }
}

/// Time for an interrupted statement to end, so that the file is closed in order.
const MOMENT: std::time::Duration = std::time::Duration::from_millis(100);

/// Reads the file's header, and checks that the path still leads to that file: SQLite continues
/// with a file that was deleted or replaced, and all writes are lost.
fn look(session: &mut Session) -> Result<()> {
    if session.identity().is_some_and(|file| !file.is_there()) {
        session.shared().set_broken();
        return Err(Error::new(
            Class::Missing,
            format!(
                "The database file {} was deleted or replaced while it was open.",
                session.place()
            ),
        )
        .with_effect(Effect::RolledBack)
        .with_hint("Reconnect to use the current file."));
    }
    if session.has_failed() {
        return Ok(());
    }
    session.run(|conn| Ok(conn.query_row("PRAGMA schema_version", [], |_| Ok(()))?))
}
