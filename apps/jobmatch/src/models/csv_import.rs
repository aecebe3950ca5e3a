use underpin::value::Timestamp;
use underpin::{FromValue, IntoValue, Model};

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

/// A CSV file that was read in, or is being.
#[derive(Debug, Clone, PartialEq, Model)]
#[model(
    table = "csv_imports",
    check("file_size > 0", name = "check_file_size_positive"),
    sqlite(strict, checked_types)
)]
pub struct CsvImport {
    /// The primary key.
    #[model(primary_key, serial)]
    pub id: i32,
    /// The file's name, without its directory.
    #[model(type = "varchar(255)")]
    pub filename: String,
    /// Its size in bytes.
    pub file_size: i32,
    /// The SHA-256 of its bytes, as 64 hexadecimal digits.
    #[model(type = "varchar(64)", unique)]
    pub file_hash: String,
    /// Which table it is for.
    #[model(type = "varchar(50)", index = "idx_csv_imports_type")]
    pub import_type: String,
    /// How far it has come.
    #[model(
        type = "varchar(20)",
        default = "'pending'",
        index = "idx_csv_imports_status"
    )]
    pub status: Option<ImportStatus>,
    /// How many records the file has, without the header.
    pub total_rows: Option<i32>,
    /// How many of them were read.
    #[model(default = 0)]
    pub processed_rows: Option<i32>,
    /// How many of those are in.
    #[model(default = 0)]
    pub success_rows: Option<i32>,
    /// How many of those are not.
    #[model(default = 0)]
    pub error_rows: Option<i32>,
    /// The first thousand bad rows: an array of objects with `line`, `column`, `reason`.
    #[model(type = "json")]
    pub error_details: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// When the row was made.
    #[model(
        default = "now()",
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub created_at: Option<Timestamp>,
}
