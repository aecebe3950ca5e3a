use crate::object_name::plain;
use crate::plan::Refusal;
use crate::{Change, ObjectName};

/// Refuses to drop one and create another whose names SQLite takes for the same.
pub(super) fn refused(changes: &[Change]) -> Vec<Refusal> {
    let mut refused = Vec::new();
    for change in changes {
        match change {
            Change::DropTable { name, .. } => {
                let other = changes.iter().find_map(|other| match other {
                    Change::CreateTable { name: new, .. } if same(&new.name, &name.name) => {
                        Some(new)
                    }
                    _ => None,
                });
                refused.extend(other.map(|new| table(name, new)));
            }
            Change::DropColumn { table, from } => {
                let other = changes.iter().find_map(|other| match other {
                    Change::CreateColumn { table: of, to }
                        if of == table && same(&to.name, &from.name) =>
                    {
                        Some(&to.name)
                    }
                    _ => None,
                });
                refused.extend(other.map(|new| column(table, &from.name, new)));
            }
            _ => {}
        }
    }
    refused
}

fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}

fn table(old: &ObjectName, new: &ObjectName) -> Refusal {
    refusal(format!(
        "The table {old} cannot be replaced by {new}, since both names are the same for SQLite. \
         Rename it by a hint (--rename '{old}={new}')."
    ))
}

fn column(table: &ObjectName, old: &str, new: &str) -> Refusal {
    let (old, new) = (plain(old), plain(new));
    refusal(format!(
        "The column {table}.{old} cannot be replaced by {new}, since both names are the same for \
         SQLite. Rename it by a hint (--rename '{table}.{old}={table}.{new}')."
    ))
}

fn refusal(sentence: String) -> Refusal {
    Refusal::Unsupported { sentence }
}
