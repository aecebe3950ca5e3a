//! What is said of a revision that failed: where, at which statement, what the engine
//! said, and what stands.

use underpin_core::{Class, Error, Stage};

use crate::host::Direction;
use crate::revision::{Revision, RevisionId, Statement};
use crate::validate::command;

/// How much of a statement is shown.
const SHOWN_CHARACTERS: usize = 100;

/// The error of a statement, led by its place.
pub(crate) fn of_statement(revision: &Revision, statement: &Statement, error: Error) -> Error {
    let line = statement.line + lines_before(&statement.sql, &error);
    let error = match advice(&error) {
        Some(advice) => advised(error, advice),
        None => error,
    };
    error.with_context(format!(
        "{}, line {line}: revision {} failed at `{}`.",
        revision.origin,
        revision.id,
        shortened(&statement.sql)
    ))
}

/// What to do about a revision whose statement does not run in its transaction.
fn advice(error: &Error) -> Option<&'static str> {
    Some(match error.sqlstate()? {
        // active_sql_transaction, invalid_transaction_termination
        "25001" | "2D000" => {
            "Begin a section of its own for it, with `-- up no-transaction` or `-- down \
             no-transaction`."
        }
        // unsafe_new_enum_value_usage
        "55P04" => {
            "A label has to be committed before it is used: add it in a revision before this one, \
             and run without --one-transaction."
        }
        // object_in_use
        "55006" => {
            "The transaction has changes of this table that are still to be checked: change the \
             rows in a revision before this one and run without --one-transaction, or run `SET \
             CONSTRAINTS ALL IMMEDIATE` before the statement."
        }
        _ => return None,
    })
}

/// The error of a statement of a file that is not a revision, led by its place.
pub fn statement_failed(file: &str, statement: &Statement, error: Error) -> Error {
    let line = statement.line + lines_before(&statement.sql, &error);
    let shown = shortened(&statement.sql);
    error.with_context(format!("{file}, line {line}: `{shown}` failed."))
}

/// The error of a revision's Rust code, led by its name.
pub(crate) fn of_code(revision: &Revision, direction: Direction, error: Error) -> Error {
    error.with_context(format!(
        "The code of revision {} ({}) failed on its way {}.",
        revision.id,
        revision.message,
        command(direction)
    ))
}

/// The same error with another sentence at the end of what was wrong.
pub(crate) fn followed(error: Error, sentence: &str) -> Error {
    let message = format!("{} {sentence}", error.message());
    error.restated(message).with_source(error)
}

/// The same error with more advice.
pub(crate) fn advised(error: Error, advice: &str) -> Error {
    match error.hint() {
        Some(hint) => {
            let hint = format!("{hint} {advice}");
            error.with_hint(hint)
        }
        None => error.with_hint(advice),
    }
}

/// Whether trying again may find the lock free that could not be had.
pub(crate) fn is_for_want_of_a_lock(error: &Error) -> bool {
    matches!(
        error.class(),
        Class::Busy | Class::Conflict | Class::Timeout { stage: Stage::Lock }
    )
}

/// How many lines of the statement are before the place that the engine points at.
fn lines_before(sql: &str, error: &Error) -> usize {
    let before = error.position().map_or(0, |at| at.saturating_sub(1));
    sql.chars().take(before).filter(|c| *c == '\n').count()
}

/// The statement on one line, not too long, and nothing that follows the word PASSWORD.
pub(crate) fn shortened(sql: &str) -> String {
    let mut text = String::new();
    for word in sql.split_whitespace() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
        let secret = word.to_ascii_lowercase().contains("password");
        if secret || text.chars().count() > SHOWN_CHARACTERS {
            let kept: String = text.chars().take(SHOWN_CHARACTERS).collect();
            return kept + " …";
        }
    }
    text
}

/// The revisions in a sentence, not too many of them.
pub(crate) fn listed(ids: &[RevisionId]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> = ids.iter().take(SHOWN).map(|id| format!("`{id}`")).collect();
    if ids.len() > SHOWN {
        shown.push(format!("and {} more", ids.len() - SHOWN));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use underpin_core::Effect;

    use super::*;

    #[test]
    fn a_statement_is_shown_on_one_line_without_its_password() {
        assert_eq!(
            shortened("CREATE TABLE t (\n  id int\n)"),
            "CREATE TABLE t ( id int )"
        );
        assert_eq!(
            shortened("ALTER ROLE app PASSWORD 'hunter2'"),
            "ALTER ROLE app PASSWORD …"
        );
        assert!(shortened(&"long ".repeat(100)).chars().count() < 110);
    }

    #[test]
    fn the_engines_position_is_a_line_of_the_file() {
        let error = Error::new(Class::Syntax, "No.").with_position(12);
        assert_eq!(lines_before("SELECT\n  1\n  FROM", &error), 2);
        assert_eq!(lines_before("SELECT", &Error::new(Class::Syntax, "No.")), 0);
    }

    #[test]
    fn a_longer_error_keeps_what_programs_read() {
        let error = Error::new(Class::Constraint, "It is there.")
            .with_effect(Effect::RolledBack)
            .with_constraint("t_key")
            .with_table("t")
            .with_row(3)
            .with_hint("Choose another.");
        let longer = advised(followed(error, "Nothing took effect."), "Then go on.");
        assert_eq!(longer.message(), "It is there. Nothing took effect.");
        assert_eq!(longer.hint(), Some("Choose another. Then go on."));
        assert_eq!(longer.constraint(), Some("t_key"));
        assert_eq!((longer.table(), longer.row()), (Some("t"), Some(3)));
        assert_eq!(longer.effect(), Effect::RolledBack);
    }
}
