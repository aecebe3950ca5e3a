//! A recreated table: another one, the rows, and the name of the old one.

use std::collections::BTreeSet;

use underpin_core::{Result, quote};

use super::affinity::lost;
use super::steps::{Steps, catalog, entries};
use super::taken::Taken;
use super::way_back::Ways;
use crate::object_name::plain;
use crate::plan::{Lock, Step, Undo};
use crate::sqlite::ddl;
use crate::sqlite::rowid::{is_rowid, is_set};
use crate::{Change, Column, ObjectName, Schema, Table};

/// A table that has to be recreated, before and after.
pub(super) struct Rebuild<'s> {
    pub(super) name: &'s ObjectName,
    pub(super) now: &'s Table,
    pub(super) then: &'s Table,
    /// The indexes that steps of their own drop and create.
    pub(super) indexes_apart: BTreeSet<&'s String>,
    /// The triggers that steps of their own drop and create.
    pub(super) triggers_apart: BTreeSet<&'s String>,
    pub(super) to: &'s Schema,
    /// The names before and after.
    pub(super) taken: &'s Taken,
}

/// One statement of it.
struct Piece {
    comment: String,
    sql: String,
    lock: Lock,
    turn: Turn,
}

/// The place of a statement in the rebuild.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It creates the new table.
    Creates,
    /// It drops the old table.
    Drops,
    /// Anything else.
    Between,
}

fn piece(comment: impl Into<String>, sql: String, lock: Lock) -> Piece {
    Piece {
        comment: comment.into(),
        sql,
        lock,
        turn: Turn::Between,
    }
}

impl Rebuild<'_> {
    /// The steps, and for what changes they are.
    pub(super) fn steps(&self, changes: &[&Change]) -> Result<Vec<Step>> {
        let mut steps = Steps::default();
        let mut undo = Some(self.undo()?);
        for piece in self.pieces(self.now, self.then)? {
            let undo = undo.take().unwrap_or(Undo::Included);
            let step = steps.push(piece.comment, piece.sql, undo, piece.lock);
            if piece.turn == Turn::Creates {
                let words: Vec<String> = changes.iter().map(ToString::to_string).collect();
                step.comment = format!("{}: {}", step.comment, words.join("; "));
            }
            if piece.turn == Turn::Drops {
                step.loses = self.losses(changes);
            }
        }
        Ok(steps.list)
    }

    /// The same in the other direction.
    pub(super) fn undo(&self) -> Result<Undo> {
        if let Some(reason) = self.ways().blocked() {
            return Ok(Undo::None(reason));
        }
        let pieces = self.pieces(self.then, self.now)?;
        Ok(Undo::Sql(pieces.into_iter().map(|one| one.sql).collect()))
    }

    fn ways(&self) -> Ways<'_> {
        Ways {
            name: self.name,
            now: self.now,
            then: self.then,
            to: self.to,
        }
    }

    fn pieces(&self, now: &Table, then: &Table) -> Result<Vec<Piece>> {
        let name = self.name;
        let spare = name.sibling(self.taken.spare(&name.name));
        let (old, new) = (plain(&name.name), plain(&spare.name));
        let mut pieces = vec![
            Piece {
                turn: Turn::Creates,
                ..piece(
                    format!("Recreate {name} as {new}"),
                    ddl::table::create_as(&spare.name, name, then)?,
                    catalog(),
                )
            },
            piece(
                format!("Copy the rows of {old}"),
                copy(name, &spare, now, then)?,
                entries(),
            ),
        ];
        if counts(now) && counts(then) {
            pieces.extend(keep_count(name, &spare));
        }
        pieces.push(piece(
            format!("Let {old} be replaced while views and triggers name it"),
            "PRAGMA legacy_alter_table = ON".to_owned(),
            Lock::none(),
        ));
        pieces.push(Piece {
            turn: Turn::Drops,
            ..piece(
                format!("Drop the old {old}"),
                ddl::table::drop(name)?,
                catalog(),
            )
        });
        pieces.push(piece(
            format!("Give {new} its name"),
            ddl::table::rename(&spare, name)?,
            catalog(),
        ));
        pieces.push(piece(
            "Let tables be renamed with all that names them again",
            "PRAGMA legacy_alter_table = OFF".to_owned(),
            Lock::none(),
        ));
        for (index, of) in &then.indexes {
            if !self.indexes_apart.contains(index) {
                let comment = format!("Create index {} of {name} again", plain(index));
                pieces.push(piece(
                    comment,
                    ddl::index::create(name, index, of)?,
                    entries(),
                ));
            }
        }
        for (trigger, of) in &then.triggers {
            if !self.triggers_apart.contains(trigger) {
                let comment = format!("Create trigger {} of {name} again", plain(trigger));
                pieces.push(piece(
                    comment,
                    ddl::trigger::create(trigger, of)?,
                    catalog(),
                ));
            }
        }
        Ok(pieces)
    }

    /// The loss of row data, in words.
    fn losses(&self, changes: &[&Change]) -> Option<String> {
        let column = |name: &str| format!("{}.{}", self.name, plain(name));
        let losses = changes.iter().filter_map(|change| match change {
            Change::DropColumn { from, .. } if from.generated.is_none() => {
                Some(format!("the values of {}", column(&from.name)))
            }
            Change::SetColumnGenerated {
                column: name,
                from: None,
                ..
            } => Some(format!(
                "the values of {}, which is computed now",
                column(name)
            )),
            Change::SetColumnType {
                column: name,
                from,
                to,
                ..
            } => lost(&column(name), &from.data_type, &to.data_type),
            _ => None,
        });
        let losses: Vec<String> = losses.collect();
        (!losses.is_empty()).then(|| losses.join(", and "))
    }
}

/// The columns that are copied: they are there before and after, and not computed after.
fn common(now: &Table, then: &Table) -> Vec<String> {
    let columns = then.columns.iter();
    let columns = columns.filter(|column| column.generated.is_none());
    let columns = columns.filter(|column| now.column(&column.name).is_some());
    columns.map(|column| column.name.clone()).collect()
}

/// A column by which a row can be made of nothing, and what it gets: what it would get if
/// nothing were said. Rows are rows, even if no column stays.
fn blank(then: &Table) -> (&String, &str) {
    let columns = then.columns.iter();
    let columns: Vec<&Column> = columns.filter(|one| one.generated.is_none()).collect();
    let rowid = then.primary_key.as_ref().filter(|key| is_rowid(then, key));
    let rowid = |one: &&&Column| rowid.is_some_and(|key| key.columns[0] == one.name);
    let free = |one: &&&Column| !one.not_null && one.default.is_none();
    let column = columns
        .iter()
        .find(rowid)
        .or_else(|| columns.iter().find(free))
        .or_else(|| columns.iter().find(|one| one.default.is_some()))
        .unwrap_or(&columns[0]);
    let default = column.default.as_ref();
    (&column.name, default.map_or("NULL", |text| text.as_str()))
}

/// Copies the rows. Whatever the constraints say of conflicts, no row is left out: ABORT goes
/// before them.
fn copy(name: &ObjectName, spare: &ObjectName, now: &Table, then: &Table) -> Result<String> {
    let columns = common(now, then);
    let (name, spare) = (
        quote::identifier(&name.name)?,
        quote::identifier(&spare.name)?,
    );
    let rowid = hidden_rowid(now, then, &columns);
    if columns.is_empty() && rowid.is_none() {
        let (column, value) = blank(then);
        let column = quote::identifier(column)?;
        return Ok(format!(
            "INSERT OR ABORT INTO {spare} ({column})\nSELECT {value} FROM {name}"
        ));
    }
    let columns = ddl::list(rowid.iter().chain(&columns))?;
    Ok(format!(
        "INSERT OR ABORT INTO {spare} ({columns})\nSELECT {columns} FROM {name}"
    ))
}

/// The name by which the number of a row can be copied where no column that is copied is that number:
/// what lies beside the table, such as the index of a full-text search, knows its rows by it.
fn hidden_rowid(now: &Table, then: &Table, copied: &[String]) -> Option<String> {
    let both = [now, then];
    if both.iter().any(|table| is_set(table, "without_rowid")) {
        return None;
    }
    let key = then.primary_key.as_ref().filter(|key| is_rowid(then, key));
    if key.is_some_and(|key| copied.contains(&key.columns[0])) {
        return None;
    }
    let free = |name: &&str| {
        let mut columns = both.iter().flat_map(|table| &table.columns);
        !columns.any(|column| column.name.eq_ignore_ascii_case(name))
    };
    let name = ["rowid", "_rowid_", "oid"].into_iter().find(free)?;
    Some(name.to_owned())
}

/// Whether a table never gives a number twice.
fn counts(table: &Table) -> bool {
    let key = table
        .primary_key
        .as_ref()
        .filter(|key| is_rowid(table, key));
    let column = key.and_then(|key| table.column(&key.columns[0]));
    column.is_some_and(|column| column.identity.is_some())
}

/// Keeps the highest number that was ever given.
fn keep_count(name: &ObjectName, spare: &ObjectName) -> [Piece; 2] {
    let text = |name: &ObjectName| format!("'{}'", name.name.replace('\'', "''"));
    let (old, new) = (text(name), text(spare));
    let forget = format!("DELETE FROM sqlite_sequence WHERE name = {new}");
    let keep = format!(
        "INSERT INTO sqlite_sequence (name, seq) SELECT {new}, seq FROM sqlite_sequence WHERE name = {old}"
    );
    [
        piece(
            "Forget the highest number among the rows",
            forget,
            catalog(),
        ),
        piece(
            "Keep the highest number that was ever given",
            keep,
            catalog(),
        ),
    ]
}
