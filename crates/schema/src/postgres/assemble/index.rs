use std::collections::BTreeMap;
use std::ops::Range;

use underpin_core::Result;

use super::key::expression_key;
use super::names_by_oid::Names;
use super::relation::Relation;
use crate::postgres::catalog::indexes::IndexRow;
use crate::postgres::error::CatalogError;
use crate::{Expression, Index, IndexKey, KeyTarget, sql_text};

const DESCENDING: i16 = 1;
const NULLS_FIRST: i16 = 2;

pub(super) fn index(
    relation: &Relation,
    row: &IndexRow,
    options: BTreeMap<String, String>,
    names: &Names,
) -> Result<Index> {
    let texts = match &row.definition {
        Some(definition) => {
            let keys = keys(definition).ok_or_else(|| CatalogError::Text {
                what: "an index",
                text: definition.clone(),
            })?;
            sql_text::split(&definition[keys], ',')
        }
        None => Vec::new(),
    };
    let keys = (0..row.keys).map(|place| {
        let text = texts.get(place).copied().unwrap_or_default();
        key(relation, row, (place, text), names)
    });
    let predicate = row.predicate.as_deref().map(sql_text::unwrapped);
    Ok(Index {
        method: row.method.clone(),
        unique: row.unique,
        keys: keys.collect::<Result<_>>()?,
        include: relation.column_names(row.columns.get(row.keys..).unwrap_or_default())?,
        nulls_not_distinct: row.nulls_not_distinct,
        predicate: predicate.map(Expression::from),
        options,
        valid: row.valid,
        parent: row.parent.clone(),
        comment: row.comment.clone(),
    })
}

/// What is between the parentheses after `USING method`.
fn keys(definition: &str) -> Option<Range<usize>> {
    let using = sql_text::find(definition, " USING ")?;
    let group = sql_text::first_group(&definition[using..])?;
    Some(using + group.start + 1..using + group.end - 1)
}

fn key(
    relation: &Relation,
    row: &IndexRow,
    (place, text): (usize, &str),
    names: &Names,
) -> Result<IndexKey> {
    let short = || super::missing(format_args!("key number {}", place + 1), &row.name);
    let number = *row.columns.get(place).ok_or_else(short)?;
    let class = *row.operator_classes.get(place).ok_or_else(short)?;
    let collation = *row.collations.get(place).ok_or_else(short)?;
    let order = row.order.get(place).copied().ok_or_else(short)?;
    let (target, collation) = match number {
        0 => {
            let key = expression_key(text)?;
            (KeyTarget::Expression(key.expression), key.collation)
        }
        number => {
            let column = relation.column(number)?;
            let named = names.collation(collation);
            let named = named.filter(|_| collation != column.collation);
            (KeyTarget::Column(column.name.clone()), named)
        }
    };
    let options = i16::try_from(place + 1)
        .ok()
        .and_then(|n| row.class_options.get(&n));
    Ok(IndexKey {
        target,
        collation,
        operator_class: names.operator_class(class, options),
        descending: order & DESCENDING != 0,
        nulls_first: order & NULLS_FIRST != 0,
    })
}
