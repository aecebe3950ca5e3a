use crate::sqlite::cursor::{Cursor, split};
use crate::sqlite::error::SqlError;
use crate::sqlite::expression::{Scope, expression};
use crate::sqlite::parse::index::index_key;
use crate::sqlite::token::Token;
use crate::{
    Action, Check, Conflict, Deferral, ForeignKey, IndexKey, KeyOrder, KeyTarget, Match,
    ObjectName, PrimaryKey, Unique,
};

/// A constraint, and the name that was given to it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sqlite) struct Named {
    pub(in crate::sqlite) name: Option<String>,
    pub(in crate::sqlite) constraint: Constraint,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::sqlite) enum Constraint {
    PrimaryKey {
        key: PrimaryKey,
        autoincrement: bool,
        /// Whether it stands within its column.
        of_column: bool,
    },
    Unique(Unique),
    Check(Check),
    /// Its referenced columns are empty where it names none.
    ForeignKey {
        key: ForeignKey,
        /// What it says and SQLite does not heed: `MATCH PARTIAL`.
        unheeded: Option<String>,
    },
}

/// Whether a constraint of the table comes next.
pub(super) fn begins(cursor: &Cursor<'_, '_>) -> bool {
    let words = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    words.iter().any(|word| cursor.sees(&[word]))
}

/// A constraint of the table; none where a name is all there is.
pub(super) fn of_table(
    cursor: &mut Cursor<'_, '_>,
    scope: Scope<'_>,
) -> Result<Option<Named>, SqlError> {
    let mut name = None;
    while cursor.eat(&["CONSTRAINT"]) {
        name = Some(cursor.name()?);
    }
    let constraint = if cursor.eat(&["PRIMARY", "KEY"]) {
        let (mut parts, autoincrement) = key_parts(cursor)?;
        let (columns, orders) = key_columns(&mut parts, scope, cursor)?;
        let conflict = conflict(cursor)?;
        let key = PrimaryKey {
            columns,
            orders,
            conflict,
            ..PrimaryKey::default()
        };
        Constraint::PrimaryKey {
            key,
            autoincrement,
            of_column: false,
        }
    } else if cursor.eat(&["UNIQUE"]) {
        let (mut parts, _) = key_parts(cursor)?;
        let (columns, orders) = key_columns(&mut parts, scope, cursor)?;
        Constraint::Unique(Unique {
            columns,
            orders,
            conflict: conflict(cursor)?,
            ..Unique::default()
        })
    } else if cursor.eat(&["CHECK"]) {
        let check = check(cursor, scope)?;
        // It can be said, and has no effect.
        conflict(cursor)?;
        Constraint::Check(check)
    } else if cursor.eat(&["FOREIGN", "KEY"]) {
        let columns = cursor.names()?.into_iter().map(|name| scope.named(name));
        let columns = columns.collect();
        cursor.expect("REFERENCES")?;
        references(cursor, columns)?
    } else if name.is_some() {
        return Ok(None);
    } else {
        return Err(cursor.unexpected("a constraint"));
    };
    Ok(Some(Named { name, constraint }))
}

/// The columns of a key in parentheses, and whether AUTOINCREMENT stands there too.
fn key_parts<'t, 's>(
    cursor: &mut Cursor<'t, 's>,
) -> Result<(Vec<&'t [Token<'s>]>, bool), SqlError> {
    let group = cursor.group()?;
    Ok(match group {
        [rest @ .., last] if last.is("AUTOINCREMENT") => (split(rest), true),
        group => (split(group), false),
    })
}

type Columns = (Vec<String>, std::collections::BTreeMap<String, KeyOrder>);

fn key_columns(
    parts: &mut [&[Token<'_>]],
    scope: Scope<'_>,
    cursor: &Cursor<'_, '_>,
) -> Result<Columns, SqlError> {
    let mut columns: Columns = Default::default();
    for part in parts {
        let IndexKey {
            target,
            collation,
            descending,
            ..
        } = index_key(part, scope);
        let KeyTarget::Column(name) = target else {
            return Err(cursor.unexpected("a key of columns"));
        };
        if collation.is_some() || descending {
            let order = KeyOrder {
                collation,
                descending,
            };
            columns.1.insert(name.clone(), order);
        }
        columns.0.push(name);
    }
    Ok(columns)
}

/// What follows CHECK.
pub(super) fn check(cursor: &mut Cursor<'_, '_>, scope: Scope<'_>) -> Result<Check, SqlError> {
    Ok(Check {
        expression: expression(cursor.group()?, scope),
        ..Check::default()
    })
}

/// `ON CONFLICT …`, or nothing.
pub(super) fn conflict(cursor: &mut Cursor<'_, '_>) -> Result<Conflict, SqlError> {
    if !cursor.eat(&["ON", "CONFLICT"]) {
        return Ok(Conflict::Abort);
    }
    let known = [
        ("ABORT", Conflict::Abort),
        ("ROLLBACK", Conflict::Rollback),
        ("FAIL", Conflict::Fail),
        ("IGNORE", Conflict::Ignore),
        ("REPLACE", Conflict::Replace),
    ];
    let found = known.into_iter().find(|(word, _)| cursor.eat(&[word]));
    let found = found.ok_or_else(|| cursor.unexpected("what to do on a conflict"))?;
    Ok(found.1)
}

/// What follows REFERENCES.
pub(super) fn references(
    cursor: &mut Cursor<'_, '_>,
    columns: Vec<String>,
) -> Result<Constraint, SqlError> {
    let mut key = ForeignKey {
        columns,
        references: ObjectName::new("main", cursor.name()?),
        ..ForeignKey::default()
    };
    if cursor.peek().is_some_and(|token| token.is_symbol("(")) {
        key.referenced_columns = cursor.names()?;
    }
    let mut unheeded = None;
    loop {
        if cursor.eat(&["ON", "DELETE"]) {
            key.on_delete = action(cursor)?;
        } else if cursor.eat(&["ON", "UPDATE"]) {
            key.on_update = action(cursor)?;
        } else if cursor.eat(&["ON", "INSERT"]) {
            action(cursor)?;
            unheeded = Some("ON INSERT".to_owned());
        } else if cursor.eat(&["MATCH"]) {
            let matching = cursor.name()?.to_ascii_uppercase();
            match matching.as_str() {
                "SIMPLE" => key.matching = Match::Simple,
                "FULL" => key.matching = Match::Full,
                other => unheeded = Some(format!("MATCH {other}")),
            }
        } else if let Some(deferral) = deferral(cursor)? {
            key.deferral = deferral;
        } else {
            return Ok(Constraint::ForeignKey { key, unheeded });
        }
    }
}

fn action(cursor: &mut Cursor<'_, '_>) -> Result<Action, SqlError> {
    let known: [(&[&str], Action); 5] = [
        (&["NO", "ACTION"], Action::NoAction),
        (&["RESTRICT"], Action::Restrict),
        (&["CASCADE"], Action::Cascade),
        (&["SET", "NULL"], Action::SetNull),
        (&["SET", "DEFAULT"], Action::SetDefault),
    ];
    let found = known.into_iter().find(|(words, _)| cursor.eat(words));
    Ok(found.ok_or_else(|| cursor.unexpected("an action"))?.1)
}

/// `[NOT] DEFERRABLE …`, if it comes next.
pub(super) fn deferral(cursor: &mut Cursor<'_, '_>) -> Result<Option<Deferral>, SqlError> {
    let not = cursor.eat(&["NOT", "DEFERRABLE"]);
    if !not && !cursor.eat(&["DEFERRABLE"]) {
        return Ok(None);
    }
    let deferred = cursor.eat(&["INITIALLY", "DEFERRED"]);
    if !deferred {
        cursor.eat(&["INITIALLY", "IMMEDIATE"]);
    }
    Ok(Some(match (not, deferred) {
        (true, _) => Deferral::NotDeferrable,
        (false, true) => Deferral::InitiallyDeferred,
        (false, false) => Deferral::InitiallyImmediate,
    }))
}
