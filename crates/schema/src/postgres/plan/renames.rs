//! The steps that rename.

use std::collections::BTreeSet;

use underpin_core::{Result, quote};

use super::makes::step;
use crate::{Change, Lock, LockMode, ObjectName, Step, Undo, Work};

pub(super) fn steps(changes: &[Change]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for change in in_order(changes) {
        let words = change.to_string();
        let (there, back, lock) = match &change {
            Change::RenameTable { from, to } => {
                let lock = Lock::of(LockMode::AccessExclusive, from, Work::Catalog);
                (
                    renamed("TABLE", from, to)?,
                    renamed("TABLE", to, from)?,
                    lock,
                )
            }
            Change::RenameSequence { from, to } => {
                let lock = Lock::of(LockMode::AccessExclusive, from, Work::Catalog);
                let there = renamed("SEQUENCE", from, to)?;
                (there, renamed("SEQUENCE", to, from)?, lock)
            }
            Change::RenameColumn { table, from, to } => {
                let lock = Lock::of(LockMode::AccessExclusive, table, Work::Catalog);
                let there = within(table, "COLUMN", from, to)?;
                (there, within(table, "COLUMN", to, from)?, lock)
            }
            Change::RenameConstraint { table, from, to } => {
                let lock = Lock::of(LockMode::AccessExclusive, table, Work::Catalog);
                let there = within(table, "CONSTRAINT", from, to)?;
                (there, within(table, "CONSTRAINT", to, from)?, lock)
            }
            Change::RenameIndex { table, from, to } => {
                let lock = Lock::of(
                    LockMode::ShareUpdateExclusive,
                    format!("index {from}"),
                    Work::Catalog,
                );
                let [old, new] = [from, to].map(|name| table.sibling(name));
                (
                    renamed("INDEX", &old, &new)?,
                    renamed("INDEX", &new, &old)?,
                    lock,
                )
            }
            _ => continue,
        };
        steps.push(step(words, there, Undo::sql(back), lock));
    }
    Ok(steps)
}

/// Tables first, since all else is called by their new names; each after the one that frees its
/// name.
fn in_order(changes: &[Change]) -> Vec<Change> {
    let of_tables = |change: &&Change| matches!(change, Change::RenameTable { .. });
    let (tables, others): (Vec<&Change>, Vec<&Change>) = changes.iter().partition(of_tables);
    let mut out = freed(tables);
    out.extend(freed(others));
    out
}

/// What is renamed and where, the old name and the new one.
type Ends = (&'static str, Option<ObjectName>, ObjectName, ObjectName);

fn ends(change: &Change) -> Option<Ends> {
    let within =
        |table: &ObjectName, from: &str, to: &str| (table.sibling(from), table.sibling(to));
    Some(match change {
        Change::RenameTable { from, to } => ("table", None, from.clone(), to.clone()),
        Change::RenameSequence { from, to } => ("sequence", None, from.clone(), to.clone()),
        Change::RenameColumn { table, from, to } => {
            let (from, to) = within(table, from, to);
            ("column", Some(table.clone()), from, to)
        }
        Change::RenameConstraint { table, from, to } | Change::RenameIndex { table, from, to } => {
            let (from, to) = within(table, from, to);
            ("part", None, from, to)
        }
        _ => return None,
    })
}

/// The same rename with other names.
fn with_names(change: &Change, from: &ObjectName, to: &ObjectName) -> Change {
    let names = || (from.name.clone(), to.name.clone());
    match change {
        Change::RenameTable { .. } => Change::RenameTable {
            from: from.clone(),
            to: to.clone(),
        },
        Change::RenameSequence { .. } => Change::RenameSequence {
            from: from.clone(),
            to: to.clone(),
        },
        Change::RenameColumn { table, .. } => {
            let (table, (from, to)) = (table.clone(), names());
            Change::RenameColumn { table, from, to }
        }
        Change::RenameConstraint { table, .. } => {
            let (table, (from, to)) = (table.clone(), names());
            Change::RenameConstraint { table, from, to }
        }
        Change::RenameIndex { table, .. } => {
            let (table, (from, to)) = (table.clone(), names());
            Change::RenameIndex { table, from, to }
        }
        other => other.clone(),
    }
}

fn freed(changes: Vec<&Change>) -> Vec<Change> {
    let mut left: Vec<Change> = changes.into_iter().cloned().collect();
    let mut out = Vec::with_capacity(left.len());
    let key = |(kind, of, name): (&'static str, &Option<ObjectName>, &ObjectName)| {
        (kind, of.clone(), name.clone())
    };
    let mut taken: BTreeSet<(&str, Option<ObjectName>, ObjectName)> = left
        .iter()
        .filter_map(ends)
        .map(|(kind, of, from, _)| key((kind, &of, &from)))
        .collect();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|change| {
            let Some((kind, of, from, to)) = ends(change) else {
                out.push(change.clone());
                return false;
            };
            let waits = taken.contains(&key((kind, &of, &to)));
            if !waits {
                taken.remove(&key((kind, &of, &from)));
                out.push(change.clone());
            }
            waits
        });
        if left.len() == before {
            // They take one another's names: one steps aside meanwhile.
            let first = left.remove(0);
            let Some((kind, of, from, to)) = ends(&first) else {
                continue;
            };
            let aside = from.sibling(super::aside(&from.name));
            taken.remove(&key((kind, &of, &from)));
            out.push(with_names(&first, &from, &aside));
            left.push(with_names(&first, &aside, &to));
        }
    }
    out
}

fn renamed(kind: &str, from: &ObjectName, to: &ObjectName) -> Result<String> {
    let (from, to) = (from.quoted()?, quote::identifier(&to.name)?);
    Ok(format!("ALTER {kind} {from} RENAME TO {to}"))
}

fn within(table: &ObjectName, kind: &str, from: &str, to: &str) -> Result<String> {
    Ok(format!(
        "ALTER TABLE {} RENAME {kind} {} TO {}",
        table.quoted()?,
        quote::identifier(from)?,
        quote::identifier(to)?
    ))
}
