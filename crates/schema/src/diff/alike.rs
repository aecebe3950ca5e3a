//! Renames that nobody has hinted at.

use super::Rename;
use super::normal::same_type;
use crate::{Change, Column, ObjectName, Table};

/// What is dropped and created alike: a column of a table, a whole table, a label of an enum.
/// Each is in at most one proposal.
pub(super) fn proposed(changes: &[Change]) -> Vec<Rename> {
    let mut proposed = Vec::new();
    tables(changes, &mut proposed);
    columns(changes, &mut proposed);
    for change in changes {
        if let Change::AlterEnum { name, from, to } = change
            && from.labels.len() == to.labels.len()
        {
            let pairs = from.labels.iter().zip(&to.labels);
            let differ = pairs.filter(|(from, to)| from != to);
            let other =
                differ.filter(|(old, new)| !to.labels.contains(old) && !from.labels.contains(new));
            proposed.extend(other.map(|(from, to)| Rename::Label {
                name: name.clone(),
                from: from.clone(),
                to: to.clone(),
            }));
        }
    }
    proposed
}

fn tables(changes: &[Change], proposed: &mut Vec<Rename>) {
    let mut made: Vec<(&ObjectName, &Table)> = Vec::new();
    for change in changes {
        if let Change::CreateTable { name, to } = change {
            made.push((name, to));
        }
    }
    for change in changes {
        let Change::DropTable { name, from } = change else {
            continue;
        };
        let score = |(other, table): &(&ObjectName, &Table)| {
            let same = name.namespace == other.namespace && from.is_child() == table.is_child();
            if same { shared(from, table) } else { 0 }
        };
        let best = (0..made.len()).max_by_key(|at| (score(&made[*at]), usize::MAX - *at));
        if let Some(best) = best {
            let columns = from.columns.len().max(made[best].1.columns.len());
            if columns > 0 && score(&made[best]) * 3 >= columns * 2 {
                let (to, _) = made.remove(best);
                let (from, to) = (name.clone(), to.clone());
                proposed.push(Rename::Table { from, to });
            }
        }
    }
}

/// How many columns two tables share by name and type.
fn shared(left: &Table, right: &Table) -> usize {
    let same = left.columns.iter().filter(|column| {
        let other = right.column(&column.name);
        other.is_some_and(|other| same_type(&column.data_type, &other.data_type))
    });
    same.count()
}

fn columns(changes: &[Change], proposed: &mut Vec<Rename>) {
    let mut made: Vec<(&ObjectName, &Column)> = Vec::new();
    for change in changes {
        if let Change::CreateColumn { table, to } = change {
            made.push((table, to));
        }
    }
    for change in changes {
        let Change::DropColumn { table, from } = change else {
            continue;
        };
        let place = made
            .iter()
            .position(|(other, column)| *other == table && alike(from, column));
        if let Some(place) = place {
            let (_, to) = made.remove(place);
            proposed.push(Rename::Column {
                table: table.clone(),
                from: from.name.clone(),
                to: to.name.clone(),
            });
        }
    }
}

fn alike(left: &Column, right: &Column) -> bool {
    let made = |column: &Column| (column.generated.is_some(), column.identity.is_some());
    same_type(&left.data_type, &right.data_type)
        && left.collation == right.collation
        && made(left) == made(right)
        && (left.not_null == right.not_null || left.default == right.default)
}
