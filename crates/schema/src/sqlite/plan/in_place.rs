//! What `ALTER TABLE` can do on SQLite: columns at the end, and columns that nothing needs.

use std::collections::BTreeSet;
use std::fmt::Write;

use underpin_core::Result;

use super::steps::{Steps, catalog, entries, scan};
use crate::object_name::plain;
use crate::plan::{Step, Undo};
use crate::sqlite::constraint_names::{Label, check_columns};
use crate::sqlite::ddl;
use crate::sqlite::expression::{Scope, columns_in, is_literal};
use crate::{Change, Check, Column, Conflict, ForeignKey, GeneratedKind, ObjectName, Table};

/// A table that is changed in place.
pub(super) struct InPlace {
    pub(super) steps: Vec<Step>,
    /// Whether a column is dropped, at which SQLite reads all views and triggers.
    pub(super) drops: bool,
    /// Whether the undo of the steps is not theirs, but to recreate the table.
    pub(super) undone_by_rebuild: bool,
}

/// The steps that change a table in place; none if it has to be recreated.
pub(super) fn in_place(
    name: &ObjectName,
    now: &Table,
    then: &Table,
    changes: &[&Change],
) -> Result<Option<InPlace>> {
    let Some(parts) = Parts::of(name, then, changes) else {
        return Ok(None);
    };
    let (mut steps, mut undone_by_rebuild) = (Steps::default(), false);
    for column in &parts.added {
        let constraints = parts.constraints_of(name, then, column)?;
        let sql = ddl::column::add(name, then, column, &constraints)?;
        undone_by_rebuild |= !constraints.is_empty() || !can_be_dropped(then, &column.name);
        let undo = Undo::sql(ddl::column::drop(name, &column.name)?);
        let comment = format!("Add column {name}.{}", plain(&column.name));
        let lock = if constraints.is_empty() {
            catalog()
        } else {
            scan()
        };
        steps.push(comment, sql, undo, lock);
    }
    for column in &parts.dropped {
        if !can_be_dropped(now, &column.name) {
            return Ok(None);
        }
        undone_by_rebuild |= !can_be_added(column);
        let undo = Undo::sql(ddl::column::add(name, now, column, "")?);
        let sql = ddl::column::drop(name, &column.name)?;
        let comment = format!("Drop column {name}.{}", plain(&column.name));
        let step = steps.push(comment, sql, undo, entries());
        if column.generated.is_none() {
            step.loses = Some(format!("the values of {name}.{}", plain(&column.name)));
        }
    }
    Ok(Some(InPlace {
        drops: !parts.dropped.is_empty(),
        steps: steps.list,
        undone_by_rebuild,
    }))
}

/// The changes of a table, where each may be one that can be made in place.
#[derive(Default)]
struct Parts<'c> {
    added: Vec<&'c Column>,
    dropped: Vec<&'c Column>,
    checks: Vec<(&'c String, &'c Check)>,
    foreign_keys: Vec<(&'c String, &'c ForeignKey)>,
}

impl<'c> Parts<'c> {
    /// None where a change cannot be made in place: anything but a column more or less, and the
    /// constraints that can stand within a new one.
    fn of(name: &ObjectName, then: &Table, changes: &[&'c Change]) -> Option<Self> {
        let mut parts = Parts::default();
        for change in changes {
            match change {
                Change::CreateColumn { to, .. } if can_be_added(to) => parts.added.push(to),
                Change::DropColumn { from, .. } => parts.dropped.push(from),
                Change::CreateCheck { name, to, .. } if to.comment.is_none() => {
                    parts.checks.push((name, to));
                }
                Change::CreateForeignKey { name, to, .. } if to.comment.is_none() => {
                    parts.foreign_keys.push((name, to));
                }
                _ => return None,
            }
        }
        let checks = parts.checks.iter();
        let checks = checks.map(|(_, check)| parts.bearer_of_check(name, then, check));
        let keys = parts.foreign_keys.iter();
        let keys = keys.map(|(_, key)| parts.bearer_of_key(key));
        let placed = checks.chain(keys).all(|bearer| bearer.is_some());
        placed.then_some(parts)
    }

    /// The new column within which a check can stand: the last one that it names.
    fn bearer_of_check(&self, name: &ObjectName, then: &Table, check: &Check) -> Option<&String> {
        let columns: Vec<String> = then.columns.iter().map(|one| one.name.clone()).collect();
        let scope = Scope {
            table: &name.name,
            columns: &columns,
        };
        let named = columns_in(&check.expression, scope);
        let added = self.added.iter().rev();
        added.map(|one| &one.name).find(|one| named.contains(one))
    }

    /// The new column within which a foreign key can stand. SQLite wants it to be NULL at first.
    fn bearer_of_key(&self, key: &ForeignKey) -> Option<&String> {
        let mut added = self.added.iter();
        let column = added.find(|column| key.columns == [column.name.clone()])?;
        column.default.is_none().then_some(&column.name)
    }

    /// The constraints that a new column brings with it, as SQL.
    fn constraints_of(&self, name: &ObjectName, then: &Table, column: &Column) -> Result<String> {
        let mut sql = String::new();
        for (check, of) in &self.checks {
            if self.bearer_of_check(name, then, of) == Some(&column.name) {
                let columns = check_columns(then, &name.name, of);
                let given = given(name, Label::Check, &columns, check);
                let _ = write!(sql, " {}", ddl::check::clause(given, of)?);
            }
        }
        for (key, of) in &self.foreign_keys {
            if self.bearer_of_key(of) == Some(&column.name) {
                let given = given(name, Label::ForeignKey, &of.columns, key);
                let references = ddl::foreign_key::references(of)?;
                let name = ddl::constraint(given)?;
                let _ = write!(sql, " {name}{}", references.trim_start());
            }
        }
        Ok(sql)
    }
}

/// The name of a constraint, where it is not the one that it gets by itself.
fn given<'n>(
    table: &ObjectName,
    label: Label,
    columns: &[String],
    name: &'n str,
) -> Option<&'n str> {
    let own = label.name(&table.name, columns, &BTreeSet::new());
    (own != name).then_some(name)
}

/// Whether `ADD COLUMN` takes a column: its default is one value for all rows, it is stored
/// nowhere where it is computed, and a comment has something to stand before.
fn can_be_added(column: &Column) -> bool {
    let default = column.default.as_ref();
    let default = default.map(|text| text.as_str().to_ascii_uppercase());
    let constant = |text: &String| is_literal(text) && !text.starts_with("CURRENT_");
    let constant = default.as_ref().is_none_or(constant);
    let filled = default.is_some_and(|text| text != "NULL");
    if column.comment.is_some() && column.data_type.name.is_empty() {
        return false;
    }
    let computed = match &column.generated {
        Some(generated) => generated.kind == GeneratedKind::Virtual && !column.not_null,
        None => !column.not_null || filled,
    };
    constant && computed && column.identity.is_none() && column.not_null_conflict == Conflict::Abort
}

/// Whether `DROP COLUMN` takes a column: nothing in the table needs it, and there are no
/// comments, which SQLite would leave where it stood. Indexes that need it go before.
fn can_be_dropped(table: &Table, name: &str) -> bool {
    let columns = table.columns.iter().map(|column| column.name.clone());
    let columns: Vec<String> = columns.collect();
    let scope = Scope {
        table: "",
        columns: &columns,
    };
    let within = |list: &[String]| list.iter().any(|column| column == name);
    let keys = table.primary_key.iter().map(|key| &key.columns);
    let keys = keys.chain(table.uniques.values().map(|unique| &unique.columns));
    let mut keys = keys.chain(table.foreign_keys.values().map(|key| &key.columns));
    let own = table.foreign_keys.values();
    let mut referenced = own.map(|key| &key.referenced_columns);
    let generated = table
        .columns
        .iter()
        .filter_map(|column| column.generated.as_ref());
    let texts = generated.map(|one| &one.expression);
    let mut texts = texts.chain(table.checks.values().map(|check| &check.expression));
    let needed = keys.any(|list| within(list))
        || referenced.any(|list| within(list))
        || texts.any(|text| within(&columns_in(text, scope)));
    !needed && columns.len() > 1 && !has_comments(table)
}

fn has_comments(table: &Table) -> bool {
    let columns = table.columns.iter().map(|column| &column.comment);
    let key = table.primary_key.iter().map(|key| &key.comment);
    let uniques = table.uniques.values().map(|unique| &unique.comment);
    let checks = table.checks.values().map(|check| &check.comment);
    let keys = table.foreign_keys.values().map(|key| &key.comment);
    let all = columns.chain(key).chain(uniques).chain(checks).chain(keys);
    table.comment.is_some() || all.flatten().next().is_some()
}

/// Whether the columns stand in another order once some went and others came at the end.
pub(super) fn other_order(now: &Table, then: &Table) -> bool {
    let stay = now.columns.iter().map(|column| &column.name);
    let stay = stay.filter(|name| then.column(name).is_some());
    let new = then.columns.iter().map(|column| &column.name);
    let new = new.filter(|name| now.column(name).is_none());
    !stay
        .chain(new)
        .eq(then.columns.iter().map(|column| &column.name))
}
