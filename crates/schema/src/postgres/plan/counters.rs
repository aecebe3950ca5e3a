//! New sequences under columns that have values already.

use underpin_core::{Result, quote};

use super::intent::Intent;
use super::makes::step;
use super::node::Node;
use super::scene::Scene;
use crate::postgres::ddl::literal::literal;
use crate::{ColumnRef, Lock, LockMode, ObjectName, Schema, Step, Undo, Work, plain};

/// Lets each new sequence count on from the highest number of the columns that take their values
/// from it.
pub(super) fn steps(intent: &Intent, scene: &Scene<'_>) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for node in &intent.makes {
        let Node::Sequence(name) = node else {
            continue;
        };
        for column in columns(scene.goal, name) {
            let of = scene.was.tables.get(&column.table);
            let there = of.is_some_and(|table| table.column(&column.column).is_some());
            let new = [
                Node::Table(column.table.clone()),
                Node::Column(column.table.clone(), column.column.clone()),
            ];
            if !there || new.iter().any(|node| intent.makes.contains(node)) {
                continue;
            }
            if let Some(sql) = count_on(scene.goal, name, &column)? {
                let of = format!("{}.{}", column.table, plain(&column.column));
                let words = format!("Let sequence {name} count on from the highest number of {of}");
                let lock = Lock::of(LockMode::AccessShare, &column.table, Work::Scan);
                steps.push(step(words, sql, Undo::Included, lock));
            }
        }
    }
    Ok(steps)
}

/// The columns that a sequence gives values to: that which owns it, and those whose default names it.
pub(super) fn columns(schema: &Schema, sequence: &ObjectName) -> Vec<ColumnRef> {
    let of = schema.sequences.get(sequence);
    let owner = of.and_then(|of| of.owned_by.as_ref());
    let called = format!(
        "nextval('{}'::regclass)",
        sequence.to_string().replace('\'', "''")
    );
    let mut found: Vec<ColumnRef> = owner.into_iter().cloned().collect();
    for (name, table) in &schema.tables {
        for column in &table.columns {
            let default = column.default.as_ref();
            let one = ColumnRef {
                table: name.clone(),
                column: column.name.clone(),
            };
            if default.is_some_and(|text| text.as_str().contains(&called)) && !found.contains(&one)
            {
                found.push(one);
            }
        }
    }
    found
}

/// The statement; none where the column holds no whole numbers.
pub(super) fn count_on(
    schema: &Schema,
    sequence: &ObjectName,
    column: &ColumnRef,
) -> Result<Option<String>> {
    let of = schema.tables.get(&column.table);
    let of = of.and_then(|table| table.column(&column.column));
    let whole = of.is_some_and(|of| {
        let name = of.data_type.name.as_str();
        !of.data_type.array && matches!(name, "smallint" | "integer" | "bigint")
    });
    let Some(options) = schema
        .sequences
        .get(sequence)
        .map(|of| &of.options)
        .filter(|_| whole)
    else {
        return Ok(None);
    };
    let (table, quoted) = (column.table.quoted()?, quote::identifier(&column.column)?);
    let last = match options.increment > 0 {
        true => "max",
        false => "min",
    };
    let name = literal(&sequence.quoted()?);
    let (min, max) = (options.min, options.max);
    Ok(Some(format!(
        "SELECT setval({name}, {last}({quoted})) FROM {table} HAVING {last}({quoted}) BETWEEN {min} AND {max}"
    )))
}
