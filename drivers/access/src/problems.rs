//! What of a table could not be read.

use std::fmt::Write;

use underpin_core::{Class, Error};

/// How many places an error names.
const NAMED: usize = 5;

/// What of a table could not be read.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    pages: u64,
    rows: u64,
    values: u64,
    places: Vec<String>,
}

impl Problems {
    pub(crate) fn page(&mut self, page: u32, why: &str) {
        self.pages += 1;
        self.place(|| format!("page {page} ({why})"));
    }

    pub(crate) fn row(&mut self, page: u32, row: u16) {
        self.rows += 1;
        self.place(|| format!("row {row} of page {page}"));
    }

    pub(crate) fn value(&mut self, page: u32, row: u16, column: &str, why: &str) {
        self.values += 1;
        self.place(|| format!("column {column:?} in row {row} of page {page} ({why})"));
    }

    fn place(&mut self, place: impl FnOnce() -> String) {
        if self.places.len() < NAMED {
            self.places.push(place());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pages + self.rows + self.values == 0
    }

    /// What cannot be read, and where.
    pub(crate) fn described(&self) -> String {
        let counts = [
            (self.pages, "page", "pages"),
            (self.rows, "row", "rows"),
            (self.values, "value", "values"),
        ];
        let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
            .collect();
        let mut text = format!("{}: {}", counts.join(" and "), self.places.join(", "));
        let more = self.pages + self.rows + self.values - self.places.len() as u64;
        if more > 0 {
            let _ = write!(text, " and {more} more");
        }
        text
    }

    /// The error of a table that is to be read whole.
    pub(crate) fn error(&self, table: &str, place: &str) -> Error {
        let what = self.described();
        Error::new(
            Class::Corrupt,
            format!("The table {table:?} of {place} cannot be read whole. Unreadable are {what}."),
        )
        .with_table(table)
        .with_hint(
            "Repair the file in Access (Compact and Repair Database). To read what is readable, \
             set `lenient` (--lenient, DB_LENIENT, ?lenient=on): it leaves such rows out and takes \
             such values for NULL.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_counts_and_names_places() {
        let mut problems = Problems::default();
        assert!(problems.is_empty());
        problems.row(7, 3);
        problems.value(7, 4, "Notes", "it is not a date");
        let said = problems.error("Job Postings", "/data/old.mdb").to_string();
        let expected = "The table \"Job Postings\" of /data/old.mdb cannot be read whole. \
                        Unreadable are 1 row and 1 value: row 3 of page 7, column \"Notes\" in row 4 \
                        of page 7 (it is not a date).";
        assert!(said.starts_with(expected), "{said}");
        for page in 0..7 {
            problems.page(page, "it is not a data page");
        }
        let said = problems.described();
        assert!(
            said.starts_with("7 pages and 1 row and 1 value: "),
            "{said}"
        );
        assert!(said.ends_with(" and 4 more"), "{said}");
    }
}
