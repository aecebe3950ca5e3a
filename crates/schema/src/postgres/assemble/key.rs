//! Keys of indexes and of partitionings, out of numbers and, where one is an expression, of
//! the server's text.

use underpin_core::Result;

use super::names_by_oid::Names;
use super::relation::Relation;
use crate::postgres::catalog::relations::PartitionKeyText;
use crate::postgres::error::CatalogError;
use crate::{
    Expression, KeyTarget, ObjectName, OperatorClass, PartitionBy, PartitionKey, PartitionStrategy,
    sql_text,
};

/// An expression of a key, and the collation that the text names for it.
pub(super) struct ExpressionKey {
    pub(super) expression: Expression,
    pub(super) collation: Option<ObjectName>,
}

/// Reads `(a + b) COLLATE x opclass …` or `f(a) …`: what is beside the first group in
/// parentheses and what stands before it is not part of the expression.
pub(super) fn expression_key(text: &str) -> Result<ExpressionKey, CatalogError> {
    let unread = || CatalogError::Text {
        what: "a key",
        text: text.to_owned(),
    };
    let text = text.trim();
    let group = sql_text::first_group(text).ok_or_else(unread)?;
    let (expression, after) = text.split_at(group.end);
    let collation = match after.trim_start().strip_prefix("COLLATE ") {
        None => None,
        Some(rest) => {
            let name = sql_text::split(rest.trim(), ' ')[0];
            Some(qualified(name).ok_or_else(unread)?)
        }
    };
    Ok(ExpressionKey {
        expression: sql_text::unwrapped(expression).into(),
        collation,
    })
}

/// A name that the server has qualified where it is not its own.
fn qualified(text: &str) -> Option<ObjectName> {
    match sql_text::split(text, '.')[..] {
        [name] => Some(ObjectName::new("pg_catalog", sql_text::identifier(name)?)),
        [namespace, name] => Some(ObjectName::new(
            sql_text::identifier(namespace)?,
            sql_text::identifier(name)?,
        )),
        _ => None,
    }
}

/// Reads `RANGE (a, lower(b))`.
pub(super) fn partition_by(
    relation: &Relation,
    row: &PartitionKeyText,
    names: &Names,
) -> Result<PartitionBy> {
    let unread = || CatalogError::Text {
        what: "a partition key",
        text: row.text.clone(),
    };
    let group = sql_text::first_group(&row.text).ok_or_else(unread)?;
    let strategy = match row.text[..group.start].trim() {
        "RANGE" => PartitionStrategy::Range,
        "LIST" => PartitionStrategy::List,
        "HASH" => PartitionStrategy::Hash,
        _ => return Err(unread().into()),
    };
    let texts = sql_text::split(&row.text[group.start + 1..group.end - 1], ',');
    let keys = texts.iter().enumerate().map(|(place, text)| {
        let number = row.columns.get(place).ok_or_else(unread)?;
        partition_key(relation, row, (place, *number, text), names)
    });
    let keys = keys.collect::<Result<_>>()?;
    Ok(PartitionBy { strategy, keys })
}

fn partition_key(
    relation: &Relation,
    row: &PartitionKeyText,
    (place, number, text): (usize, i16, &str),
    names: &Names,
) -> Result<PartitionKey> {
    if number == 0 {
        let key = expression_key(text)?;
        return Ok(PartitionKey {
            target: KeyTarget::Expression(key.expression),
            collation: key.collation,
            operator_class: operator_class(
                sql_text::first_group(text.trim()).map_or("", |group| &text.trim()[group.end..]),
            ),
        });
    }
    let column = relation.column(number)?;
    let collation = row.collations.get(place).copied().unwrap_or_default();
    let differs = collation != column.collation;
    Ok(PartitionKey {
        target: KeyTarget::Column(column.name.clone()),
        collation: names.collation(collation).filter(|_| differs),
        operator_class: operator_class(text),
    })
}

/// What follows the column or expression and its collation is its operator class.
fn operator_class(text: &str) -> Option<OperatorClass> {
    let words: Vec<&str> = sql_text::split(text.trim(), ' ');
    let last = words.iter().rev().find(|word| !word.is_empty())?;
    let position = words.iter().position(|word| *word == "COLLATE");
    let collated = position.is_some_and(|place| place + 2 == words.len());
    (words.len() > 1 && !collated).then_some(())?;
    Some(OperatorClass {
        name: qualified(last)?,
        options: Default::default(),
    })
}
