use super::constraint::{self, Constraint, Named};
use crate::sqlite::cursor::{Cursor, split};
use crate::sqlite::error::SqlError;
use crate::sqlite::expression::{Scope, expression, unwrapped};
use crate::sqlite::token::{Kind, Token};
use crate::{
    Column, Expression, Generated, GeneratedKind, KeyOrder, ObjectName, PrimaryKey, Type, Unique,
};

/// The words that end a type.
const AFTER_TYPE: [&str; 11] = [
    "CONSTRAINT",
    "DEFAULT",
    "NULL",
    "NOT",
    "PRIMARY",
    "UNIQUE",
    "CHECK",
    "REFERENCES",
    "COLLATE",
    "AS",
    "DEFERRABLE",
];

/// A column, and the constraints that stand within it.
pub(super) fn column(
    cursor: &mut Cursor<'_, '_>,
    scope: Scope<'_>,
) -> Result<(Column, Vec<Named>), SqlError> {
    let mut column = Column {
        name: cursor.name()?,
        data_type: data_type(cursor)?,
        ..Column::default()
    };
    let mut constraints = Vec::new();
    let mut name = None;
    loop {
        if cursor.eat(&["CONSTRAINT"]) {
            name = Some(cursor.name()?);
        } else if let Some(constraint) = constraint_of(cursor, &column, scope)? {
            constraints.push(Named {
                name: name.take(),
                constraint,
            });
        } else if let Some(deferral) = constraint::deferral(cursor)? {
            // It can stand apart from the foreign key that it is of.
            if let Some(Named {
                constraint: Constraint::ForeignKey { key, .. },
                ..
            }) = constraints.last_mut()
            {
                key.deferral = deferral;
            }
        } else if !property(cursor, &mut column, scope)? {
            return Ok((column, constraints));
        } else {
            name = None;
        }
    }
}

/// The declared type, which may be nothing.
fn data_type(cursor: &mut Cursor<'_, '_>) -> Result<Type, SqlError> {
    let mut words: Vec<&str> = Vec::new();
    while let Some(token) = cursor.peek() {
        let ends = AFTER_TYPE.iter().any(|word| token.is(word))
            || cursor.sees(&["GENERATED", "ALWAYS"])
            || matches!(token.kind, Kind::Symbol | Kind::Number);
        if ends {
            break;
        }
        words.push(token.text);
        cursor.at += 1;
    }
    let mut parameters = Vec::new();
    if !words.is_empty() && cursor.peek().is_some_and(|token| token.is_symbol("(")) {
        let text = |part: &[Token<'_>]| part.iter().map(|token| token.text).collect();
        parameters = split(cursor.group()?).into_iter().map(text).collect();
    }
    Ok(Type {
        name: words.join(" "),
        parameters,
        ..Type::default()
    })
}

/// A constraint of the column that becomes one of the table.
fn constraint_of(
    cursor: &mut Cursor<'_, '_>,
    column: &Column,
    scope: Scope<'_>,
) -> Result<Option<Constraint>, SqlError> {
    let columns = vec![column.name.clone()];
    Ok(Some(if cursor.eat(&["PRIMARY", "KEY"]) {
        let descending = cursor.eat(&["DESC"]);
        if !descending {
            cursor.eat(&["ASC"]);
        }
        let order = KeyOrder {
            collation: None,
            descending,
        };
        let orders = descending.then(|| (column.name.clone(), order));
        let conflict = constraint::conflict(cursor)?;
        let key = PrimaryKey {
            columns,
            orders: orders.into_iter().collect(),
            conflict,
            ..PrimaryKey::default()
        };
        Constraint::PrimaryKey {
            key,
            autoincrement: cursor.eat(&["AUTOINCREMENT"]),
            of_column: true,
        }
    } else if cursor.eat(&["UNIQUE"]) {
        Constraint::Unique(Unique {
            columns,
            conflict: constraint::conflict(cursor)?,
            ..Unique::default()
        })
    } else if cursor.eat(&["CHECK"]) {
        Constraint::Check(constraint::check(cursor, scope)?)
    } else if cursor.eat(&["REFERENCES"]) {
        constraint::references(cursor, columns)?
    } else {
        return Ok(None);
    }))
}

/// What is the column's own; false where it is at its end.
fn property(
    cursor: &mut Cursor<'_, '_>,
    column: &mut Column,
    scope: Scope<'_>,
) -> Result<bool, SqlError> {
    if cursor.eat(&["NOT", "NULL"]) {
        column.not_null = true;
        column.not_null_conflict = constraint::conflict(cursor)?;
    } else if cursor.eat(&["NULL"]) {
        constraint::conflict(cursor)?;
    } else if cursor.eat(&["DEFAULT"]) {
        column.default = Some(default(cursor, scope)?);
    } else if cursor.eat(&["COLLATE"]) {
        column.collation = Some(collation(cursor.name()?));
    } else if cursor.eat(&["GENERATED", "ALWAYS", "AS"]) || cursor.eat(&["AS"]) {
        let expression = expression(cursor.group()?, scope);
        let stored = cursor.eat(&["STORED"]);
        if !stored {
            cursor.eat(&["VIRTUAL"]);
        }
        let kind = match stored {
            true => GeneratedKind::Stored,
            false => GeneratedKind::Virtual,
        };
        column.generated = Some(Generated { expression, kind });
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// A collation by name. Those of SQLite itself are in capitals.
pub(super) fn collation(name: String) -> ObjectName {
    let upper = name.to_ascii_uppercase();
    let own = ["BINARY", "NOCASE", "RTRIM"].contains(&upper.as_str());
    ObjectName::new("main", if own { upper } else { name })
}

/// What follows DEFAULT: a group, a literal with or without a sign, or a name, which is a
/// string.
fn default(cursor: &mut Cursor<'_, '_>, scope: Scope<'_>) -> Result<Expression, SqlError> {
    let none = Scope {
        columns: &[],
        ..scope
    };
    let Some(token) = cursor.peek() else {
        return Err(cursor.unexpected("a default"));
    };
    if token.is_symbol("(") {
        return Ok(expression(unwrapped(cursor.group()?), none));
    }
    let start = cursor.at;
    cursor.at += 1;
    if matches!(token.text, "-" | "+") {
        cursor.at += 1;
    }
    let Some(tokens) = cursor.of.tokens.get(start..cursor.at) else {
        return Err(cursor.unexpected("a default"));
    };
    let form = expression(tokens, none);
    let string = matches!(token.kind, Kind::Word | Kind::Quoted)
        && !crate::sqlite::expression::is_literal(form.as_str());
    Ok(match token.name().filter(|_| string) {
        Some(name) => format!("'{}'", name.replace('\'', "''")).into(),
        None => form,
    })
}
