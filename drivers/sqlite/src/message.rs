//! Facts that SQLite reports only in its message: names, and the meaning of its plain code 1. This
//! is the only place of the driver that reads the text of an error.
//!
//! SQLite's messages are not localized. Their formats are constants of its source, the same on
//! every system and under every locale. Names in them are not quoted, so a name that contains a
//! separator makes a fact unknown, but never wrong.

use rusqlite::ffi;
use underpin_core::{Class, ConstraintKind, Error, Existence};

/// The meaning of the plain code 1 beyond an error in the statement, by the start of the message.
#[rustfmt::skip]
const CLASSES: &[(&str, Class)] = &[
    ("no such table", Class::Missing),
    ("no such view", Class::Missing),
    ("no such index", Class::Missing),
    ("no such trigger", Class::Missing),
    ("unknown database", Class::Missing),
    ("integer overflow", Class::Data),
    ("malformed JSON", Class::Data),
    ("string or blob too big", Class::Data),
    ("cannot commit - no transaction is active", Class::Closed),
    ("cannot rollback - no transaction is active", Class::Closed),
    ("cannot start a transaction within a transaction", Class::Unsupported),
    ("cannot VACUUM from within a transaction", Class::Unsupported),
    ("not authorized", Class::Permission),
    ("too many SQL variables", Class::Unsupported),
];

/// The facts in a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told<'m> {
    /// The class, if it differs from that of the code.
    pub(crate) class: Option<Class>,
    existence: Option<Existence>,
    /// The kind of the violated constraint.
    pub(crate) kind: Option<ConstraintKind>,
    /// The constraint in the message: its name, or the text of a check.
    pub(crate) constraint: Option<&'m str>,
    /// The columns of the constraint, if the message names columns.
    pub(crate) columns: Vec<&'m str>,
    namespace: Option<&'m str>,
    pub(crate) table: Option<&'m str>,
    column: Option<&'m str>,
}

impl<'m> Told<'m> {
    /// Reads the message of an extended result code.
    pub(crate) fn by(code: i32, message: &'m str) -> Self {
        match code {
            ffi::SQLITE_ERROR => by_error(message),
            // The author of a trigger chose its message.
            ffi::SQLITE_CONSTRAINT_TRIGGER => Told::default(),
            ffi::SQLITE_CONSTRAINT_DATATYPE => {
                let place = message.rsplit_once(" column ").map(|(_, place)| place);
                Told::default().columns(place.unwrap_or_default())
            }
            _ if code & 0xff == ffi::SQLITE_CONSTRAINT => by_constraint(code, message),
            _ => Told::default(),
        }
    }

    pub(crate) fn add_to(self, mut error: Error) -> Error {
        if let Some(existence) = self.existence {
            error = error.with_existence(existence);
        }
        if let Some(kind) = self.kind {
            error = error.with_constraint_kind(kind);
        }
        if let Some(name) = self.namespace {
            error = error.with_namespace(name);
        }
        if let Some(name) = self.table {
            error = error.with_table(name);
        }
        match self.column {
            Some(name) => error.with_column(name),
            None => error,
        }
    }

    /// The table of `users.email` or `users.first, users.last`, and the column if it is a single
    /// one.
    fn columns(mut self, places: &'m str) -> Self {
        let mut table = None;
        let mut column = None;
        let mut columns = Vec::new();
        for (at, place) in places.split(", ").enumerate() {
            let Some((of, name)) = place.split_once('.') else {
                return self;
            };
            if name.contains('.') || table.is_some_and(|table| table != of) {
                return self;
            }
            table = Some(of);
            column = (at == 0).then_some(name);
            columns.push(name);
        }
        self.columns = columns;
        self.table = table;
        self.column = column;
        self
    }

    /// The table of `users`, `main.users` or `temp.users`. A table of an attached database cannot
    /// be distinguished from one with a full stop in its name.
    fn table(mut self, name: &'m str) -> Self {
        match name.split_once('.') {
            None => self.table = Some(unquoted(name)),
            Some((space @ ("main" | "temp"), name)) if !name.contains('.') => {
                self.namespace = Some(space);
                self.table = Some(name);
            }
            Some(_) => {}
        }
        self
    }

    fn column(mut self, name: &'m str) -> Self {
        let name = unquoted(name);
        self.column = (!name.contains(['.', '"'])).then_some(name);
        self
    }
}

/// The message of the plain code 1.
fn by_error(message: &str) -> Told<'_> {
    let class = CLASSES
        .iter()
        .find(|(start, _)| message.starts_with(start))
        .map(|(_, class)| *class);
    let existence = Some(Existence::Missing);
    let missing = Told {
        class,
        existence,
        ..Told::default()
    };
    let there = Told {
        existence: Some(Existence::Exists),
        ..Told::default()
    };
    let after = |start| message.strip_prefix(start);
    if let Some(name) = after("no such table: ").or_else(|| after("no such view: ")) {
        missing.table(name)
    } else if let Some(name) = after("no such column: ") {
        // SQLite adds advice behind a name that may be meant as a text.
        missing.column(name.split_once(" - ").map_or(name, |(name, _)| name))
    } else if after("no such index: ").is_some() || after("no such trigger: ").is_some() {
        missing
    } else if let Some((table, column)) =
        after("table ").and_then(|rest| rest.split_once(" has no column named "))
    {
        missing.table(table).column(column)
    } else if let Some(name) = after("duplicate column name: ") {
        there.column(name)
    } else if let Some((kind, name)) = message
        .strip_suffix(" already exists")
        .and_then(|start| start.split_once(' '))
    {
        match kind {
            "table" | "view" => there.table(name),
            "index" | "trigger" => there,
            _ => Told::default(),
        }
    } else {
        Told {
            class,
            ..Told::default()
        }
    }
}

/// `UNIQUE constraint failed: users.email`, `UNIQUE constraint failed: index 'lower_label'`,
/// `CHECK constraint failed: age_is_positive`.
fn by_constraint(code: i32, message: &str) -> Told<'_> {
    let kind = match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => Some(ConstraintKind::Unique),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Some(ConstraintKind::ForeignKey),
        ffi::SQLITE_CONSTRAINT_CHECK => Some(ConstraintKind::Check),
        ffi::SQLITE_CONSTRAINT_NOTNULL => Some(ConstraintKind::NotNull),
        _ => None,
    };
    let Some((_, name)) = message.split_once(" constraint failed: ") else {
        return Told {
            kind,
            ..Told::default()
        };
    };
    let index = name
        .strip_prefix("index '")
        .and_then(|name| name.strip_suffix('\''));
    // The rest is the name, or the text, of a check.
    if index.is_some() || code == ffi::SQLITE_CONSTRAINT_CHECK {
        return Told {
            kind,
            constraint: Some(index.unwrap_or(name)),
            ..Told::default()
        };
    }
    Told {
        kind,
        ..Told::default()
    }
    .columns(name)
}

/// The name in a token of the statement, which SQLite prints as it was written.
fn unquoted(token: &str) -> &str {
    let inner = |open, close| token.strip_prefix(open)?.strip_suffix(close);
    inner('"', '"')
        .or_else(|| inner('`', '`'))
        .or_else(|| inner('[', ']'))
        .unwrap_or(token)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn each_message_of_code_1_has_its_class() {
        for (start, class) in CLASSES {
            let message = format!("{start}: x");
            assert_eq!(Told::by(ffi::SQLITE_ERROR, &message).class, Some(*class));
            assert_eq!(Told::by(ffi::SQLITE_FULL, &message), Told::default());
        }
        assert_eq!(Told::by(ffi::SQLITE_ERROR, "near \"x\"").class, None);
    }

    /// The facts in SQLite's own message about a statement.
    #[track_caller]
    fn said(sql: &str, read: impl FnOnce(Told<'_>)) {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE NOT NULL,
               first TEXT, last TEXT, UNIQUE (first, last),
               CONSTRAINT email_has_at CHECK (email LIKE '%@%'));
             CREATE TABLE labels (label TEXT);
             CREATE UNIQUE INDEX lower_label ON labels (lower(label));
             INSERT INTO labels VALUES ('x');
             CREATE TABLE strict (n INTEGER) STRICT;
             CREATE TABLE \"a.b\" (\"c, d\" TEXT UNIQUE, \"e.f\" TEXT UNIQUE);
             CREATE VIEW seen AS SELECT 1 AS one;
             CREATE TRIGGER refuses BEFORE DELETE ON users
               BEGIN SELECT raise(ABORT, 'UNIQUE constraint failed: not.true'); END;
             INSERT INTO users VALUES (1, 'a@b', 'A', 'B');
             INSERT INTO \"a.b\" VALUES ('x', 'y');",
        )
        .unwrap();
        let error = conn.execute_batch(sql).unwrap_err();
        let (code, message) = match error {
            rusqlite::Error::SqliteFailure(failure, Some(message)) => {
                (failure.extended_code, message)
            }
            rusqlite::Error::SqlInputError { error, msg, .. } => (error.extended_code, msg),
            other => panic!("{sql}: {other:?}"),
        };
        let told = Told::by(code, &message);
        println!("{message}: {told:?}");
        read(told);
    }

    #[test]
    fn constraints_are_named_where_sqlite_names_them() {
        type Names = (
            Option<&'static str>,
            Option<&'static str>,
            Option<&'static str>,
        );
        let cases: [(&str, Names); 9] = [
            (
                "INSERT INTO users VALUES (2, 'a@b', NULL, NULL)",
                (None, Some("users"), Some("email")),
            ),
            (
                "INSERT INTO users VALUES (1, 'c@b', NULL, NULL)",
                (None, Some("users"), Some("id")),
            ),
            (
                "INSERT INTO users VALUES (2, 'c@b', 'A', 'B')",
                (None, Some("users"), None),
            ),
            (
                "INSERT INTO labels VALUES ('X')",
                (Some("lower_label"), None, None),
            ),
            (
                "INSERT INTO users VALUES (2, 'ab', NULL, NULL)",
                (Some("email_has_at"), None, None),
            ),
            (
                "INSERT INTO users VALUES (2, NULL, NULL, NULL)",
                (None, Some("users"), Some("email")),
            ),
            (
                "INSERT INTO strict VALUES ('x')",
                (None, Some("strict"), Some("n")),
            ),
            ("INSERT INTO \"a.b\" VALUES ('x', 'z')", (None, None, None)),
            ("DELETE FROM users", (None, None, None)),
        ];
        for (sql, names) in cases {
            said(sql, |told| {
                let found = (told.constraint, told.table, told.column);
                assert_eq!(found, names, "{sql}");
                assert_eq!(told.existence, None, "{sql}");
            });
        }
    }

    #[test]
    fn existing_and_missing_objects_are_reported() {
        use Existence::{Exists, Missing};
        for (sql, existence, table, column) in [
            ("SELECT * FROM gone", Missing, Some("gone"), None),
            ("SELECT * FROM main.gone", Missing, Some("gone"), None),
            ("DROP VIEW gone", Missing, Some("gone"), None),
            ("DROP INDEX gone", Missing, None, None),
            ("DROP TRIGGER gone", Missing, None, None),
            ("SELECT gone FROM users", Missing, None, Some("gone")),
            ("SELECT users.gone FROM users", Missing, None, None),
            (
                "ALTER TABLE users DROP COLUMN gone",
                Missing,
                None,
                Some("gone"),
            ),
            (
                "INSERT INTO users (gone) VALUES (1)",
                Missing,
                Some("users"),
                Some("gone"),
            ),
            ("CREATE TABLE users (a)", Exists, Some("users"), None),
            ("CREATE TABLE \"a.b\" (a)", Exists, None, None),
            ("CREATE VIEW seen AS SELECT 1", Exists, Some("seen"), None),
            ("CREATE INDEX lower_label ON users (id)", Exists, None, None),
            (
                "CREATE TRIGGER refuses BEFORE DELETE ON users BEGIN SELECT 1; END",
                Exists,
                None,
                None,
            ),
            (
                "ALTER TABLE users ADD COLUMN email",
                Exists,
                None,
                Some("email"),
            ),
        ] {
            said(sql, |told| {
                let found = (told.existence, told.table, told.column);
                assert_eq!(found, (Some(existence), table, column), "{sql}");
            });
        }
        for sql in [
            "SELECT",
            "SELECT gone()",
            "CREATE VIRTUAL TABLE v USING gone",
            "CREATE INDEX i ON users (id) WHERE",
            "ROLLBACK",
        ] {
            said(sql, |told| assert_eq!(told.existence, None, "{sql}"));
        }
    }
}
