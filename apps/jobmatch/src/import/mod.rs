//! Reads a CSV file into a table, in bounded memory: the file is read and checked on one
//! thread while the batch before is written. Each batch is one transaction that also says
//! in `csv_imports` how far it has come, so that an import that was killed carries on
//! where it stopped and no row is in twice.
//!
//! What is wrong with the file as a whole is found before the first row goes in: that it
//! is empty, too large, has no header or a wrong one, or a quote that is never closed.
//! What is wrong with one row (a value that does not fit, bad UTF-8, too many fields, a
//! record over [`MOST_RECORD_BYTES`]) makes that row a bad one: it is counted and
//! explained, and all others go in.

mod bad_row;
mod batch;
mod check;
mod column;
mod gather;
mod header;
mod kind;
mod ledger;
mod money;
mod records;
mod run;
mod scan;
mod source;
mod write;

pub use bad_row::BadRow;
pub use kind::ImportKind;
pub use records::MOST_RECORD_BYTES;
pub use run::{ImportReport, Progress, import};
pub use source::{MOST_FILE_BYTES, Source};
