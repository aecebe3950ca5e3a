//! The declared types of the columns beside a statement's parameters.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Statement, StatementStatus};

use crate::place::{Insert, Named, Parameter, Places, Spot, plain};

/// How SQLite converts values that are stored in a column or compared with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affinity {
    Integer,
    Text,
    Bytes,
    Real,
    Numeric,
    /// No declared type, or one for which SQLite converts nothing.
    Untyped,
}

impl Affinity {
    /// The affinity of a declared type, by SQLite's rules. A type counts as bytes if it is named
    /// so, even if SQLite has no rule for the name.
    pub(crate) fn of(declared: &str) -> Self {
        let upper = declared.to_ascii_uppercase();
        let has = |part: &str| upper.contains(part);
        match () {
            () if has("INT") => Affinity::Integer,
            () if has("CHAR") || has("CLOB") || has("TEXT") => Affinity::Text,
            () if has("BLOB") || has("BINARY") || has("BYTEA") => Affinity::Bytes,
            () if upper.is_empty() || upper == "ANY" => Affinity::Untyped,
            () if has("REAL") || has("FLOA") || has("DOUB") => Affinity::Real,
            () => Affinity::Numeric,
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// All the places of one parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    columns: u8,
    /// Whether it is part of an expression, or beside something without a known column.
    pub(crate) expression: bool,
    /// Whether a column is compared with it by order.
    pub(crate) ordered: bool,
    /// Whether it is part of a list behind IN.
    pub(crate) listed: bool,
}

impl Place {
    /// Within an expression.
    pub(crate) const EXPRESSION: Place = Place {
        columns: 0,
        expression: true,
        ordered: false,
        listed: false,
    };

    /// Whether it is beside a column of this affinity.
    pub(crate) fn meets(self, affinity: Affinity) -> bool {
        self.columns & affinity.bit() != 0
    }

    /// Whether it is beside a column of another affinity.
    pub(crate) fn meets_other(self, affinity: Affinity) -> bool {
        self.columns & !affinity.bit() != 0
    }

    #[cfg(test)]
    pub(crate) fn beside(affinity: Affinity) -> Place {
        Place {
            columns: affinity.bit(),
            expression: false,
            ..Place::EXPRESSION
        }
    }
}

/// The places of a statement's parameters, in the order of their numbers.
pub(crate) type Plan = Arc<[Place]>;

/// The plans of cached statements, valid as long as SQLite runs them as it prepared them.
#[derive(Default)]
pub(crate) struct Plans(HashMap<Box<str>, Used>);

/// The plan with which a statement was bound, and how often SQLite had prepared it again by then,
/// which happens if the schema has changed.
#[derive(Clone)]
pub(crate) struct Used {
    pub(crate) plan: Plan,
    prepared: i32,
}

/// Number of cached plans, and maximum length of their statements.
const KEPT: usize = 256;
const LONGEST: usize = 16 * 1024;

impl Plans {
    /// The plan of a statement that is about to be bound.
    pub(crate) fn of(
        &mut self,
        conn: &Connection,
        sql: &str,
        stmt: &Statement<'_>,
    ) -> rusqlite::Result<Used> {
        let prepared = stmt.get_status(StatementStatus::RePrepare);
        // A statement that has not run yet was prepared for an unknown state of the schema.
        if stmt.get_status(StatementStatus::Run) > 0
            && let Some(kept) = self.0.get(sql)
            && kept.prepared == prepared
        {
            return Ok(kept.clone());
        }
        let plan = plan(conn, sql)?;
        Ok(self.keep(sql, Used { plan, prepared }))
    }

    fn keep(&mut self, sql: &str, used: Used) -> Used {
        if sql.len() <= LONGEST {
            if self.0.len() >= KEPT {
                self.0.clear();
            }
            self.0.insert(sql.into(), used.clone());
        }
        used
    }

    /// Whether the relevant schema was unchanged when the statement ran: another connection may
    /// have changed it since the last time.
    pub(crate) fn held(
        &mut self,
        conn: &Connection,
        sql: &str,
        stmt: &Statement<'_>,
        used: &Used,
    ) -> rusqlite::Result<bool> {
        let prepared = stmt.get_status(StatementStatus::RePrepare);
        if prepared == used.prepared {
            return Ok(true);
        }
        let plan = plan(conn, sql)?;
        let same = plan == used.plan;
        self.keep(sql, Used { plan, prepared });
        Ok(same)
    }

    /// Forgets all plans.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The plan of a statement for the current schema.
pub(crate) fn plan(conn: &Connection, sql: &str) -> rusqlite::Result<Plan> {
    Ok(places(conn, sql)?.into())
}

fn places(conn: &Connection, sql: &str) -> rusqlite::Result<Vec<Place>> {
    let places = Places::of(sql);
    let mut tables = Tables::new(conn, &places);
    let mut plan: Vec<Place> = Vec::new();
    for Parameter {
        number,
        spot,
        listed,
    } in &places.parameters
    {
        if plan.len() <= *number {
            plan.resize(number + 1, Place::default());
        }
        let (affinity, ordered) = match spot {
            Spot::Expression => (None, false),
            Spot::Beside { column, ordered } => (tables.affinity(*column)?, *ordered),
            Spot::Inserted(at) => match &places.insert {
                Some(insert) => (tables.inserted(insert, *at)?, false),
                None => (None, false),
            },
        };
        let place = &mut plan[*number];
        place.listed |= listed;
        match affinity {
            Some(affinity) => {
                place.columns |= affinity.bit();
                place.ordered |= ordered;
            }
            None => place.expression = true,
        }
    }
    Ok(plan)
}

struct ColumnOf {
    name: String,
    affinity: Affinity,
    /// Whether a row without column names has a value for it.
    given: bool,
}

/// The tables that a statement names, read on demand.
struct Tables<'c> {
    conn: &'c Connection,
    /// The names, with aliases.
    named: Vec<(String, Option<String>)>,
    known: HashMap<String, Vec<ColumnOf>>,
}

impl<'c> Tables<'c> {
    fn new(conn: &'c Connection, places: &Places<'_>) -> Self {
        let mut named: Vec<(String, Option<String>)> = places
            .names()
            .map(|(name, alias)| (plain(name), alias.map(plain)))
            .collect();
        named.sort_unstable();
        named.dedup();
        Tables {
            conn,
            named,
            known: HashMap::new(),
        }
    }

    fn columns(&mut self, table: &str) -> rusqlite::Result<&[ColumnOf]> {
        if !self.known.contains_key(table) {
            let sql = "SELECT name, type, hidden FROM pragma_table_xinfo($1)";
            let mut stmt = self.conn.prepare_cached(sql)?;
            let columns = stmt.query_map([table], |row| {
                let name: String = row.get(0)?;
                Ok(ColumnOf {
                    name: name.to_ascii_lowercase(),
                    affinity: Affinity::of(&row.get::<_, String>(1)?),
                    given: row.get::<_, i64>(2)? == 0,
                })
            })?;
            let columns = columns.collect::<rusqlite::Result<_>>()?;
            self.known.insert(table.to_owned(), columns);
        }
        Ok(self.known.get(table).map_or(&[], Vec::as_slice))
    }

    /// The affinity of a column, if all tables that may contain it agree.
    fn affinity(&mut self, column: Named<'_>) -> rusqlite::Result<Option<Affinity>> {
        let (of, name) = (column.of.map(plain), plain(column.column));
        let tables: Vec<String> = self
            .named
            .iter()
            .filter(|(table, alias)| {
                of.as_ref()
                    .is_none_or(|of| of == table || alias.as_ref() == Some(of))
            })
            .map(|(table, _)| table.clone())
            .collect();
        let mut found = None;
        for table in tables {
            let columns = self.columns(&table)?;
            let Some(column) = columns.iter().find(|column| column.name == name) else {
                continue;
            };
            match found {
                None => found = Some(column.affinity),
                Some(other) if other == column.affinity => {}
                Some(_) => return Ok(None),
            }
        }
        Ok(found)
    }

    fn inserted(&mut self, insert: &Insert<'_>, at: usize) -> rusqlite::Result<Option<Affinity>> {
        let columns = self.columns(&plain(insert.table))?;
        let column = match &insert.columns {
            None => columns.iter().filter(|column| column.given).nth(at),
            Some(names) => {
                let name = names.get(at).map(|name| plain(name));
                columns
                    .iter()
                    .find(|column| Some(&column.name) == name.as_ref())
            }
        };
        Ok(column.map(|column| column.affinity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(sql: &str) -> Vec<Place> {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "CREATE TABLE t (id BLOB, name VARCHAR(9), price NUMERIC(12,2), at DATETIME, n INTEGER);
             CREATE TABLE u (id TEXT, t_id BLOB);
             CREATE VIEW v AS SELECT id, price FROM t",
        )
        .unwrap();
        plan(&conn, sql).unwrap().to_vec()
    }

    #[test]
    fn a_declared_type_has_its_affinity() {
        for (declared, affinity) in [
            ("bigint", Affinity::Integer),
            ("varchar(9)", Affinity::Text),
            ("BINARY(16)", Affinity::Bytes),
            ("double precision", Affinity::Real),
            ("DECIMAL(10,2)", Affinity::Numeric),
            ("timestamp", Affinity::Numeric),
            ("", Affinity::Untyped),
        ] {
            assert_eq!(Affinity::of(declared), affinity, "{declared}");
        }
    }

    #[test]
    fn columns_are_found_in_the_tables_that_are_named() {
        for (sql, affinity) in [
            ("SELECT * FROM t WHERE id = $1", Affinity::Bytes),
            ("SELECT * FROM main.t WHERE \"ID\" = $1", Affinity::Bytes),
            (
                "SELECT * FROM t AS x JOIN u ON true WHERE u.id = $1",
                Affinity::Text,
            ),
            (
                "SELECT * FROM t x JOIN u ON true WHERE x.id = $1",
                Affinity::Bytes,
            ),
            ("SELECT * FROM v WHERE price > $1", Affinity::Numeric),
            ("INSERT INTO t VALUES (x'00', $1, 1, 2, 3)", Affinity::Text),
            ("INSERT INTO t (n, at) VALUES ($1, 2)", Affinity::Integer),
            ("UPDATE t SET name = 'a' WHERE n = $1", Affinity::Integer),
        ] {
            let place = plan_of(sql)[0];
            assert!(
                place.meets(affinity) && !place.meets_other(affinity),
                "{sql}"
            );
            assert!(!place.expression, "{sql}");
        }
        for sql in [
            "SELECT * FROM t JOIN u ON true WHERE id = $1",
            "SELECT * FROM t WHERE nothing = $1",
        ] {
            assert_eq!(plan_of(sql), [Place::EXPRESSION], "{sql}");
        }
        let both = plan_of("SELECT * FROM u WHERE id = $1 OR t_id = $1")[0];
        assert!(both.meets(Affinity::Text) && both.meets_other(Affinity::Text));
    }

    #[test]
    fn a_plan_follows_the_schema() {
        let file = underpin_testkit::SqliteFile::new();
        let [conn, other] = [(); 2].map(|()| Connection::open(file.path()).unwrap());
        conn.execute_batch("CREATE TABLE t (id TEXT)").unwrap();
        let mut plans = Plans::default();
        let sql = "SELECT * FROM t WHERE id = $1";
        let mut affinity = |run: bool| {
            let mut stmt = conn.prepare_cached(sql).unwrap();
            let used = plans.of(&conn, sql, &stmt).unwrap();
            let text = used.plan[0].meets(Affinity::Text);
            if run {
                stmt.exists(["a"]).unwrap();
            }
            (text, plans.held(&conn, sql, &stmt, &used).unwrap())
        };
        assert_eq!([affinity(true), affinity(true)], [(true, true); 2]);
        other
            .execute_batch("DROP TABLE t; CREATE TABLE t (id BLOB)")
            .unwrap();
        // The statement is prepared again as it runs; from then on the plan differs.
        assert_eq!(affinity(true), (true, false));
        assert_eq!(affinity(true), (false, true));
        other.execute_batch("ALTER TABLE t ADD b").unwrap();
        assert_eq!(affinity(true), (false, true));
    }
}
