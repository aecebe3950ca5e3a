//! The names of constraints that have none. SQLite keeps none for them; a schema has those
//! that PostgreSQL would give.

use std::collections::{BTreeMap, BTreeSet};

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
    all.sort_by_key(|(label, _, name)| (*label, number(name), *name));
    all
}

/// The number at the end of a name, so that `t_check10` comes after `t_check2`; 0 where there
/// is none.
fn number(name: &str) -> u64 {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    name[name.len() - digits..].parse().unwrap_or_default()
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

/// Gives the constraints that have no name of their own the names that they have now that the
/// table, or columns of it, are renamed.
pub(super) fn follow((old_name, old): (&str, &Table), name: &str, table: &mut Table) {
    let named = written(old, old_name);
    let given = named.iter().filter(|(_, _, given)| *given);
    let mut taken: BTreeSet<String> = given.map(|(_, name, _)| (*name).clone()).collect();
    let mut names: BTreeMap<(Label, String), String> = BTreeMap::new();
    let now = constraints(table, name);
    for (label, constraint, _) in named.iter().filter(|(_, _, given)| !given) {
        let found = now
            .iter()
            .find(|(of, _, name)| (of, name) == (label, constraint));
        if let Some((_, columns, _)) = found {
            let new = label.name(name, columns, &taken);
            taken.insert(new.clone());
            names.insert((*label, (*constraint).clone()), new);
        }
    }
    let new = |label, old: String| names.get(&(label, old.clone())).cloned().unwrap_or(old);
    if let Some(key) = &mut table.primary_key {
        key.name = new(Label::PrimaryKey, std::mem::take(&mut key.name));
    }
    table.uniques = relabelled(&mut table.uniques, |old| new(Label::Unique, old));
    table.checks = relabelled(&mut table.checks, |old| new(Label::Check, old));
    table.foreign_keys = relabelled(&mut table.foreign_keys, |old| new(Label::ForeignKey, old));
}

fn relabelled<V>(
    of: &mut BTreeMap<String, V>,
    new: impl Fn(String) -> String,
) -> BTreeMap<String, V> {
    let all = std::mem::take(of).into_iter();
    all.map(|(name, value)| (new(name), value)).collect()
}
