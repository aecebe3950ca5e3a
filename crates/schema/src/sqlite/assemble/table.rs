use std::collections::{BTreeMap, BTreeSet};

use super::{ColumnRow, MAIN, scope};
use crate::sqlite::constraint_names::{Label, check_columns};
use crate::sqlite::error::SqlError;
use crate::sqlite::parse::{self, Constraint, Named};
use crate::sqlite::rowid::is_rowid;
use crate::{
    Column, Identity, KeyOrder, ObjectName, PrimaryKey, SequenceOptions, Table, Unsupported,
};

/// A table, and what it has that a schema cannot carry.
pub(super) struct Read {
    pub(super) table: Table,
    pub(super) unsupported: BTreeSet<Unsupported>,
}

/// Reads a table from its SQL, and from what SQLite tells of its columns.
pub(super) fn read(name: &str, sql: &str, rows: &[ColumnRow]) -> Result<Read, SqlError> {
    let columns: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let parsed = parse::table(sql, scope(name, &columns))?;
    let same = parsed.columns.iter().map(|column| &column.name);
    if !same.eq(columns.iter()) {
        let table = name.to_owned();
        return Err(SqlError::Columns { table });
    }
    let mut table = Table {
        columns: parsed.columns,
        options: parsed.options,
        comment: parsed.comment,
        ..Table::default()
    };
    for (column, row) in table.columns.iter_mut().zip(rows) {
        column.not_null |= row.not_null;
        if column.collation == Some(ObjectName::new(MAIN, "BINARY")) {
            column.collation = None;
        }
    }
    let mut unsupported = BTreeSet::new();
    let mut taken = given_names(&parsed.constraints);
    let mut given = BTreeSet::new();
    for Named {
        name: named,
        constraint,
    } in parsed.constraints
    {
        let (columns, label) = label(&constraint, &table, name);
        // SQLite does not mind a name that is there twice.
        let kept = named.filter(|named| given.insert(named.clone()));
        let named = kept.unwrap_or_else(|| label.name(name, &columns, &taken));
        taken.insert(named.clone());
        add(&mut table, name, named, constraint, &mut unsupported);
    }
    Ok(Read { table, unsupported })
}

fn given_names(constraints: &[Named]) -> BTreeSet<String> {
    let names = constraints.iter().filter_map(|one| one.name.clone());
    names.collect()
}

/// The parts of the name of a constraint without one.
fn label(constraint: &Constraint, table: &Table, name: &str) -> (Vec<String>, Label) {
    match constraint {
        Constraint::PrimaryKey { .. } => (Vec::new(), Label::PrimaryKey),
        Constraint::Unique(unique) => (unique.columns.clone(), Label::Unique),
        Constraint::Check(check) => (check_columns(table, name, check), Label::Check),
        Constraint::ForeignKey { key, .. } => (key.columns.clone(), Label::ForeignKey),
    }
}

fn add(
    table: &mut Table,
    of: &str,
    name: String,
    constraint: Constraint,
    unsupported: &mut BTreeSet<Unsupported>,
) {
    match constraint {
        Constraint::PrimaryKey {
            mut key,
            autoincrement,
            of_column,
        } => {
            forget_own_collations(&mut key.orders, &table.columns);
            key.name = name;
            primary_key(table, key, autoincrement, of_column);
        }
        Constraint::Unique(mut unique) => {
            forget_own_collations(&mut unique.orders, &table.columns);
            table.uniques.insert(name, unique);
        }
        Constraint::Check(check) => {
            table.checks.insert(name, check);
        }
        Constraint::ForeignKey { key, unheeded } => {
            if let Some(what) = unheeded {
                unsupported.insert(Unsupported {
                    kind: format!("{what} of foreign key"),
                    name: format!("{name} on {of}"),
                    fingerprint: String::new(),
                });
            }
            table.foreign_keys.insert(name, key);
        }
    }
}

fn primary_key(table: &mut Table, mut key: PrimaryKey, autoincrement: bool, of_column: bool) {
    // Within the column, the order tells whether the key is the rowid; outside, it says nothing.
    if !of_column {
        let mut plain = key.clone();
        plain.orders.clear();
        if is_rowid(table, &plain) {
            key = plain;
        }
    }
    let rowid = is_rowid(table, &key);
    let first = key.columns.first();
    let column = table
        .columns
        .iter_mut()
        .find(|column| Some(&column.name) == first);
    if let Some(column) = column.filter(|_| rowid) {
        column.not_null = true;
        column.identity = autoincrement.then(counting);
    }
    table.primary_key = Some(key);
}

/// AUTOINCREMENT.
fn counting() -> Identity {
    Identity {
        always: false,
        sequence: None,
        options: SequenceOptions::of_type("bigint"),
    }
}

/// A collation that is named and is the column's own says nothing.
fn forget_own_collations(orders: &mut BTreeMap<String, KeyOrder>, columns: &[Column]) {
    for (name, order) in orders.iter_mut() {
        let column = columns.iter().find(|column| column.name == *name);
        if column.is_some_and(|column| is_own(order.collation.as_ref(), column)) {
            order.collation = None;
        }
    }
    orders.retain(|_, order| order.collation.is_some() || order.descending);
}

/// Whether a collation is what the column has anyhow.
pub(super) fn is_own(collation: Option<&ObjectName>, column: &Column) -> bool {
    let binary = ObjectName::new(MAIN, "BINARY");
    let own = column.collation.as_ref().unwrap_or(&binary);
    collation.is_some_and(|named| named.name.eq_ignore_ascii_case(&own.name))
}
