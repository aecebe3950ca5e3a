//! The steps that change something where it is.

use std::fmt::Write;

use underpin_core::{Result, quote};

mod column;
mod options;

use super::definition::{pieces, sql};
use super::drops::drop_sql;
use super::intent::Intent;
use super::makes::step;
use super::node::Node;
use super::scene::{Scene, exists};
use super::{Aside, composite};
use crate::object_name::plain;
use crate::postgres::ddl::check::validate;
use crate::postgres::ddl::comment::{Subject, set as comment};
use crate::postgres::ddl::literal::literal;
use crate::postgres::ddl::{self, function, sequence, table, trigger, view};
use crate::{
    Change, Deferral, Extension, ForeignKey, Function, FunctionName, GeneratedKind, Lock, LockMode,
    ObjectName, Persistence, SequenceOptions, Step, Undo, ViewColumn, Work,
};

/// The steps for all changes of one.
pub(super) fn steps(
    node: &Node,
    intent: &Intent,
    scene: &Scene<'_>,
    aside: &Aside,
) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for change in intent.alters.get(node).into_iter().flatten() {
        if let Change::AlterFunction { name, from, to } = change {
            function_steps(
                change.to_string(),
                name,
                (from, to),
                (intent, scene),
                &mut steps,
            )?;
            continue;
        }
        object(change, scene, aside, &mut steps)?;
    }
    Ok(steps)
}

fn of(mode: LockMode, on: impl ToString) -> Lock {
    Lock::of(mode, on, Work::Catalog)
}

fn object(change: &Change, scene: &Scene<'_>, aside: &Aside, out: &mut Vec<Step>) -> Result<()> {
    let words = change.to_string();
    match change {
        Change::AlterDefined { name, from, to } => {
            composite::steps(&words, name, (from, to), out)?;
        }
        Change::AlterExtension { name, from, to } => extension(words, name, (from, to), out)?,
        Change::SetDomainDefault { name, from, to } => {
            let set = |default: &Option<crate::Expression>| {
                let action = match default {
                    Some(default) => format!("SET DEFAULT {default}"),
                    None => "DROP DEFAULT".to_owned(),
                };
                Ok::<_, underpin_core::Error>(format!("ALTER DOMAIN {} {action}", name.quoted()?))
            };
            let undo = Undo::sql(set(from)?);
            out.push(step(words, set(to)?, undo, Lock::none()));
        }
        Change::SetDomainNotNull { name, from, to } => {
            let set = |not_null: bool| {
                let action = if not_null { "SET" } else { "DROP" };
                Ok::<_, underpin_core::Error>(format!(
                    "ALTER DOMAIN {} {action} NOT NULL",
                    name.quoted()?
                ))
            };
            let lock = match to {
                true => Lock::of(LockMode::Share, format!("tables with {name}"), Work::Scan),
                false => Lock::none(),
            };
            out.push(step(words, set(*to)?, Undo::sql(set(*from)?), lock));
        }
        Change::AlterDomainCheck { domain, name, .. } => {
            let sql = format!(
                "ALTER DOMAIN {} VALIDATE CONSTRAINT {}",
                domain.quoted()?,
                quote::identifier(name)?
            );
            let node = Node::DomainCheck(domain.clone(), name.clone());
            let lock = Lock::of(LockMode::Share, format!("tables with {domain}"), Work::Scan);
            let words = format!("Validate check {} of {domain}", plain(name));
            out.push(step(words, sql, recreated(scene, &node)?, lock));
        }
        Change::SetSequenceOptions { name, from, to } => {
            let lock = of(LockMode::ShareRowExclusive, name);
            let restarts = restart(from, to);
            let sql = sequence_options(name, from, to)?;
            let undo = Undo::sql(sequence_options(name, to, from)?);
            let mut step = step(words, sql, undo, lock);
            step.loses = restarts.map(|_| format!("how far sequence {name} has counted"));
            out.push(step);
        }
        Change::SetSequencePersistence { name, from, to } => {
            let set = |persistence: Persistence| {
                let to = logged(persistence);
                Ok::<_, underpin_core::Error>(format!("ALTER SEQUENCE {} SET {to}", name.quoted()?))
            };
            let lock = of(LockMode::AccessExclusive, name);
            out.push(step(words, set(*to)?, Undo::sql(set(*from)?), lock));
        }
        Change::SetSequenceOwner { name, from, to } => {
            let lock = of(LockMode::ShareRowExclusive, name);
            let undo = Undo::sql(sequence::own(name, from.as_ref())?);
            out.push(step(words, sequence::own(name, to.as_ref())?, undo, lock));
        }
        Change::AlterView { name, from, to } => {
            let lock = of(LockMode::AccessExclusive, name);
            let undo = Undo::sql(view::replace(name, from)?);
            out.push(step(words, view::replace(name, to)?, undo, lock));
        }
        Change::SetViewDefault {
            view: name,
            column,
            from,
            to,
        } => {
            let set = |default: &Option<crate::Expression>| {
                let column = ViewColumn {
                    name: column.clone(),
                    data_type: Default::default(),
                    default: default.clone(),
                    options: Default::default(),
                    comment: None,
                };
                view::set_default(name, &column)
            };
            let lock = of(LockMode::AccessExclusive, name);
            out.push(step(words, set(to)?, Undo::sql(set(from)?), lock));
        }
        Change::SetColumnOptions {
            table,
            column,
            from,
            to,
        } => {
            let kind = match scene.goal.materialized_views.contains_key(table) {
                true => "MATERIALIZED VIEW",
                false => "TABLE",
            };
            let (of, column) = (table.quoted()?, quote::identifier(column)?);
            let on = format!("ALTER {kind} {of} ALTER COLUMN {column}");
            let lock = self::of(LockMode::ShareUpdateExclusive, table);
            options::set(words, &on, (from, to), &lock, out)?;
        }
        other => table_settings(other, scene, aside, out)?,
    }
    Ok(())
}

fn function_steps(
    words: String,
    name: &FunctionName,
    (from, to): (&Function, &Function),
    of: (&Intent, &Scene<'_>),
    out: &mut Vec<Step>,
) -> Result<()> {
    let stored = stored_values(name, of)?;
    let mut undo = vec![function::create(from)];
    undo.extend(stored.iter().map(|step| step.sql.clone()));
    let undo = Undo::Sql(undo);
    out.push(step(words, function::create(to), undo, Lock::none()));
    out.extend(stored);
    Ok(())
}

/// What was computed by a function and is stored: the keys of indexes, and generated columns.
fn stored_values(name: &FunctionName, (intent, scene): (&Intent, &Scene<'_>)) -> Result<Vec<Step>> {
    let dependents = scene.needs_after.reversed();
    let mut steps = Vec::new();
    for node in dependents.of(&Node::Function(name.clone())) {
        let node = node.cloned();
        let Some(table) = node.owner() else {
            continue;
        };
        let of = scene.goal.tables.get(table);
        let split = of.is_some_and(|of| of.partition_by.is_some());
        // What is made in this plan is made with the new function.
        let stays = exists(scene.was, &node)
            && !intent.makes.contains(&node)
            && !node
                .wholes()
                .iter()
                .any(|whole| intent.makes.contains(whole));
        if split || !stays {
            continue;
        }
        match &node {
            Node::Index(table, index) | Node::Key(table, index) => {
                let sql = format!("REINDEX INDEX {}", table.sibling(index).quoted()?);
                let words = format!(
                    "Compute the keys of index {} of {table} again",
                    plain(index)
                );
                let lock = Lock::of(LockMode::AccessExclusive, table, Work::Rewrite);
                steps.push(step(words, sql, Undo::Included, lock));
            }
            Node::Column(table, column) => {
                let of = of.and_then(|of| of.column(column));
                let generated = of.and_then(|of| of.generated.as_ref());
                if generated.is_some_and(|of| of.kind == GeneratedKind::Stored) {
                    let (on, quoted) = (table.quoted()?, quote::identifier(column)?);
                    let sql = format!("UPDATE ONLY {on} SET {quoted} = DEFAULT");
                    let words = format!("Compute {table}.{} again", plain(column));
                    let lock = Lock::of(LockMode::AccessShare, table, Work::Rewrite);
                    steps.push(step(words, sql, Undo::Included, lock));
                }
            }
            _ => {}
        }
    }
    Ok(steps)
}

/// What takes the step back by dropping it and making it as it was.
fn recreated(scene: &Scene<'_>, node: &Node) -> Result<Undo> {
    let mut statements = vec![drop_sql(scene.goal, node)?];
    statements.extend(sql(pieces(scene.was, node, false)?));
    Ok(Undo::Sql(statements))
}

fn extension(
    words: String,
    name: &str,
    (from, to): (&Extension, &Extension),
    out: &mut Vec<Step>,
) -> Result<()> {
    let quoted = quote::identifier(name)?;
    if from.version != to.version {
        let sql = format!(
            "ALTER EXTENSION {quoted} UPDATE TO {}",
            literal(&to.version)
        );
        let why = format!(
            "An extension has no way back to an older version ({}).",
            from.version
        );
        out.push(step(words.clone(), sql, Undo::None(why), Lock::none()));
    }
    if from.namespace != to.namespace {
        let set = |namespace: &str| {
            let namespace = quote::identifier(namespace)?;
            Ok::<_, underpin_core::Error>(format!(
                "ALTER EXTENSION {quoted} SET SCHEMA {namespace}"
            ))
        };
        let undo = Undo::sql(set(&from.namespace)?);
        out.push(step(words, set(&to.namespace)?, undo, Lock::none()));
    }
    Ok(())
}

fn logged(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::Permanent => "LOGGED",
        Persistence::Unlogged => "UNLOGGED",
    }
}

/// Where a sequence goes on whose numbers so far may be out of the new bounds.
fn restart(from: &SequenceOptions, to: &SequenceOptions) -> Option<i64> {
    let within = (to.min..=to.max).contains(&from.start);
    (!within).then_some(to.start)
}

fn sequence_options(
    name: &ObjectName,
    from: &SequenceOptions,
    to: &SequenceOptions,
) -> Result<String> {
    let mut sql = format!("ALTER SEQUENCE {}", name.quoted()?);
    if from.data_type != to.data_type {
        let _ = write!(sql, " AS {}", to.data_type.sql()?);
    }
    sql.push_str(&sequence::all_clauses(to));
    if let Some(start) = restart(from, to) {
        let _ = write!(sql, " RESTART WITH {start}");
    }
    Ok(sql)
}

fn table_settings(
    change: &Change,
    scene: &Scene<'_>,
    aside: &Aside,
    out: &mut Vec<Step>,
) -> Result<()> {
    let words = change.to_string();
    match change {
        Change::SetTablePersistence { table, from, to } => {
            let set = |persistence: Persistence| {
                let to = logged(persistence);
                Ok::<_, underpin_core::Error>(format!("ALTER TABLE {} SET {to}", table.quoted()?))
            };
            let lock = Lock::of(LockMode::AccessExclusive, table, Work::Rewrite);
            out.push(step(words, set(*to)?, Undo::sql(set(*from)?), lock));
        }
        Change::SetTableOptions { table, from, to } => {
            let on = format!("ALTER TABLE {}", table.quoted()?);
            options::set(
                words,
                &on,
                (from, to),
                &of(LockMode::ShareUpdateExclusive, table),
                out,
            )?;
        }
        Change::AlterIndex {
            table,
            name,
            from,
            to,
        } => {
            let on = format!("ALTER INDEX {}", table.sibling(name).quoted()?);
            let lock = of(LockMode::ShareUpdateExclusive, format!("index {name}"));
            options::set(words, &on, (&from.options, &to.options), &lock, out)?;
        }
        Change::SetRowSecurity { table, from, to } => {
            let mut between = *from;
            between.enabled = to.enabled;
            for (from, to) in [(*from, between), (between, *to)] {
                for sql in table::row_security(table, from, to)? {
                    let back = table::row_security(table, to, from)?;
                    let lock = of(LockMode::AccessExclusive, table);
                    out.push(step(words.clone(), sql, Undo::Sql(back), lock));
                }
            }
        }
        Change::AlterTrigger {
            table,
            name,
            from,
            to,
        } => {
            let undo = Undo::sql(trigger::set_state(table, name, from.state)?);
            let lock = of(LockMode::ShareRowExclusive, table);
            let words = format!("Change when trigger {} of {table} fires", plain(name));
            let sql = trigger::set_state(table, name, to.state)?;
            out.push(step(words, sql, undo, lock));
        }
        Change::AlterCheck { table, name, .. } => {
            let sql = validate(table, name)?;
            let node = Node::Check(table.clone(), name.clone());
            let lock = Lock::of(LockMode::ShareUpdateExclusive, table, Work::Scan);
            let words = format!("Validate check {} of {table}", plain(name));
            out.push(step(words, sql, recreated(scene, &node)?, lock));
        }
        Change::AlterForeignKey {
            table,
            name,
            from,
            to,
        } => foreign_key((table, name), (from, to), scene, out)?,
        other => column::change(other, scene, aside, out)?,
    }
    Ok(())
}

fn foreign_key(
    (table, name): (&ObjectName, &str),
    (from, to): (&ForeignKey, &ForeignKey),
    scene: &Scene<'_>,
    out: &mut Vec<Step>,
) -> Result<()> {
    if from.deferral != to.deferral {
        let set = |deferral: Deferral| {
            let when = match deferral {
                Deferral::NotDeferrable => "NOT DEFERRABLE",
                Deferral::InitiallyImmediate => "DEFERRABLE INITIALLY IMMEDIATE",
                Deferral::InitiallyDeferred => "DEFERRABLE INITIALLY DEFERRED",
            };
            let (table, name) = (table.quoted()?, quote::identifier(name)?);
            Ok::<_, underpin_core::Error>(format!(
                "ALTER TABLE {table} ALTER CONSTRAINT {name} {when}"
            ))
        };
        let words = format!(
            "Change when foreign key {} of {table} is checked",
            plain(name)
        );
        let lock = of(LockMode::AccessExclusive, table);
        let undo = Undo::sql(set(from.deferral)?);
        out.push(step(words, set(to.deferral)?, undo, lock));
    }
    if from.not_valid && !to.not_valid {
        let node = Node::ForeignKey(table.clone(), name.to_owned());
        let mut statements = vec![drop_sql(scene.goal, &node)?];
        let was = ForeignKey {
            deferral: to.deferral,
            ..from.clone()
        };
        let clause = ddl::foreign_key::clause(name, &was)?;
        statements.push(ddl::add_constraint(table, &clause)?);
        if from.comment.is_some() {
            let on = Subject::Constraint(table, name);
            statements.push(comment(on, from.comment.as_deref())?);
        }
        let mut lock = Lock::of(LockMode::ShareUpdateExclusive, table, Work::Scan);
        lock.on.push(to.references.to_string());
        let words = format!("Validate foreign key {} of {table}", plain(name));
        out.push(step(
            words,
            validate(table, name)?,
            Undo::Sql(statements),
            lock,
        ));
    }
    Ok(())
}
