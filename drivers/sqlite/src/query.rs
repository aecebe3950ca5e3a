use underpin_core::driver::{Call, RowSink};
use underpin_core::{Effect, Result};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::param::check_all;
use crate::row::Reader;
use crate::statements::{bind, changes_session, confirm, prepare_to_read};

/// Runs a statement and reads its rows, on the thread.
pub(crate) async fn fetch(
    connection: &Connection,
    call: Call<'_>,
    sink: Box<dyn RowSink>,
) -> Result<Box<dyn RowSink>> {
    check_all(call.params)?;
    let deadline = connection.deadline(call.deadline);
    let (sql, params) = (call.sql.to_owned(), call.params.to_vec());
    let pending = connection.worker.submit(move |session| {
        if changes_session(&sql) {
            session.set_changed();
        }
        session.run_writing(|conn, writing| {
            let (mut stmt, reader) = prepare_to_read(conn, &sql, sink)?;
            let used = bind(conn, &mut stmt, &sql, &params, writing)?;
            let sink = read(&mut stmt, reader)?;
            confirm(conn, &stmt, &sql, used.as_ref(), writing)?;
            Ok(sink)
        })
    })?;
    pending.by(deadline).await
}

/// A statement that writes runs to its end, even if its rows are dropped; one that only reads ends
/// as soon as no more rows are needed.
fn read(stmt: &mut rusqlite::Statement<'_>, mut reader: Reader) -> Result<Box<dyn RowSink>, Fault> {
    let reads = stmt.readonly();
    let mut rows = stmt.raw_query();
    let mut unreadable = None;
    let mut enough = reader.is_full();
    while !(enough && reads) {
        let Some(row) = rows.next()? else { break };
        if enough {
            continue;
        }
        if let Err(error) = reader.read(row) {
            unreadable = Some(error.with_effect(Effect::Applied));
        }
        enough = unreadable.is_some() || reader.is_full();
    }
    match unreadable {
        None => Ok(reader.into_sink()),
        Some(error) => Err(error.into()),
    }
}
