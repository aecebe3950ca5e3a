use std::time::Duration;

use underpin_core::value::TimestampTz;
use underpin_core::{Class, Error, Result, Value, ValueRow};

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
    dialect: &'static MigrationDialect,
}

/// How far a revision is that runs outside a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HalfWay {
    pub(crate) direction: Direction,
    pub(crate) statements_done: usize,
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
        let schema = found.or(current).ok_or_else(nowhere)?;
        let name = format!(
            "{}.{}",
            (dialect.quote)(&schema)?,
            (dialect.quote)(HISTORY_TABLE)?
        );
        Ok(HistoryTable {
            name,
            exists,
            dialect,
        })
    }

    /// Makes it where it is missing. In a transaction that may be rolled back, so that it
    /// is known to be there only once [`made`](Self::made) says so.
    pub(crate) async fn make(&self, host: &dyn Host) -> Result<()> {
        match self.exists {
            true => Ok(()),
            false => {
                let create = self.dialect.create_history.replace("{table}", &self.name);
                host.run(&create).await
            }
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
        let sql = format!(
            "SELECT id, message, checksum, applied_at, duration_ms, version, direction, \
             statements_done FROM {} ORDER BY applied_at, id",
            self.name
        );
        let rows = host.query(&sql, Vec::new()).await?;
        let entries: Result<Vec<Applied>> = rows.iter().map(entry).collect();
        Ok(History::new(entries?))
    }

    /// Whether the outcome of the revision's next statement is not known.
    pub(crate) async fn is_begun(&self, host: &dyn Host, id: &RevisionId) -> Result<bool> {
        let sql = format!(
            "SELECT statement_begun FROM {} WHERE id = {}",
            self.name,
            self.parameter(1)
        );
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
        let sql = format!(
            "INSERT INTO {} (id, message, checksum, duration_ms, version) \
             VALUES ({}) ON CONFLICT (id) DO UPDATE SET \
             message = excluded.message, checksum = excluded.checksum, \
             applied_at = excluded.applied_at, duration_ms = excluded.duration_ms, version = excluded.version, \
             direction = NULL, statements_done = NULL, statement_begun = {}",
            self.name,
            self.parameters(5),
            self.literal(false)
        );
        host.execute(&sql, row(revision, took)).await.map(drop)
    }

    /// Notes how far the revision is.
    pub(crate) async fn mark(
        &self,
        host: &dyn Host,
        revision: &Revision,
        half_way: HalfWay,
        took: Duration,
    ) -> Result<()> {
        let begun = self.literal(half_way.statement_begun);
        let sql = format!(
            "INSERT INTO {} (id, message, checksum, duration_ms, version, direction, \
             statements_done, statement_begun) VALUES ({}, {begun}) \
             ON CONFLICT (id) DO UPDATE SET direction = excluded.direction, \
             statements_done = excluded.statements_done, statement_begun = {begun}",
            self.name,
            self.parameters(7)
        );
        let mut params = row(revision, took);
        params.push(text(command(half_way.direction)));
        params.push(Value::I64(half_way.statements_done as i64));
        host.execute(&sql, params).await.map(drop)
    }

    /// Accepts another checksum for the revision.
    pub(crate) async fn set_checksum(
        &self,
        host: &dyn Host,
        id: &RevisionId,
        checksum: Checksum,
    ) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET checksum = {} WHERE id = {}",
            self.name,
            self.parameter(1),
            self.parameter(2)
        );
        let params = vec![text(&checksum.to_string()), text(id.as_str())];
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
        let sql = format!(
            "UPDATE {} SET direction = NULL, statements_done = NULL, statement_begun = {} \
             WHERE id = {}",
            self.name,
            self.literal(false),
            self.parameter(1)
        );
        host.execute(&sql, vec![text(id.as_str())]).await.map(drop)
    }

    /// Forgets the revision.
    pub(crate) async fn remove(&self, host: &dyn Host, id: &RevisionId) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE id = {}", self.name, self.parameter(1));
        host.execute(&sql, vec![text(id.as_str())]).await.map(drop)
    }

    fn parameter(&self, number: usize) -> String {
        (self.dialect.placeholder)(number)
    }

    fn parameters(&self, count: usize) -> String {
        let each: Vec<String> = (1..=count).map(self.dialect.placeholder).collect();
        each.join(", ")
    }

    /// Engines differ in what a truth is, and each reads its own literal.
    fn literal(&self, truth: bool) -> &'static str {
        self.dialect.truths[usize::from(truth)]
    }
}

fn nowhere() -> Error {
    Error::new(
        Class::Config,
        "The history of the migrations has no place: no schema of the search path exists.",
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
                "The table {} cannot be read: {what} of the row {id:?} is none that Underpin writes.",
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
