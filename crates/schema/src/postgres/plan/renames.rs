//! The steps that rename.

use std::collections::BTreeSet;

use underpin_core::{Result, quote};

use super::makes::step;
use crate::{Change, Lock, LockMode, ObjectName, Step, Undo, Work};

pub(super) fn steps(changes: &[Change]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for change in in_order(changes) {
        let words = change.to_string();
        let (there, back, lock) = match change {
            Change::RenameTable { from, to } => {
                let lock = Lock::of(LockMode::AccessExclusive, from, Work::Catalog);
                (
                    renamed("TABLE", from, to)?,
                    renamed("TABLE", to, from)?,
                    lock,
                )
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

/// Each after the one that frees its name.
fn in_order(changes: &[Change]) -> Vec<&Change> {
    let ends = |change: &Change| match change {
        Change::RenameConstraint { table, from, to } | Change::RenameIndex { table, from, to } => {
            Some((table.sibling(from), table.sibling(to)))
        }
        _ => None,
    };
    let mut left: Vec<&Change> = changes.iter().collect();
    let mut out = Vec::with_capacity(left.len());
    let mut taken: BTreeSet<ObjectName> = left
        .iter()
        .filter_map(|change| Some(ends(change)?.0))
        .collect();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|change| {
            let waits = ends(change).is_some_and(|(_, to)| taken.contains(&to));
            if !waits {
                if let Some((from, _)) = ends(change) {
                    taken.remove(&from);
                }
                out.push(*change);
            }
            waits
        });
        if left.len() == before {
            // They take one another's names, which no order resolves.
            out.append(&mut left);
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
