use std::sync::Arc;
use std::sync::mpsc as blocking;

use rusqlite::Connection as Client;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use underpin_core::driver::{BulkTarget, RowSource};
use underpin_core::{Class, Deadline, Effect, Error, Params, Result, quote};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::form::Forms;
use crate::param::{check, stored};
use crate::pending::{PastDeadline, passed_deadline};
use crate::plan::{Place, plan};
use crate::session::{Session, canceled};
use crate::shared::Shared;

/// Approximate number of values per batch: about 1000 rows of a narrow table.
const VALUES: usize = 8192;

enum Part {
    Rows(Params),
    /// There are no more rows. If this does not arrive, the caller has given up.
    End,
}

/// Inserts the rows, all of them or none. While the thread inserts one batch, the caller's side
/// fills the next.
pub(crate) async fn insert_rows(
    connection: &Connection,
    target: BulkTarget<'_>,
    rows: &mut dyn RowSource,
    deadline: Deadline,
) -> Result<u64> {
    let deadline = connection.deadline(deadline);
    let names: Vec<String> = target
        .columns
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    let sql = statement(target)?;
    let (parts, receiver) = channel(1);
    let (give_back, spare) = blocking::channel();
    let pending = connection
        .worker
        .submit(move |session| insert_all(session, &sql, &names, receiver, &give_back))?;
    let filling = fill(target.columns, rows, parts, spare);
    match pending.within(deadline, filling).await {
        Ok(Ok(())) => pending.by(deadline).await,
        Ok(Err(refused)) => {
            // The transaction is rolled back before this is reported.
            let _ = pending.by(deadline).await;
            Err(refused.with_effect(Effect::RolledBack))
        }
        Err(PastDeadline) => pending.by(deadline).await.map_err(passed_deadline),
    }
}

fn statement(target: BulkTarget<'_>) -> Result<String> {
    if target.columns.is_empty() {
        return Err(Error::new(
            Class::Config,
            format!(
                "A bulk insert into the table {} needs the names of the columns.",
                target.table
            ),
        ));
    }
    let columns = target
        .columns
        .iter()
        .map(|column| quote::identifier(column));
    let columns: Vec<String> = columns.collect::<Result<_>>()?;
    Ok(format!(
        "INSERT INTO {} ({}) VALUES ({})",
        quote::qualified(target.table)?,
        columns.join(", "),
        vec!["?"; columns.len()].join(", ")
    ))
}

/// Sends the rows in batches, for as long as the receiver exists.
async fn fill(
    columns: &[&str],
    rows: &mut dyn RowSource,
    parts: Sender<Part>,
    spare: blocking::Receiver<Params>,
) -> Result<()> {
    let capacity = VALUES.max(columns.len());
    let mut batch = Params::with_capacity(capacity);
    let mut number = 0;
    loop {
        let start = batch.len();
        if !rows.next(&mut batch) {
            break;
        }
        number += 1;
        check_row(columns, number, &batch[start..])?;
        if batch.len() + columns.len() > capacity {
            let mut empty = spare
                .try_recv()
                .unwrap_or_else(|_| Params::with_capacity(capacity));
            // Emptied on this side, since the thread has more work to do.
            empty.clear();
            if parts
                .send(Part::Rows(std::mem::replace(&mut batch, empty)))
                .await
                .is_err()
            {
                return Ok(());
            }
        }
    }
    if !batch.is_empty() && parts.send(Part::Rows(batch)).await.is_err() {
        return Ok(());
    }
    let _ = parts.send(Part::End).await;
    Ok(())
}

#[inline]
fn check_row(columns: &[&str], number: usize, row: &[underpin_core::Value]) -> Result<()> {
    if row.len() != columns.len() {
        return Err(Error::new(
            Class::Data,
            format!(
                "Row {number} has {} values, but {} columns are named.",
                row.len(),
                columns.len()
            ),
        )
        .with_row(number as u64));
    }
    for (value, column) in row.iter().zip(columns) {
        if let Err(why) = check(value) {
            return Err(unfit(why, column, number as u64).with_effect(Effect::NotSent));
        }
    }
    Ok(())
}

/// The error about a value that SQLite cannot store, so that no row is inserted.
#[cold]
fn unfit(why: &str, column: &str, row: u64) -> Error {
    Error::new(
        Class::Data,
        format!("The value for column {column:?} in row {row} cannot be stored by SQLite: {why}."),
    )
    .with_effect(Effect::RolledBack)
    .with_row(row)
    .with_column(column)
}

fn insert_all(
    session: &mut Session,
    sql: &str,
    columns: &[String],
    mut parts: Receiver<Part>,
    give_back: &blocking::Sender<Params>,
) -> Result<u64> {
    let shared = Arc::clone(session.shared());
    session.run_writing(|conn, writing| {
        // Within a transaction, a savepoint: if one row fails, no row stays.
        let (begin, end, undo) = if conn.is_autocommit() {
            ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
        } else {
            (
                "SAVEPOINT underpin_bulk",
                "RELEASE underpin_bulk",
                "ROLLBACK TO underpin_bulk; RELEASE underpin_bulk",
            )
        };
        conn.execute_batch(begin)?;
        let inserted = insert_parts(
            conn,
            sql,
            columns,
            writing.forms,
            &mut parts,
            give_back,
            &shared,
        )
        .and_then(|count| {
            conn.execute_batch(end)
                .map(|()| count)
                .map_err(undone("The rows could not be committed."))
        });
        if inserted.is_err() && !conn.is_autocommit() {
            conn.execute_batch(undo)?;
        }
        inserted
    })
}

fn undone(context: impl Into<String>) -> impl FnOnce(rusqlite::Error) -> Fault {
    |error| Fault::Known {
        error,
        effect: Effect::RolledBack,
        context: context.into(),
        row: None,
    }
}

fn refused(row: u64) -> impl FnOnce(rusqlite::Error) -> Fault {
    move |error| Fault::Known {
        error,
        effect: Effect::RolledBack,
        context: format!("Row {row} could not be inserted, so no row was inserted."),
        row: Some(row),
    }
}

fn insert_parts(
    conn: &Client,
    sql: &str,
    columns: &[String],
    forms: Forms,
    parts: &mut Receiver<Part>,
    give_back: &blocking::Sender<Params>,
    shared: &Shared,
) -> Result<u64, Fault> {
    let mut stmt = conn
        .prepare_cached(sql)
        .map_err(undone("No row was inserted."))?;
    // Within the transaction, no other connection changes the schema.
    let plan = plan(conn, sql).map_err(undone("No row was inserted."))?;
    let mut count = 0;
    while let Some(part) = parts.blocking_recv() {
        let rows = match part {
            Part::Rows(rows) => rows,
            Part::End => return Ok(count),
        };
        if shared.is_stopped() {
            break;
        }
        for row in rows.chunks_exact(columns.len()) {
            count += 1;
            for (at, value) in row.iter().enumerate() {
                let place = plan.get(at).copied().unwrap_or(Place::EXPRESSION);
                let stored = stored(value, place, forms).map_err(|misfit| {
                    unfit(misfit.why, &columns[at], count).with_hint(misfit.hint)
                })?;
                stmt.raw_bind_parameter(at + 1, stored)
                    .map_err(refused(count))?;
            }
            stmt.raw_execute().map_err(refused(count))?;
        }
        let _ = give_back.send(rows);
    }
    Err(Fault::Ours(canceled()))
}
