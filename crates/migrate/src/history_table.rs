use std::time::Duration;

use underpin_core::value::TimestampTz;
use underpin_core::{Class, Error, Result, Value, ValueRow};
use underpin_sql::Dialect;

use crate::checksum::Checksum;
use crate::dialect::MigrationDialect;
use crate::history::{Applied, History, State};
use crate::host::{Direction, Host};
use crate::revision::{Revision, RevisionId};
use crate::validate::command;

/// The name of the table in which a database keeps its history.
pub const HISTORY_TABLE: &str = "underpin_migrations";

/// The table in which a database keeps its history.
pub(crate) struct HistoryTable {
    /// Quoted, and with its schema: a revision may change where names are looked up.
    name: String,
    exists: bool,
    /// Whether it has all columns of today.
    complete: bool,
    create: String,
    dialect: &'static MigrationDialect,
}

/// How far a revision is that runs outside a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HalfWay<'a> {
    pub(crate) direction: Direction,
    pub(crate) statements_done: usize,
    /// The hashes of those statements.
    pub(crate) statements_ran: &'a [String],
    /// Whether the next statement was sent, and what came of it was not yet noted.
    pub(crate) statement_begun: bool,
}

impl HistoryTable {
    /// Looks where it is, or would be. Changes nothing.
    pub(crate) async fn find(host: &dyn Host) -> Result<Self> {
        let dialect = MigrationDialect::of(host.engine())?;
        let rows = host.query(dialect.find_history, Vec::new()).await?;
        let row = rows.first().ok_or_else(nowhere)?;
        let found: Option<String> = row.get("found")?;
        let current: Option<String> = row.get("current")?;
        let exists = found.is_some();
        let complete = !exists || row.get("complete")?;
        let schema = found.or(current).ok_or_else(nowhere)?;
        let name = format!(
            "{}.{}",
            dialect.sql.identifier(&schema)?,
            dialect.sql.identifier(HISTORY_TABLE)?
        );
        Ok(HistoryTable {
            dialect,
            create: dialect.create_history.replace("{table}", &name),
            name,
            exists,
            complete,
        })
    }

    /// Adds the columns that a table of an earlier version lacks and a half-way revision needs.
    pub(crate) async fn complete(&mut self, host: &dyn Host) -> Result<()> {
        if !self.complete {
            let sql = format!("ALTER TABLE {} ADD COLUMN statements_ran text", self.name);
            host.run(&sql).await?;
            self.complete = true;
        }
        Ok(())
    }

    /// Makes it where it is missing. In a transaction that may be rolled back, so that it
    /// is known to be there only once [`made`](Self::made) says so.
    pub(crate) async fn make(&self, host: &dyn Host) -> Result<()> {
        match self.exists {
            true => Ok(()),
            false => host.run(&self.create).await,
        }
    }

    /// What [`make`](Self::make) did lasts.
    pub(crate) fn made(&mut self) {
        self.exists = true;
    }

    /// Reads it; without the table, the history is empty.
    pub(crate) async fn read(&self, host: &dyn Host) -> Result<History> {
        if !self.exists {
            return Ok(History::default());
        }
        let ran = match self.complete {
            true => "statements_ran",
            false => "NULL AS statements_ran",
        };
        let sql = format!(
            "SELECT id, message, checksum, applied_at, duration_ms, version, direction, \
             statements_done, {ran} FROM {} ORDER BY applied_at, id",
            self.name
        );
        let rows = host.query(&sql, Vec::new()).await?;
        let entries: Result<Vec<Applied>> = rows.iter().map(entry).collect();
        Ok(History::new(entries?))
    }

    /// Whether the outcome of the revision's next statement is not known.
    pub(crate) async fn is_begun(&self, host: &dyn Host, id: &RevisionId) -> Result<bool> {
        let (name, id_is) = (&self.name, self.id_is());
        let sql = format!("SELECT statement_begun FROM {name} WHERE {id_is}");
        let rows = host.query(&sql, vec![text(id.as_str())]).await?;
        rows.first()
            .map_or(Ok(false), |row| row.get("statement_begun"))
    }

    /// Notes that the revision is applied, whatever was noted of it before.
    pub(crate) async fn put(
        &self,
        host: &dyn Host,
        revision: &Revision,
        took: Duration,
    ) -> Result<()> {
        let change = Change {
            columns: &COLUMNS[1..],
            applied: true,
            begun: false,
        };
        let params = row(revision, took);
        self.write(host, &COLUMNS, params, change).await
    }

    /// Notes that another tool applied the revision, and when, if it has recorded that.
    pub(crate) async fn put_adopted(
        &self,
        host: &dyn Host,
        revision: &Revision,
        tool: &str,
        applied_at: Option<TimestampTz>,
    ) -> Result<()> {
        let change = Change {
            columns: &COLUMNS[1..],
            applied: true,
            begun: false,
        };
        let mut columns = COLUMNS.to_vec();
        let mut params = row(revision, Duration::ZERO);
        params[COLUMNS.len() - 1] = text(tool);
        if let Some(applied_at) = applied_at {
            columns.push("applied_at");
            params.push(Value::TimestampTz(applied_at));
        }
        self.write(host, &columns, params, change).await
    }

    /// Notes how far the revision is.
    pub(crate) async fn mark(
        &self,
        host: &dyn Host,
        revision: &Revision,
        half_way: HalfWay<'_>,
        took: Duration,
    ) -> Result<()> {
        let change = Change {
            columns: self.marks(),
            applied: false,
            begun: half_way.statement_begun,
        };
        let mut params = row(revision, took);
        params.push(text(command(half_way.direction)));
        params.push(Value::I64(half_way.statements_done as i64));
        if self.complete {
            params.push(text(&half_way.statements_ran.join(" ")));
        }
        let columns = [&COLUMNS[..], self.marks()].concat();
        self.write(host, &columns, params, change).await
    }

    /// Writes the row of a revision, whose id is the first parameter: a new one, or what changes
    /// of the one that is there.
    async fn write(
        &self,
        host: &dyn Host,
        columns: &[&str],
        params: Vec<Value>,
        change: Change,
    ) -> Result<()> {
        let (sql, name) = (self.dialect.sql, &self.name);
        let insert = format!(
            "INSERT INTO {name} ({}, statement_begun) VALUES ({}, {})",
            columns.join(", "),
            sql.placeholders(1, columns.len()),
            sql.truth(change.begun),
        );
        if sql.on_conflict {
            let excluded = |column: &&str| format!("{column} = excluded.{column}");
            let sets = change.columns.iter().map(excluded).collect();
            let sets = change.sets(sets, "excluded.applied_at", self.marks(), sql);
            let insert = format!("{insert} ON CONFLICT (id) DO UPDATE SET {sets}");
            return host.execute(&insert, params).await.map(drop);
        }
        // The run has the lock, so that nobody else writes between the two.
        let (mut sets, mut given) = (Vec::new(), vec![params[0].clone()]);
        for (column, value) in columns.iter().zip(&params) {
            if change.columns.contains(column) {
                given.push(value.clone());
                sets.push(format!("{column} = {}", (sql.placeholder)(given.len())));
            }
        }
        let sets = change.sets(sets, self.dialect.now, self.marks(), sql);
        let update = format!("UPDATE {name} SET {sets} WHERE {}", self.id_is());
        match host.execute(&update, given).await? {
            0 => host.execute(&insert, params).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Accepts another checksum for the revision.
    pub(crate) async fn set_checksum(
        &self,
        host: &dyn Host,
        id: &RevisionId,
        checksum: Checksum,
    ) -> Result<()> {
        let (name, id_is) = (&self.name, self.id_is());
        let second = (self.dialect.sql.placeholder)(2);
        let sql = format!("UPDATE {name} SET checksum = {second} WHERE {id_is}");
        let params = vec![text(id.as_str()), text(&checksum.to_string())];
        host.execute(&sql, params).await.map(drop)
    }

    /// Takes back what [`mark`](Self::mark) noted of a revision that nothing came of.
    pub(crate) async fn unmark(
        &self,
        host: &dyn Host,
        id: &RevisionId,
        direction: Direction,
    ) -> Result<()> {
        if direction == Direction::Up {
            return self.remove(host, id).await;
        }
        let marks = self.marks().iter();
        let marks: Vec<String> = marks.map(|mark| format!("{mark} = NULL")).collect();
        let sql = format!(
            "UPDATE {} SET {}, statement_begun = {} WHERE {}",
            self.name,
            marks.join(", "),
            self.dialect.sql.truth(false),
            self.id_is()
        );
        host.execute(&sql, vec![text(id.as_str())]).await.map(drop)
    }

    /// Forgets the revision.
    pub(crate) async fn remove(&self, host: &dyn Host, id: &RevisionId) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE {}", self.name, self.id_is());
        host.execute(&sql, vec![text(id.as_str())]).await.map(drop)
    }

    /// The columns about a revision that is half-way.
    fn marks(&self) -> &'static [&'static str] {
        match self.complete {
            true => &MARKS,
            false => &MARKS[..2],
        }
    }

    /// That the id is the first parameter.
    fn id_is(&self) -> String {
        format!("id = {}", (self.dialect.sql.placeholder)(1))
    }
}

/// What a revision's row says, whatever becomes of the revision.
const COLUMNS: [&str; 5] = ["id", "message", "checksum", "duration_ms", "version"];

/// What it says of one that is half-way.
const MARKS: [&str; 3] = ["direction", "statements_done", "statements_ran"];

/// What changes of a row that is there.
struct Change {
    /// Columns that get what a new row would have.
    columns: &'static [&'static str],
    /// Whether the revision is applied now, and no more half-way.
    applied: bool,
    /// Whether a statement is begun.
    begun: bool,
}

impl Change {
    /// What an update sets: what is given, and what is the same for all rows.
    fn sets(&self, mut given: Vec<String>, now: &str, marks: &[&str], sql: &Dialect) -> String {
        if self.applied {
            given.push(format!("applied_at = {now}"));
            given.extend(marks.iter().map(|mark| format!("{mark} = NULL")));
        }
        given.push(format!("statement_begun = {}", sql.truth(self.begun)));
        given.join(", ")
    }
}

fn nowhere() -> Error {
    Error::new(
        Class::Config,
        "The history of the migrations cannot be created: no schema of the search path exists.",
    )
    .with_hint("Create the schema that the setting search_path names, or set another.")
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn row(revision: &Revision, took: Duration) -> Vec<Value> {
    vec![
        text(revision.id.as_str()),
        text(&revision.message),
        text(&revision.checksum.to_string()),
        Value::I64(i64::try_from(took.as_millis()).unwrap_or(i64::MAX)),
        text(env!("CARGO_PKG_VERSION")),
    ]
}

fn entry(row: &ValueRow) -> Result<Applied> {
    let id: String = row.get("id")?;
    let wrong = |what: &str| {
        Error::new(
            Class::Data,
            format!(
                "The table {} cannot be read: {what} of the row {id:?} was not written by \
                 Underpin.",
                HISTORY_TABLE
            ),
        )
        .with_hint("Correct or delete the row.")
    };
    let millis: i64 = row.get("duration_ms")?;
    let checksum: String = row.get("checksum")?;
    let direction: Option<String> = row.get("direction")?;
    let done: Option<i64> = row.get("statements_done")?;
    let direction = match direction.as_deref() {
        None => None,
        Some("up") => Some(Direction::Up),
        Some("down") => Some(Direction::Down),
        Some(_) => return Err(wrong("the direction")),
    };
    Ok(Applied {
        id: RevisionId::new(id.as_str()).ok_or_else(|| wrong("the id"))?,
        checksum: Checksum::from_hex(&checksum).ok_or_else(|| wrong("the checksum"))?,
        message: row.get::<Option<String>>("message")?,
        applied_at: moment(row).ok_or_else(|| wrong("the time"))?,
        duration: Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
        version: row.get("version")?,
        statements_ran: row
            .get::<Option<String>>("statements_ran")?
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        state: match direction {
            None => State::Done,
            Some(direction) => State::Partial {
                statements_done: usize::try_from(done.unwrap_or(0)).unwrap_or(0),
                direction,
            },
        },
    })
}

/// SQLite has no type for it, and keeps text.
fn moment(row: &ValueRow) -> Option<TimestampTz> {
    match row.get::<String>("applied_at") {
        Ok(text) => text.parse().ok(),
        Err(_) => row.get("applied_at").ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;
    use underpin_core::driver::SessionState;
    use underpin_core::{Engine, Params};
    use underpin_sql::{Quotes, SQLITE};

    use super::*;
    use crate::host::Wait;
    use crate::revision::{Origin, Script};
    use crate::sqlite;

    /// A connection that writes down what it is to run, and has the row or not.
    struct Notes {
        has_row: bool,
        ran: Mutex<Vec<String>>,
    }

    impl Host for Notes {
        fn engine(&self) -> Engine {
            Engine::SQLITE
        }

        fn run<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<()>> {
            std::future::ready(Ok(())).boxed()
        }

        fn execute<'a>(&'a self, sql: &'a str, params: Params) -> BoxFuture<'a, Result<u64>> {
            let first = sql.split_whitespace().next();
            let count = u64::from(self.has_row || first != Some("UPDATE"));
            let note = format!("{sql} <- {}", params.len());
            self.ran.lock().unwrap().push(note);
            std::future::ready(Ok(count)).boxed()
        }

        fn query<'a>(&'a self, _: &'a str, _: Params) -> BoxFuture<'a, Result<Vec<ValueRow>>> {
            std::future::ready(Ok(Vec::new())).boxed()
        }

        fn code<'a>(&'a self, _: &'a RevisionId, _: Direction) -> BoxFuture<'a, Result<()>> {
            std::future::ready(Ok(())).boxed()
        }

        fn copy<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<u64>> {
            std::future::ready(Ok(0)).boxed()
        }

        fn state(&self) -> SessionState {
            SessionState::Clean
        }

        fn reset(&self) -> BoxFuture<'_, Result<()>> {
            std::future::ready(Ok(())).boxed()
        }

        fn announced_process(&self) -> Option<i32> {
            None
        }

        fn another(&self) -> BoxFuture<'_, Option<Box<dyn Host>>> {
            std::future::ready(None).boxed()
        }

        fn sleep<'a>(&'a self, _: &'a Wait) -> BoxFuture<'a, ()> {
            std::future::ready(()).boxed()
        }
    }

    /// A dialect with quotes and placeholders of its own, whose inserts change no row that is
    /// there.
    fn other() -> &'static MigrationDialect {
        let sql = Box::leak(Box::new(Dialect {
            quotes: Quotes {
                open: b'[',
                close: b']',
                doubled: true,
            },
            placeholder: |number| format!("@p{number}"),
            on_conflict: false,
            ..SQLITE
        }));
        Box::leak(Box::new(MigrationDialect {
            sql,
            now: "SYSUTCDATETIME()",
            ..sqlite::DIALECT.clone()
        }))
    }

    fn written(dialect: &'static MigrationDialect, has_row: bool) -> Vec<String> {
        let id = RevisionId::new("a").unwrap();
        let irreversible = || Script::Irreversible {
            reason: String::new(),
        };
        let revision = Revision {
            checksum: Checksum([0; 32]),
            id: id.clone(),
            parents: Vec::new(),
            depends_on: Vec::new(),
            branch_labels: Vec::new(),
            message: String::new(),
            up: irreversible(),
            down: irreversible(),
            repeatable: false,
            origin: Origin::File(String::new()),
        };
        let table = HistoryTable {
            name: format!("{}.t", dialect.sql.identifier("h").unwrap()),
            exists: true,
            complete: true,
            create: String::new(),
            dialect,
        };
        let notes = Notes {
            has_row,
            ran: Mutex::default(),
        };
        let half_way = HalfWay {
            direction: Direction::Up,
            statements_done: 1,
            statements_ran: &["00".to_owned()],
            statement_begun: true,
        };
        let took = Duration::ZERO;
        let work = async {
            table.mark(&notes, &revision, half_way, took).await?;
            table.put(&notes, &revision, took).await?;
            table.remove(&notes, &id).await
        };
        work.now_or_never().unwrap().unwrap();
        notes.ran.into_inner().unwrap()
    }

    #[test]
    fn one_statement_writes_a_row_where_an_insert_can_change_one() {
        let expected = [
            "INSERT INTO \"h\".t (id, message, checksum, duration_ms, version, direction, \
             statements_done, statements_ran, statement_begun) VALUES ($1, $2, $3, $4, $5, $6, $7, \
             $8, 1) ON CONFLICT (id) DO UPDATE SET direction = excluded.direction, \
             statements_done = excluded.statements_done, \
             statements_ran = excluded.statements_ran, statement_begun = 1 <- 8",
            "INSERT INTO \"h\".t (id, message, checksum, duration_ms, version, statement_begun) \
             VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (id) DO UPDATE SET \
             message = excluded.message, checksum = excluded.checksum, \
             duration_ms = excluded.duration_ms, version = excluded.version, \
             applied_at = excluded.applied_at, direction = NULL, statements_done = NULL, \
             statements_ran = NULL, statement_begun = 0 <- 5",
            "DELETE FROM \"h\".t WHERE id = $1 <- 1",
        ];
        for has_row in [true, false] {
            assert_eq!(written(&sqlite::DIALECT, has_row), expected);
        }
    }

    #[test]
    fn elsewhere_a_row_is_updated_and_else_inserted() {
        let mark = "UPDATE [h].t SET direction = @p2, statements_done = @p3, statements_ran = @p4, \
                    statement_begun = 1 WHERE id = @p1 <- 4";
        let put = "UPDATE [h].t SET message = @p2, checksum = @p3, duration_ms = @p4, \
                   version = @p5, applied_at = SYSUTCDATETIME(), direction = NULL, \
                   statements_done = NULL, statements_ran = NULL, statement_begun = 0 \
                   WHERE id = @p1 <- 5";
        let remove = "DELETE FROM [h].t WHERE id = @p1 <- 1";
        assert_eq!(written(other(), true), [mark, put, remove]);
        let new = [
            "INSERT INTO [h].t (id, message, checksum, duration_ms, version, direction, \
             statements_done, statements_ran, statement_begun) VALUES (@p1, @p2, @p3, @p4, @p5, \
             @p6, @p7, @p8, 1) <- 8",
            "INSERT INTO [h].t (id, message, checksum, duration_ms, version, statement_begun) \
             VALUES (@p1, @p2, @p3, @p4, @p5, 0) <- 5",
        ];
        assert_eq!(written(other(), false), [mark, new[0], put, new[1], remove]);
    }
}
