use super::column::collation;
use crate::sqlite::comment;
use crate::sqlite::cursor::{Cursor, split};
use crate::sqlite::error::SqlError;
use crate::sqlite::expression::{Scope, closing, expression, unwrapped};
use crate::sqlite::token::{Kind, Token, Tokens};
use crate::{Index, IndexKey, ObjectName};

/// Reads `CREATE INDEX`. A collation that is the column's own is still there.
pub(in crate::sqlite) fn index(sql: &str, scope: Scope<'_>) -> Result<Index, SqlError> {
    let of = Tokens::of(sql)?;
    let mut cursor = Cursor::over(&of);
    cursor.expect("CREATE")?;
    let unique = cursor.eat(&["UNIQUE"]);
    cursor.expect("INDEX")?;
    cursor.object()?;
    cursor.expect("ON")?;
    cursor.name()?;
    let keys = split(cursor.group()?);
    let keys = keys
        .into_iter()
        .map(|part| index_key(part, scope))
        .collect();
    let predicate = cursor.eat(&["WHERE"]);
    let predicate = predicate.then(|| expression(&of.tokens[cursor.at..], scope));
    Ok(Index {
        unique,
        keys,
        predicate,
        comment: comment::joined(of.comments.iter().map(|one| one.text)),
        ..Index::default()
    })
}

/// One key of an index, a primary key or a unique constraint.
pub(super) fn index_key(tokens: &[Token<'_>], scope: Scope<'_>) -> IndexKey {
    let (mut tokens, descending) = match tokens {
        [rest @ .., last] if last.is("DESC") => (rest, true),
        [rest @ .., last] if last.is("ASC") => (rest, false),
        tokens => (tokens, false),
    };
    let mut named: Option<ObjectName> = None;
    loop {
        tokens = unwrapped(tokens);
        match tokens {
            [rest @ .., word, name] if word.is("COLLATE") && is_primary(rest) => {
                // The outermost counts.
                named = named.or_else(|| name.name().map(collation));
                tokens = rest;
            }
            _ => break,
        }
    }
    let column = match tokens {
        [one] => one.name().and_then(|name| scope.column(&name)),
        _ => None,
    };
    let mut key = match column {
        Some(name) => IndexKey::column(name.clone()),
        None => IndexKey::expression(expression(tokens, scope)),
    };
    key.collation = named;
    key.descending = descending;
    key.nulls_first = descending;
    key
}

/// Whether a COLLATE after it is of all of it: it is a name, a literal, a call or a group.
fn is_primary(tokens: &[Token<'_>]) -> bool {
    match tokens {
        [one] => one.kind != Kind::Symbol,
        [first, rest @ ..] if first.is_symbol("(") => closing(tokens) == Some(rest.len()),
        [name, rest @ ..] if matches!(name.kind, Kind::Word | Kind::Quoted) => {
            let collated = matches!(rest, [.., word, _] if word.is("COLLATE"));
            let call = rest.first().is_some_and(|token| token.is_symbol("("));
            call && closing(rest) == Some(rest.len() - 1)
                || collated && is_primary(&tokens[..tokens.len() - 2])
        }
        _ => false,
    }
}
