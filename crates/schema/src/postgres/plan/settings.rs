//! What statements of their own set on what stays.

use underpin_core::Result;

use super::conversion::base;
use super::definition::usual_or;
use super::intent::Intent;
use super::makes::step;
use super::node::Node;
use super::scene::Scene;
use crate::postgres::ddl::setting::set;
use crate::{Change, Lock, LockMode, Schema, Setting, Step, Type, Undo, Work};

pub(super) fn steps(intent: &Intent, scene: &Scene<'_>) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for change in &intent.settings {
        let Change::SetSetting { setting, from, to } = change else {
            continue;
        };
        if made(setting, intent) {
            continue;
        }
        let sql = set(setting, usual_or(scene.goal, setting, to.as_deref()))?;
        // With its index, the setting went and comes back.
        let index = from.as_deref().and_then(|value| setting.index(value));
        let gone = index.is_some_and(|index| {
            let of = setting.relation();
            let nodes = [Node::Index, Node::Key].map(|node| node(of.clone(), index.to_owned()));
            nodes.iter().any(|node| intent.drops.contains(node))
        });
        let before = from.as_deref().filter(|_| !gone);
        let undo = match retyped(setting, intent) {
            true => Undo::Included,
            false => Undo::sql(set(setting, usual_or(scene.was, setting, before))?),
        };
        steps.push(step(change.to_string(), sql, undo, lock(setting)));
    }
    Ok(steps)
}

/// Whether it was made in this plan, and its settings with it.
fn made(setting: &Setting, intent: &Intent) -> bool {
    let of = setting.relation();
    let mut nodes = vec![Node::Table(of.clone()), Node::MaterializedView(of.clone())];
    if let Some(column) = setting.column() {
        nodes.push(Node::Column(of.clone(), column.clone()));
    }
    if let Setting::IndexTablespace(_, index)
    | Setting::IndexStatistics(_, index, _)
    | Setting::IndexComment(_, index) = setting
    {
        nodes.extend([Node::Index, Node::Key].map(|node| node(of.clone(), index.clone())));
    }
    nodes.iter().any(|node| intent.makes.contains(node))
}

/// Whether it is of a column whose type changes, which sets it again both ways.
fn retyped(setting: &Setting, intent: &Intent) -> bool {
    let Some(column) = setting.column() else {
        return false;
    };
    let node = Node::Column(setting.relation().clone(), column.clone());
    let changes = intent.alters.get(&node).into_iter().flatten();
    let mut retypes = changes.filter(|change| matches!(change, Change::SetColumnType { .. }));
    retypes.next().is_some()
}

fn lock(setting: &Setting) -> Lock {
    let of = setting.relation();
    match setting {
        Setting::AccessMethod(_) | Setting::Tablespace(_) | Setting::IndexTablespace(..) => {
            Lock::of(LockMode::AccessExclusive, of, Work::Rewrite)
        }
        Setting::Statistics(..)
        | Setting::IndexStatistics(..)
        | Setting::ClusterOn(_)
        | Setting::IndexComment(..) => Lock::of(LockMode::ShareUpdateExclusive, of, Work::Catalog),
        _ => Lock::of(LockMode::AccessExclusive, of, Work::Catalog),
    }
}

/// How long values of a type are stored where nothing is said. Only those of some length can be
/// stored in another way.
pub(super) fn usual_storage(schema: &Schema, of: &Type) -> &'static str {
    let of = base(schema, of);
    match of.name.as_str() {
        "numeric" | "inet" | "cidr" if of.namespace.is_none() && !of.array => "MAIN",
        "tsquery" | "oidvector" | "int2vector" if of.namespace.is_none() && !of.array => "PLAIN",
        _ => "EXTENDED",
    }
}
