use std::fs::File;

use tokio::sync::mpsc::Sender;
use underpin::Result;

use super::bad_row::BadRow;
use super::batch::{Batch, Cell};
use super::check::{check, check_salaries};
use super::header::Header;
use super::records::{MOST_RECORD_BYTES, Next, Records};
use super::source::Source;

/// Reads the records behind the first `skip` and sends them in batches, for as long as
/// they are taken. It blocks, and is meant for a thread of its own.
pub(super) fn gather(source: &Source, skip: u64, batches: &Sender<Batch>) -> Result<()> {
    let mut records = source.records()?;
    for _ in 0..skip {
        records.next()?;
    }
    let header = &source.header;
    let salaries = header
        .position("salary_min")
        .zip(header.position("salary_max"));
    let mut batch = Batch::new(header.filled.len());
    loop {
        match records.next()? {
            Next::End => break,
            Next::Record { line } => match read(&records, header, salaries, &mut batch) {
                Ok(()) => batch.end_row(line),
                Err((column, why)) => batch.refuse_row(BadRow::new(line, column, why)),
            },
            Next::TooLong { line, field } => {
                let column = header.column_of(field);
                let why = format!("The record is longer than {MOST_RECORD_BYTES} bytes.");
                batch.refuse_row(BadRow::new(line, column, why));
            }
        }
        if batch.is_full() {
            let full = std::mem::replace(&mut batch, Batch::new(header.filled.len()));
            if batches.blocking_send(full).is_err() {
                return Ok(());
            }
        }
    }
    if batch.records > 0 {
        // A receiver that does not take it has failed, and says so itself.
        let _ = batches.blocking_send(batch);
    }
    Ok(())
}

type Bad = (Option<&'static str>, String);

fn read(
    records: &Records<&File>,
    header: &Header,
    salaries: Option<(usize, usize)>,
    batch: &mut Batch,
) -> Result<(), Bad> {
    if records.len() != header.fields {
        let (has, fields) = (records.len(), header.fields);
        return Err((
            None,
            format!("It has {has} fields, but the header has {fields}."),
        ));
    }
    for filled in &header.filled {
        let cell = check(filled.column, records.field(filled.field), batch)
            .map_err(|why| (Some(filled.column.name), why))?;
        batch.add(cell);
    }
    if let Some((min, max)) = salaries {
        let row: &[Cell] = batch.open_row();
        check_salaries(row[min], row[max]).map_err(|why| (Some("salary_max"), why))?;
    }
    Ok(())
}
