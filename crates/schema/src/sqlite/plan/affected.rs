use std::collections::BTreeMap;

use crate::{Change, CommentOn, ObjectName};

/// The changes of tables that are there before and after, by table. Those of indexes and
/// triggers are not among them.
pub(super) fn tables_changed(changes: &[Change]) -> BTreeMap<&ObjectName, Vec<&Change>> {
    let mut tables: BTreeMap<&ObjectName, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        if let Some(table) = table_of(change) {
            tables.entry(table).or_default().push(change);
        }
    }
    tables
}

/// The table that has to be altered or made anew for a change.
fn table_of(change: &Change) -> Option<&ObjectName> {
    match change {
        Change::SetTablePersistence { table, .. }
        | Change::SetTableOptions { table, .. }
        | Change::SetRowSecurity { table, .. }
        | Change::SetPartitionBy { table, .. }
        | Change::SetPartitionOf { table, .. }
        | Change::SetInherits { table, .. }
        | Change::CreateColumn { table, .. }
        | Change::DropColumn { table, .. }
        | Change::SetColumnType { table, .. }
        | Change::SetColumnNotNull { table, .. }
        | Change::SetColumnConflict { table, .. }
        | Change::SetColumnDefault { table, .. }
        | Change::SetColumnIdentity { table, .. }
        | Change::SetColumnGenerated { table, .. }
        | Change::CreatePrimaryKey { table, .. }
        | Change::DropPrimaryKey { table, .. }
        | Change::AlterPrimaryKey { table, .. }
        | Change::CreateUnique { table, .. }
        | Change::DropUnique { table, .. }
        | Change::AlterUnique { table, .. }
        | Change::CreateCheck { table, .. }
        | Change::DropCheck { table, .. }
        | Change::AlterCheck { table, .. }
        | Change::CreateForeignKey { table, .. }
        | Change::DropForeignKey { table, .. }
        | Change::AlterForeignKey { table, .. }
        | Change::CreateExclusion { table, .. }
        | Change::DropExclusion { table, .. }
        | Change::AlterExclusion { table, .. }
        | Change::RenameConstraint { table, .. }
        | Change::CreatePolicy { table, .. }
        | Change::DropPolicy { table, .. }
        | Change::AlterPolicy { table, .. } => Some(table),
        Change::SetComment { on, .. } => match on {
            CommentOn::Table(table)
            | CommentOn::Constraint(table, _)
            | CommentOn::Policy(table, _) => Some(table),
            CommentOn::Column(table, _) => Some(table),
            _ => None,
        },
        _ => None,
    }
}

/// Indexes by table and name.
type Names<'c> = Vec<(&'c ObjectName, &'c String)>;

/// The indexes of tables that are there before and after, and do not stay as they are.
#[derive(Default)]
pub(super) struct IndexChanges<'c> {
    pub(super) gone: Names<'c>,
    pub(super) made: Names<'c>,
}

impl<'c> IndexChanges<'c> {
    /// The names of those of one table.
    pub(super) fn of(&self, table: &ObjectName) -> impl Iterator<Item = &'c String> {
        let both = self.gone.iter().chain(&self.made);
        let names: Vec<&'c String> = both
            .filter(|(of, _)| *of == table)
            .map(|(_, name)| *name)
            .collect();
        names.into_iter()
    }
}

/// The indexes that are created, dropped or changed. One that is changed is dropped and created.
pub(super) fn index_changes(changes: &[Change]) -> IndexChanges<'_> {
    let mut found = IndexChanges::default();
    for change in changes {
        match change {
            Change::CreateIndex { table, name, .. } => found.made.push((table, name)),
            Change::DropIndex { table, name, .. } => found.gone.push((table, name)),
            Change::AlterIndex { table, name, .. }
            | Change::SetComment {
                on: CommentOn::Index(table, name),
                ..
            } => {
                if !found.gone.contains(&(table, name)) {
                    found.gone.push((table, name));
                    found.made.push((table, name));
                }
            }
            Change::RenameIndex { table, from, to } => {
                found.gone.push((table, from));
                found.made.push((table, to));
            }
            _ => {}
        }
    }
    // A comment on one that was renamed is there twice.
    let renamed: Vec<_> = found.made.clone();
    let mut seen = std::collections::BTreeSet::new();
    found.made = renamed
        .into_iter()
        .filter(|one| seen.insert(*one))
        .collect();
    let renamed_to = |one: &(&ObjectName, &String)| {
        changes.iter().any(|change| {
            matches!(change, Change::RenameIndex { table, to, .. } if (table, to) == (one.0, one.1))
        })
    };
    found.gone.retain(|one| !renamed_to(one));
    found
}
