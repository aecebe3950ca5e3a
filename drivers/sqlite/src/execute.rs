use rusqlite::Batch;
use rusqlite::fallible_iterator::FallibleIterator;
use underpin_core::driver::Call;
use underpin_core::{Deadline, Effect, Error, Result};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::param::check_all;
use crate::session::{Session, canceled};
use crate::statements::{
    bind, changes_session, check_pragmas, confirm, keyword, may_change_session, prepare,
};

/// Runs one statement to its end. Returns the number of rows that it changed, or that it returned
/// if it reads.
pub(crate) async fn execute(connection: &Connection, call: Call<'_>) -> Result<u64> {
    check_all(call.params)?;
    let deadline = connection.deadline(call.deadline);
    let (sql, params) = (call.sql.to_owned(), call.params.to_vec());
    let pending = connection.worker.submit(move |session| {
        if session.has_failed() && keyword(&sql).eq_ignore_ascii_case("ROLLBACK") {
            session.take_failed();
            return Ok(0);
        }
        if changes_session(&sql) {
            session.set_changed();
        }
        session.run_writing(|conn, writing| {
            let changes = conn.total_changes();
            let mut stmt = prepare(conn, &sql)?;
            let used = bind(conn, &mut stmt, &sql, &params, writing)?;
            let reads = stmt.readonly() && stmt.column_count() > 0;
            let mut rows = stmt.raw_query();
            let mut count = 0;
            while rows.next()?.is_some() {
                count += 1;
            }
            drop(rows);
            confirm(conn, &stmt, &sql, used.as_ref(), writing)?;
            // Other statements leave the count of the latest one that changed rows.
            let changed = conn.total_changes() > changes;
            Ok(if reads {
                count
            } else if changed {
                conn.changes()
            } else {
                0
            })
        })
    })?;
    pending.by(deadline).await
}

/// Runs several statements one after another.
pub(crate) async fn batch(connection: &Connection, sql: &str, deadline: Deadline) -> Result<()> {
    let deadline = connection.deadline(deadline);
    let sql = sql.to_owned();
    let pending = connection
        .worker
        .submit(move |session| run_batch(session, &sql))?;
    pending.by(deadline).await
}

fn run_batch(session: &mut Session, sql: &str) -> Result<()> {
    if session.has_failed() && keyword(sql).eq_ignore_ascii_case("ROLLBACK") {
        session.take_failed();
        return Ok(());
    }
    if may_change_session(sql) {
        session.set_changed();
    }
    if let Err(Fault::Ours(error)) = check_pragmas(sql) {
        return Err(error);
    }
    session.forget_plans();
    let shared = std::sync::Arc::clone(session.shared());
    let mut done = Done::default();
    let mut number = 0;
    let outcome = session.run(|conn| {
        let mut batch = Batch::new(conn, sql);
        loop {
            number += 1;
            // SQLite forgets an interrupt between two statements.
            if shared.is_stopped() {
                return Err(Fault::Ours(canceled()));
            }
            let Some(stmt) = batch.next()? else {
                return Ok(());
            };
            step_through(conn, stmt, &mut done)?;
        }
    });
    outcome.map_err(|error| {
        let open = !session.conn.is_autocommit();
        place_in_batch(error, number, done.kept(open))
    })
}

fn step_through(
    conn: &rusqlite::Connection,
    mut stmt: rusqlite::Statement<'_>,
    done: &mut Done,
) -> Result<(), Fault> {
    let reads = stmt.readonly();
    let mut rows = stmt.raw_query();
    while rows.next()?.is_some() {}
    drop(rows);
    done.note(!reads, !conn.is_autocommit());
    Ok(())
}

/// The work of a batch's statements so far.
#[derive(Default)]
struct Done {
    committed: bool,
    open: bool,
}

impl Done {
    fn note(&mut self, wrote: bool, open: bool) {
        match (wrote, open) {
            (true, true) => self.open = true,
            (true, false) => self.committed = true,
            // A successful COMMIT, or a ROLLBACK; it is safe to count it as a COMMIT.
            (false, false) => self.committed |= std::mem::take(&mut self.open),
            (false, true) => {}
        }
    }

    fn kept(&self, open: bool) -> bool {
        self.committed || (open && self.open)
    }
}

fn place_in_batch(error: Error, number: usize, kept: bool) -> Error {
    if number == 1 {
        return error;
    }
    let context = format!(
        "Statement {number} of the batch failed{}.",
        if kept {
            ", and those before it have taken effect"
        } else {
            ""
        }
    );
    let error = error.with_context(context);
    if kept && error.effect() == Effect::RolledBack {
        error.with_effect(Effect::Applied)
    } else {
        error
    }
}
