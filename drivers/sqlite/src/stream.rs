use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use underpin_core::driver::{Call, Fetching, RowSink};
use underpin_core::{Columns, Deadline, Effect, Result};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::param::check_all;
use crate::pending::{GRACE, PastDeadline, Pending, passed_deadline};
use crate::row::Reader;
use crate::session::canceled;
use crate::statements::{bind, changes_session, confirm, prepare_to_read};

/// Number of rows per batch, and number of batches that the thread is ahead. The first batch is
/// short, so that the first row does not wait.
const ROWS: usize = 256;
const FIRST_ROWS: usize = 16;
const AHEAD: usize = 3;

enum Part {
    Columns(Columns),
    /// The sink has more rows.
    Rows,
}

/// Runs a statement and passes its rows on in batches. The thread waits if the caller is slower,
/// and is freed when the stream is dropped.
pub(crate) async fn stream(
    connection: &Connection,
    call: Call<'_>,
    sink: Box<dyn RowSink>,
) -> Result<(Columns, Fetching)> {
    check_all(call.params)?;
    let deadline = connection.deadline(call.deadline);
    let (sql, params) = (call.sql.to_owned(), call.params.to_vec());
    let (parts, receiver) = channel(AHEAD);
    let pending = connection.worker.submit(move |session| {
        if changes_session(&sql) {
            session.set_changed();
        }
        session.run_writing(|conn, writing| {
            let (mut stmt, reader) = prepare_to_read(conn, &sql, sink)?;
            let used = bind(conn, &mut stmt, &sql, &params, writing)?;
            pump(&mut stmt, reader, &parts)?;
            confirm(conn, &stmt, &sql, used.as_ref(), writing)
        })
    })?;
    let mut rows = Rows {
        receiver,
        pending: Some(pending),
        deadline,
    };
    match rows.next().await? {
        Some(Part::Columns(columns)) => Ok((columns, rows.into_stream())),
        _ => Err(canceled()),
    }
}

/// Sends all rows. If sending fails, the stream was dropped: a statement that reads ends there, one
/// that writes runs to its end.
fn pump(
    stmt: &mut rusqlite::Statement<'_>,
    mut reader: Reader,
    parts: &Sender<Part>,
) -> Result<(), Fault> {
    let reads = stmt.readonly();
    let mut wanted = parts
        .blocking_send(Part::Columns(reader.columns().clone()))
        .is_ok();
    let mut rows = stmt.raw_query();
    let mut size = FIRST_ROWS;
    let mut untold = 0;
    let mut unreadable = None;
    let outcome = loop {
        match rows.next() {
            Ok(Some(row)) if wanted => match reader.read(row) {
                Ok(()) => untold += 1,
                Err(error) => {
                    unreadable = Some(error.with_effect(Effect::Applied));
                    wanted = false;
                }
            },
            Ok(Some(_)) => {}
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
        if untold == size && wanted {
            (size, untold) = (ROWS, 0);
            wanted = parts.blocking_send(Part::Rows).is_ok();
        }
        if reads && !wanted {
            break Ok(());
        }
    };
    if untold > 0 {
        let _ = parts.blocking_send(Part::Rows);
    }
    match (outcome, unreadable) {
        (Err(error), _) => Err(error.into()),
        (Ok(()), Some(error)) => Err(error.into()),
        (Ok(()), None) => Ok(()),
    }
}

/// The caller's end.
struct Rows {
    receiver: Receiver<Part>,
    pending: Option<Pending<()>>,
    deadline: Deadline,
}

impl Rows {
    /// The next part; after the last one, the outcome of the statement.
    async fn next(&mut self) -> Result<Option<Part>> {
        let Some(pending) = &self.pending else {
            return Ok(None);
        };
        match pending.within(self.deadline, self.receiver.recv()).await {
            Ok(Some(part)) => return Ok(Some(part)),
            Ok(None) => {}
            Err(PastDeadline) => {
                // The thread may be waiting to pass on a batch: release it.
                self.receiver.close();
                let drain = async { while self.receiver.recv().await.is_some() {} };
                let _ = timeout(GRACE, drain).await;
                return Err(self
                    .end(true)
                    .await
                    .err()
                    .unwrap_or_else(|| passed_deadline(canceled())));
            }
        }
        self.end(false).await.map(|()| None)
    }

    async fn end(&mut self, past_deadline: bool) -> Result<()> {
        match self.pending.take() {
            None => Ok(()),
            Some(pending) => {
                if past_deadline {
                    pending.by(self.deadline).await.map_err(passed_deadline)
                } else {
                    pending.uninterrupted(END).await
                }
            }
        }
    }

    fn into_stream(self) -> Fetching {
        stream::try_unfold(self, |mut rows| async move {
            Ok(match rows.next().await? {
                Some(Part::Rows) => Some(((), rows)),
                Some(Part::Columns(_)) | None => None,
            })
        })
        .boxed()
    }
}

/// Maximum time for the thread to end a statement whose last row it has sent.
const END: Duration = Duration::from_secs(60);
