use proptest::prelude::*;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection};
use underpin_sql::{SQLITE, split};

use crate::{statements, text};

fn connection() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (a, b)").unwrap();
    connection
}

/// The statements that SQLite finds, up to the first that is wrong, each as SQLite gives it
/// back: with the blanks before it and the semicolon; and whether all are right.
fn found(connection: &Connection, sql: &str) -> (Vec<String>, bool) {
    let mut batch = Batch::new(connection, sql);
    let mut found = Vec::new();
    loop {
        match batch.next() {
            Ok(Some(statement)) => found.push(statement.expanded_sql().unwrap()),
            Ok(None) => return (found, true),
            Err(_) => return (found, false),
        }
    }
}

fn is_split_alike(connection: &Connection, sql: &str) {
    let Ok(pieces) = split(sql, &SQLITE.lexis) else {
        // SQLite itself ends a comment that is not closed where the text ends, and knows
        // neither COPY nor commands of psql.
        let open_comment = found(connection, &format!("{sql}*/")).1;
        assert!(open_comment || !found(connection, sql).1, "{sql}");
        return;
    };
    drop(pieces);
    let ours = statements(sql, &SQLITE.lexis);
    let (theirs, all) = found(connection, sql);
    assert!(
        !all || ours.len() == theirs.len(),
        "{sql}\n{ours:?}\n{theirs:?}"
    );
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let alone = connection.prepare(ours);
        let alone = alone.unwrap_or_else(|error| panic!("{sql}\n{ours}\n{error}"));
        let alone = alone.expanded_sql().unwrap();
        assert!(theirs.contains(&alone), "{sql}\n{theirs:?}\n{alone:?}");
    }
}

const EXPRESSIONS: &[&str] = &[
    "'a;''b'",
    "\"x;\"",
    "1 AS [a;'b]",
    "1 AS `c;``d`",
    "x'3b'",
    "X'3B'",
    "1.5e-3",
    ".5",
    "0x1F",
    "- -1",
    "$a(;)",
    ":b",
    "@c::d",
    "?",
    "?12",
    "$1",
    "'-- ' || '/*'",
    "1 /* /* ; */",
    "1 -- ;\r;\n",
    "CASE WHEN 1 THEN ';' END",
    "(SELECT ';')",
    "'{}' ->> '$;'",
    "1<>2",
    "1 AS größe$1",
];

const OTHERS: &[&str] = &[
    "CREATE TRIGGER g AFTER UPDATE ON t BEGIN UPDATE t SET a = CASE WHEN 1 THEN ';' END; END",
    "CREATE TEMP TRIGGER g INSERT ON t BEGIN SELECT 1; INSERT INTO t VALUES (';', 2); END",
    "CREATE TABLE u (a DEFAULT (';'), \"b;\" TEXT CHECK (a <> ';'))",
    "INSERT INTO t VALUES (1, ';'), (2, '')",
];

#[test]
fn every_expression_is_sqlites() {
    let connection = connection();
    for one in EXPRESSIONS {
        let sql = format!("SELECT {one}");
        assert!(found(&connection, &sql).1, "{sql}");
    }
    for sql in OTHERS {
        assert!(found(&connection, sql).1, "{sql}");
    }
}

fn soup() -> impl Strategy<Value = String> {
    let parts = [
        "SELECT ", "1", "a", "FROM t ", ";", "'", "''", "\"", "`", "[", "]", "$", "$a(", "(", ")",
        ":", "::b", "?", "@c", "--", "/*", "*/", "\n", "\r", " ", ",", "||", "->>", "x'", ".5",
        "e3", "é", "BEGIN ", "END", "+", "-", "/",
    ];
    let part = prop::sample::select(parts.to_vec());
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn statements_end_where_sqlite_ends_them(sql in text(EXPRESSIONS, OTHERS)) {
        let connection = connection();
        let all = found(&connection, &sql).1;
        prop_assert!(all, "{}", sql);
        is_split_alike(&connection, &sql);
    }

    #[test]
    fn random_text_is_split_as_sqlite_does(sql in soup(), after in soup()) {
        let connection = connection();
        is_split_alike(&connection, &sql);
        is_split_alike(&connection, &format!("SELECT {sql}"));
        is_split_alike(&connection, &format!("SELECT 1 -- {sql}\n; SELECT '{after}"));
        is_split_alike(&connection, &format!("SELECT 1 /*{sql}*/; SELECT {after}"));
    }
}
