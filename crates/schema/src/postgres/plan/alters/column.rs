//! The steps that change a column where it is.

use std::collections::BTreeSet;
use std::fmt::Write;

use underpin_core::{Result, quote};

use super::{of, restart};
use crate::object_name::plain;
use crate::postgres::ddl::comment::{Subject, set as comment};
use crate::postgres::ddl::{self, column, setting};
use crate::postgres::plan::Aside;
use crate::postgres::plan::conversion::conversion;
use crate::postgres::plan::drops::alter_column;
use crate::postgres::plan::makes::{refuse_null, step};
use crate::postgres::plan::scene::Scene;
use crate::{
    Change, Column, ColumnType, Identity, Lock, LockMode, NotNull, ObjectName, Schema, Setting,
    Step, Undo, Work,
};

pub(super) fn change(
    change: &Change,
    scene: &Scene<'_>,
    aside: &Aside,
    out: &mut Vec<Step>,
) -> Result<()> {
    let words = change.to_string();
    match change {
        Change::SetColumnNotNull {
            table, column, to, ..
        } => match to {
            true => out.extend(refuse_null(table, column, scene)?),
            false => {
                let was = scene.was.tables.get(table);
                let was = was.and_then(|table| table.column(column));
                let undo = Undo::Sql(refuse_null_again(table, column, was)?);
                let sql = alter_column(table, column, "DROP NOT NULL")?;
                let lock = of(LockMode::AccessExclusive, table);
                out.push(step(words, sql, undo, lock));
            }
        },
        Change::SetNotNullConstraint {
            table,
            column,
            from,
            to,
        } => not_null(words, (table, column), (from, to), out)?,
        Change::SetColumnDefault {
            table,
            column,
            from,
            to,
        } => {
            let set = |default: &Option<crate::Expression>| {
                let column = Column {
                    name: column.clone(),
                    default: default.clone(),
                    ..Column::default()
                };
                column::set_default(table, &column)
            };
            let lock = of(LockMode::AccessExclusive, table);
            out.push(step(words, set(to)?, Undo::sql(set(from)?), lock));
        }
        Change::SetColumnIdentity {
            table,
            column,
            from: Some(from),
            to: Some(to),
        } => identity(words, (table, column), (from, to), out)?,
        Change::SetColumnGenerated { table, column, .. } => {
            let sql = alter_column(table, column, "DROP EXPRESSION")?;
            let why = "PostgreSQL computes no column that has held values.".to_owned();
            let lock = of(LockMode::AccessExclusive, table);
            out.push(step(words, sql, Undo::None(why), lock));
        }
        Change::SetColumnType {
            table,
            column,
            from,
            to,
        } => {
            let schemas = (scene.was, scene.goal);
            retype(words, (table, column), (from, to), (schemas, aside), out)?;
        }
        _ => {}
    }
    Ok(())
}

/// Lets a column refuse NULL as it did.
fn refuse_null_again(
    table: &ObjectName,
    column: &str,
    was: Option<&Column>,
) -> Result<Vec<String>> {
    let constraint = was.and_then(|was| was.not_null_constraint.as_ref());
    let Some(constraint) = constraint.filter(|constraint| !constraint.inherited) else {
        return Ok(vec![alter_column(table, column, "SET NOT NULL")?]);
    };
    let mut statements = vec![column::add_not_null(table, column, constraint)?];
    if constraint.comment.is_some() {
        let on = Subject::Constraint(table, &constraint.name);
        statements.push(comment(on, constraint.comment.as_deref())?);
    }
    Ok(statements)
}

/// The constraint by which a column refuses NULL, as the server makes it where nothing is said.
fn usual_not_null(table: &ObjectName, column: &str) -> NotNull {
    let columns = [column.to_owned()];
    NotNull {
        name: crate::constraint_name(&table.name, &columns, "not_null", &BTreeSet::new()),
        ..NotNull::default()
    }
}

fn not_null(
    words: String,
    (table, column): (&ObjectName, &str),
    (from, to): (&Option<NotNull>, &Option<NotNull>),
    out: &mut Vec<Step>,
) -> Result<()> {
    let [mut from, mut to] =
        [from, to].map(|of| of.clone().unwrap_or_else(|| usual_not_null(table, column)));
    // Of one that another table gives, only the comment is the table's own.
    let with = |given: &NotNull, comment: Option<String>| NotNull {
        comment,
        ..given.clone()
    };
    if from.inherited {
        to = with(&from, to.comment);
    } else if to.inherited {
        from = with(&to, from.comment);
    }
    let on = table.quoted()?;
    let lead = |from: &NotNull, to: &NotNull| {
        let mut statements = Vec::new();
        if !from.not_valid && to.not_valid {
            statements.push(ddl::drop_constraint(table, &from.name)?);
            statements.push(column::add_not_null(table, column, to)?);
        } else {
            if from.name != to.name {
                let (old, new) = (quote::identifier(&from.name)?, quote::identifier(&to.name)?);
                statements.push(format!("ALTER TABLE {on} RENAME CONSTRAINT {old} TO {new}"));
            }
            let name = quote::identifier(&to.name)?;
            if from.not_valid {
                statements.push(format!("ALTER TABLE {on} VALIDATE CONSTRAINT {name}"));
            }
            if from.no_inherit != to.no_inherit {
                let no = if to.no_inherit { "NO " } else { "" };
                statements.push(format!(
                    "ALTER TABLE {on} ALTER CONSTRAINT {name} {no}INHERIT"
                ));
            }
        }
        let made_anew = !from.not_valid && to.not_valid;
        if from.comment != to.comment || made_anew && to.comment.is_some() {
            let on = Subject::Constraint(table, &to.name);
            statements.push(comment(on, to.comment.as_deref())?);
        }
        Ok::<_, underpin_core::Error>(statements)
    };
    let mut undo = Undo::Sql(lead(&to, &from)?);
    let work = match from.not_valid && !to.not_valid {
        true => Work::Scan,
        false => Work::Catalog,
    };
    for sql in lead(&from, &to)? {
        let lock = Lock::of(LockMode::AccessExclusive, table, work);
        let undo = std::mem::replace(&mut undo, Undo::Included);
        out.push(step(words.clone(), sql, undo, lock));
    }
    Ok(())
}

fn identity(
    words: String,
    (table, column): (&ObjectName, &str),
    (from, to): (&Identity, &Identity),
    out: &mut Vec<Step>,
) -> Result<()> {
    let lock = of(LockMode::AccessExclusive, table);
    let set = |before: &Identity, of: &Identity| {
        let when = if of.always { "ALWAYS" } else { "BY DEFAULT" };
        let mut action = format!("SET GENERATED {when}");
        let one = &of.options;
        let cycle = if one.cycle { "CYCLE" } else { "NO CYCLE" };
        let _ = write!(
            action,
            " SET INCREMENT BY {} SET MINVALUE {} SET MAXVALUE {} SET START WITH {} SET CACHE {} SET {cycle}",
            one.increment, one.min, one.max, one.start, one.cache
        );
        if let Some(start) = restart(&before.options, one) {
            let _ = write!(action, " RESTART WITH {start}");
        }
        alter_column(table, column, &action)
    };
    let bare = |of: &Identity| Identity {
        sequence: None,
        ..of.clone()
    };
    if bare(from) != bare(to) {
        let undo = Undo::sql(set(to, from)?);
        let mut step = step(words, set(from, to)?, undo, lock.clone());
        let lost = restart(&from.options, &to.options);
        step.loses = lost.map(|_| format!("how far {table}.{} has counted", plain(column)));
        out.push(step);
    }
    if let (Some(old), Some(new)) = (&from.sequence, &to.sequence)
        && old != new
    {
        let rename = |from: &ObjectName, to: &ObjectName| {
            let (from, to) = (from.quoted()?, quote::identifier(&to.name)?);
            Ok::<_, underpin_core::Error>(format!("ALTER SEQUENCE {from} RENAME TO {to}"))
        };
        let words = format!("Rename sequence {old} to {new}");
        out.push(step(
            words,
            rename(old, new)?,
            Undo::sql(rename(new, old)?),
            lock,
        ));
    }
    Ok(())
}

fn retype(
    words: String,
    (table, column): (&ObjectName, &str),
    (from, to): (&ColumnType, &ColumnType),
    ((was, goal), aside): ((&Schema, &Schema), &Aside),
    out: &mut Vec<Step>,
) -> Result<()> {
    // Where none leads there, the plan was refused before.
    let Some(there) = conversion((was, from), (goal, to)) else {
        return Ok(());
    };
    let set = |to: &ColumnType, using: Option<&String>| {
        let mut action = format!("TYPE {}", to.data_type.sql()?);
        if let Some(collation) = &to.collation {
            let _ = write!(action, " COLLATE {}", collation.quoted()?);
        }
        if let Some(using) = using {
            let using = using.replacen("{}", &quote::identifier(column)?, 1);
            let _ = write!(action, " USING {using}");
        }
        alter_column(table, column, &action)
    };
    let old = ColumnType {
        data_type: aside.of_type(&from.data_type),
        ..from.clone()
    };
    let undo = match conversion((goal, to), (was, from)) {
        Some(back) => {
            let using = back.using.as_ref().map(|using| {
                let [plain, set_aside] = [from, &old].map(|of| of.data_type.sql());
                match (plain, set_aside) {
                    (Ok(plain), Ok(set_aside)) => using.replace(&plain, &set_aside),
                    _ => using.clone(),
                }
            });
            Undo::sql(set(&old, using.as_ref())?)
        }
        None => Undo::None(format!(
            "No cast leads from {} back to {}.",
            to.data_type, from.data_type
        )),
    };
    // The server forgets how values are stored.
    let stored = |schema: &Schema| {
        let settings = [Setting::Storage, Setting::Compression]
            .map(|setting| setting(table.clone(), column.to_owned()));
        let set = settings.iter().filter_map(|setting| {
            let value = schema.settings.get(setting)?;
            Some(setting::set(setting, Some(value)).map(|sql| (setting.clone(), sql)))
        });
        set.collect::<Result<Vec<_>>>()
    };
    let undo = match undo {
        Undo::Sql(mut statements) => {
            statements.extend(stored(was)?.into_iter().map(|(_, sql)| sql));
            Undo::Sql(statements)
        }
        other => other,
    };
    let lock = Lock::of(LockMode::AccessExclusive, table, there.work);
    let mut step = step(words, set(to, there.using.as_ref())?, undo, lock);
    step.loses = there
        .loses
        .map(|what| format!("{what} of {table}.{}", plain(column)));
    out.push(step);
    for (setting, sql) in stored(goal)? {
        let lock = of(LockMode::AccessExclusive, table);
        let words = format!("Set the {setting} again");
        out.push(crate::postgres::plan::makes::step(
            words,
            sql,
            Undo::Included,
            lock,
        ));
    }
    Ok(())
}
