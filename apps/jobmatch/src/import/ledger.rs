use underpin::{Class, Database, Error, Executor, Field, Model, Result};

use super::bad_row::{BadRow, MOST, read_all, write_all};
use super::batch::Batch;
use super::scan::Scan;
use super::source::Source;
use crate::models::{CsvImport, ImportStatus, NewCsvImport};

/// How far an import has come, here and in its row of `csv_imports`.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) id: i32,
    pub(super) processed: u64,
    pub(super) inserted: u64,
    pub(super) bad: u64,
    pub(super) kept: Vec<BadRow>,
}

impl Ledger {
    /// Notes that an import begins, or finds the one that is to be carried on.
    pub(super) async fn open(database: &Database, source: &Source, scan: &Scan) -> Result<Self> {
        let found: Option<CsvImport> = database
            .query_optional(
                "SELECT * FROM csv_imports WHERE file_hash = $1",
                (scan.hash.as_str(),),
            )
            .await?;
        match found {
            Some(row) => Ledger::carry_on(row, source),
            None => Ledger::begin(database, source, scan).await,
        }
    }

    async fn begin(database: &Database, source: &Source, scan: &Scan) -> Result<Self> {
        let mut new = NewCsvImport::new(
            source.name.as_str(),
            source.size,
            scan.hash.as_str(),
            source.kind.name(),
        );
        new.status = ImportStatus::Processing.into();
        new.total_rows = Field::Value(count(scan.records.saturating_sub(1)));
        let row = CsvImport::insert(database, new)
            .await
            .map_err(|error| match error.class() {
                Class::Constraint => overtaken(source).with_source(error),
                _ => error,
            })?;
        database
            .execute(
                "UPDATE csv_imports SET started_at = CURRENT_TIMESTAMP WHERE id = $1",
                (row.id,),
            )
            .await?;
        Ok(Ledger {
            id: row.id,
            processed: 0,
            inserted: 0,
            bad: 0,
            kept: Vec::new(),
        })
    }

    fn carry_on(row: CsvImport, source: &Source) -> Result<Self> {
        if row.status == Some(ImportStatus::Completed) {
            return Err(imported_before(&row, source));
        }
        if row.import_type != source.kind.name() {
            return Err(Error::new(
                Class::Constraint,
                format!(
                    "Import {} of the same file, as {}, is not complete, so it cannot be \
                     imported as {}.",
                    row.id, row.import_type, source.kind
                ),
            )
            .with_hint(format!(
                "Complete it with `jobmatch import {}`.",
                row.import_type
            )));
        }
        let whole = |count: Option<i32>| u64::try_from(count.unwrap_or(0)).unwrap_or(0);
        Ok(Ledger {
            id: row.id,
            processed: whole(row.processed_rows),
            inserted: whole(row.success_rows),
            bad: whole(row.error_rows),
            kept: read_all(row.error_details.as_deref().unwrap_or("[]"))?,
        })
    }

    /// Takes the batch for this import alone: another process that carries the same file on
    /// waits here, and is then refused.
    pub(super) async fn claim(
        &self,
        at: &impl Executor,
        batch: &Batch,
        source: &Source,
    ) -> Result<()> {
        let claimed = at
            .execute(
                "UPDATE csv_imports SET processed_rows = $1, status = 'processing'
                 WHERE id = $2 AND processed_rows = $3",
                (
                    count(self.processed + batch.records),
                    self.id,
                    count(self.processed),
                ),
            )
            .await?;
        match claimed {
            1 => Ok(()),
            _ => Err(overtaken(source)),
        }
    }

    /// Notes what has become of the batch; nothing is final before the commit.
    pub(super) async fn settle(
        &mut self,
        at: &impl Executor,
        batch: &Batch,
        refused: Vec<BadRow>,
    ) -> Result<()> {
        self.processed += batch.records;
        self.inserted += (batch.rows() - refused.len()) as u64;
        self.bad += batch.bad + refused.len() as u64;
        let mut news: Vec<BadRow> = batch.kept.iter().cloned().chain(refused).collect();
        news.sort_by_key(|row| row.line);
        news.truncate(MOST - self.kept.len().min(MOST));
        if news.is_empty() {
            let sql = "UPDATE csv_imports SET success_rows = $1, error_rows = $2 WHERE id = $3";
            at.execute(sql, (count(self.inserted), count(self.bad), self.id))
                .await?;
            return Ok(());
        }
        self.kept.append(&mut news);
        at.execute(
            "UPDATE csv_imports SET success_rows = $1, error_rows = $2, error_details = $3
             WHERE id = $4",
            (
                count(self.inserted),
                count(self.bad),
                write_all(&self.kept),
                self.id,
            ),
        )
        .await?;
        Ok(())
    }

    /// Notes that all of the file is in, or explained.
    pub(super) async fn complete(&self, at: &impl Executor, source: &Source) -> Result<()> {
        let completed = at
            .execute(
                "UPDATE csv_imports
                 SET status = 'completed', total_rows = $1, completed_at = CURRENT_TIMESTAMP
                 WHERE id = $2 AND processed_rows = $3 AND status <> 'completed'",
                (count(self.processed), self.id, count(self.processed)),
            )
            .await?;
        match completed {
            1 => Ok(()),
            _ => Err(overtaken(source)),
        }
    }

    /// Notes that it ended in an error, as well as that can be done.
    pub(super) async fn fail(&self, at: &impl Executor) {
        let sql = "UPDATE csv_imports SET status = 'failed' WHERE id = $1 AND processed_rows = $2";
        let _ = at.execute(sql, (self.id, count(self.processed))).await;
    }
}

/// A file of 2 GiB has no more records than this.
fn count(records: u64) -> i32 {
    i32::try_from(records).unwrap_or(i32::MAX)
}

fn imported_before(row: &CsvImport, source: &Source) -> Error {
    let when = row.completed_at.or(row.created_at);
    let when = when.map_or_else(String::new, |at| format!(" on {at}"));
    let renamed = match row.filename == source.name {
        true => String::new(),
        false => format!(" under the name {}", row.filename),
    };
    Error::new(
        Class::Constraint,
        format!(
            "{} was imported before{renamed}: import {} into {} was completed{when}, with {} rows \
             and {} bad ones.",
            source.place,
            row.id,
            row.import_type,
            row.success_rows.unwrap_or(0),
            row.error_rows.unwrap_or(0),
        ),
    )
    .with_constraint("csv_imports_file_hash_key")
}

fn overtaken(source: &Source) -> Error {
    Error::new(
        Class::Conflict,
        format!("Another process is already importing {}.", source.place),
    )
    .with_hint("Wait until it ends; rows that it has imported are not imported twice.")
}
