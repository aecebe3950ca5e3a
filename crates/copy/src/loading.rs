//! Writing a table, while its rows are read.

use std::iter;
use std::ops::Range;

use tokio::sync::mpsc::channel;
use tokio::task::JoinHandle;
use underpin_core::driver::{BulkTarget, RowSource};
use underpin_core::{Class, ConstraintKind, Deadline, Engine, Error, Params, Result, Value};

use crate::checksum::Checksum;
use crate::client::Client;
use crate::dialect::CopyDialect;
use crate::plan::TablePlan;
use crate::progress::Progress;
use crate::reading::{Batch, Read, Reading, read, refused, shown};
use crate::report::Bad;

/// What came of the rows of a table.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The rows that are in.
    pub(crate) sum: Checksum,
    pub(crate) bad: Vec<Bad>,
}

/// The reading of a table, which ends with the writing.
struct Reader(JoinHandle<Result<Read>>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Copies the rows of a table within the open transaction of the writer: while one batch is
/// written, the next is read.
pub(crate) async fn load(
    reader: &Client,
    writer: &Client,
    plan: &TablePlan,
    target: Engine,
    skip_bad: bool,
    progress: &dyn Progress,
) -> Result<Loaded> {
    let rules = CopyDialect::target_of(target)?;
    let reading = Reading::to_write(plan, rules.store, skip_bad);
    let (batches, mut receiver) = channel(1);
    let reading = read(reader.clone(), plan.read.clone(), reading, Some(batches));
    let mut reader = Reader(tokio::spawn(reading));
    let names = plan.names();
    let mut writing = Writing {
        writer,
        plan,
        target: BulkTarget {
            table: &plan.into,
            columns: &names,
        },
        savepoint: match skip_bad {
            true => Some(savepoint(target)?),
            false => None,
        },
        at_once: usize::MAX,
        out: Vec::new(),
        taken_out: Vec::new(),
    };
    let mut rows = 0;
    while let Some(batch) = receiver.recv().await {
        rows += writing.write(batch, progress).await?;
        progress.rows(&plan.source, rows);
    }
    let read = (&mut reader.0).await.map_err(|error| {
        let message = "The reading of a table ended before its last row.";
        Error::new(Class::Closed, message).with_source(error)
    })??;
    let mut sum = read.sum;
    for hash in writing.taken_out {
        sum.take_out(hash);
    }
    let mut bad = read.bad;
    for one in &bad {
        progress.skipped(one);
    }
    bad.extend(writing.out);
    Ok(Loaded { sum, bad })
}

/// The statements that set a savepoint, forget it and go back to it.
struct Savepoint {
    set: String,
    release: Option<String>,
    roll_back: String,
}

fn savepoint(engine: Engine) -> Result<Savepoint> {
    let savepoints = engine.dialect().and_then(|dialect| dialect.savepoints);
    let of = savepoints.ok_or_else(|| {
        let message = format!("On {engine} rows that do not fit cannot be left out.");
        Error::new(Class::Unsupported, message)
    })?;
    let named = |before: &str| format!("{before}underpin_copy_rows");
    Ok(Savepoint {
        set: named(of.set),
        release: of.release.map(named),
        roll_back: named(of.roll_back),
    })
}

struct Writing<'w> {
    writer: &'w Client,
    plan: &'w TablePlan,
    target: BulkTarget<'w>,
    savepoint: Option<Savepoint>,
    /// How many rows are sent in one go, where rows that do not fit are left out.
    at_once: usize,
    /// The rows that were left out, and their hashes.
    out: Vec<Bad>,
    taken_out: Vec<u128>,
}

impl Writing<'_> {
    /// Writes a batch, and gives the number of its rows that are in.
    async fn write(&mut self, mut batch: Batch, progress: &dyn Progress) -> Result<u64> {
        let Some(savepoint) = &self.savepoint else {
            let mut rows = Rows::giving(&mut batch.values, self.plan);
            let written = self.insert(&mut rows).await;
            return written.map_err(|error| match self.bad(&batch.values, &error) {
                Some(bad) => refused(&bad).with_source(error),
                None => error.with_context(format!("{} cannot be copied.", self.plan.source)),
            });
        };
        let width = self.plan.columns.len();
        let mut written = 0;
        let mut most = self.at_once.min(batch.rows).max(1);
        // The rows that are not in, by their places; the first of them come last.
        let mut left: Vec<Range<usize>> = iter::once(0..batch.rows).collect();
        while let Some(mut part) = left.pop() {
            if part.is_empty() {
                continue;
            }
            if part.len() > most {
                left.push(part.start + most..part.end);
                part.end = part.start + most;
            }
            let values = &mut batch.values[part.start * width..part.end * width];
            self.writer.batch(&savepoint.set).await?;
            let error = match self.insert(&mut Rows::keeping(values, self.plan)).await {
                Ok(rows) => {
                    if let Some(release) = &savepoint.release {
                        self.writer.batch(release).await?;
                    }
                    written += rows;
                    most = most.saturating_mul(2);
                    continue;
                }
                Err(error) => error,
            };
            let Some(bad) = self.bad(values, &error).filter(|_| is_of_row(&error)) else {
                return Err(error.with_context(format!("{} cannot be copied.", self.plan.source)));
            };
            self.writer.batch(&savepoint.roll_back).await?;
            if let Some(release) = &savepoint.release {
                self.writer.batch(release).await?;
            }
            let at = part.start + error.row().map_or(0, |row| row as usize - 1);
            self.taken_out.push(batch.hashes[at]);
            progress.skipped(&bad);
            self.out.push(bad);
            left.push(at + 1..part.end);
            left.push(part.start..at);
            // Where many do not fit, fewer are sent at once.
            most = (most / 4).max(1);
        }
        self.at_once = most;
        Ok(written)
    }

    async fn insert(&self, rows: &mut Rows<'_>) -> Result<u64> {
        let writer = self.writer.driver();
        writer.insert_rows(self.target, rows, Deadline::NONE).await
    }

    /// The row that an error is about, where it tells.
    fn bad(&self, values: &[Value], error: &Error) -> Option<Bad> {
        let row = usize::try_from(error.row()?).ok()?.checked_sub(1)?;
        let width = self.plan.columns.len();
        let row = values.get(row * width..(row + 1) * width)?;
        let key = self.plan.key.iter().map(|at| {
            let name = self.plan.columns[*at].name.clone();
            (name, shown(&row[*at].to_string()))
        });
        Some(Bad {
            table: self.plan.source.clone(),
            key: key.collect(),
            column: error.column().map(str::to_owned),
            why: error.reason().to_owned(),
        })
    }
}

/// Whether the row itself is what the server refuses, and not what it refers to.
fn is_of_row(error: &Error) -> bool {
    match error.class() {
        Class::Data => true,
        Class::Constraint => error.constraint_kind() != Some(ConstraintKind::ForeignKey),
        _ => false,
    }
}

/// The rows of a batch for the driver.
struct Rows<'b> {
    values: &'b mut [Value],
    plan: &'b TablePlan,
    at: usize,
    /// Whether the rows stay in the batch. Otherwise only their keys do, for an error.
    keep: bool,
}

impl<'b> Rows<'b> {
    fn giving(values: &'b mut [Value], plan: &'b TablePlan) -> Self {
        Rows {
            values,
            plan,
            at: 0,
            keep: false,
        }
    }

    fn keeping(values: &'b mut [Value], plan: &'b TablePlan) -> Self {
        Rows {
            keep: true,
            ..Rows::giving(values, plan)
        }
    }
}

impl RowSource for Rows<'_> {
    fn next(&mut self, params: &mut Params) -> bool {
        let end = self.at + self.plan.columns.len();
        let Some(row) = self.values.get_mut(self.at..end) else {
            return false;
        };
        self.at = end;
        if self.keep {
            params.extend_from_slice(row);
            return true;
        }
        for (at, value) in row.iter_mut().enumerate() {
            params.push(match self.plan.key.contains(&at) {
                true => value.clone(),
                false => std::mem::replace(value, Value::Null),
            });
        }
        true
    }
}
