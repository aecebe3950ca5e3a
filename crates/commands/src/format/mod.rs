//! How rows are printed, one form a file; each as the rows arrive.

mod csv;
mod json;
mod table;

use std::io::{Result, Write};

use clap::ValueEnum;
use underpin::{Columns, ValueRow};

/// How to print what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people
    Table,
    /// JSON for programs: an array with one object a row
    Json,
    /// Comma-separated values with a header
    Csv,
}

/// Prints rows in one form.
pub(crate) trait Printer {
    fn row(&mut self, row: &ValueRow, out: &mut dyn Write) -> Result<()>;

    /// Prints what is left when there are no more rows.
    fn end(&mut self, out: &mut dyn Write) -> Result<()>;
}

/// The printer of this form. `wide` tables are for a terminal: long values are cut there.
pub(crate) fn printer(format: Format, columns: &Columns, terminal: bool) -> Box<dyn Printer> {
    match format {
        Format::Table => Box::new(table::Table::new(columns, terminal)),
        Format::Json => Box::new(json::Json::new(columns)),
        Format::Csv => Box::new(csv::Csv::new(columns)),
    }
}

#[cfg(test)]
mod tests;
