//! Columns.

use std::collections::BTreeMap;

use super::normal::{same_expression, same_expressions, same_type};
use super::object::same_options;
use super::part::comment;
use crate::{
    Change, Column, ColumnType, CommentOn, Generated, Identity, NotNull, ObjectName, Table,
};

/// The table above one, on both sides, where it is the same one.
pub(super) struct Above<'s> {
    pub(super) from: &'s Table,
    pub(super) to: &'s Table,
}

pub(super) fn columns(
    table: &ObjectName,
    from: &Table,
    to: &Table,
    above: &[Above<'_>],
    out: &mut Vec<Change>,
) {
    if from.columns == to.columns && above.is_empty() {
        return;
    }
    for column in &from.columns {
        if to.column(&column.name).is_some() {
            continue;
        }
        let goes_along = above.iter().any(|above| {
            above.from.column(&column.name).is_some() && above.to.column(&column.name).is_none()
        });
        if !(column.inherited && (goes_along || !above.is_empty())) {
            out.push(Change::DropColumn {
                table: table.clone(),
                from: column.clone(),
            });
        }
    }
    for column in &to.columns {
        let before = from.column(&column.name);
        let comes_along = above.iter().any(|above| {
            above.to.column(&column.name).is_some() && above.from.column(&column.name).is_none()
        });
        match before {
            Some(before) => both(table, before, column, above, out),
            None if comes_along => came_along(table, column, above, out),
            None => out.push(Change::CreateColumn {
                table: table.clone(),
                to: column.clone(),
            }),
        }
    }
}

/// What a column that comes with that of the table above has of its own.
fn came_along(table: &ObjectName, column: &Column, above: &[Above<'_>], out: &mut Vec<Change>) {
    let first = above.iter().find_map(|above| above.to.column(&column.name));
    if let Some(first) = first {
        let as_it_comes = Column {
            options: BTreeMap::new(),
            comment: None,
            // It has the name that the one above has.
            not_null_constraint: column.not_null_constraint.clone(),
            ..first.clone()
        };
        own(table, &as_it_comes, column, out);
    }
}

fn both(
    table: &ObjectName,
    from: &Column,
    to: &Column,
    above: &[Above<'_>],
    out: &mut Vec<Change>,
) {
    let sides = above.iter().filter_map(|above| {
        let from = above.from.column(&from.name)?;
        Some((from, above.to.column(&from.name)?))
    });
    let sides: Vec<_> = sides.collect();
    if sides.is_empty() {
        let name = || (table.clone(), to.name.clone());
        if !same_type(&from.data_type, &to.data_type) || from.collation != to.collation {
            let (table, column) = name();
            out.push(Change::SetColumnType {
                table,
                column,
                from: ColumnType::of(from),
                to: ColumnType::of(to),
            });
        }
        if !same_generated(&from.generated, &to.generated) {
            let (table, column) = name();
            out.push(Change::SetColumnGenerated {
                table,
                column,
                from: from.generated.clone(),
                to: to.generated.clone(),
            });
        }
        if !same_identity(&from.identity, &to.identity) {
            let (table, column) = name();
            out.push(Change::SetColumnIdentity {
                table,
                column,
                from: from.identity.clone(),
                to: to.identity.clone(),
            });
        }
        return own(table, from, to, out);
    }
    // What is changed above is changed here too.
    let mut before = from.clone();
    if from.inherited && to.inherited {
        before
            .not_null_constraint
            .clone_from(&to.not_null_constraint);
    }
    for (above_from, above_to) in sides {
        if above_from.not_null != above_to.not_null {
            before.not_null = above_to.not_null;
        }
    }
    own(table, &before, to, out);
}

/// What each table can have of its own.
fn own(table: &ObjectName, from: &Column, to: &Column, out: &mut Vec<Change>) {
    if from.not_null != to.not_null {
        out.push(Change::SetColumnNotNull {
            table: table.clone(),
            column: to.name.clone(),
            from: from.not_null,
            to: to.not_null,
        });
    }
    if from.not_null && to.not_null && !same_not_null(from, to) {
        out.push(Change::SetNotNullConstraint {
            table: table.clone(),
            column: to.name.clone(),
            from: from.not_null_constraint.clone(),
            to: to.not_null_constraint.clone(),
        });
    }
    if from.not_null_conflict != to.not_null_conflict {
        out.push(Change::SetColumnConflict {
            table: table.clone(),
            column: to.name.clone(),
            from: from.not_null_conflict,
            to: to.not_null_conflict,
        });
    }
    if !same_expressions(&from.default, &to.default) {
        out.push(Change::SetColumnDefault {
            table: table.clone(),
            column: to.name.clone(),
            from: from.default.clone(),
            to: to.default.clone(),
        });
    }
    if from.options != to.options {
        out.push(Change::SetColumnOptions {
            table: table.clone(),
            column: to.name.clone(),
            from: from.options.clone(),
            to: to.options.clone(),
        });
    }
    let on = CommentOn::Column(table.clone(), to.name.clone());
    comment(on, &from.comment, &to.comment, out);
}

/// A constraint that another table gives is what that one has, but for its comment.
fn same_not_null(from: &Column, to: &Column) -> bool {
    let given = |of: &Column| match &of.not_null_constraint {
        Some(constraint) => constraint.inherited,
        None => of.inherited,
    };
    let is_given = given(from) || given(to);
    let (from, to) = (&from.not_null_constraint, &to.not_null_constraint);
    let comment = |of: &Option<NotNull>| of.as_ref().and_then(|of| of.comment.clone());
    match is_given {
        true => comment(from) == comment(to),
        false => from == to,
    }
}

fn same_generated(from: &Option<Generated>, to: &Option<Generated>) -> bool {
    match (from, to) {
        (Some(from), Some(to)) => {
            from.kind == to.kind && same_expression(&from.expression, &to.expression)
        }
        (from, to) => from == to,
    }
}

/// A sequence whose name is not said may have any.
fn same_identity(from: &Option<Identity>, to: &Option<Identity>) -> bool {
    match (from, to) {
        (Some(from), Some(to)) => {
            let named = from.sequence.is_some() && to.sequence.is_some();
            from.always == to.always
                && (!named || from.sequence == to.sequence)
                && same_options(&from.options, &to.options)
        }
        (from, to) => from == to,
    }
}
