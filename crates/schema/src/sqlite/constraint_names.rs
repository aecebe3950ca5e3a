//! The names of constraints that have none. SQLite keeps none for them; a schema has those
//! that PostgreSQL would give.

use std::collections::BTreeSet;

use super::expression::{Scope, columns_in};
use crate::{Check, Table, constraint_name};

/// What a constraint is, as its name tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    PrimaryKey,
    Unique,
    Check,
    ForeignKey,
}

impl Label {
    /// The name that a constraint gets which has none.
    pub(super) fn name(self, table: &str, columns: &[String], taken: &BTreeSet<String>) -> String {
        let word = match self {
            Label::PrimaryKey => "pkey",
            Label::Unique => "key",
            Label::Check => "check",
            Label::ForeignKey => "fkey",
        };
        constraint_name(table, columns, word, taken)
    }
}

/// The column that a check is called after: the one that it names, if it is one.
pub(super) fn check_columns(table: &Table, name: &str, check: &Check) -> Vec<String> {
    let columns = table.columns.iter().map(|column| column.name.clone());
    let columns: Vec<String> = columns.collect();
    let scope = Scope {
        table: name,
        columns: &columns,
    };
    let named = columns_in(&check.expression, scope);
    if named.len() == 1 { named } else { Vec::new() }
}

/// The constraints of a table, in the order in which they are written.
fn constraints<'t>(table: &'t Table, name: &str) -> Vec<(Label, Vec<String>, &'t String)> {
    let mut all = Vec::new();
    if let Some(key) = &table.primary_key {
        all.push((Label::PrimaryKey, Vec::new(), &key.name));
    }
    for (unique, of) in &table.uniques {
        all.push((Label::Unique, of.columns.clone(), unique));
    }
    for (check, of) in &table.checks {
        all.push((Label::Check, check_columns(table, name, of), check));
    }
    for (key, of) in &table.foreign_keys {
        all.push((Label::ForeignKey, of.columns.clone(), key));
    }
    // So that `t_check10` comes after `t_check2`.
    all.sort_by_key(|(label, _, name)| (*label, name.len(), *name));
    all
}

/// The names of the constraints of a table in the order in which they are to be written, and
/// whether each has to be: not where it is the one that it gets without.
pub(super) fn written<'t>(table: &'t Table, name: &str) -> Vec<(Label, &'t String, bool)> {
    let all = constraints(table, name);
    let mut given: BTreeSet<&String> = BTreeSet::new();
    loop {
        let mut taken: BTreeSet<String> = given.iter().map(|name| (*name).clone()).collect();
        let wrong = all
            .iter()
            .filter(|(_, _, actual)| !given.contains(actual))
            .find(|(label, columns, actual)| {
                let name = label.name(name, columns, &taken);
                let wrong = name != **actual;
                taken.insert(name);
                wrong
            });
        match wrong {
            Some((_, _, actual)) => given.insert(actual),
            None => break,
        };
    }
    let name = |(label, _, name)| (label, name, given.contains(name));
    all.into_iter().map(name).collect()
}
