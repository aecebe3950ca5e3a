//! Changes in words.

use std::fmt::{self, Display, Formatter};

use super::{Change, ColumnType};
use crate::object_name::plain;
use crate::{ObjectName, Persistence};

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Change::CreateNamespace { name, .. } => write!(f, "Create schema {}", plain(name)),
            Change::DropNamespace { name, .. } => write!(f, "Drop schema {}", plain(name)),
            Change::CreateExtension { name, .. } => write!(f, "Create extension {}", plain(name)),
            Change::DropExtension { name, .. } => write!(f, "Drop extension {}", plain(name)),
            Change::AlterExtension { name, .. } => write!(f, "Update extension {}", plain(name)),
            Change::CreateEnum { name, .. } => write!(f, "Create enum {name}"),
            Change::DropEnum { name, .. } => write!(f, "Drop enum {name}"),
            Change::AlterEnum { name, .. } => write!(f, "Change the labels of enum {name}"),
            Change::RenameLabel { name, from, to } => {
                write!(f, "Rename label {from:?} of enum {name} to {to:?}")
            }
            Change::CreateDefined { name, .. } => write!(f, "Create {name}"),
            Change::DropDefined { name, .. } => write!(f, "Drop {name}"),
            Change::AlterDefined { name, .. } => write!(f, "Replace {name}"),
            Change::RenameSequence { from, to } => write!(f, "Rename sequence {from} to {to}"),
            Change::SetSetting { setting, to, .. } => match to {
                Some(to) if !matches!(setting, crate::Setting::IndexComment(..)) => {
                    write!(f, "Set the {setting} to {to}")
                }
                Some(_) => write!(f, "Set the {setting}"),
                None => write!(f, "Leave the {setting} as usual"),
            },
            Change::SetAccess { on, from, to } => match from.owner == to.owner {
                true => write!(f, "Change the privileges on {on}"),
                false => write!(f, "Change the owner of {on}"),
            },
            Change::CreateSequence { name, .. } => write!(f, "Create sequence {name}"),
            Change::DropSequence { name, .. } => write!(f, "Drop sequence {name}"),
            Change::SetSequenceOptions { name, .. } => {
                write!(f, "Change how sequence {name} counts")
            }
            Change::SetSequenceOwner { name, to, .. } => match to {
                Some(to) => {
                    let column = plain(&to.column);
                    write!(f, "Let {}.{column} own sequence {name}", to.table)
                }
                None => write!(f, "Let no column own sequence {name}"),
            },
            Change::SetSequencePersistence { name, to, .. } => {
                write!(f, "Let sequence {name} {}", persistence(*to))
            }
            Change::CreateFunction { name, .. } => write!(f, "Create function {name}"),
            Change::DropFunction { name, .. } => write!(f, "Drop function {name}"),
            Change::AlterFunction { name, .. } => write!(f, "Replace function {name}"),
            Change::CreateView { name, .. } => write!(f, "Create view {name}"),
            Change::DropView { name, .. } => write!(f, "Drop view {name}"),
            Change::AlterView { name, .. } => write!(f, "Replace view {name}"),
            Change::SetViewDefault { view, column, .. } => {
                write!(f, "Change the default of {view}.{}", plain(column))
            }
            Change::CreateMaterializedView { name, .. } => {
                write!(f, "Create materialized view {name}")
            }
            Change::DropMaterializedView { name, .. } => {
                write!(f, "Drop materialized view {name}")
            }
            Change::AlterMaterializedView { name, .. } => {
                write!(f, "Replace materialized view {name}")
            }
            Change::SetComment { on, to, .. } => match to {
                Some(_) => write!(f, "Comment on {on}"),
                None => write!(f, "Take the comment from {on}"),
            },
            other => domain(other, f),
        }
    }
}

fn domain(change: &Change, f: &mut Formatter<'_>) -> fmt::Result {
    match change {
        Change::CreateDomain { name, .. } => write!(f, "Create domain {name}"),
        Change::DropDomain { name, .. } => write!(f, "Drop domain {name}"),
        Change::SetDomainType { name, from, to } => {
            write!(f, "Change domain {name} from {} to {}", from.base, to.base)
        }
        Change::SetDomainDefault { name, to, .. } => {
            default(f, format_args!("domain {name}"), to.is_some())
        }
        Change::SetDomainNotNull { name, to, .. } => null(f, format_args!("domain {name}"), *to),
        Change::CreateDomainCheck { domain, name, .. } => part(f, "Create check", name, domain),
        Change::DropDomainCheck { domain, name, .. } => part(f, "Drop check", name, domain),
        Change::AlterDomainCheck { domain, name, .. } => part(f, "Replace check", name, domain),
        other => table(other, f),
    }
}

fn table(change: &Change, f: &mut Formatter<'_>) -> fmt::Result {
    match change {
        Change::CreateTable { name, .. } => write!(f, "Create table {name}"),
        Change::DropTable { name, .. } => write!(f, "Drop table {name}"),
        Change::RenameTable { from, to } => write!(f, "Rename table {from} to {to}"),
        Change::SetTablePersistence { table, to, .. } => {
            write!(f, "Let table {table} {}", persistence(*to))
        }
        Change::SetTableOptions { table, .. } => {
            write!(f, "Change the storage options of table {table}")
        }
        Change::SetRowSecurity { table, .. } => {
            write!(f, "Change the row-level security of table {table}")
        }
        Change::SetPartitionBy { table, .. } => {
            write!(f, "Change how table {table} is partitioned")
        }
        Change::SetPartitionOf { table, from, to } => match (from, to) {
            (_, Some(to)) => write!(f, "Make table {table} a partition of {}", to.parent),
            (Some(from), None) => write!(f, "Detach table {table} from {}", from.parent),
            (None, None) => write!(f, "Leave table {table} alone"),
        },
        Change::SetInherits { table, .. } => write!(f, "Change what table {table} inherits from"),
        other => column(other, f),
    }
}

fn column(change: &Change, f: &mut Formatter<'_>) -> fmt::Result {
    match change {
        Change::CreateColumn { table, to } => {
            write!(f, "Add column {table}.{}", plain(&to.name))
        }
        Change::DropColumn { table, from } => {
            write!(f, "Drop column {table}.{}", plain(&from.name))
        }
        Change::RenameColumn { table, from, to } => {
            write!(f, "Rename column {table}.{} to {}", plain(from), plain(to))
        }
        Change::SetColumnType {
            table,
            column,
            from,
            to,
        } => {
            let column = plain(column);
            write!(f, "Change {table}.{column} from {from} to {to}")
        }
        Change::SetColumnNotNull {
            table, column, to, ..
        } => null(f, format_args!("{table}.{}", plain(column)), *to),
        Change::SetNotNullConstraint { table, column, .. } => {
            let column = plain(column);
            write!(f, "Change the NOT NULL constraint of {table}.{column}")
        }
        Change::SetColumnConflict { table, column, .. } => {
            let column = plain(column);
            write!(f, "Change what becomes of NULL in {table}.{column}")
        }
        Change::SetColumnDefault {
            table, column, to, ..
        } => {
            let column = plain(column);
            default(f, format_args!("{table}.{column}"), to.is_some())
        }
        Change::SetColumnOptions { table, column, .. } => {
            write!(f, "Change the options of {table}.{}", plain(column))
        }
        Change::SetColumnIdentity {
            table,
            column,
            from,
            to,
        } => {
            let column = plain(column);
            match (from, to) {
                (None, _) => write!(f, "Let {table}.{column} count by itself"),
                (_, None) => write!(f, "Let {table}.{column} no longer count by itself"),
                _ => write!(f, "Change how {table}.{column} counts"),
            }
        }
        Change::SetColumnGenerated {
            table, column, to, ..
        } => {
            let column = plain(column);
            match to {
                Some(_) => write!(f, "Change what {table}.{column} is computed from"),
                None => write!(f, "Let {table}.{column} no longer be computed"),
            }
        }
        other => constraint(other, f),
    }
}

fn constraint(change: &Change, f: &mut Formatter<'_>) -> fmt::Result {
    match change {
        Change::CreatePrimaryKey { table, .. } => write!(f, "Create the primary key of {table}"),
        Change::DropPrimaryKey { table, .. } => write!(f, "Drop the primary key of {table}"),
        Change::AlterPrimaryKey { table, .. } => {
            write!(f, "Replace the primary key of {table}")
        }
        Change::CreateUnique { table, name, .. } => part(f, "Create unique", name, table),
        Change::DropUnique { table, name, .. } => part(f, "Drop unique", name, table),
        Change::AlterUnique { table, name, .. } => part(f, "Replace unique", name, table),
        Change::CreateCheck { table, name, .. } => part(f, "Create check", name, table),
        Change::DropCheck { table, name, .. } => part(f, "Drop check", name, table),
        Change::AlterCheck { table, name, .. } => part(f, "Replace check", name, table),
        Change::CreateForeignKey { table, name, .. } => part(f, "Create foreign key", name, table),
        Change::DropForeignKey { table, name, .. } => part(f, "Drop foreign key", name, table),
        Change::AlterForeignKey { table, name, .. } => part(f, "Replace foreign key", name, table),
        Change::CreateExclusion { table, name, .. } => part(f, "Create exclusion", name, table),
        Change::DropExclusion { table, name, .. } => part(f, "Drop exclusion", name, table),
        Change::AlterExclusion { table, name, .. } => part(f, "Replace exclusion", name, table),
        Change::RenameConstraint { table, from, to } => {
            let (from, to) = (plain(from), plain(to));
            write!(f, "Rename constraint {from} of {table} to {to}")
        }
        other => beside(other, f),
    }
}

/// What stands beside a table.
fn beside(change: &Change, f: &mut Formatter<'_>) -> fmt::Result {
    match change {
        Change::CreateIndex { table, name, .. } => part(f, "Create index", name, table),
        Change::DropIndex { table, name, .. } => part(f, "Drop index", name, table),
        Change::AlterIndex { table, name, .. } => part(f, "Replace index", name, table),
        Change::RenameIndex { table, from, to } => {
            let (from, to) = (plain(from), plain(to));
            write!(f, "Rename index {from} of {table} to {to}")
        }
        Change::CreateTrigger { table, name, .. } => part(f, "Create trigger", name, table),
        Change::DropTrigger { table, name, .. } => part(f, "Drop trigger", name, table),
        Change::AlterTrigger { table, name, .. } => part(f, "Replace trigger", name, table),
        Change::CreatePolicy { table, name, .. } => part(f, "Create policy", name, table),
        Change::DropPolicy { table, name, .. } => part(f, "Drop policy", name, table),
        Change::AlterPolicy { table, name, .. } => part(f, "Replace policy", name, table),
        _ => unreachable!("every other change has its words above"),
    }
}

fn part(f: &mut Formatter<'_>, what: &str, name: &str, of: &ObjectName) -> fmt::Result {
    write!(f, "{what} {} of {of}", plain(name))
}

fn default(f: &mut Formatter<'_>, of: impl Display, there: bool) -> fmt::Result {
    match there {
        true => write!(f, "Set the default of {of}"),
        false => write!(f, "Drop the default of {of}"),
    }
}

fn null(f: &mut Formatter<'_>, of: impl Display, refused: bool) -> fmt::Result {
    match refused {
        true => write!(f, "Let {of} refuse NULL"),
        false => write!(f, "Let {of} hold NULL"),
    }
}

fn persistence(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::Permanent => "outlive a crash",
        Persistence::Unlogged => "not outlive a crash",
    }
}

impl Display for ColumnType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.collation {
            Some(collation) => write!(f, "{} collated by {collation}", self.data_type),
            None => write!(f, "{}", self.data_type),
        }
    }
}
