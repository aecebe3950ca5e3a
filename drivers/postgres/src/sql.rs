//! What the text of a statement shows without asking the server.

use underpin_core::{Class, Error, Result};
use underpin_sql::{Kind, Lexer, POSTGRES};

use crate::leaves::{Leaves, is_local};

/// Side effects that a statement, or several, may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Nature {
    /// Changes the session for later statements: settings, locks, temporary tables.
    pub(crate) changes_session: bool,
    /// Begins or ends a transaction.
    pub(crate) controls_transaction: bool,
    /// Commits by itself, possibly more than once: a procedure, VACUUM, CREATE DATABASE.
    pub(crate) commits_itself: bool,
    /// A COPY from or to the client.
    pub(crate) copies: bool,
    /// Names a prepared statement: PREPARE, EXECUTE, DEALLOCATE.
    pub(crate) names_statements: bool,
    /// Creates, changes or drops objects that other statements name.
    pub(crate) defines: bool,
    /// The state in which it leaves the session if its own words change nothing.
    pub(crate) leaves: Leaves,
}

/// Whether the text of a statement shows that it changes its session for later statements: `SET`,
/// `LISTEN`, `PREPARE`, temporary tables, advisory locks. Such a statement needs a connection of
/// its own.
pub fn changes_session(sql: &str) -> bool {
    Nature::of(sql).changes_session
}

impl Nature {
    pub(crate) fn of(sql: &str) -> Nature {
        let mut nature = Nature {
            leaves: Leaves::of(sql),
            ..Nature::default()
        };
        let mut first = "";
        let mut number = 0;
        let mut last = "";
        // A quoted name that a parenthesis may follow.
        let mut quoted = "";
        for token in Lexer::new(sql, &POSTGRES.lexis).solid() {
            let word = token.text;
            match token.kind {
                Kind::Word | Kind::Name => {}
                Kind::Semicolon => {
                    (first, last, number, quoted) = ("", "", 0, "");
                    continue;
                }
                kind => {
                    if kind == Kind::Open && !quoted.is_empty() {
                        let behind = &sql[token.start..];
                        nature.contains(first, "", quoted.trim_matches('"'), behind);
                    }
                    quoted = "";
                    continue;
                }
            }
            quoted = if token.kind == Kind::Name { word } else { "" };
            number += 1;
            match number {
                1 => {
                    first = word;
                    nature.begins_with(first, "");
                }
                2 => nature.begins_with(first, word),
                _ => {}
            }
            nature.contains(first, last, word, &sql[token.end()..]);
            last = word;
        }
        nature
    }

    /// Refuses statements that need a method of their own.
    pub(crate) fn check(self) -> Result<Self> {
        if !self.copies {
            return Ok(self);
        }
        Err(Error::new(
            Class::Unsupported,
            "A COPY from STDIN or to STDOUT cannot be run like other statements.",
        )
        .with_hint("Use copy_in, copy_out or bulk_insert."))
    }

    fn begins_with(&mut self, first: &str, second: &str) {
        let is =
            |word: &str, names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        self.defines |= is(first, DEFINES);
        self.names_statements |= is(first, &["prepare", "execute", "deallocate"]);
        if is(first, &["set"]) {
            if !second.is_empty() && !is(second, &["local", "transaction", "constraints"]) {
                self.changes_session = true;
            }
        } else if is(first, &["prepare"]) {
            if is(second, &["transaction"]) {
                self.controls_transaction = true;
            } else if !second.is_empty() {
                self.changes_session = true;
            }
        } else if is(
            first,
            &[
                "listen",
                "unlisten",
                "load",
                "declare",
                "discard",
                "deallocate",
                "reset",
            ],
        ) {
            self.changes_session = true;
        } else if is(
            first,
            &["begin", "start", "commit", "end", "rollback", "abort"],
        ) {
            self.controls_transaction = true;
        } else if is(first, &["call", "do", "vacuum", "reindex", "cluster"])
            || (is(first, &["create", "drop", "alter"])
                && is(
                    second,
                    &["database", "tablespace", "subscription", "system"],
                ))
        {
            self.commits_itself = true;
        }
    }

    fn contains(&mut self, first: &str, before: &str, word: &str, behind: &str) {
        let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
        match word.len() {
            // TEMP and TEMPORARY, if a table, a view or a sequence is created.
            4 | 9 if is(word, "temp") || is(word, "temporary") => {
                let made = ["create", "local", "global", "into", "replace"];
                self.changes_session |= made.iter().any(|name| is(before, name));
            }
            12 if is(word, "concurrently") && !is(first, "refresh") => self.commits_itself = true,
            5 | 6 if is(first, "copy") && (is(word, "stdin") || is(word, "stdout")) => {
                self.copies = true;
            }
            10 if is(word, "set_config") => self.changes_session |= !is_local(behind),
            16.. if word.get(..3).is_some_and(|start| is(start, "pg_")) => {
                let lower = word.to_ascii_lowercase();
                self.changes_session |= lower.contains("advisory_lock") && !lower.contains("xact");
            }
            _ => {}
        }
    }
}

/// The first words of statements that may change the schema.
const DEFINES: &[&str] = &[
    "alter", "call", "create", "do", "drop", "grant", "import", "revoke",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn session_changes_are_told_from_the_text() {
        for sql in [
            "SET search_path TO a",
            "set role x",
            "-- hello\n SET a = 1",
            "/* a /* b */ */ LISTEN x",
            "SELECT 1; SET a = 1",
            "CREATE TEMP TABLE t (id int)",
            "create or replace temporary view v as select 1",
            "SELECT * INTO TEMP t FROM u",
            "SELECT set_config('a', 'b', false)",
            "SELECT set_config('a', 'b', $1)",
            "SELECT set_config('a', 'b', true), set_config('c', 'd', false)",
            "SELECT pg_advisory_lock(1)",
            "select PG_TRY_ADVISORY_LOCK(1)",
            "PREPARE a AS SELECT 1",
            "DISCARD ALL",
            "SELECT ';' ; listen x",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
            "SELECT 1; -- note\rSET search_path = x",
            "SET \"search_path\" = 1",
            "SELECT pg_catalog.\"set_config\" ('a', 'b', false)",
            "SELECT E'a'\n'\\'b'; SET a = 1",
        ] {
            assert!(changes_session(sql), "{sql}");
        }
        for sql in [
            "",
            ";",
            "SELECT 1",
            "SET LOCAL a = 1",
            "SET TRANSACTION READ ONLY",
            "SET CONSTRAINTS ALL DEFERRED",
            "SELECT temp FROM weather",
            "SELECT ';SET a = 1'",
            "SELECT $$;SET a = 1$$",
            "SELECT $x$;SET$x$",
            "SELECT E'\\';SET a=1'",
            "UPDATE t SET a = $1",
            "SELECT \"set_config\"",
            "SELECT set_config('a', $1, true)",
            "SELECT pg_advisory_xact_lock(1)",
            "PREPARE TRANSACTION 'x'",
            "SELECT 1 -- ; SET a = 1",
            "SELECT E'a' -- and\n '\\'; SET a = 1'",
            "SELECT 'it''s; SET a'",
        ] {
            assert!(!changes_session(sql), "{sql}");
        }
    }

    #[test]
    fn statements_that_end_a_transaction_or_commit_by_themselves() {
        for sql in [
            "COMMIT",
            " end",
            "PREPARE TRANSACTION 'a'",
            "INSERT INTO a VALUES (1); COMMIT",
            "begin",
        ] {
            assert!(Nature::of(sql).controls_transaction, "{sql}");
        }
        for sql in [
            "CALL p()",
            "vacuum t",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "create database x",
            "DO $$ begin end $$",
        ] {
            assert!(Nature::of(sql).commits_itself, "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES (1)",
            "CREATE TABLE t (id int)",
            "DO_IT",
            "SELECT 'call'",
        ] {
            let nature = Nature::of(sql);
            assert!(
                !nature.controls_transaction && !nature.commits_itself,
                "{sql}"
            );
        }
    }

    #[test]
    fn copies_that_need_a_method_of_their_own() {
        for sql in [
            "COPY t FROM STDIN",
            "copy (select 1) to stdout",
            "SELECT 1; COPY t TO STDOUT",
        ] {
            assert!(Nature::of(sql).check().is_err(), "{sql}");
        }
        for sql in [
            "COPY t FROM '/tmp/file'",
            "SELECT stdin FROM t",
            "SELECT 'copy stdin'",
        ] {
            assert!(Nature::of(sql).check().is_ok(), "{sql}");
        }
    }

    #[test]
    fn any_number_of_comments_can_stand_before_a_word() {
        let sql = "-- a comment\n".repeat(100_000) + "SET a = 1";
        assert!(changes_session(&sql));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(sql in "[-/*'\"$;a-zE\\\\ é\n]{0,60}") {
            Nature::of(&sql);
        }
    }
}
