use std::time::Duration;

use underpin_core::{Class, Deadline, Effect, Error, Result, TransactionOptions};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::session::Session;

/// Maximum duration of a COMMIT, which waits for the disk and is never interrupted.
const COMMIT: Duration = Duration::from_secs(60);

/// Begins a transaction: either with the write lock taken immediately, so that it cannot fail
/// halfway for lack of the lock, or read-only.
pub(crate) async fn begin(
    connection: &Connection,
    options: TransactionOptions,
    deadline: Deadline,
) -> Result<()> {
    let deadline = connection.deadline(deadline);
    let pending = connection.worker.submit(move |session| {
        session.run(|conn| match conn.is_autocommit() {
            true => Ok(()),
            false => Err(Fault::Ours(already_open())),
        })?;
        if !options.read_only {
            return session.run(begin_to_write);
        }
        let guards = |conn: &mut rusqlite::Connection| {
            Ok(conn.query_row("PRAGMA query_only", [], |row| row.get::<_, bool>(0))?)
        };
        if session.run(guards)? {
            return session.run(|conn| Ok(conn.execute_batch("BEGIN DEFERRED")?));
        }
        // Before it is set, so that it is undone even if BEGIN fails.
        session.begun_read_only();
        session.run(|conn| Ok(conn.execute_batch("PRAGMA query_only = ON; BEGIN DEFERRED")?))
    })?;
    pending.by(deadline).await
}

fn begin_to_write(conn: &mut rusqlite::Connection) -> Result<(), Fault> {
    // SQLite begins it anyway, and refuses the first statement that writes.
    if conn.is_readonly("main")? {
        return Err(Fault::Ours(no_writer()));
    }
    Ok(conn.execute_batch("BEGIN IMMEDIATE")?)
}

fn no_writer() -> Error {
    Error::new(
        Class::ReadOnly,
        "A transaction that writes cannot begin on a SQLite connection that only reads.",
    )
    .with_hint("Begin it on the writer, or begin it as read-only.")
}

fn already_open() -> Error {
    Error::new(
        Class::Unsupported,
        "A transaction is already open on this connection, and SQLite cannot have two.",
    )
    .with_hint("Use a savepoint within it, or commit or roll it back first.")
}

/// Commits, and rolls back if that fails and leaves the transaction open.
pub(crate) async fn commit(connection: &Connection) -> Result<()> {
    let pending = connection
        .worker
        .submit_protected(|session: &mut Session| {
            if let Some((class, why)) = session.take_failed() {
                return Err(Error::new(
                    class,
                    format!(
                        "The transaction cannot be committed: SQLite has rolled it back. {why}"
                    ),
                )
                .with_effect(Effect::RolledBack)
                .with_hint("Run the whole transaction again."));
            }
            let committed = session.run(|conn| {
                if conn.is_autocommit() {
                    return Err(Fault::Ours(none_open()));
                }
                Ok(conn.execute_batch("COMMIT")?)
            });
            committed.map_err(|error| undo(session, error))
        })?;
    pending.uninterrupted(COMMIT).await
}

fn none_open() -> Error {
    Error::new(
        Class::Closed,
        "No transaction is open on this connection, so there is nothing to commit.",
    )
}

fn undo(session: &mut Session, error: Error) -> Error {
    // Reported here, so it must not be reported again.
    session.take_failed();
    if error.effect() == Effect::NotSent {
        return error;
    }
    let effect = match error.effect() {
        Effect::Unknown => Effect::Unknown,
        _ => Effect::RolledBack,
    };
    if !session.conn.is_autocommit()
        && let Err(left) = session.run(|conn| Ok(conn.execute_batch("ROLLBACK")?))
    {
        session.take_failed();
        session.shared().set_broken();
        tracing::warn!(error = %left, "a transaction whose commit failed could not be rolled back");
    }
    error
        .with_effect(effect)
        .with_context("The transaction was not committed and has been rolled back.")
}

/// Rolls back; without a transaction there is nothing to do.
pub(crate) async fn rollback(connection: &Connection, deadline: Deadline) -> Result<()> {
    let pending = connection.worker.submit(|session: &mut Session| {
        session.take_failed();
        session.run(|conn| {
            if !conn.is_autocommit() {
                conn.execute_batch("ROLLBACK")?;
            }
            Ok(())
        })
    })?;
    pending.by(deadline).await
}
