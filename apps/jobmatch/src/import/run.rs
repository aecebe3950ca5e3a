use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, channel};
use underpin::{Class, Database, Error, Result};

use super::bad_row::BadRow;
use super::batch::Batch;
use super::gather::gather;
use super::kind::ImportKind;
use super::ledger::Ledger;
use super::scan::Scan;
use super::source::Source;
use super::write::write;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The file is read for the first time.
    Scanning {
        /// The bytes read.
        bytes: u64,
        /// The bytes there are.
        of: u64,
    },
    /// Its rows go in.
    Importing {
        /// The rows read, the bad ones too.
        rows: u64,
        /// The rows there are.
        of: u64,
        /// The bad ones.
        bad: u64,
    },
}

/// What has become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// Its row in `csv_imports`.
    pub id: i32,
    /// What it holds.
    pub kind: ImportKind,
    /// How many rows it has.
    pub rows: u64,
    /// How many of them are in the table.
    pub inserted: u64,
    /// How many are not.
    pub bad: u64,
    /// How many an earlier run, which did not end, had done.
    pub done_before: u64,
    /// The first thousand bad rows.
    pub bad_rows: Vec<BadRow>,
}

/// Imports a file. Run again after it was killed or failed, it carries on where it stopped.
///
/// # Errors
/// `Class::Config` for a file that is malformed as a whole: nothing of it is in then.
/// `Class::Constraint` where the file was imported before, `Class::Conflict` where another
/// process is at it, else what the database said; rows that were in stay in.
///
/// # Cancel safety
/// Dropped half-way, it is as if it had been killed: run again, it carries on.
pub async fn import(
    database: &Database,
    source: Source,
    progress: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<ImportReport> {
    let source = Arc::new(source);
    let progress = Arc::new(progress);
    let scan = first_reading(&source, Arc::clone(&progress)).await?;
    let mut ledger = Ledger::open(database, &source, &scan).await?;
    let done_before = ledger.processed;
    let total = scan.records.saturating_sub(1);
    let tell = |ledger: &Ledger| {
        progress(Progress::Importing {
            rows: ledger.processed,
            of: total,
            bad: ledger.bad,
        });
    };
    let written = second_reading(database, &source, &mut ledger, tell).await;
    if let Err(error) = written {
        if error.class() != Class::Conflict {
            ledger.fail(database).await;
        }
        return Err(error);
    }
    ledger.complete(database, &source).await?;
    Ok(ImportReport {
        id: ledger.id,
        kind: source.kind,
        rows: ledger.processed,
        inserted: ledger.inserted,
        bad: ledger.bad,
        done_before,
        bad_rows: ledger.kept,
    })
}

async fn first_reading(
    source: &Arc<Source>,
    progress: Arc<impl Fn(Progress) + Send + Sync + 'static>,
) -> Result<Scan> {
    let source = Arc::clone(source);
    let of = u64::try_from(source.size).unwrap_or(0);
    let reading = tokio::task::spawn_blocking(move || {
        source.scan(|bytes| progress(Progress::Scanning { bytes, of }))
    });
    reading.await.unwrap_or_else(|_| Err(stopped()))
}

/// Writes one batch while the next is being read.
async fn second_reading(
    database: &Database,
    source: &Arc<Source>,
    ledger: &mut Ledger,
    tell: impl Fn(&Ledger),
) -> Result<()> {
    let (sender, batches) = channel(1);
    let (reader, skip) = (Arc::clone(source), ledger.processed);
    let reading = tokio::task::spawn_blocking(move || gather(&reader, skip, &sender));
    write_all(database, source, ledger, batches, tell).await?;
    reading.await.unwrap_or_else(|_| Err(stopped()))
}

async fn write_all(
    database: &Database,
    source: &Source,
    ledger: &mut Ledger,
    mut batches: Receiver<Batch>,
    tell: impl Fn(&Ledger),
) -> Result<()> {
    let columns = source.header.targets();
    tell(ledger);
    while let Some(batch) = batches.recv().await {
        let transaction = database.begin().await?;
        ledger.claim(&transaction, &batch, source).await?;
        let refused = write(&transaction, source.kind.table(), &columns, &batch).await?;
        let mut next = ledger.clone();
        next.settle(&transaction, &batch, refused).await?;
        transaction.commit().await?;
        *ledger = next;
        tell(ledger);
    }
    Ok(())
}

fn stopped() -> Error {
    Error::new(Class::Server, "Reading the file was stopped.")
}
