use underpin_core::driver::Call;
use underpin_core::{Effect, FromRow, Result};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::param::check_all;
use crate::row::Reader;
use crate::statements::{bind, changes_session, prepare_to_read};

/// Runs a statement and reads at most `limit` of its rows, on the thread.
pub(crate) async fn query<T>(
    connection: &Connection,
    call: Call<'_>,
    limit: usize,
) -> Result<Vec<T>>
where
    T: FromRow + Send + 'static,
{
    check_all(call.params)?;
    let deadline = connection.deadline(call.deadline);
    let (sql, params) = (call.sql.to_owned(), call.params.to_vec());
    let pending = connection.worker.submit(move |session| {
        if changes_session(&sql) {
            session.set_changed();
        }
        session.run(|conn| {
            let (mut stmt, reader) = prepare_to_read(conn, &sql)?;
            bind(&mut stmt, &params)?;
            read(&mut stmt, reader, limit)
        })
    })?;
    pending.by(deadline).await
}

/// A statement that writes runs to its end whatever becomes of its rows; one that only
/// reads ends as soon as nothing more is wanted.
fn read<T: FromRow>(
    stmt: &mut rusqlite::Statement<'_>,
    mut reader: Reader<T>,
    limit: usize,
) -> Result<Vec<T>, Fault> {
    let reads = stmt.readonly();
    let mut rows = stmt.raw_query();
    let mut found = Vec::new();
    let mut unreadable = None;
    let mut enough = limit == 0;
    while !(enough && reads) {
        let Some(row) = rows.next()? else { break };
        if enough {
            continue;
        }
        match reader.read(row) {
            Ok(row) => found.push(row),
            Err(error) => unreadable = Some(error.with_effect(Effect::Applied)),
        }
        enough = found.len() == limit || unreadable.is_some();
    }
    match unreadable {
        None => Ok(found),
        Some(error) => Err(error.into()),
    }
}
