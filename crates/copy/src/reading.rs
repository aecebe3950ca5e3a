//! Reading a table: its values as what the target holds, with their checksum.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use tokio::sync::mpsc::Sender;
use underpin_core::driver::RowSink;
use underpin_core::{Class, Columns, Error, Result, Row, Value, ValueRef};
use underpin_schema::ObjectName;

use crate::checksum::{Checksum, row_hash};
use crate::client::{Client, call};
use crate::convert::{Misfit, convert};
use crate::kind::Kind;
use crate::plan::{ColumnPlan, TablePlan};
use crate::report::Bad;

/// Puts a value into the form in which the target stores it.
type Store = fn(Value, &Kind) -> Result<Value, Misfit>;

/// How the values of a table are read.
#[derive(Debug)]
pub(crate) struct Reading {
    table: ObjectName,
    columns: Vec<ColumnPlan>,
    key: Vec<usize>,
    store: Option<Store>,
    /// Whether the values are wanted, and not only their checksum.
    keep: bool,
    skip_bad: bool,
}

impl Reading {
    /// To write the values, in the form in which the target stores them.
    pub(crate) fn to_write(plan: &TablePlan, store: Store, skip_bad: bool) -> Self {
        Reading {
            store: Some(store),
            keep: true,
            skip_bad,
            ..Reading::back(plan)
        }
    }

    /// For the checksum alone of what would be written.
    pub(crate) fn without_values(self) -> Self {
        Reading {
            keep: false,
            ..self
        }
    }

    /// For the checksum of what the target has.
    pub(crate) fn back(plan: &TablePlan) -> Self {
        Reading {
            table: plan.source.clone(),
            columns: plan.columns.clone(),
            key: plan.key.clone(),
            store: None,
            keep: false,
            skip_bad: false,
        }
    }
}

/// Rows that are on their way.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The values of the rows, one behind the other.
    pub(crate) values: Vec<Value>,
    /// The hashes of the rows, where rows can be left out later.
    pub(crate) hashes: Vec<u128>,
    pub(crate) rows: usize,
    bytes: usize,
}

/// About how many bytes travel at once. Up to three batches are on their way, and one is gathered.
const BATCH_BYTES: usize = 2 << 20;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) sum: Checksum,
    pub(crate) bad: Vec<Bad>,
}

#[derive(Debug, Default)]
struct Gathered {
    batch: Batch,
    read: Read,
    /// The first row that does not fit, where that ends the reading.
    failed: Option<Bad>,
}

type Shared = Arc<Mutex<Gathered>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Gathered> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the rows on the driver's side.
struct Sink {
    reading: Arc<Reading>,
    shared: Shared,
    buffer: Vec<u8>,
}

impl RowSink for Sink {
    fn begin(&mut self, _: &Columns) -> Result<()> {
        *lock(&self.shared) = Gathered::default();
        Ok(())
    }

    fn row(&mut self, row: &dyn Row) -> Result<()> {
        let mut gathered = lock(&self.shared);
        let Gathered {
            batch,
            read,
            failed,
        } = &mut *gathered;
        if failed.is_some() {
            return Ok(());
        }
        let start = batch.values.len();
        match take(&self.reading, row, batch, start, &mut self.buffer) {
            Ok(hash) => {
                read.sum.add(hash);
                if !self.reading.keep {
                    batch.values.truncate(start);
                    return Ok(());
                }
                batch.rows += 1;
                if self.reading.skip_bad {
                    batch.hashes.push(hash);
                }
            }
            Err((column, misfit)) => {
                batch.values.truncate(start);
                let bad = Bad {
                    table: self.reading.table.clone(),
                    key: key(&self.reading, row),
                    column: Some(self.reading.columns[column].name.clone()),
                    why: misfit.0,
                };
                match self.reading.skip_bad {
                    true => read.bad.push(bad),
                    false => *failed = Some(bad),
                }
            }
        }
        Ok(())
    }
}

/// Puts the values of a row behind those of the batch, and gives its hash; or the place of the
/// column whose value does not fit.
fn take(
    reading: &Reading,
    row: &dyn Row,
    batch: &mut Batch,
    start: usize,
    buffer: &mut Vec<u8>,
) -> Result<u128, (usize, Misfit)> {
    for (at, column) in reading.columns.iter().enumerate() {
        let value = match row.value(at) {
            Ok(value) => convert(value, &column.kind),
            Err(error) => Err(Misfit(error.message().to_owned())),
        };
        let value = value.map_err(|misfit| (at, misfit))?;
        batch.bytes += size(&value);
        batch.values.push(value);
    }
    let kinds = reading.columns.iter().map(|column| &column.kind);
    let hash = row_hash(&batch.values[start..], kinds, buffer);
    if let Some(store) = reading.store {
        for (at, column) in reading.columns.iter().enumerate() {
            let place = &mut batch.values[start + at];
            let value = std::mem::replace(place, Value::Null);
            *place = store(value, &column.kind).map_err(|misfit| (at, misfit))?;
        }
    }
    Ok(hash)
}

/// About how many bytes a value takes.
fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) | Value::Json(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Array(elements) => elements.iter().map(size).sum(),
            _ => 0,
        }
}

fn key(reading: &Reading, row: &dyn Row) -> Vec<(String, String)> {
    let column = |at: &usize| {
        let value = row.value(*at).unwrap_or(ValueRef::Null);
        (reading.columns[*at].name.clone(), shown(&value.to_string()))
    };
    reading.key.iter().map(column).collect()
}

/// The start of a key's value.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Reads all rows of a statement, and sends them in batches, for as long as they are taken.
///
/// # Errors
/// [`Class::Data`] for a row that does not fit, with table, key and column.
pub(crate) async fn read(
    client: Client,
    sql: String,
    reading: Reading,
    batches: Option<Sender<Batch>>,
) -> Result<Read> {
    let shared = Shared::default();
    let sink = Sink {
        reading: Arc::new(reading),
        shared: Arc::clone(&shared),
        buffer: Vec::new(),
    };
    let (_, mut rows) = client
        .driver()
        .fetch_stream(call(&sql, &[]), Box::new(sink))
        .await?;
    while let Some(more) = rows.next().await {
        more?;
        let full = {
            let mut gathered = lock(&shared);
            if let Some(bad) = gathered.failed.take() {
                return Err(refused(&bad));
            }
            match gathered.batch.bytes >= BATCH_BYTES {
                true => Some(std::mem::take(&mut gathered.batch)),
                false => None,
            }
        };
        if let (Some(batch), Some(batches)) = (full, &batches)
            && batches.send(batch).await.is_err()
        {
            // The writer has failed, and says why.
            return Ok(Read::default());
        }
    }
    let gathered = std::mem::take(&mut *lock(&shared));
    if let Some(bad) = gathered.failed {
        return Err(refused(&bad));
    }
    if let Some(batches) = &batches
        && gathered.batch.rows > 0
    {
        let _ = batches.send(gathered.batch).await;
    }
    Ok(gathered.read)
}

/// The error of a row that does not fit.
pub(crate) fn refused(bad: &Bad) -> Error {
    let error = Error::new(Class::Data, format!("A row cannot be copied. {bad}."));
    let error = error.with_table(bad.table.to_string());
    let error =
        error.with_hint("Change the row or the column, or leave such rows out by --skip-bad.");
    match &bad.column {
        Some(column) => error.with_column(column.clone()),
        None => error,
    }
}
