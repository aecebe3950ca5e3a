use underpin::{Class, Error, Result, Transaction};

use super::bad_row::BadRow;
use super::batch::Batch;

/// Puts the rows of a batch into the table and gives those that the server refuses, found
/// by halving: a savepoint for each part, so that one bad row takes no other with it.
pub(super) async fn write(
    transaction: &Transaction,
    table: &str,
    columns: &[&str],
    batch: &Batch,
) -> Result<Vec<BadRow>> {
    let mut refused = Vec::new();
    let mut parts = Vec::new();
    if batch.rows() > 0 {
        parts.push(0..batch.rows());
    }
    while let Some(part) = parts.pop() {
        let savepoint = transaction.savepoint().await?;
        let rows = batch.params(part.clone());
        let error = match savepoint.bulk_insert(table, columns, rows).await {
            Ok(_) => {
                savepoint.commit().await?;
                continue;
            }
            Err(error) => error,
        };
        savepoint.rollback().await?;
        if !is_about_a_row(&error) {
            return Err(error);
        }
        if part.len() == 1 {
            refused.push(explain(&error, batch.line(part.start)));
            continue;
        }
        // The first half first: of two rows that exclude each other, the first is kept.
        let middle = part.start + part.len() / 2;
        parts.push(middle..part.end);
        parts.push(part.start..middle);
    }
    Ok(refused)
}

fn is_about_a_row(error: &Error) -> bool {
    matches!(error.class(), Class::Constraint | Class::Data)
}

fn explain(error: &Error, line: u64) -> BadRow {
    // Which row of the part it was says nothing here.
    BadRow::new(line, error.constraint(), error.reason())
}
