//! The steps that make something, and those that alter it, in one order.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use underpin_core::{Result, quote};

use super::definition::{Piece, pieces};
use super::drops::{alter_column, domain_default, domain_refuses_null, drop_sql, inherit};
use super::intent::Intent;
use super::node::{Node, NodeRef};
use super::scene::{Scene, inherited_from};
use super::sort::sorted;
use super::{Aside, alters, locks, rows};
use crate::postgres::ddl::column::add_not_null;
use crate::postgres::ddl::comment::{Subject, set as comment};
use crate::postgres::dump;
use crate::{Lock, LockMode, ObjectName, Schema, Step, StepKind, Undo, Work};

/// What is made and altered, in order. Tables that have to come before what their own
/// expressions need are made without them.
pub(super) fn order(intent: &mut Intent, scene: &Scene<'_>) -> (Vec<Node>, BTreeSet<ObjectName>) {
    let new_tables = intent.makes.iter().filter_map(|node| match node {
        Node::Table(name) => Some(name.clone()),
        _ => None,
    });
    let new_tables: BTreeSet<ObjectName> = new_tables.collect();
    let mut bare = BTreeSet::new();
    if !new_tables.is_empty() {
        bare = dump::order(scene.goal).bare;
        bare.retain(|name| new_tables.contains(name));
    }
    for name in &bare {
        let table = &scene.goal.tables[name];
        let defaults = table
            .columns
            .iter()
            .filter(|column| column.default.is_some());
        let defaults = defaults.map(|column| Node::Default(name.clone(), column.name.clone()));
        // Children that are new too had no default to inherit.
        let children = new_tables.iter().filter_map(|child| {
            let table = scene.goal.tables.get(child)?;
            Some((child, table)).filter(|_| table.inherits.contains(name))
        });
        let of_children = children.flat_map(|(child, table)| {
            let columns = table.columns.iter();
            let columns = columns.filter(|column| column.inherited && column.default.is_some());
            columns.map(|column| Node::Default(child.clone(), column.name.clone()))
        });
        let defaults: Vec<Node> = defaults.chain(of_children).collect();
        let defaults = defaults.into_iter();
        let checks = table.checks.iter().filter(|(_, check)| !check.not_valid);
        let checks = checks.map(|(check, _)| Node::Check(name.clone(), check.clone()));
        intent.makes.extend(defaults.chain(checks));
    }
    let items: BTreeSet<Node> = intent
        .makes
        .iter()
        .chain(intent.alters.keys())
        .cloned()
        .collect();
    let makes: HashSet<NodeRef<'_>> = intent.makes.iter().map(Node::by_ref).collect();
    let named: HashSet<NodeRef<'_>> = items.iter().map(Node::by_ref).collect();
    let carried = scene.needs_after.carried(|node| {
        if named.contains(&node) {
            return Some(node);
        }
        let column = node.column();
        if column.as_ref().is_some_and(|column| makes.contains(column)) {
            return column;
        }
        let mut wholes = node.wholes().into_iter();
        wholes.find(|whole| makes.contains(whole))
    });
    let mut waits: BTreeMap<Node, BTreeSet<Node>> = items
        .iter()
        .map(|node| (node.clone(), BTreeSet::new()))
        .collect();
    for (node, needed) in carried {
        if let Some(waits) = waits.get_mut(&node.cloned()) {
            waits.insert(needed.cloned());
        }
    }
    // New columns come in the order that the target has.
    for (name, table) in &scene.goal.tables {
        let new = table.columns.iter();
        let new = new.map(|column| Node::Column(name.clone(), column.name.clone()));
        let new: Vec<Node> = new.filter(|node| intent.makes.contains(node)).collect();
        for pair in new.windows(2) {
            let [before, after] = pair else { continue };
            let mut needs = scene.needs_after.of_node(before);
            if !needs.any(|needed| needed == after.by_ref())
                && let Some(waits) = waits.get_mut(after)
            {
                waits.insert(before.clone());
            }
        }
    }
    for node in &items {
        if let Node::Identity(table, column) = node
            && let Some(waits) = waits.get_mut(node)
        {
            waits.insert(Node::Default(table.clone(), column.clone()));
        }
    }
    (sorted(waits, false), bare)
}

/// The steps for one.
pub(super) fn steps(
    node: &Node,
    (intent, scene): (&Intent, &Scene<'_>),
    (bare, aside): (&BTreeSet<ObjectName>, &Aside),
) -> Result<Vec<Step>> {
    if !intent.makes.contains(node) {
        return alters::steps(node, intent, scene, aside);
    }
    let source = scene.source(node);
    let is_bare = matches!(node, Node::Table(name) if bare.contains(name));
    let mut made = pieces(source, node, is_bare)?;
    if let Node::Inheritance(name) = node {
        let (sql, back) = inherit(node, scene)?;
        let lock = Lock::of(LockMode::AccessExclusive, name, Work::Catalog);
        let words = format!("Let {name} inherit");
        return Ok(vec![step(words, sql, Undo::sql(back), lock)]);
    }
    let mut steps = Vec::new();
    if let Node::Column(table, name) = node {
        steps.extend(check_rows(source, table, name)?);
    }
    if made.is_empty() {
        return Ok(steps);
    }
    let first = made.remove(0);
    let new = is_new(node, intent);
    let mut lock = locks::making(node, source);
    if new {
        lock = match node {
            Node::ForeignKey(table, _) => other_side(lock, table),
            _ => Lock::none(),
        };
    }
    let again = if intent.drops.contains(node) {
        " again"
    } else {
        ""
    };
    let words = format!("{}{again}", first.words);
    steps.push(step(words, first.sql, undo(node, intent, scene)?, lock));
    steps.extend(made.into_iter().map(|piece| accompanying(piece, node)));
    if let Node::Identity(table, name) = node {
        steps.extend(count_on(source, table, name)?);
    }
    Ok(steps)
}

pub(super) fn step(comment: String, sql: String, undo: Undo, lock: Lock) -> Step {
    Step {
        comment,
        sql,
        undo,
        lock,
        loses: None,
        transactional: true,
        kind: StepKind::Other,
    }
}

/// What belongs to something that was made just before.
fn accompanying(piece: Piece, node: &Node) -> Step {
    let of_column = matches!(node, Node::Column(..));
    let on = node.owner().filter(|_| piece.is_comment || of_column);
    let lock = on.map_or_else(Lock::none, |on| {
        Lock::of(LockMode::ShareUpdateExclusive, on, Work::Catalog)
    });
    step(piece.words, piece.sql, Undo::Included, lock)
}

/// Whether nobody else can have seen the table or view yet that it is a part of.
fn is_new(node: &Node, intent: &Intent) -> bool {
    node.wholes()
        .iter()
        .any(|whole| intent.makes.contains(whole))
}

/// A lock of the tables other than the one that is new.
fn other_side(lock: Lock, new: &ObjectName) -> Lock {
    let new = new.to_string();
    let on: Vec<String> = lock.on.into_iter().filter(|name| *name != new).collect();
    match on.is_empty() {
        true => Lock::none(),
        false => Lock {
            on,
            work: Work::Catalog,
            ..lock
        },
    }
}

fn undo(node: &Node, intent: &Intent, scene: &Scene<'_>) -> Result<Undo> {
    let above = inherited_from(scene.goal, node);
    let with_above = above.is_some_and(|above| intent.makes.contains(&above));
    // What other objects stand on, or stands on others, has to go before its table.
    let alone = matches!(
        node,
        Node::ForeignKey(..)
            | Node::Policy(..)
            | Node::Owner(_)
            | Node::Default(..)
            | Node::Check(..)
    );
    let with_whole = is_new(node, intent) && (!alone || inherited_from(scene.goal, node).is_some());
    if with_above || with_whole {
        return Ok(Undo::Included);
    }
    Ok(Undo::sql(drop_sql(scene.source(node), node)?))
}

/// A column that refuses NULL and has nothing for the rows that are there.
fn check_rows(schema: &Schema, table: &ObjectName, name: &str) -> Result<Option<Step>> {
    let column = schema.tables.get(table).and_then(|of| of.column(name));
    let Some(column) = column else {
        return Ok(None);
    };
    let unchecked = column.not_null_constraint.as_ref();
    let filled = unchecked.is_some_and(|constraint| constraint.not_valid)
        || column.default.is_some()
        || column.identity.is_some()
        || column.generated.is_some()
        || domain_default(schema, column);
    match (column.not_null || domain_refuses_null(schema, column)) && !filled {
        true => Ok(Some(rows::none_at_all(table, name)?)),
        false => Ok(None),
    }
}

/// Lets an identity count on from the highest number that is there.
pub(super) fn count_on(schema: &Schema, table: &ObjectName, name: &str) -> Result<Option<Step>> {
    let column = schema.tables.get(table).and_then(|of| of.column(name));
    let identity = column.and_then(|column| column.identity.as_ref());
    let Some(identity) = identity.filter(|identity| identity.options.increment > 0) else {
        return Ok(None);
    };
    let (of, quoted) = (table.quoted()?, quote::identifier(name)?);
    let literal = crate::postgres::ddl::literal::literal;
    let sql = format!(
        "SELECT setval(pg_get_serial_sequence({}, {}), max({quoted})) FROM {of} HAVING max({quoted}) >= {}",
        literal(&of),
        literal(name),
        identity.options.min
    );
    let words = format!(
        "Let {table}.{} count on from its highest number",
        crate::object_name::plain(name)
    );
    let lock = Lock::of(LockMode::AccessShare, table, Work::Scan);
    Ok(Some(step(words, sql, Undo::Included, lock)))
}

/// `SET NOT NULL`, once it is sure that no row holds NULL.
pub(super) fn refuse_null(
    table: &ObjectName,
    column: &str,
    scene: &Scene<'_>,
) -> Result<Vec<Step>> {
    let of = scene
        .goal
        .tables
        .get(table)
        .and_then(|of| of.column(column));
    let constraint = of.and_then(|column| column.not_null_constraint.as_ref());
    let set = match constraint {
        Some(constraint) => add_not_null(table, column, constraint)?,
        None => alter_column(table, column, "SET NOT NULL")?,
    };
    let back = alter_column(table, column, "DROP NOT NULL")?;
    let lock = Lock::of(LockMode::AccessExclusive, table, Work::Scan);
    let words = format!(
        "Let {table}.{} refuse NULL",
        crate::object_name::plain(column)
    );
    let mut steps = Vec::new();
    if constraint.is_none_or(|constraint| !constraint.not_valid) {
        steps.push(rows::none_is_null(table, column)?);
    }
    steps.push(step(words, set, Undo::sql(back), lock));
    if let Some(constraint) = constraint
        && constraint.comment.is_some()
    {
        let words = format!("Comment on constraint {}", crate::plain(&constraint.name));
        let on = Subject::Constraint(table, &constraint.name);
        let sql = comment(on, constraint.comment.as_deref())?;
        steps.push(step(words, sql, Undo::Included, Lock::none()));
    }
    Ok(steps)
}
