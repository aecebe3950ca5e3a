use std::ops::Range;

use underpin::value::{Date, Timestamp};
use underpin::{IntoParams, Params, Value};

use super::bad_row::BadRow;
use super::money::Cents;

/// Rows that go in together, in little memory: the texts one behind the other, and a
/// small cell for each value.
pub(super) struct Batch {
    text: String,
    cells: Vec<Cell>,
    /// The line of each row.
    lines: Vec<u64>,
    width: usize,
    /// How many records of the file it stands for, the bad ones too.
    pub(super) records: u64,
    pub(super) bad: u64,
    /// The first of the bad ones.
    pub(super) kept: Vec<BadRow>,
}

/// A value that fits its column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    I32(i32),
    F64(f64),
    Money(Cents),
    Date(Date),
    Timestamp(Timestamp),
    Text { start: u32, length: u32 },
}

/// How many records a batch stands for.
const RECORDS: u64 = 10_000;
/// How much text it holds, but for the row that makes it more.
const TEXT: usize = 8 * 1024 * 1024;

impl Batch {
    pub(super) fn new(width: usize) -> Self {
        Batch {
            text: String::new(),
            cells: Vec::new(),
            lines: Vec::new(),
            width,
            records: 0,
            bad: 0,
            kept: Vec::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.records >= RECORDS || self.text.len() >= TEXT
    }

    /// Adds the value of the next column of the row that is being read.
    pub(super) fn add(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// Keeps a text, and gives the cell for it.
    pub(super) fn keep(&mut self, text: &str) -> Cell {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Cell::Text {
            start,
            length: text.len() as u32,
        }
    }

    /// The values of the row that is being read.
    pub(super) fn open_row(&self) -> &[Cell] {
        &self.cells[self.lines.len() * self.width..]
    }

    pub(super) fn end_row(&mut self, line: u64) {
        self.lines.push(line);
        self.records += 1;
    }

    /// Gives the row up that is being read.
    pub(super) fn refuse_row(&mut self, why: BadRow) {
        self.cells.truncate(self.lines.len() * self.width);
        self.records += 1;
        self.bad += 1;
        if self.kept.len() < super::bad_row::MOST {
            self.kept.push(why);
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    /// The rows as parameters.
    pub(super) fn params(&self, rows: Range<usize>) -> impl Iterator<Item = Row<'_>> + Send {
        rows.map(|at| Row { batch: self, at })
    }
}

/// One row of a batch.
pub(super) struct Row<'a> {
    batch: &'a Batch,
    at: usize,
}

impl IntoParams for Row<'_> {
    fn push_to(self, params: &mut Params) {
        let Batch {
            text, cells, width, ..
        } = self.batch;
        let cells = &cells[self.at * width..][..*width];
        params.extend(cells.iter().map(|cell| match *cell {
            Cell::Null => Value::Null,
            Cell::Bool(v) => Value::Bool(v),
            Cell::I32(v) => Value::I32(v),
            Cell::F64(v) => Value::F64(v),
            Cell::Money(v) => Value::Numeric(v.to_numeric()),
            Cell::Date(v) => Value::Date(v),
            Cell::Timestamp(v) => Value::Timestamp(v),
            Cell::Text { start, length } => {
                Value::Text(text[start as usize..][..length as usize].to_owned())
            }
        }));
    }
}
