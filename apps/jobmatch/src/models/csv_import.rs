use underpin::value::Timestamp;
use underpin::{FromValue, IntoValue};

use super::model::model;

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromValue, IntoValue)]
#[value(rename_all = "snake_case")]
pub enum ImportStatus {
    /// It has not begun.
    Pending,
    /// It runs, or was killed; the same command carries on.
    Processing,
    /// All of the file is in, or explained.
    Completed,
    /// It ended in an error; the same command carries on.
    Failed,
}

model! {
    /// A CSV file that was read in, or is being.
    CsvImport, NewCsvImport, CsvImportChanges in "csv_imports"
    required {
        /// The file's name, without its directory.
        filename: String,
        /// Its size in bytes.
        file_size: i32,
        /// The SHA-256 of its bytes, as 64 hexadecimal digits.
        file_hash: String,
        /// Which table it is for.
        import_type: String,
    }
    optional {
        /// How far it has come.
        status: ImportStatus,
        /// How many records the file has, without the header.
        total_rows: i32,
        /// How many of them were read.
        processed_rows: i32,
        /// How many of those are in.
        success_rows: i32,
        /// How many of those are not.
        error_rows: i32,
        /// The first thousand bad rows: an array of objects with `line`, `column`, `reason`.
        error_details: String,
        /// When it began.
        started_at: Timestamp,
        /// When it ended.
        completed_at: Timestamp,
        /// When the row was made.
        created_at: Timestamp,
    }
}
