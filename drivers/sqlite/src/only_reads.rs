use underpin_core::{Deadline, Result};
use underpin_sql::{Kind, Lexer, SQLITE};

use crate::connection::Connection;
use crate::place::plain;
use crate::pragmas::{Scope, scope};
use crate::statements::{after_keyword, keyword, prepare};

/// Whether SQLite reports that the statement only reads. Statements that control the transaction or
/// the session do not count as reading, although they write nothing.
pub(crate) async fn only_reads(connection: &Connection, sql: &str) -> Result<bool> {
    let word = keyword(sql);
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    if is("PRAGMA") {
        // Not prepared, since a PRAGMA may take effect during preparation.
        return Ok(pragma_reads(after_keyword(sql)));
    }
    let may_read = ["SELECT", "WITH", "VALUES", "EXPLAIN"].into_iter().any(is);
    let explains_pragma =
        is("EXPLAIN") && keyword(after_keyword(sql)).eq_ignore_ascii_case("PRAGMA");
    if !may_read || explains_pragma || asks_of_the_writer(sql) {
        return Ok(false);
    }
    let sql = sql.to_owned();
    let pending = connection.worker.submit(move |session| {
        session.run(|conn| {
            let stmt = prepare(conn, &sql)?;
            Ok(stmt.readonly() || stmt.is_explain() != 0)
        })
    })?;
    pending.by(connection.deadline(Deadline::NONE)).await
}

/// Functions that report writes of their own connection.
pub(crate) const OF_THE_WRITER: [&str; 3] = ["last_insert_rowid", "changes", "total_changes"];

/// Whether a statement calls a function that reports writes of its own connection, which is useless
/// on one that only reads.
fn asks_of_the_writer(sql: &str) -> bool {
    let mut name = None;
    Lexer::new(sql, &SQLITE.lexis).solid().any(|token| {
        let before = name.replace(token);
        let called = before.filter(|_| token.kind == Kind::Open);
        called.is_some_and(|called| {
            let called = plain(called.text);
            OF_THE_WRITER.contains(&called.as_str())
        })
    })
}

/// Whether a PRAGMA only reads, judging by the text behind the word.
pub(crate) fn pragma_reads(rest: &str) -> bool {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '"'));
    let (name, argument) = rest.split_at(end.unwrap_or(rest.len()));
    let name = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    let argument = argument.trim_matches(|c: char| c.is_whitespace() || c == ';');
    match scope(&name) {
        Scope::Looks => true,
        Scope::Acts => argument.is_empty() && name == "busy_timeout",
        _ => argument.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_about_writes_are_called_on_the_writer() {
        for sql in [
            "SELECT last_insert_rowid()",
            "SELECT 1 + Changes ( )",
            "SELECT \"total_changes\"()",
        ] {
            assert!(asks_of_the_writer(sql), "{sql}");
        }
        for sql in [
            "SELECT changes FROM t",
            "SELECT 'changes()'",
            "SELECT last_value()",
        ] {
            assert!(!asks_of_the_writer(sql), "{sql}");
        }
    }

    #[test]
    fn a_pragma_that_sets_does_not_read() {
        for sql in [
            "table_info(users)",
            "main.table_info('a')",
            "user_version",
            "foreign_keys;",
            "integrity_check(5)",
        ] {
            assert!(pragma_reads(sql), "{sql}");
        }
        for sql in [
            "user_version = 3",
            "journal_mode(wal)",
            "wal_checkpoint",
            "main.optimize",
            "foreign_keys=off",
        ] {
            assert!(!pragma_reads(sql), "{sql}");
        }
    }
}
