//! The tables of a file as virtual tables of SQLite.
//!
//! This is the one file with `unsafe`: rusqlite's traits for virtual tables are unsafe to implement,
//! since SQLite reads and writes the first fields of what they make. What they ask for, and how it is
//! kept:
//!
//! - *"The first item in a struct implementing `VTab` must be `sqlite3_vtab`, and the struct must be
//!   `#[repr(C)]`"*, and the same for `VTabCursor` and `sqlite3_vtab_cursor`: see [`Tab`] and
//!   [`Cursor`]. rusqlite makes a `Box` of each and gives SQLite a pointer to it, which SQLite takes
//!   for one to the first field. A test checks that this field is at offset 0. Both fields are
//!   created zeroed by `default()` and only SQLite and rusqlite touch them.
//! - A cursor must not outlive its table. SQLite closes all cursors before it disconnects a table;
//!   besides, a cursor borrows nothing from it, but shares the file and the table by `Arc`.
//! - What is called from C must not unwind; rusqlite's functions there are `extern "C"`, so that a
//!   panic would abort the program. Each method runs under [`caught`], which makes an error of it.
//! - SQLite calls the methods of one connection on one thread at a time: the thread of the
//!   connection. The file is behind a mutex all the same, since `Aux` must be `Sync`.
//!
//! No method dereferences a pointer, and nothing else in this crate is unsafe.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_int};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::vtab::{
    Context, CreateVTab, Filters, IndexConstraintOp, IndexFlags, IndexInfo, Module, VTab,
    VTabConnection, VTabCursor, VTabKind, sqlite3_vtab, sqlite3_vtab_cursor,
};
use rusqlite::{Connection, ffi};
use underpin_core::{Class, Error, Result, quote};

use crate::condition::{Comparison, Condition};
use crate::file::AccessFile;
use crate::scan::{Row, Scan};
use crate::table::Table;

const MODULE: &CStr = c"access";

/// Makes a virtual table of each table of the file, and the function that tells its structure.
pub(crate) fn install(conn: &Connection, file: &Arc<AccessFile>) -> Result<()> {
    let failed = |error: rusqlite::Error| {
        let what = format!("The tables of {} cannot be set up: {error}.", file.place());
        Error::new(Class::Server, what).with_source(error)
    };
    const TABLES: Module<'static, Tab> = Module::read_only_module();
    conn.create_module(MODULE, &TABLES, Some(Arc::clone(file)))
        .map_err(failed)?;
    for (number, table) in file.tables.iter().enumerate() {
        let made = quote::identifier(&table.name).map_err(|error| error.to_string());
        let made = made.and_then(|name| {
            let sql = format!("CREATE VIRTUAL TABLE {name} USING access({number})");
            conn.execute_batch(&sql).map_err(|error| error.to_string())
        });
        if let Err(why) = made {
            file.leave_out(&table.name, &why);
        }
    }
    let told = Arc::clone(file);
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("access_structure", 1, flags, move |context| {
        let part: String = context.get(0)?;
        Ok(told.structure.part(&part).map(str::to_owned))
    })
    .map_err(failed)
}

/// A table as SQLite knows it.
#[repr(C)]
struct Tab {
    /// SQLite's own; it must be first.
    base: sqlite3_vtab,
    file: Arc<AccessFile>,
    table: Arc<Table>,
}

/// One reading of a table.
#[repr(C)]
struct Cursor {
    /// SQLite's own; it must be first.
    base: sqlite3_vtab_cursor,
    file: Arc<AccessFile>,
    table: Arc<Table>,
    scan: Option<Scan>,
    row: Option<Row>,
}

// SAFETY: `Tab` is `repr(C)` and begins with a `sqlite3_vtab`; see the top of this file.
#[allow(unsafe_code)]
unsafe impl<'vtab> VTab<'vtab> for Tab {
    type Aux = Arc<AccessFile>;
    type Cursor = Cursor;

    fn connect(
        _: &mut VTabConnection,
        file: Option<&Self::Aux>,
        _: &[u8],
        _: &[u8],
        _: &[u8],
        arguments: &[&[u8]],
    ) -> rusqlite::Result<(Cow<'static, CStr>, Self)> {
        caught(|| {
            let number = arguments
                .first()
                .and_then(|number| std::str::from_utf8(number).ok());
            let number = number.and_then(|number| number.trim().parse::<usize>().ok());
            let table = file
                .zip(number)
                .and_then(|(file, number)| file.tables.get(number));
            let (Some(file), Some(table)) = (file, table) else {
                let what = "the file has no table of this number".to_owned();
                return Err(rusqlite::Error::ModuleError(what));
            };
            let tab = Tab {
                base: sqlite3_vtab::default(),
                file: Arc::clone(file),
                table: Arc::clone(table),
            };
            Ok((Cow::Owned(declaration(table)?), tab))
        })
    }

    fn best_index(&self, info: &mut IndexInfo) -> rusqlite::Result<bool> {
        caught(|| best_index(&self.table, info))
    }

    fn open(&'vtab mut self) -> rusqlite::Result<Cursor> {
        Ok(Cursor {
            base: sqlite3_vtab_cursor::default(),
            file: Arc::clone(&self.file),
            table: Arc::clone(&self.table),
            scan: None,
            row: None,
        })
    }
}

impl<'vtab> CreateVTab<'vtab> for Tab {
    const KIND: VTabKind = VTabKind::Default;
}

// SAFETY: `Cursor` is `repr(C)` and begins with a `sqlite3_vtab_cursor`; see the top of this file.
#[allow(unsafe_code)]
unsafe impl VTabCursor for Cursor {
    fn filter(
        &mut self,
        _: c_int,
        plan: Option<&str>,
        values: &Filters<'_>,
    ) -> rusqlite::Result<()> {
        caught(|| {
            self.leave();
            let (columns, conditions) = planned(&self.table, plan.unwrap_or_default(), values);
            let mut scan = Scan::new(Arc::clone(&self.table), &columns, conditions);
            let narrowed = self.file.with(|io| scan.narrow(io));
            narrowed.map_err(|error| failure(&self.file, error))?;
            self.scan = Some(scan);
            self.advance()
        })
    }

    fn next(&mut self) -> rusqlite::Result<()> {
        caught(|| self.advance())
    }

    fn eof(&self) -> bool {
        self.row.is_none()
    }

    fn column(&self, context: &mut Context, index: c_int) -> rusqlite::Result<()> {
        caught(|| {
            let row = self.row.as_ref();
            let index = usize::try_from(index).ok();
            let value = row
                .zip(index)
                .and_then(|(row, index)| row.values.get(index));
            let value = ValueRef::from(value.unwrap_or(&Value::Null));
            context.set_result(ToSqlOutput::Borrowed(value))
        })
    }

    fn rowid(&self) -> rusqlite::Result<i64> {
        let row = self.row.as_ref();
        Ok(row.map_or(0, |row| {
            i64::from(row.page) << 16 | i64::from(row.position.row)
        }))
    }
}

impl Cursor {
    fn advance(&mut self) -> rusqlite::Result<()> {
        let Some(scan) = &mut self.scan else {
            return Ok(());
        };
        let next = self.file.with(|io| scan.next(io));
        self.row = next.map_err(|error| failure(&self.file, error))?;
        if self.row.is_none() {
            self.leave();
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.row = None;
        if let Some(scan) = self.scan.take() {
            scan.report(self.file.place());
        }
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.leave()));
    }
}

/// Runs what SQLite calls: a panic must not reach C.
fn caught<R>(work: impl FnOnce() -> rusqlite::Result<R>) -> rusqlite::Result<R> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let code = ffi::Error::new(ffi::SQLITE_INTERNAL);
        let what = "reading the Access file panicked".to_owned();
        Err(rusqlite::Error::SqliteFailure(code, Some(what)))
    })
}

/// SQLite's form of an error; the whole of it waits in the file.
fn failure(file: &AccessFile, error: Error) -> rusqlite::Error {
    let code = match error.class() {
        // SQLite's own word for it, which the connection expects after it has interrupted a
        // statement.
        Class::Canceled => {
            return rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_INTERRUPT), None);
        }
        Class::Corrupt => ffi::SQLITE_CORRUPT,
        _ => ffi::SQLITE_IOERR,
    };
    let text = error.message().to_owned();
    file.set_fault(error);
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text))
}

/// The columns as SQLite is told them.
fn declaration(table: &Table) -> rusqlite::Result<CString> {
    let unfit = |error: String| rusqlite::Error::ModuleError(error);
    let mut sql = String::from("CREATE TABLE x(");
    for (index, (column, declared)) in table.def.columns.iter().zip(&table.declared).enumerate() {
        let name = quote::identifier(&column.name).map_err(|error| unfit(error.to_string()))?;
        let comma = if index == 0 { "" } else { ", " };
        let hidden = if column.is_hidden() { " HIDDEN" } else { "" };
        let _ = write!(sql, "{comma}{name} {}{hidden}", declared.sql);
    }
    if table.def.columns.is_empty() {
        return Err(unfit("it has no columns".to_owned()));
    }
    sql.push(')');
    CString::new(sql).map_err(|error| unfit(error.to_string()))
}

/// Chooses the conditions that are checked here, and notes them with the columns that are used:
/// `USED` in hexadecimal, then ` COLUMN:COMPARISON:BINARY` for each value that [`planned`] gets.
fn best_index(table: &Table, info: &mut IndexInfo) -> rusqlite::Result<bool> {
    let mut chosen = Vec::new();
    for (index, constraint) in info.constraints().enumerate() {
        let column = usize::try_from(constraint.column()).ok();
        let column = column.filter(|column| *column < table.declared.len());
        let comparison = comparison(&constraint.operator());
        if let (true, Some(column), Some(comparison)) = (constraint.is_usable(), column, comparison)
        {
            // It is known only once the statement runs which number a complex column becomes.
            if table.def.columns[column].complex_id.is_none() {
                chosen.push((index, column, comparison));
            }
        }
    }
    let mut plan = format!("{:x}", info.col_used());
    let rows = f64::from(table.def.num_rows.max(1));
    let mut expected = rows;
    let mut has_equal = false;
    for (argument, (index, column, comparison)) in chosen.into_iter().enumerate() {
        let is_binary = info.collation(index).is_ok_and(|name| name == "BINARY");
        let _ = write!(plan, " {column}:{comparison}:{}", u8::from(is_binary));
        info.constraint_usage(index)
            .set_argv_index(argument as c_int + 1);
        expected /= if comparison == EQUAL { 10.0 } else { 3.0 };
        has_equal |= comparison == EQUAL && !table.is_long(column);
    }
    info.set_idx_str(&plan);
    info.set_idx_flags(IndexFlags::NONE);
    info.set_estimated_rows(expected.max(1.0) as i64);
    // The places of the rows with a value are noted when it is asked for more often.
    info.set_estimated_cost(if has_equal {
        20.0 + expected
    } else {
        20.0 + rows * 4.0
    });
    Ok(true)
}

const EQUAL: u8 = 0;

fn comparison(operator: &IndexConstraintOp) -> Option<u8> {
    use IndexConstraintOp::{
        SQLITE_INDEX_CONSTRAINT_EQ, SQLITE_INDEX_CONSTRAINT_GE, SQLITE_INDEX_CONSTRAINT_GT,
        SQLITE_INDEX_CONSTRAINT_ISNOTNULL, SQLITE_INDEX_CONSTRAINT_ISNULL,
        SQLITE_INDEX_CONSTRAINT_LE, SQLITE_INDEX_CONSTRAINT_LT,
    };
    Some(match operator {
        SQLITE_INDEX_CONSTRAINT_EQ => EQUAL,
        SQLITE_INDEX_CONSTRAINT_LT => 1,
        SQLITE_INDEX_CONSTRAINT_LE => 2,
        SQLITE_INDEX_CONSTRAINT_GT => 3,
        SQLITE_INDEX_CONSTRAINT_GE => 4,
        SQLITE_INDEX_CONSTRAINT_ISNULL => 5,
        SQLITE_INDEX_CONSTRAINT_ISNOTNULL => 6,
        _ => return None,
    })
}

/// The columns that are used and the conditions that are checked, as [`best_index`] has noted them.
fn planned(table: &Table, plan: &str, values: &Filters<'_>) -> (Vec<usize>, Vec<Condition>) {
    const COMPARISONS: [Comparison; 7] = [
        Comparison::Equal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::IsNull,
        Comparison::IsNotNull,
    ];
    let mut parts = plan.split(' ');
    let used = parts
        .next()
        .and_then(|used| u64::from_str_radix(used, 16).ok());
    let used = used.unwrap_or(u64::MAX);
    // The last bit is that of all columns from the 64th on.
    let is_used = |column: &usize| used >> (*column).min(63) & 1 == 1;
    let columns = (0..table.declared.len()).filter(is_used).collect();
    let conditions = parts.zip(values.iter()).filter_map(|(part, value)| {
        let mut numbers = part.split(':').map(|number| number.parse::<usize>().ok());
        let column = numbers.next()??;
        let comparison = *COMPARISONS.get(numbers.next()??)?;
        let is_binary = numbers.next()?? == 1;
        let affinity = table.declared.get(column)?.affinity;
        let value = Value::try_from(value).ok()?;
        Condition::new(column, affinity, comparison, value, is_binary)
    });
    (columns, conditions.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What SQLite takes for its own field is its own field.
    #[test]
    fn the_fields_of_sqlite_are_first() {
        assert_eq!(std::mem::offset_of!(Tab, base), 0);
        assert_eq!(std::mem::offset_of!(Cursor, base), 0);
    }

    #[test]
    fn a_panic_is_an_error() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let error = caught(|| -> rusqlite::Result<()> { panic!("deliberate") }).unwrap_err();
        std::panic::set_hook(hook);
        assert!(error.to_string().contains("panicked"), "{error}");
    }
}
