//! The rows of a table, a page at a time.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use jetdb::Value as Stored;
use jetdb::encoding::decode_text;
use jetdb::{ColumnType, FileError, PageReader, RowPosition, TableDef, TableRows, read_row_at};
use rusqlite::types::Value;
use underpin_core::{Class, Error, Result};
use underpin_sqlite::Stop;

use crate::complex::Complex;
use crate::condition::{Comparison, Condition};
use crate::error::{guarded, of_file};
use crate::lookup::{self, Known, Lookup, Position};
use crate::page::{Mask, Page, PageProblem, Place, Presence, row_number};
use crate::problems::Problems;
use crate::table::Table;
use crate::value;

/// Bytes of values that are read ahead of the row that is asked for.
const AHEAD_BYTES: usize = 1 << 20;

/// The file, and what a scan has to know besides.
pub(crate) struct Io<'a> {
    pub(crate) reader: &'a mut PageReader,
    pub(crate) stop: &'a Stop,
    pub(crate) lenient: bool,
    pub(crate) place: &'a str,
    /// Reads the values of complex columns; they are numbers without it.
    pub(crate) complex: Option<&'a Complex>,
}

/// A row: a value for each column of the table, NULL in those that were not asked for.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) page: u32,
    pub(crate) position: Position,
    pub(crate) values: Vec<Value>,
}

/// Reads the rows of a table.
pub(crate) struct Scan {
    table: Arc<Table>,
    /// The definition with the one page that is read.
    def: TableDef,
    /// The columns that are read first.
    early: Vec<usize>,
    /// Those that are read of a row that meets the conditions.
    late: Vec<usize>,
    conditions: Vec<Condition>,
    /// Where to go on.
    next: Position,
    /// The rows to read, where not all of them are.
    only: Option<VecDeque<Position>>,
    ready: VecDeque<Row>,
    problems: Problems,
}

impl Scan {
    /// Reads these columns of the rows that may meet the conditions.
    pub(crate) fn new(table: Arc<Table>, columns: &[usize], conditions: Vec<Condition>) -> Self {
        let of_conditions = conditions.iter().map(|condition| condition.column);
        let mut wanted: Vec<usize> = columns.iter().copied().chain(of_conditions).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let is_late = |column: &usize| {
            let is_checked = conditions.iter().any(|it| it.column == *column);
            !conditions.is_empty() && !is_checked && table.is_long(*column)
        };
        let (late, early) = wanted.into_iter().partition(is_late);
        Scan {
            def: table.def.clone(),
            early,
            late,
            conditions,
            next: Position { page: 0, row: 0 },
            only: None,
            ready: VecDeque::new(),
            problems: Problems::default(),
            table,
        }
    }

    /// The next row.
    pub(crate) fn next(&mut self, io: &mut Io<'_>) -> Result<Option<Row>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Ok(Some(row));
            }
            let more = self.read_more(io)?;
            if !self.problems.is_empty() && !io.lenient {
                while self.read_more(io)? {
                    self.ready.clear();
                }
                return Err(self.problems.error(&self.table.name, io.place));
            }
            if !more && self.ready.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Every row at once.
    pub(crate) fn all(mut self, io: &mut Io<'_>) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        while let Some(row) = self.next(io)? {
            rows.push(row);
        }
        self.report(io.place);
        Ok(rows)
    }

    /// Warns of what was left out.
    pub(crate) fn report(&self, place: &str) {
        if !self.problems.is_empty() && self.table.warns_first() {
            tracing::warn!(
                table = self.table.name,
                file = place,
                unreadable = self.problems.described(),
                "what of the table cannot be read was left out"
            );
        }
    }

    /// Reads only the rows that may meet a condition for one value, where it is known which these
    /// are. The second time that a column is asked for a value, it is found out.
    pub(crate) fn narrow(&mut self, io: &mut Io<'_>) -> Result<()> {
        let equal = self.conditions.iter().find(|condition| {
            condition.comparison == Comparison::Equal && !self.table.is_long(condition.column)
        });
        let Some(condition) = equal.cloned() else {
            return Ok(());
        };
        let affinity = self.table.declared[condition.column].affinity;
        let Some(hash) = lookup::hash(&condition.with, affinity) else {
            self.only = Some(VecDeque::new());
            return Ok(());
        };
        let column = condition.column;
        let known = {
            let mut all = self
                .table
                .lookups
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match all.get(&column) {
                None => {
                    all.insert(column, Known::Asked);
                    return Ok(());
                }
                Some(known) => known.clone(),
            }
        };
        let rows = match known {
            Known::TooLong => return Ok(()),
            Known::Rows(rows) => rows,
            Known::Asked => {
                let made = look_up(&self.table, column, io)?;
                let known = made.map_or(Known::TooLong, |made| Known::Rows(Arc::new(made)));
                let mut all = self
                    .table
                    .lookups
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                all.insert(column, known.clone());
                match known {
                    Known::Rows(rows) => rows,
                    _ => return Ok(()),
                }
            }
        };
        self.only = Some(rows.rows(hash).into());
        Ok(())
    }

    /// Reads a page, or a part of it. False when there are no more.
    fn read_more(&mut self, io: &mut Io<'_>) -> Result<bool> {
        if io.stop.is_wanted() {
            return Err(Error::new(
                Class::Canceled,
                "The statement was interrupted.",
            ));
        }
        let first = match &mut self.only {
            Some(only) => match only.front() {
                Some(position) => *position,
                None => return Ok(false),
            },
            None => self.next,
        };
        let Some(&number) = self.table.pages.get(first.page as usize) else {
            return Ok(false);
        };
        let page = match Page::read(io.reader, number, self.table.page) {
            Ok(page) => page,
            Err(problem) => {
                self.pass_over(io, first.page, number, problem)?;
                return Ok(true);
            }
        };
        if self.def.data_pages != [number] {
            self.def.data_pages = vec![number];
        }
        match self.only {
            Some(_) => self.read_chosen(io, &page, first.page)?,
            None => self.read_all(io, &page, first)?,
        }
        Ok(true)
    }

    /// Goes on behind a page that cannot be read.
    fn pass_over(
        &mut self,
        io: &Io<'_>,
        page: u32,
        number: u32,
        problem: PageProblem,
    ) -> Result<()> {
        match problem {
            PageProblem::Unread(error @ FileError::Io(_)) => return Err(of_file(error, io.place)),
            PageProblem::Unread(_) => self.problems.page(number, "it is not in the file"),
            PageProblem::Malformed(why) => self.problems.page(number, why),
        }
        match &mut self.only {
            Some(only) => only.retain(|position| position.page != page),
            None => self.next = after(page),
        }
        Ok(())
    }

    /// Reads the rows of a page from one on, until there are enough.
    fn read_all(&mut self, io: &mut Io<'_>, page: &Page, first: Position) -> Result<()> {
        let table = Arc::clone(&self.table);
        let mut from = first.row;
        let mut ahead = 0;
        while usize::from(from) < page.places.len() {
            if ahead > AHEAD_BYTES {
                self.next = Position { row: from, ..first };
                return Ok(());
            }
            // Of one row after the other, so that what one holds is let go of before the next.
            let read = {
                let mut rows = TableRows::new(&self.def, &table.calculated)
                    .with_columns(&self.early)
                    .starting_at(RowPosition { page: 0, row: from });
                let mut read = Vec::new();
                let reader = &mut *io.reader;
                let outcome = guarded(|| {
                    while let Some(row) = rows.next_row(reader)? {
                        ahead += row.values.iter().map(stored_bytes).sum::<usize>() + 1;
                        read.push((row.position.row, row.values));
                        if ahead > AHEAD_BYTES {
                            break;
                        }
                    }
                    Ok(())
                });
                outcome.map(|()| read)
            };
            let read = match read {
                Ok(read) => read,
                Err(FileError::Io(error)) => {
                    return Err(of_file(FileError::Io(error), io.place));
                }
                Err(_) => {
                    self.problems
                        .page(page.number, "its rows cannot be decoded");
                    break;
                }
            };
            let is_rest = ahead <= AHEAD_BYTES;
            for (row, values) in read {
                (from..row).for_each(|missing| self.miss(io, page, missing));
                from = row + 1;
                if self.is_there(io, page, row) {
                    let position = Position { row, ..first };
                    self.take(io, page, position, values)?;
                }
            }
            if is_rest {
                let rows = page.places.len() as u16;
                (from..rows).for_each(|missing| self.miss(io, page, missing));
                break;
            }
        }
        self.next = after(first.page);
        Ok(())
    }

    /// Reads the chosen rows of a page.
    fn read_chosen(&mut self, io: &mut Io<'_>, page: &Page, of: u32) -> Result<()> {
        let table = Arc::clone(&self.table);
        while let Some(position) = self.only.as_ref().and_then(|only| only.front().copied()) {
            if position.page != of {
                break;
            }
            if let Some(only) = &mut self.only {
                only.pop_front();
            }
            let at = RowPosition {
                page: 0,
                row: position.row,
            };
            let reader = &mut *io.reader;
            let early = Some(self.early.as_slice());
            let read = guarded(|| read_row_at(reader, &self.def, &table.calculated, at, early));
            match read {
                Ok(Some(values)) => self.take(io, page, position, values)?,
                Err(FileError::Io(error)) => {
                    return Err(of_file(FileError::Io(error), io.place));
                }
                _ => self.problems.row(page.number, position.row),
            }
        }
        Ok(())
    }

    /// Whether there is a row at a place of the page.
    fn is_there(&self, io: &mut Io<'_>, page: &Page, row: u16) -> bool {
        match page.places.get(usize::from(row)) {
            Some(Place::Row) => true,
            Some(Place::Guest) => {
                let number = row_number(page.number, row);
                self.table.is_moved_row(io.reader, number)
            }
            _ => false,
        }
    }

    /// Notes a row that was passed over and is there.
    fn miss(&mut self, io: &mut Io<'_>, page: &Page, row: u16) {
        let is_lost = match page.places.get(usize::from(row)) {
            Some(Place::Moved) => !self.is_found_elsewhere(io, page, row),
            _ => self.is_there(io, page, row),
        };
        if is_lost {
            self.problems.row(page.number, row);
        }
    }

    /// Whether a row that has moved is on a page of the table, where it is read.
    fn is_found_elsewhere(&self, io: &mut Io<'_>, page: &Page, row: u16) -> bool {
        let Some(number) = page.moved_to(io.reader.format(), row) else {
            return false;
        };
        let (on, at) = (number >> 8, number & 0xff);
        if self.table.pages.binary_search(&on).is_err() {
            return false;
        }
        let page = Page::read(io.reader, on, self.table.page);
        // It may have moved once more.
        page.is_ok_and(|page| {
            matches!(
                page.places.get(at as usize),
                Some(Place::Guest | Place::Moved)
            )
        })
    }

    /// Takes a row that was read, where it may meet the conditions.
    fn take(
        &mut self,
        io: &mut Io<'_>,
        page: &Page,
        position: Position,
        stored: Vec<Stored>,
    ) -> Result<()> {
        let bytes = page
            .row(io.reader.format(), position.row)
            .unwrap_or_default();
        let Some(mask) = Mask::of(bytes, self.table.is_jet3()) else {
            self.problems.row(page.number, position.row);
            return Ok(());
        };
        let mut values = vec![Value::Null; self.def.columns.len()];
        let early = std::mem::take(&mut self.early);
        self.convert(
            &early,
            stored,
            &mask,
            (page.number, position.row),
            &mut values,
        );
        self.early = early;
        let holds = |condition: &Condition| condition.may_hold(&values[condition.column]);
        if !self.conditions.iter().all(holds) {
            return Ok(());
        }
        if !self.late.is_empty() {
            self.read_late(io, page, position, &mask, &mut values)?;
        }
        self.fetch_complex(io, (page.number, position.row), &mut values)?;
        self.ready.push_back(Row {
            page: page.number,
            position,
            values,
        });
        Ok(())
    }

    fn read_late(
        &mut self,
        io: &mut Io<'_>,
        page: &Page,
        position: Position,
        mask: &Mask<'_>,
        values: &mut [Value],
    ) -> Result<()> {
        let at = RowPosition {
            page: 0,
            row: position.row,
        };
        let table = Arc::clone(&self.table);
        let (reader, late) = (&mut *io.reader, Some(self.late.as_slice()));
        match guarded(|| read_row_at(reader, &self.def, &table.calculated, at, late)) {
            Ok(Some(stored)) => {
                let late = std::mem::take(&mut self.late);
                self.convert(&late, stored, mask, (page.number, position.row), values);
                self.late = late;
                Ok(())
            }
            Err(FileError::Io(error)) => Err(of_file(FileError::Io(error), io.place)),
            _ => {
                self.problems.row(page.number, position.row);
                Ok(())
            }
        }
    }

    /// Makes SQLite's values of those of some columns. jetdb gives NULL for a value that it cannot
    /// read, so that the row's own mask tells whether there is one.
    fn convert(
        &mut self,
        columns: &[usize],
        mut stored: Vec<Stored>,
        mask: &Mask<'_>,
        (page, row): (u32, u16),
        values: &mut [Value],
    ) {
        let table = Arc::clone(&self.table);
        for &index in columns {
            let column = &table.def.columns[index];
            let value = std::mem::replace(&mut stored[index], Stored::Null);
            let presence = mask.presence(column.col_num);
            let converted = match (presence, value) {
                (Presence::Later, _) => Ok(match column.col_type {
                    ColumnType::Boolean => Value::Integer(0),
                    _ => Value::Null,
                }),
                (Presence::Null, value @ Stored::Bool(_)) => value::converted(value),
                (Presence::Null, _) => Ok(Value::Null),
                // A calculation may have NULL for its result.
                (Presence::Value, Stored::Null) if column.is_calculated => {
                    match table
                        .calculated
                        .contains_key(&column.name.to_ascii_lowercase())
                    {
                        true => Ok(Value::Null),
                        false => Err("the type of the calculation is not known"),
                    }
                }
                // jetdb decodes texts and bytes of variable length only.
                (Presence::Value, Stored::Null) if column.is_fixed => {
                    let bytes = mask.fixed(column.fixed_offset, column.col_size);
                    let value = bytes.and_then(|bytes| fixed(&table, column.col_type, bytes));
                    value.ok_or(UNREADABLE)
                }
                (Presence::Value, Stored::Null) => Err(UNREADABLE),
                (Presence::Value, value) => value::converted(value),
            };
            match converted {
                Ok(value) => values[index] = value,
                Err(why) => self.problems.value(page, row, &column.name, why),
            }
        }
    }

    /// Puts the values of complex columns in the place of their numbers.
    fn fetch_complex(
        &mut self,
        io: &mut Io<'_>,
        (page, row): (u32, u16),
        values: &mut [Value],
    ) -> Result<()> {
        let Some(complex) = io.complex else {
            return Ok(());
        };
        let table = Arc::clone(&self.table);
        for &index in &self.early {
            let column = &table.def.columns[index];
            let (Some(_), &Value::Integer(number)) = (column.complex_id, &values[index]) else {
                continue;
            };
            match complex.values(io, &table, index, number)? {
                Some(json) => values[index] = Value::Text(json),
                None => {
                    values[index] = Value::Null;
                    let why = "its values cannot be decoded";
                    self.problems.value(page, row, &column.name, why);
                }
            }
        }
        Ok(())
    }
}

const UNREADABLE: &str = "its bytes cannot be decoded";

/// A text or bytes of fixed length.
fn fixed(table: &Table, of: ColumnType, bytes: &[u8]) -> Option<Value> {
    match of {
        ColumnType::Text => {
            let text = decode_text(bytes, table.def.text_encoding);
            text.ok().map(Value::Text)
        }
        ColumnType::Binary => Some(Value::Blob(bytes.to_vec())),
        _ => None,
    }
}

/// The beginning of the page after this one.
fn after(page: u32) -> Position {
    Position {
        page: page + 1,
        row: 0,
    }
}

fn stored_bytes(value: &Stored) -> usize {
    match value {
        Stored::Text(text) => text.len(),
        Stored::Binary(bytes) => bytes.len(),
        _ => 0,
    }
}

/// Notes where the rows with each value of a column are; `None` for a table that is too long.
fn look_up(table: &Arc<Table>, column: usize, io: &mut Io<'_>) -> Result<Option<Lookup>> {
    let affinity = table.declared[column].affinity;
    let mut scan = Scan::new(Arc::clone(table), &[column], Vec::new());
    let mut found = Vec::new();
    while let Some(row) = scan.next(io)? {
        if found.len() == lookup::ROWS {
            return Ok(None);
        }
        if let Some(hash) = lookup::hash(&row.values[column], affinity) {
            found.push((hash, row.position));
        }
    }
    scan.report(io.place);
    Ok(Some(Lookup::new(found)))
}
