use std::collections::{BTreeMap, BTreeSet};

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

/// The table that has to be altered or recreated for a change.
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
        | Change::SetColumnOptions { table, .. }
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
        Change::SetComment {
            on:
                CommentOn::Table(table)
                | CommentOn::Column(table, _)
                | CommentOn::Constraint(table, _)
                | CommentOn::Policy(table, _),
            ..
        } => Some(table),
        _ => None,
    }
}

/// The table or view that a change is of.
pub(super) fn owner_of(change: &Change) -> Option<&ObjectName> {
    table_of(change).or(match change {
        Change::CreateTable { name, .. }
        | Change::DropTable { name, .. }
        | Change::CreateView { name, .. }
        | Change::DropView { name, .. }
        | Change::AlterView { name, .. }
        | Change::SetViewDefault { view: name, .. }
        | Change::CreateIndex { table: name, .. }
        | Change::DropIndex { table: name, .. }
        | Change::AlterIndex { table: name, .. }
        | Change::RenameIndex { table: name, .. }
        | Change::CreateTrigger { table: name, .. }
        | Change::DropTrigger { table: name, .. }
        | Change::AlterTrigger { table: name, .. }
        | Change::SetComment {
            on: CommentOn::Index(name, _) | CommentOn::Trigger(name, _) | CommentOn::View(name),
            ..
        } => Some(name),
        _ => None,
    })
}

/// Indexes by table and name.
type Names<'c> = BTreeSet<(&'c ObjectName, &'c String)>;

/// The indexes of tables that are there before and after, and do not stay as they are.
#[derive(Default)]
pub(super) struct IndexChanges<'c> {
    pub(super) gone: Names<'c>,
    pub(super) made: Names<'c>,
    of_table: BTreeMap<&'c ObjectName, BTreeSet<&'c String>>,
}

impl<'c> IndexChanges<'c> {
    /// The names of those of one table.
    pub(super) fn of(&self, table: &ObjectName) -> BTreeSet<&'c String> {
        self.of_table.get(table).cloned().unwrap_or_default()
    }

    fn replace(&mut self, from: (&'c ObjectName, &'c String), to: (&'c ObjectName, &'c String)) {
        self.gone.insert(from);
        self.made.insert(to);
    }
}

/// The indexes that are created, dropped or changed. One that is changed is dropped and created.
pub(super) fn index_changes(changes: &[Change]) -> IndexChanges<'_> {
    let mut found = IndexChanges::default();
    let mut commented = Names::new();
    for change in changes {
        match change {
            Change::CreateIndex { table, name, .. } => drop(found.made.insert((table, name))),
            Change::DropIndex { table, name, .. } => drop(found.gone.insert((table, name))),
            Change::AlterIndex { table, name, .. } => found.replace((table, name), (table, name)),
            Change::RenameIndex { table, from, to } => found.replace((table, from), (table, to)),
            Change::SetComment {
                on: CommentOn::Index(table, name),
                ..
            } => drop(commented.insert((table, name))),
            _ => {}
        }
    }
    // One that is made anyhow has its comment then.
    for one in commented {
        if !found.made.contains(&one) {
            found.replace(one, one);
        }
    }
    for (table, name) in found.gone.union(&found.made) {
        found.of_table.entry(table).or_default().insert(name);
    }
    found
}
