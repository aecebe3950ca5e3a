//! What the thread of a connection owns, and does.

use odbc_api::{Connection, Cursor as _};
use underpin_core::driver::RowSink;
use underpin_core::{Class, Effect, Error, Result, Value};

use crate::classify::classify;
use crate::param::parameters;
use crate::read::Shape;

/// A connection of ODBC, and what is known of it.
pub(crate) struct Session {
    pub(crate) conn: Connection<'static>,
    pub(crate) place: String,
    /// Whether a transaction was begun.
    pub(crate) is_open: bool,
}

/// A statement with its values, and the seconds that it may take.
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
    pub(crate) seconds: Option<usize>,
}

impl Session {
    fn failed(&self) -> impl Fn(odbc_api::Error) -> Error + '_ {
        |error| classify(error, &self.place)
    }

    /// Runs a statement to its end: the rows it changed, or those it gave.
    pub(crate) fn execute(&self, of: &Statement) -> Result<u64> {
        let parameters = parameters(&of.values)?;
        let mut statement = self.conn.preallocate().map_err(self.failed())?;
        if let Some(seconds) = of.seconds {
            // A driver without such a limit says so; the statement runs without one.
            let _ = statement.set_query_timeout_sec(seconds);
        }
        let cursor = statement.execute(&of.sql, parameters.as_slice());
        let mut given = None;
        if let Some(mut cursor) = cursor.map_err(self.failed())? {
            let mut count = 0;
            while cursor.next_row().map_err(self.failed())?.is_some() {
                count += 1;
            }
            given = Some(count);
        }
        match given {
            Some(count) => Ok(count),
            None => {
                let changed = statement.row_count().map_err(self.failed())?;
                Ok(changed.unwrap_or_default() as u64)
            }
        }
    }

    /// Runs a statement and hands its rows to `sink`; `told` is called with the columns, and behind
    /// each row, and says whether more are wanted.
    pub(crate) fn read(
        &self,
        of: &Statement,
        sink: &mut dyn RowSink,
        mut told: impl FnMut(Told<'_>) -> bool,
    ) -> Result<()> {
        let parameters = parameters(&of.values)?;
        let cursor = self
            .conn
            .execute(
                &of.sql,
                parameters.as_slice(),
                of.seconds.filter(|_| self.has_limit()),
            )
            .map_err(self.failed())?;
        let Some(mut cursor) = cursor else {
            let none = underpin_core::Columns(Vec::new());
            sink.begin(&none)?;
            told(Told::Columns(&none));
            return Ok(());
        };
        let shape = Shape::of(&mut cursor, &self.place)?;
        sink.begin(&shape.columns)
            .map_err(|error| error.with_effect(Effect::Applied))?;
        let mut wanted = told(Told::Columns(&shape.columns));
        let mut unreadable = None;
        while wanted && !sink.is_full() {
            let Some(row) = shape.next(&mut cursor, &self.place)? else {
                break;
            };
            if let Err(error) = sink.row(&row) {
                unreadable = Some(error.with_effect(Effect::Applied));
                break;
            }
            wanted = told(Told::Row);
        }
        match unreadable {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether the driver knows a limit of time.
    fn has_limit(&self) -> bool {
        let statement = self.conn.preallocate();
        statement.is_ok_and(|mut statement| statement.set_query_timeout_sec(1).is_ok())
    }

    pub(crate) fn begin(&mut self) -> Result<()> {
        if self.is_open {
            let what = "A transaction is open on this connection already.";
            return Err(Error::new(Class::Unsupported, what).with_effect(Effect::NotSent));
        }
        self.conn.set_autocommit(false).map_err(self.failed())?;
        self.is_open = true;
        Ok(())
    }

    pub(crate) fn commit(&mut self) -> Result<()> {
        let done = self.conn.commit().map_err(self.failed());
        if done.is_err() {
            let _ = self.conn.rollback();
        }
        self.is_open = false;
        self.conn.set_autocommit(true).map_err(self.failed())?;
        done
    }

    pub(crate) fn rollback(&mut self) -> Result<()> {
        if !self.is_open {
            return Ok(());
        }
        self.conn.rollback().map_err(self.failed())?;
        self.is_open = false;
        self.conn.set_autocommit(true).map_err(self.failed())
    }

    /// Inserts rows, all or none.
    pub(crate) fn insert(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<u64> {
        let was_open = self.is_open;
        if !was_open {
            self.begin()?;
        }
        let inserted = self.insert_each(sql, rows);
        if !was_open {
            match &inserted {
                Ok(_) => self.commit()?,
                Err(_) => self.rollback()?,
            }
        }
        inserted
    }

    fn insert_each(&self, sql: &str, rows: &[Vec<Value>]) -> Result<u64> {
        let mut prepared = self.conn.prepare(sql).map_err(self.failed())?;
        for (index, row) in rows.iter().enumerate() {
            let number = index as u64 + 1;
            let numbered = |error: Error| error.with_effect(Effect::RolledBack).with_row(number);
            let parameters = parameters(row).map_err(numbered)?;
            let done = prepared.execute(parameters.as_slice());
            done.map_err(|error| numbered(classify(error, &self.place)))?;
        }
        Ok(rows.len() as u64)
    }
}

/// What a reading tells as it goes.
pub(crate) enum Told<'a> {
    Columns(&'a underpin_core::Columns),
    Row,
}
