use std::fmt;

use serde_json::{Value, json};
use underpin::{Class, Error, Result};

/// Why a row of the file is not in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    /// The column, by its name in the table, or the constraint; `None` where it is about
    /// the whole row.
    pub column: Option<String>,
    /// What is wrong, a full sentence.
    pub reason: String,
}

/// How many are kept.
pub(super) const MOST: usize = 1000;

impl BadRow {
    pub(super) fn new(line: u64, column: Option<&str>, reason: impl Into<String>) -> Self {
        BadRow {
            line,
            column: column.map(str::to_owned),
            reason: reason.into(),
        }
    }

    fn to_json(&self) -> Value {
        json!({ "line": self.line, "column": self.column, "reason": self.reason })
    }

    fn from_json(value: &Value) -> Option<Self> {
        Some(BadRow {
            line: value["line"].as_u64()?,
            column: value["column"].as_str().map(str::to_owned),
            reason: value["reason"].as_str()?.to_owned(),
        })
    }
}

/// The text for `csv_imports.error_details`.
pub(super) fn write_all(rows: &[BadRow]) -> String {
    Value::Array(rows.iter().map(BadRow::to_json).collect()).to_string()
}

/// Reads what [`write_all`] wrote.
pub(super) fn read_all(text: &str) -> Result<Vec<BadRow>> {
    serde_json::from_str::<Vec<Value>>(text)
        .ok()
        .and_then(|rows| rows.iter().map(BadRow::from_json).collect())
        .ok_or_else(|| {
            Error::new(
                Class::Data,
                "The error_details of the import that is to be carried on are not what an \
                 import writes.",
            )
        })
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}
