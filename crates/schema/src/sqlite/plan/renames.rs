use std::cell::LazyCell;
use std::collections::BTreeSet;

use underpin_core::Result;

use super::steps::{Steps, catalog};
use super::taken::Taken;
use crate::diff::renamed;
use crate::object_name::plain;
use crate::plan::{Refusal, Undo};
use crate::sqlite::constraint_names;
use crate::sqlite::ddl;
use crate::sqlite::normal::normal;
use crate::sqlite::rowid::is_set;
use crate::{Change, Diff, Hints, ObjectName, Rename, Schema};

/// The renames among the changes.
pub(super) struct Renames {
    hints: Hints,
    /// Each in words, and a name that no table has.
    words: Vec<(String, String)>,
}

impl Renames {
    pub(super) fn of(from: &Schema, to: &Schema, diff: &Diff) -> Self {
        let (mut hints, mut words) = (Hints::default(), Vec::new());
        let taken = LazyCell::new(|| Taken::of([from, to]));
        for change in &diff.changes {
            let Some(rename) = rename(change) else {
                continue;
            };
            let spare = match &rename {
                Rename::Table { to: name, .. } => taken.spare(&name.name),
                _ => String::new(),
            };
            hints.renames.push(rename);
            words.push((change.to_string(), spare));
        }
        Renames { hints, words }
    }

    /// They as hints.
    pub(super) fn hints(&self) -> &Hints {
        &self.hints
    }

    /// The schema after the renames: as SQLite has it then, but for the texts of views and
    /// triggers.
    pub(super) fn apply(&self, from: &Schema) -> Schema {
        if self.hints.renames.is_empty() {
            return from.clone();
        }
        let mut schema = renamed(from, &self.hints.renames);
        for (old, table) in &from.tables {
            let name = self.new_table(old);
            let Some(now) = schema.tables.get_mut(&name) else {
                continue;
            };
            normal(&name.name, now);
            constraint_names::follow((&old.name, table), &name.name, now);
        }
        schema
    }

    /// The tables that views and triggers name otherwise now, in lower case.
    pub(super) fn touched(&self) -> BTreeSet<String> {
        let mut touched = BTreeSet::new();
        for rename in &self.hints.renames {
            match rename {
                Rename::Table { from, to } => {
                    touched.insert(from.name.to_ascii_lowercase());
                    touched.insert(to.name.to_ascii_lowercase());
                }
                Rename::Column { table, .. } => {
                    touched.insert(self.old_table(table).name.to_ascii_lowercase());
                }
                Rename::Label { .. } | Rename::Sequence { .. } => {}
            }
        }
        touched
    }

    /// The name that a table gets.
    pub(super) fn new_table(&self, old: &ObjectName) -> ObjectName {
        let new = self.hints.renames.iter().find_map(|rename| match rename {
            Rename::Table { from, to } if from == old => Some(to.clone()),
            _ => None,
        });
        new.unwrap_or_else(|| old.clone())
    }

    /// The name that a table had.
    pub(super) fn old_table(&self, new: &ObjectName) -> ObjectName {
        let old = self.hints.renames.iter().find_map(|rename| match rename {
            Rename::Table { from, to } if to == new => Some(from.clone()),
            _ => None,
        });
        old.unwrap_or_else(|| new.clone())
    }

    /// The renames at which SQLite itself fails: it does not find the INTEGER key of a table
    /// without rowids again in a unique constraint.
    pub(super) fn refused(&self, from: &Schema) -> Vec<Refusal> {
        let columns = self.hints.renames.iter().filter_map(|rename| match rename {
            Rename::Column { table, from, .. } => Some((table, from)),
            _ => None,
        });
        let refused = columns.filter(|(name, column)| {
            let Some(table) = from.tables.get(&self.old_table(name)) else {
                return false;
            };
            let key = table.primary_key.iter().map(|key| &key.columns);
            let mut key = key.filter(|columns| columns[..] == [(*column).clone()]);
            let mut uniques = table.uniques.values();
            let of = table.column(column).map(|column| &column.data_type.name);
            is_set(table, "without_rowid")
                && of.is_some_and(|name| name.eq_ignore_ascii_case("INTEGER"))
                && key.next().is_some()
                && uniques.any(|unique| unique.columns.contains(column))
        });
        let refused = refused.map(|(table, column)| Refusal::Unsupported {
            sentence: format!(
                "The column {table}.{} cannot be renamed: SQLite fails at the INTEGER key of a \
                 table without rowids that a unique constraint has too. Drop that constraint first, in a separate revision, and recreate it afterwards.",
                plain(column)
            ),
        });
        refused.chain(self.crossing()).collect()
    }

    /// Tables or columns that take one another's names.
    fn crossing(&self) -> Vec<Refusal> {
        let ends = |rename: &Rename| match rename {
            Rename::Table { from, to } => Some((None, from.name.clone(), to.name.clone())),
            Rename::Column { table, from, to } => {
                Some((Some(table.clone()), from.clone(), to.clone()))
            }
            _ => None,
        };
        let all: Vec<_> = self.hints.renames.iter().filter_map(ends).collect();
        let taken = all.iter().filter(|(of, from, to)| {
            let mut others = all.iter().filter(|(other, ..)| other == of);
            from != to && others.any(|(_, old, _)| old == to)
        });
        let refused = taken.map(|(_, from, to)| Refusal::Unsupported {
            sentence: format!(
                "{} cannot be renamed to {} while something else of that name is renamed too. \
                 Rename one of them to a third name before, in a revision of its own.",
                plain(from),
                plain(to)
            ),
        });
        refused.collect()
    }

    pub(super) fn steps(&self, steps: &mut Steps) -> Result<()> {
        for (rename, (comment, spare)) in self.hints.renames.iter().zip(&self.words) {
            match rename {
                // SQLite takes both names for the same, and would refuse.
                Rename::Table { from, to } if from.name.eq_ignore_ascii_case(&to.name) => {
                    let by_way = from.sibling(spare.clone());
                    for (from, to) in [(from, &by_way), (&by_way, to)] {
                        let (sql, undo) =
                            (ddl::table::rename(from, to)?, ddl::table::rename(to, from)?);
                        steps.push(comment, sql, Undo::sql(undo), catalog());
                    }
                }
                Rename::Table { from, to } => {
                    let undo = ddl::table::rename(to, from)?;
                    let sql = ddl::table::rename(from, to)?;
                    steps.push(comment, sql, Undo::sql(undo), catalog());
                }
                Rename::Column { table, from, to } => {
                    let undo = ddl::column::rename(table, to, from)?;
                    let sql = ddl::column::rename(table, from, to)?;
                    steps.push(comment, sql, Undo::sql(undo), catalog());
                }
                Rename::Label { .. } | Rename::Sequence { .. } => {}
            }
        }
        Ok(())
    }
}

fn rename(change: &Change) -> Option<Rename> {
    match change.clone() {
        Change::RenameTable { from, to } => Some(Rename::Table { from, to }),
        Change::RenameColumn { table, from, to } => Some(Rename::Column { table, from, to }),
        _ => None,
    }
}
