use std::io::{Result, Write};

use underpin::{Columns, Value, ValueRow};

use super::Printer;

/// A table for people. The widths come from the first rows, so that a large result
/// streams; a later value that is wider pushes its line out.
pub(crate) struct Table {
    names: Vec<String>,
    /// The first rows, until there are enough to choose the widths.
    first: Vec<Vec<Cell>>,
    widths: Option<Vec<usize>>,
    longest: usize,
    rows: u64,
}

struct Cell {
    text: String,
    to_the_right: bool,
}

const SAMPLE: usize = 200;

impl Table {
    pub(crate) fn new(columns: &Columns, terminal: bool) -> Self {
        Table {
            names: columns.iter().map(|column| column.name.clone()).collect(),
            first: Vec::new(),
            widths: None,
            longest: if terminal { 60 } else { usize::MAX },
            rows: 0,
        }
    }

    fn cell(&self, value: &Value) -> Cell {
        let to_the_right = matches!(
            value,
            Value::I16(_)
                | Value::I32(_)
                | Value::I64(_)
                | Value::F32(_)
                | Value::F64(_)
                | Value::Numeric(_)
        );
        let mut text = value.to_string();
        if text.contains(['\n', '\r', '\t']) {
            text = text
                .replace('\n', "\\n")
                .replace('\r', "\\r")
                .replace('\t', "\\t");
        }
        if let Some((cut, _)) = text.char_indices().nth(self.longest) {
            text.truncate(cut);
            text.push('…');
        }
        Cell { text, to_the_right }
    }

    /// Chooses the widths and prints the header and the rows that were held back.
    fn begin(&mut self, out: &mut dyn Write) -> Result<()> {
        if self.widths.is_some() || self.names.is_empty() {
            return Ok(());
        }
        let mut widths: Vec<usize> = self.names.iter().map(|name| width(name)).collect();
        for row in &self.first {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(&cell.text));
            }
        }
        let names: Vec<String> = self
            .names
            .iter()
            .zip(&widths)
            .map(|(name, &w)| pad(name, w, false))
            .collect();
        writeln!(out, " {}", names.join(" │ ").trim_end())?;
        let rules: Vec<String> = widths.iter().map(|&w| "─".repeat(w + 2)).collect();
        writeln!(out, "{}", rules.join("┼"))?;
        for row in std::mem::take(&mut self.first) {
            line(&row, &widths, out)?;
        }
        self.widths = Some(widths);
        Ok(())
    }
}

impl Printer for Table {
    fn row(&mut self, row: &ValueRow, out: &mut dyn Write) -> Result<()> {
        self.rows += 1;
        let cells: Vec<Cell> = row.values().iter().map(|value| self.cell(value)).collect();
        if let Some(widths) = &self.widths {
            return line(&cells, widths, out);
        }
        self.first.push(cells);
        if self.first.len() == SAMPLE {
            self.begin(out)
        } else {
            Ok(())
        }
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<()> {
        self.begin(out)?;
        match (self.names.is_empty(), self.rows) {
            (true, _) => writeln!(out, "done; the statement returned no rows")?,
            (false, 1) => writeln!(out, "1 row")?,
            (false, rows) => writeln!(out, "{rows} rows")?,
        }
        out.flush()
    }
}

fn line(cells: &[Cell], widths: &[usize], out: &mut dyn Write) -> Result<()> {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, &w)| pad(&cell.text, w, cell.to_the_right))
        .collect();
    writeln!(out, " {}", padded.join(" │ ").trim_end())
}

fn pad(text: &str, wanted: usize, to_the_right: bool) -> String {
    let blanks = " ".repeat(wanted.saturating_sub(width(text)));
    if to_the_right {
        blanks + text
    } else {
        text.to_owned() + &blanks
    }
}

/// Characters, near enough to columns on a screen for a table of data.
fn width(text: &str) -> usize {
    text.chars().count()
}
