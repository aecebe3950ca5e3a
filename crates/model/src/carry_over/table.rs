//! The parts of a table that a model cannot describe.

use std::collections::BTreeMap;

use underpin_schema::{
    Column, ForeignKey, Index, IndexKey, PartitionBy, PrimaryKey, Table, Unique,
};

use crate::dialect::ModelDialect;

/// Takes it over from the table that there is now.
pub(super) fn take_over(table: &mut Table, now: &Table, dialect: &ModelDialect) {
    table.triggers.clone_from(&now.triggers);
    table.policies.clone_from(&now.policies);
    table.row_security = now.row_security;
    table.exclusions.clone_from(&now.exclusions);
    table.persistence = now.persistence;
    table.inherits.clone_from(&now.inherits);
    table.partition_of.clone_from(&now.partition_of);
    if !dialect.comments {
        table.comment.clone_from(&now.comment);
    }
    if dialect.options.is_none() {
        table.options.clone_from(&now.options);
    }
    for column in &mut table.columns {
        if let Some(now) = now.column(&column.name) {
            column_takes(column, now, dialect);
        }
    }
    if let (Some(key), Some(now)) = (&mut table.primary_key, &now.primary_key) {
        key_takes(key, now);
    }
    for (name, unique) in &mut table.uniques {
        let same = |one: &Unique| one.columns == unique.columns;
        if let Some(now) = named_or(&now.uniques, name, same) {
            unique_takes(unique, now);
        }
    }
    for (name, check) in &mut table.checks {
        if let Some(now) = now.checks.get(name) {
            check.no_inherit = now.no_inherit;
            check.not_valid = now.not_valid;
            check.not_enforced = now.not_enforced;
            check.inherited = now.inherited;
            check.comment.clone_from(&now.comment);
        }
    }
    for (name, key) in &mut table.foreign_keys {
        let same =
            |one: &ForeignKey| one.columns == key.columns && one.references == key.references;
        if let Some(now) = named_or(&now.foreign_keys, name, same) {
            foreign_key_takes(key, now);
        }
    }
    for (name, index) in &mut table.indexes {
        if let Some(now) = now.indexes.get(name) {
            index_takes(index, now);
        }
    }
    if let (Some(by), Some(now)) = (&mut table.partition_by, &now.partition_by) {
        partition_takes(by, now);
    }
}

/// What is no longer a partition or child has all that it has of its own.
pub(super) fn set_free(table: &mut Table) {
    table.partition_of = None;
    table.inherits.clear();
    for column in &mut table.columns {
        column.inherited = false;
    }
    if let Some(key) = &mut table.primary_key {
        key.parent = None;
    }
    for unique in table.uniques.values_mut() {
        unique.parent = None;
    }
    for check in table.checks.values_mut() {
        check.inherited = false;
    }
    for key in table.foreign_keys.values_mut() {
        key.inherited = false;
    }
    for index in table.indexes.values_mut() {
        index.parent = None;
    }
    for exclusion in table.exclusions.values_mut() {
        exclusion.parent = None;
    }
}

/// What has the name, or else is alike.
fn named_or<'m, T>(
    all: &'m BTreeMap<String, T>,
    name: &str,
    alike: impl Fn(&T) -> bool,
) -> Option<&'m T> {
    all.get(name)
        .or_else(|| all.values().find(|one| alike(one)))
}

fn column_takes(column: &mut Column, now: &Column, dialect: &ModelDialect) {
    column.inherited = now.inherited;
    column.options.clone_from(&now.options);
    if column.not_null {
        column
            .not_null_constraint
            .clone_from(&now.not_null_constraint);
    }
    if column.not_null {
        column.not_null_conflict = now.not_null_conflict;
    }
    if !dialect.comments {
        column.comment.clone_from(&now.comment);
    }
}

fn key_takes(key: &mut PrimaryKey, now: &PrimaryKey) {
    if key.columns != now.columns {
        return;
    }
    key.include.clone_from(&now.include);
    key.orders.clone_from(&now.orders);
    key.deferral = now.deferral;
    key.without_overlaps = now.without_overlaps;
    key.conflict = now.conflict;
    key.options.clone_from(&now.options);
    key.parent.clone_from(&now.parent);
    key.comment.clone_from(&now.comment);
}

fn unique_takes(unique: &mut Unique, now: &Unique) {
    if unique.columns == now.columns {
        unique.orders.clone_from(&now.orders);
        unique.without_overlaps = now.without_overlaps;
    }
    unique.conflict = now.conflict;
    unique.options.clone_from(&now.options);
    unique.parent.clone_from(&now.parent);
    unique.comment.clone_from(&now.comment);
}

fn foreign_key_takes(key: &mut ForeignKey, now: &ForeignKey) {
    if key.columns == now.columns && key.on_delete == now.on_delete {
        key.on_delete_columns.clone_from(&now.on_delete_columns);
    }
    key.not_valid = now.not_valid;
    key.not_enforced = now.not_enforced;
    key.period = now.period;
    key.inherited = now.inherited;
    key.comment.clone_from(&now.comment);
}

fn index_takes(index: &mut Index, now: &Index) {
    index.options.clone_from(&now.options);
    index.valid = now.valid;
    index.parent.clone_from(&now.parent);
    index.comment.clone_from(&now.comment);
    for (key, now) in index.keys.iter_mut().zip(&now.keys) {
        if key.target == now.target {
            index_key_takes(key, now);
        }
    }
}

fn index_key_takes(key: &mut IndexKey, now: &IndexKey) {
    key.collation.clone_from(&now.collation);
    let Some(now) = &now.operator_class else {
        return;
    };
    match &mut key.operator_class {
        Some(class) if class.name.name == now.name.name => class.options.clone_from(&now.options),
        Some(_) => {}
        // Of the default class, only what has options is listed.
        None if !now.options.is_empty() => key.operator_class = Some(now.clone()),
        None => {}
    }
}

fn partition_takes(by: &mut PartitionBy, now: &PartitionBy) {
    for (key, now) in by.keys.iter_mut().zip(&now.keys) {
        if key.target == now.target {
            key.collation.clone_from(&now.collation);
            key.operator_class.clone_from(&now.operator_class);
        }
    }
}
