use std::ops::{Deref, DerefMut};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, CachedStatement, Connection, Statement};
use underpin_core::driver::RowSink;
use underpin_core::{Class, Effect, Error, Result, Value};
use underpin_sql::{Kind, Lexer, SQLITE, Token};

use crate::classify::several_statements;
use crate::fault::Fault;
use crate::form::Forms;
use crate::only_reads::pragma_reads;
use crate::param::{has_forms, stored};
use crate::place::plain;
use crate::plan::{Place, Plans, Used};
use crate::pragmas::{Scope, scope};
use crate::row::Reader;

/// A prepared statement, cached for the next time if that is useful.
pub(crate) enum Prepared<'c> {
    Kept(CachedStatement<'c>),
    Once(Statement<'c>),
}

impl<'c> Deref for Prepared<'c> {
    type Target = Statement<'c>;

    #[inline]
    fn deref(&self) -> &Statement<'c> {
        match self {
            Prepared::Kept(stmt) => stmt,
            Prepared::Once(stmt) => stmt,
        }
    }
}

impl<'c> DerefMut for Prepared<'c> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Statement<'c> {
        match self {
            Prepared::Kept(stmt) => stmt,
            Prepared::Once(stmt) => stmt,
        }
    }
}

/// Refuses a PRAGMA that sets something for every connection of the program, since that could not
/// be undone for the others.
pub(crate) fn check_pragmas(sql: &str) -> Result<(), Fault> {
    if !mentions(sql, "pragma") {
        return Ok(());
    }
    let mut tokens = Lexer::new(sql, &SQLITE.lexis).solid().peekable();
    while let Some(token) = tokens.next() {
        if !token.is("pragma") {
            continue;
        }
        let mut name = String::new();
        for token in tokens.by_ref() {
            match token.kind {
                Kind::Word | Kind::Name | Kind::Text => {
                    name = plain(token.text.trim_matches('\''));
                }
                _ if token.is_sign(".") => {}
                Kind::Open | Kind::Sign if scope(&name) == Scope::Process => {
                    return Err(of_the_process(&name).into());
                }
                _ => break,
            }
        }
    }
    Ok(())
}

#[cold]
fn of_the_process(name: &str) -> Error {
    Error::new(
        Class::Unsupported,
        format!("PRAGMA {name} changes a setting of all connections of the program."),
    )
    .with_effect(Effect::NotSent)
    .with_hint("Set it once, with rusqlite's own functions, before a database is opened.")
}

/// Prepares the only statement of the text.
pub(crate) fn prepare<'c>(conn: &'c Connection, sql: &str) -> Result<Prepared<'c>, Fault> {
    let word = keyword(sql);
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    // A PRAGMA may take effect during preparation, and a cached one would not do so again; DDL is
    // rarely repeated.
    let keep = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE", "VALUES",
    ]
    .into_iter()
    .any(is);
    if word.is_empty() {
        let empty = Error::new(Class::Syntax, "The text contains no statement.");
        return Err(empty.with_effect(Effect::NotSent).into());
    }
    if !keep {
        check_pragmas(sql)?;
    }
    let prepared = if keep {
        conn.prepare_cached(sql).map(Prepared::Kept)
    } else {
        conn.prepare(sql).map(Prepared::Once)
    };
    prepared.map_err(|error| refuse(conn, sql, error))
}

/// Prepares a statement whose rows go to a sink.
pub(crate) fn prepare_to_read<'c>(
    conn: &'c Connection,
    sql: &str,
    sink: Box<dyn RowSink>,
) -> Result<(Prepared<'c>, Reader), Fault> {
    let stmt = prepare(conn, sql)?;
    let mut reader = Reader::new(&stmt, sink);
    let Err(misfit) = reader.begin() else {
        return Ok((stmt, reader));
    };
    // A cached statement still has the columns of the schema for which it was prepared.
    let Prepared::Kept(stmt) = stmt else {
        return Err(misfit.into());
    };
    stmt.discard();
    let stmt = prepare(conn, sql)?;
    let mut reader = Reader::new(&stmt, reader.into_sink());
    reader.begin()?;
    Ok((stmt, reader))
}

/// SQLite prepares everything in the text, so the error may be about a second statement that only
/// works once the first has run.
#[cold]
fn refuse(conn: &Connection, sql: &str, error: rusqlite::Error) -> Fault {
    let several = matches!(error, rusqlite::Error::MultipleStatement)
        || matches!(Batch::new(conn, sql).next(), Ok(Some(_)));
    if several {
        several_statements().with_source(error).into()
    } else {
        error.into()
    }
}

/// How a session writes its parameters.
#[derive(Default)]
pub(crate) struct Writing {
    pub(crate) forms: Forms,
    pub(crate) plans: Plans,
}

/// Binds the parameters by the numbers in the statement: `$1`, `?1`, or `?` in order. They have
/// been checked.
pub(crate) fn bind(
    conn: &Connection,
    stmt: &mut Statement<'_>,
    sql: &str,
    params: &[Value],
    writing: &mut Writing,
) -> Result<Option<Used>, Fault> {
    let used = match params.iter().any(has_forms) {
        true => Some(writing.plans.of(conn, sql, stmt)?),
        false => None,
    };
    let mut needed = 0;
    for slot in 1..=stmt.parameter_count() {
        let position = position(stmt, slot)?;
        needed = needed.max(position);
        if let Some(value) = params.get(position - 1) {
            let places = used.as_ref().map_or(&[][..], |used| &used.plan);
            let place = places.get(position - 1).copied();
            let stored = stored(value, place.unwrap_or(Place::EXPRESSION), writing.forms)
                .map_err(|misfit| misfit.of_parameter(position - 1))?;
            stmt.raw_bind_parameter(slot, stored)?;
        }
    }
    if needed == params.len() {
        Ok(used)
    } else {
        Err(wrong_count(needed, params.len()).into())
    }
}

/// After a statement ran: checks that its values had the forms of the columns beside them, and
/// forgets outdated plans if it changed the schema.
pub(crate) fn confirm(
    conn: &Connection,
    stmt: &Prepared<'_>,
    sql: &str,
    used: Option<&Used>,
    writing: &mut Writing,
) -> Result<(), Fault> {
    if matches!(stmt, Prepared::Once(_)) {
        writing.plans.clear();
        return Ok(());
    }
    match used {
        Some(used) if !writing.plans.held(conn, sql, stmt, used)? => {
            Err(changed_meanwhile(stmt.readonly()).into())
        }
        _ => Ok(()),
    }
}

#[cold]
fn changed_meanwhile(reads: bool) -> Error {
    let effect = match reads {
        true => Effect::RolledBack,
        false => Effect::Applied,
    };
    Error::new(
        Class::Conflict,
        "Another connection changed the declared type of a column while the statement ran, so its \
         values were sent in the form of the previous type.",
    )
    .with_effect(effect)
    .with_hint("Run it again. If it wrote rows, check them first.")
}

/// Number of parameters of a statement: the highest of their numbers.
pub(crate) fn parameter_count(stmt: &Statement<'_>) -> Result<usize, Fault> {
    let mut count = 0;
    for slot in 1..=stmt.parameter_count() {
        count = count.max(position(stmt, slot)?);
    }
    Ok(count)
}

/// The number of the parameter that is bound to a slot.
fn position(stmt: &Statement<'_>, slot: usize) -> Result<usize, Fault> {
    match stmt.parameter_name(slot) {
        None => Ok(slot),
        Some(name) => match name[1..].parse::<usize>() {
            Ok(position) if position > 0 => Ok(position),
            _ => Err(named(name).into()),
        },
    }
}

#[cold]
fn named(name: &str) -> Error {
    Error::new(
        Class::Syntax,
        format!(
            "The statement has a parameter with the name {name:?}, but parameters must be numbered."
        ),
    )
    .with_hint("Write $1, $2, … instead.")
}

#[cold]
fn wrong_count(needed: usize, given: usize) -> Error {
    let needed = match needed {
        1 => "1 parameter".to_owned(),
        count => format!("{count} parameters"),
    };
    let given = match given {
        1 => "1 value was".to_owned(),
        count => format!("{count} values were"),
    };
    Error::new(
        Class::Data,
        format!("The statement has {needed}, but {given} given."),
    )
}

/// The first word of a statement, or the token in its place; empty if there is no statement.
pub(crate) fn keyword(sql: &str) -> &str {
    first(sql).map_or("", |token| token.text)
}

/// The text behind the first word.
pub(crate) fn after_keyword(sql: &str) -> &str {
    let rest = first(sql).map_or("", |token| &sql[token.end()..]);
    first(rest).map_or("", |token| &rest[token.start..])
}

fn first(sql: &str) -> Option<Token<'_>> {
    let mut tokens = Lexer::new(sql, &SQLITE.lexis).solid();
    tokens.find(|token| token.kind != Kind::Semicolon)
}

/// Whether a statement leaves a change in the session.
pub(crate) fn changes_session(sql: &str) -> bool {
    let word = keyword(sql);
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    let explained = is("EXPLAIN") && mentions(sql, "pragma");
    (is("PRAGMA") && !pragma_reads(after_keyword(sql)))
        // It may take effect during preparation.
        || explained
        || is("ATTACH")
        || is("DETACH") || is("CREATE") && mentions(sql, "temp")
}

/// Whether any of several statements may leave a change in the session.
pub(crate) fn may_change_session(sql: &str) -> bool {
    ["pragma", "attach", "detach", "temp"]
        .into_iter()
        .any(|word| mentions(sql, word))
}

fn mentions(sql: &str, word: &str) -> bool {
    sql.as_bytes()
        .windows(word.len())
        .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(sql: &str, params: &[Value]) -> Error {
        let conn = Connection::open_in_memory().unwrap();
        let run = || -> Result<(), Fault> {
            let mut stmt = prepare(&conn, sql)?;
            bind(&conn, &mut stmt, sql, params, &mut Writing::default()).map(drop)
        };
        match run() {
            Err(Fault::Ours(error)) => error,
            _ => panic!("{sql} is refused by the driver"),
        }
    }

    #[test]
    fn parameters_go_by_their_numbers() {
        let conn = Connection::open_in_memory().unwrap();
        let params = [Value::I32(1), Value::I32(2)];
        for (sql, expected) in [
            ("SELECT $2 || $1", "21"),
            ("SELECT ?2 || ?1", "21"),
            ("SELECT ? || ?", "12"),
            ("SELECT $2 || $1 || $2", "212"),
        ] {
            let mut stmt = prepare(&conn, sql).ok().unwrap();
            let mut writing = Writing::default();
            assert!(bind(&conn, &mut stmt, sql, &params, &mut writing).is_ok());
            let text: String = stmt.raw_query().next().unwrap().unwrap().get(0).unwrap();
            assert_eq!(text, expected, "{sql}");
        }
    }

    #[test]
    fn a_wrong_count_names_both() {
        let error = fails("SELECT $1, $3", &[Value::Null]);
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Data, Effect::NotSent)
        );
        assert_eq!(
            error.to_string(),
            "The statement has 3 parameters, but 1 value was given."
        );
        let error = fails("SELECT 1", &[Value::Null, Value::Null]);
        assert_eq!(
            error.to_string(),
            "The statement has 0 parameters, but 2 values were given."
        );
        assert_eq!(fails("SELECT :name", &[Value::Null]).class(), Class::Syntax);
    }

    #[test]
    fn only_one_statement_at_a_time() {
        for sql in [
            "SELECT 1; SELECT 2",
            "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
        ] {
            assert!(
                fails(sql, &[])
                    .to_string()
                    .contains("more than one statement"),
                "{sql}"
            );
        }
        for sql in ["", " ; ", "-- nothing", "/* nothing"] {
            assert_eq!(
                fails(sql, &[]).to_string(),
                "The text contains no statement.",
                "{sql}"
            );
        }
        let conn = Connection::open_in_memory().unwrap();
        assert!(prepare(&conn, "SELECT 1; -- that is all").is_ok());
    }

    #[test]
    fn finds_the_first_word() {
        let cases = [
            ("select 1", "select", "1"),
            (
                "  -- a\n /* b */ ;Pragma foreign_keys",
                "Pragma",
                "foreign_keys",
            ),
            ("(SELECT 1)", "(", "SELECT 1)"),
            ("", "", ""),
            ("-- a\r;\n/* b */ ATTACH-- c\n'x'", "ATTACH", "'x'"),
        ];
        for (sql, word, rest) in cases {
            assert_eq!((keyword(sql), after_keyword(sql)), (word, rest), "{sql}");
        }
    }

    #[test]
    fn knows_what_outlasts_a_statement() {
        for sql in [
            "PRAGMA x=1",
            "EXPLAIN PRAGMA foreign_keys = OFF",
            "attach 'a' as b",
            "CREATE TEMP TABLE t (a)",
            "create table temp.t (a)",
        ] {
            assert!(changes_session(sql), "{sql}");
        }
        for sql in [
            "SELECT 'pragma'",
            "CREATE TABLE t (a)",
            "PRAGMA user_version",
            "PRAGMA table_info(t)",
        ] {
            assert!(!changes_session(sql), "{sql}");
        }
        assert!(may_change_session("SELECT 1; PRAGMA x=1"));
        assert!(!may_change_session("CREATE TABLE t (a); DROP TABLE t"));
    }
}
