//! Tables.

use std::borrow::Cow;

use super::column::{Above, columns};
use super::part::{self, comment};
use super::{Hints, Sides, sides};
use crate::{Change, CommentOn, ObjectName, PrimaryKey, Schema, Table};

pub(super) fn tables(from: &Schema, to: &Schema, hints: &Hints, out: &mut Vec<Change>) {
    for (name, of) in sides(&from.tables, &to.tables) {
        match of {
            Sides::From(table) if !hints.names_partitions && stays_with_parent(from, to, table) => {
            }
            Sides::From(table) => out.push(Change::DropTable {
                name: name.clone(),
                from: Box::new(table.clone()),
            }),
            Sides::To(table) => out.push(Change::CreateTable {
                name: name.clone(),
                to: Box::new(table.clone()),
            }),
            Sides::Both(left, right) => {
                if left != right || left.is_child() {
                    table(name, (from, left), (to, right), out);
                }
            }
        }
    }
}

/// Whether a table that the second schema does not have is a partition of one that it has:
/// partitions come and go with the data.
fn stays_with_parent(from: &Schema, to: &Schema, table: &Table) -> bool {
    let Some(of) = &table.partition_of else {
        return false;
    };
    match to.tables.get(&of.parent) {
        Some(parent) => parent.partition_by.is_some(),
        None => {
            let parent = from.tables.get(&of.parent);
            parent.is_some_and(|parent| stays_with_parent(from, to, parent))
        }
    }
}

fn table(
    name: &ObjectName,
    (from_schema, from): (&Schema, &Table),
    (to_schema, to): (&Schema, &Table),
    out: &mut Vec<Change>,
) {
    let on = CommentOn::Table(name.clone());
    comment(on, &from.comment, &to.comment, out);
    settings(name, from, to, out);
    let attached = from.partition_of == to.partition_of;
    let stays = |parent: &&ObjectName| to.parents().any(|other| other == *parent);
    let parents = from.parents().filter(stays).filter(|_| attached);
    let above = parents.filter_map(|parent| {
        Some(Above {
            from: from_schema.tables.get(parent)?,
            to: to_schema.tables.get(parent)?,
        })
    });
    let above: Vec<Above<'_>> = above.collect();
    let [from, to] = match attached {
        true => [Cow::Borrowed(from), Cow::Borrowed(to)],
        false => [from, to].map(|of| Cow::Owned(of.detached())),
    };
    columns(name, &from, &to, &above, out);
    primary_key(name, &from.primary_key, &to.primary_key, out);
    part::uniques(name, (&from.uniques, &to.uniques), out);
    part::checks(name, (&from.checks, &to.checks), out);
    foreign_keys(name, &from, (to_schema, &to), out);
    part::exclusions(name, (&from.exclusions, &to.exclusions), out);
    part::indexes(name, &from.indexes, &to.indexes, out);
    part::triggers(name, &from.triggers, &to.triggers, out);
    part::policies(name, (&from.policies, &to.policies), out);
}

fn settings(name: &ObjectName, from: &Table, to: &Table, out: &mut Vec<Change>) {
    if from.partition_by != to.partition_by {
        out.push(Change::SetPartitionBy {
            table: name.clone(),
            from: from.partition_by.clone(),
            to: to.partition_by.clone(),
        });
    }
    if from.partition_of != to.partition_of {
        out.push(Change::SetPartitionOf {
            table: name.clone(),
            from: from.partition_of.clone(),
            to: to.partition_of.clone(),
        });
    }
    if from.inherits != to.inherits {
        out.push(Change::SetInherits {
            table: name.clone(),
            from: from.inherits.clone(),
            to: to.inherits.clone(),
        });
    }
    if from.persistence != to.persistence {
        out.push(Change::SetTablePersistence {
            table: name.clone(),
            from: from.persistence,
            to: to.persistence,
        });
    }
    if from.options != to.options {
        out.push(Change::SetTableOptions {
            table: name.clone(),
            from: from.options.clone(),
            to: to.options.clone(),
        });
    }
    if from.row_security != to.row_security {
        out.push(Change::SetRowSecurity {
            table: name.clone(),
            from: from.row_security,
            to: to.row_security,
        });
    }
}

fn primary_key(
    table: &ObjectName,
    from: &Option<PrimaryKey>,
    to: &Option<PrimaryKey>,
    out: &mut Vec<Change>,
) {
    let table = table.clone();
    let on = |name: &String| CommentOn::Constraint(table.clone(), name.clone());
    let bare = |key: &PrimaryKey| PrimaryKey {
        name: String::new(),
        comment: None,
        parent: None,
        ..key.clone()
    };
    match (from, to) {
        (None, None) => {}
        (Some(from), None) if from.parent.is_some() => {}
        (Some(from), None) => out.push(Change::DropPrimaryKey {
            table,
            from: from.clone(),
        }),
        (None, Some(to)) => out.push(Change::CreatePrimaryKey {
            table,
            to: to.clone(),
        }),
        (Some(from), Some(to)) if bare(from) == bare(to) => {
            comment(on(&to.name), &from.comment, &to.comment, out);
            if from.name != to.name {
                let (from, to) = (from.name.clone(), to.name.clone());
                out.push(Change::RenameConstraint { table, from, to });
            }
        }
        (Some(from), Some(to)) => {
            comment(on(&to.name), &from.comment, &to.comment, out);
            let (from, to) = (from.clone(), to.clone());
            out.push(Change::AlterPrimaryKey { table, from, to });
        }
    }
}

/// A foreign key that a parent gives comes by itself where it is called as it is there.
fn foreign_keys(
    name: &ObjectName,
    from: &Table,
    (schema, to): (&Schema, &Table),
    out: &mut Vec<Change>,
) {
    let start = out.len();
    part::foreign_keys(name, (&from.foreign_keys, &to.foreign_keys), out);
    let comes_along = |key: &str, inherited: bool| {
        let parents = to.parents().filter_map(|parent| schema.tables.get(parent));
        let mut parents = parents.filter(|parent| parent.partition_by.is_some());
        inherited && parents.any(|parent| parent.foreign_keys.contains_key(key))
    };
    let changes = out.split_off(start);
    out.extend(changes.into_iter().filter(|change| match change {
        Change::CreateForeignKey { name, to, .. } => !comes_along(name, to.inherited),
        Change::AlterForeignKey { name, from, to, .. } => {
            !comes_along(name, from.inherited && to.inherited)
        }
        _ => true,
    }));
}
