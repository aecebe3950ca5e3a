//! The names of constraints. SQLite reports those of checks and of indexes on expressions; the
//! others are found in the schema. A constraint without a name gets the one that PostgreSQL would
//! choose.

use std::collections::BTreeSet;

use rusqlite::{Connection, ffi};
use underpin_core::ConstraintKind;
use underpin_sql::{Kind, Lexer, SQLITE, Token, constraint_name};

use crate::message::Told;

/// A constraint of a table in its CREATE TABLE.
struct Written<'s> {
    kind: ConstraintKind,
    is_primary: bool,
    name: Option<String>,
    /// The columns of a key.
    columns: Vec<String>,
    /// The text of a check.
    text: &'s str,
}

/// The name of the constraint that a message is about, as far as it can be determined.
pub(crate) fn find(conn: &Connection, code: i32, told: &Told<'_>) -> Option<String> {
    match (told.kind?, told.constraint) {
        (ConstraintKind::Check, Some(text)) => check(conn, text),
        (_, Some(index)) => Some(index.to_owned()),
        (ConstraintKind::Unique, None) => {
            let is_primary = code != ffi::SQLITE_CONSTRAINT_UNIQUE;
            unique(conn, told.table?, &told.columns, is_primary)
        }
        (ConstraintKind::NotNull, None) => {
            let columns: Vec<String> = told.columns.iter().map(|&name| name.to_owned()).collect();
            Some(made(told.table?, &columns, "not_null"))
        }
        _ => None,
    }
}

fn made(table: &str, columns: &[String], label: &str) -> String {
    constraint_name(table, columns, label, &BTreeSet::new())
}

fn unique(conn: &Connection, table: &str, columns: &[&str], is_primary: bool) -> Option<String> {
    if columns.is_empty() {
        return None;
    }
    let same = |others: &[String]| {
        let pairs = others.iter().zip(columns);
        others.len() == columns.len() && { pairs }.all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    let sql = table_sql(conn, table);
    let (_, written) = sql.as_deref().map(constraints).unwrap_or_default();
    let found = written.iter().find(|constraint| {
        constraint.kind == ConstraintKind::Unique
            && (same(&constraint.columns) || is_primary && constraint.is_primary)
    });
    match found {
        Some(Written {
            name: Some(name), ..
        }) => return Some(name.clone()),
        Some(Written {
            is_primary: true, ..
        }) => return Some(made(table, &[], "pkey")),
        Some(Written { columns, .. }) => return Some(made(table, columns, "key")),
        None => {}
    }
    // A separate index has a name.
    let indexes = "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" AND origin = 'c'";
    names(conn, indexes, table).into_iter().find(|index| {
        same(&names(
            conn,
            "SELECT name FROM pragma_index_info(?1) ORDER BY seqno",
            index,
        ))
    })
}

fn check(conn: &Connection, told: &str) -> Option<String> {
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND ?1 = ?1";
    for table in names(conn, tables, "") {
        let Some(sql) = table_sql(conn, &table) else {
            continue;
        };
        let (columns, written) = constraints(&sql);
        let checks = || written.iter().filter(|of| of.kind == ConstraintKind::Check);
        if checks().any(|check| check.name.as_deref() == Some(told)) {
            return Some(told.to_owned());
        }
        let mut taken: BTreeSet<String> = written.iter().filter_map(|of| of.name.clone()).collect();
        for check in checks().filter(|check| check.name.is_none()) {
            let named = columns_in(check.text, &columns);
            let named = if named.len() == 1 { named } else { Vec::new() };
            let name = constraint_name(&table, &named, "check", &taken);
            if check.text == told {
                return Some(name);
            }
            taken.insert(name);
        }
    }
    Some(told.to_owned())
}

fn names(conn: &Connection, sql: &str, of: &str) -> Vec<String> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = conn.prepare(sql)?;
        let rows = statement.query_map([of], |row| row.get::<_, Option<String>>(0))?;
        rows.map(|name| Ok(name?.unwrap_or_default())).collect()
    };
    // Without the schema, there is no name.
    read().unwrap_or_default()
}

fn table_sql(conn: &Connection, table: &str) -> Option<String> {
    let sql = "SELECT sql FROM (SELECT * FROM sqlite_temp_schema UNION ALL SELECT * FROM sqlite_schema) \
               WHERE type = 'table' AND name = ?1 COLLATE NOCASE LIMIT 1";
    conn.query_row(sql, [table], |row| row.get(0)).ok()
}

/// The columns and the constraints of a table, from its CREATE TABLE.
fn constraints(sql: &str) -> (Vec<String>, Vec<Written<'_>>) {
    let tokens: Vec<Token<'_>> = Lexer::new(sql, &SQLITE.lexis).solid().collect();
    let (mut columns, mut written) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    let (mut name, mut is_new) = (None, false);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let begins = depth == 1 && (is_new || token.kind == Kind::Open && columns.is_empty());
        if depth == 1 && (token.kind == Kind::Open || token.is_sign(",")) {
            is_new = true;
            name = None;
            at += 1;
            continue;
        }
        const TABLE: [&str; 5] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
        if begins && !TABLE.iter().any(|word| token.is(word)) {
            columns.push(unquoted(token));
        }
        is_new = false;
        if depth == 1 {
            let of_column = || columns.last().cloned().into_iter().collect::<Vec<_>>();
            if token.is("CONSTRAINT") {
                at += 1;
                name = tokens.get(at).map(unquoted);
            } else if token.is("UNIQUE") || token.is("PRIMARY") {
                let is_primary = token.is("PRIMARY");
                at += usize::from(is_primary);
                let listed = match tokens.get(at + 1) {
                    Some(next) if next.kind == Kind::Open => listed(&tokens[at + 2..]),
                    _ => of_column(),
                };
                written.push(Written {
                    kind: ConstraintKind::Unique,
                    is_primary,
                    name: name.take(),
                    columns: listed,
                    text: "",
                });
            } else if token.is("CHECK")
                && let Some(open) = tokens.get(at + 1).filter(|next| next.kind == Kind::Open)
            {
                written.push(Written {
                    kind: ConstraintKind::Check,
                    is_primary: false,
                    name: name.take(),
                    columns: Vec::new(),
                    text: group(sql, open.end(), &tokens[at + 2..]),
                });
            } else if token.is("NOT") || token.is("REFERENCES") || token.is("FOREIGN") {
                name = None;
            }
        }
        at += 1;
    }
    (columns, written)
}

/// The first word of each part up to the closing parenthesis.
fn listed(tokens: &[Token<'_>]) -> Vec<String> {
    let (mut names, mut is_new, mut depth) = (Vec::new(), true, 0_usize);
    for token in tokens {
        match token.kind {
            Kind::Close if depth == 0 => break,
            Kind::Close => depth -= 1,
            Kind::Open => depth += 1,
            _ if depth == 0 && token.is_sign(",") => {
                is_new = true;
                continue;
            }
            _ if is_new => names.push(unquoted(token)),
            _ => {}
        }
        is_new = false;
    }
    names
}

/// The text from `start` to the closing parenthesis, without surrounding white space.
fn group<'s>(sql: &'s str, start: usize, tokens: &[Token<'_>]) -> &'s str {
    let mut depth = 0_usize;
    for token in tokens {
        match token.kind {
            Kind::Close if depth == 0 => return sql[start..token.start].trim(),
            Kind::Close => depth -= 1,
            Kind::Open => depth += 1,
            _ => {}
        }
    }
    ""
}

/// The columns that an expression names, each once.
fn columns_in(expression: &str, columns: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for token in Lexer::new(expression, &SQLITE.lexis).solid() {
        if matches!(token.kind, Kind::Word | Kind::Name) {
            let name = unquoted(&token);
            let mut known = columns.iter();
            if let Some(column) = known.find(|column| column.eq_ignore_ascii_case(&name))
                && !found.contains(column)
            {
                found.push(column.clone());
            }
        }
    }
    found
}

fn unquoted(token: &Token<'_>) -> String {
    match SQLITE.parts(token.text) {
        Ok(mut parts) if parts.len() == 1 => parts.remove(0),
        _ => token.text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "CREATE TABLE users (
        id INTEGER PRIMARY KEY,
        email TEXT NOT NULL UNIQUE CHECK (email LIKE '%@%'),
        \"full name\" TEXT CONSTRAINT one_name UNIQUE,
        a INTEGER DEFAULT (1 + 1) CHECK ( a > 0 ) CHECK (a < 9),
        b INTEGER REFERENCES users (id),
        code TEXT, region TEXT,
        UNIQUE (a, b),
        CONSTRAINT codes UNIQUE (region, code COLLATE NOCASE),
        CONSTRAINT \"small b\" CHECK (b < (a + 1)),
        CHECK (b > a - 9)
    )";

    #[test]
    fn each_constraint_has_its_name_or_the_one_that_postgresql_gives() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(TABLE).unwrap();
        conn.execute_batch(
            "CREATE UNIQUE INDEX users_region ON users (region);
             CREATE UNIQUE INDEX lower_code ON users (lower(code));
             CREATE TABLE keyed (k TEXT, l TEXT, CONSTRAINT both PRIMARY KEY (k, l)) WITHOUT ROWID;
             CREATE TABLE plain (k TEXT PRIMARY KEY, n INTEGER NOT NULL);
             INSERT INTO keyed VALUES ('x', 'y');
             INSERT INTO plain VALUES ('x', 1);
             INSERT INTO users VALUES (1, 'a@b', 'A B', 1, 1, 'c', 'r');",
        )
        .unwrap();
        let values = |values: &str| format!("INSERT INTO users VALUES ({values})");
        for (sql, expected) in [
            (values("1, 'x@y', 'X', 2, 2, 'd', 's'"), "users_pkey"),
            (values("2, 'a@b', 'X', 2, 2, 'd', 's'"), "users_email_key"),
            (values("2, 'x@y', 'A B', 2, 2, 'd', 's'"), "one_name"),
            (values("2, 'x@y', 'X', 1, 1, 'd', 's'"), "users_a_b_key"),
            (values("2, 'x@y', 'X', 2, 2, 'd', 'r'"), "users_region"),
            (values("2, 'x@y', 'X', 2, 2, 'C', 's'"), "lower_code"),
            (values("2, 'xy', 'X', 2, 2, 'd', 's'"), "users_email_check"),
            (values("2, 'x@y', 'X', 0, 0, 'd', 's'"), "users_a_check"),
            (values("2, 'x@y', 'X', 9, 2, 'd', 's'"), "users_a_check1"),
            (values("2, 'x@y', 'X', 2, 5, 'd', 's'"), "small b"),
            (values("2, 'x@y', 'X', 8, -3, 'd', 's'"), "users_check"),
            (
                values("2, NULL, 'X', 2, 2, 'd', 's'"),
                "users_email_not_null",
            ),
            ("INSERT INTO keyed VALUES ('x', 'y')".into(), "both"),
            ("INSERT INTO plain VALUES ('x', 2)".into(), "plain_pkey"),
            (
                "INSERT INTO plain VALUES ('y', NULL)".into(),
                "plain_n_not_null",
            ),
        ] {
            let error = conn.execute_batch(&sql).unwrap_err();
            let (code, message) = match error {
                rusqlite::Error::SqliteFailure(failure, Some(message)) => {
                    (failure.extended_code, message)
                }
                other => panic!("{sql}: {other:?}"),
            };
            let told = Told::by(code, &message);
            let name = find(&conn, code, &told);
            assert_eq!(name.as_deref(), Some(expected), "{sql}: {message}");
        }
    }
}
