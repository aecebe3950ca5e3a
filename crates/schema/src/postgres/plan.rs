use std::collections::{BTreeMap, BTreeSet};

use underpin_core::{Result, quote};

use crate::postgres::ddl;
use crate::{
    Change, ColumnRef, Diff, Lock, ObjectName, Plan, Refusal, Rename, Schema, Step, Type, Undo,
};

mod access;
mod alters;
mod closure;
mod comments;
mod composite;
mod conversion;
mod counters;
mod definition;
mod drops;
mod intent;
mod labels;
mod locks;
mod makes;
mod needs;
mod node;
mod renames;
mod rows;
mod scene;
mod settings;
mod sort;

use intent::Intent;
use node::Node;
use scene::{Scene, Sides};

/// What the bodies of functions name may not be there yet when they are made.
const SETTING: &str = "SET LOCAL check_function_bodies = off";

/// The steps that carry out the changes of a [`diff`](crate::diff()) on a database that has the
/// first schema, or why they cannot be carried out in place.
///
/// The changes may be fewer than those that lead all the way: what is not among them stays.
/// Whatever stands on something that changes, a view, a function, a constraint, is dropped
/// before and recreated.
///
/// # Errors
/// For a name that is empty or holds a NUL byte.
pub fn plan(from: &Schema, to: &Schema, diff: &Diff) -> Result<Plan> {
    let sides = Sides::of(from, to, diff);
    let scene = Scene::new(from, to, &sides);
    let mut intent = Intent::of(&diff.changes, &scene);
    closure::close(&mut intent, &scene);
    without_conversion(&mut intent, &scene);
    overlapping(&mut intent, &scene);
    let left = order_of_columns(&scene);
    if !intent.refusals.is_empty() {
        let refusals: BTreeSet<Refusal> = intent.refusals.into_iter().collect();
        return Ok(Plan {
            refusals: refusals.into_iter().collect(),
            left,
            ..Plan::default()
        });
    }
    let steps = steps(&mut intent, &scene)?;
    let makes_functions = |sql: &str| sql.starts_with("CREATE OR REPLACE ");
    let makes_functions = steps
        .iter()
        .any(|step| makes_functions(&step.sql) || step.undone_by().any(makes_functions));
    Ok(Plan {
        settings: makes_functions
            .then(|| SETTING.to_owned())
            .into_iter()
            .collect(),
        steps,
        refusals: Vec::new(),
        left,
    })
}

/// The statements that carry out renames.
///
/// # Errors
/// For a name that is empty or holds a NUL byte.
pub(super) fn renames(renames: &[Rename]) -> Result<Vec<String>> {
    let changes: Vec<Change> = renames.iter().cloned().map(Change::from).collect();
    let (labels, others): (Vec<Change>, Vec<Change>) = changes
        .into_iter()
        .partition(|change| matches!(change, Change::RenameLabel { .. }));
    let mut steps = renames::steps(&others)?;
    steps.extend(labels::steps(&labels)?);
    Ok(steps.into_iter().map(|step| step.sql).collect())
}

fn steps(intent: &mut Intent, scene: &Scene<'_>) -> Result<Vec<Step>> {
    let going = drops::order(intent, scene);
    let (making, bare) = makes::order(intent, scene);
    let aside = Aside::of(&going.late, &making);
    let mut steps = labels::steps(&intent.labels)?;
    for node in &going.early {
        steps.push(drops::step(node, &going.by_itself, intent, scene)?);
    }
    steps.extend(renames::steps(&intent.renames)?);
    steps.extend(aside.steps()?);
    for node in &making {
        steps.extend(makes::steps(node, (intent, scene), (&bare, &aside))?);
    }
    steps.extend(counters::steps(intent, scene)?);
    for node in &going.late {
        let step = drops::step(node, &going.by_itself, intent, scene)?;
        steps.push(aside.of_step(node, step, scene)?);
    }
    steps.extend(comments::steps(intent)?);
    steps.extend(settings::steps(intent, scene)?);
    steps.extend(access::steps(intent)?);
    labels::commit_first(&mut steps, &intent.labels);
    Ok(steps)
}

/// Columns that no cast can change.
fn without_conversion(intent: &mut Intent, scene: &Scene<'_>) {
    for change in intent.alters.values().flatten() {
        if let Change::SetColumnType {
            table,
            column,
            from,
            to,
        } = change
            && conversion::conversion((scene.was, from), (scene.goal, to)).is_none()
        {
            let (table, column) = (table.clone(), column.clone());
            intent.refusals.push(Refusal::NoConversion {
                column: ColumnRef { table, column },
                from: from.data_type.clone(),
                to: to.data_type.clone(),
            });
        }
    }
}

/// New partitions for the values of ones that stay since the target does not name them.
fn overlapping(intent: &mut Intent, scene: &Scene<'_>) {
    let stay = scene.was.tables.iter();
    let stay = stay.filter(|(name, _)| !scene.to.tables.contains_key(*name));
    let stay = stay.filter(|(name, _)| !intent.drops.contains(&Node::Table((*name).clone())));
    let stay: BTreeMap<_, _> = stay
        .filter_map(|(name, table)| Some((table.partition_of.as_ref()?, name)))
        .map(|(of, name)| ((&of.parent, ddl::partition::bound(&of.bound)), name))
        .collect();
    for node in &intent.makes {
        if let Node::Attachment(table) = node
            && let Some(of) = &scene.goal.tables[table].partition_of
            && let Some(other) = stay.get(&(&of.parent, ddl::partition::bound(&of.bound)))
        {
            intent.refusals.push(Refusal::PartitionOverlap {
                table: table.clone(),
                other: (*other).clone(),
            });
        }
    }
}

/// The tables whose columns would stand in another order had the target been created from nothing.
fn order_of_columns(scene: &Scene<'_>) -> Vec<Refusal> {
    let mut left = Vec::new();
    for (name, to) in &scene.to.tables {
        let Some(was) = scene.was.tables.get(name) else {
            continue;
        };
        let stays = was.columns.iter().map(|column| &column.name);
        let stays = stays.filter(|name| to.column(name).is_some());
        let added = to.columns.iter().map(|column| &column.name);
        let added = added.filter(|name| was.column(name).is_none());
        let then = stays.chain(added);
        if then.ne(to.columns.iter().map(|column| &column.name)) {
            let table = name.clone();
            left.push(Refusal::ColumnOrder { table });
        }
    }
    left
}

/// Types that can go only when columns have left them, while something new has their name
/// already: they have another one meanwhile.
#[derive(Debug, Default)]
struct Aside {
    names: BTreeMap<ObjectName, ObjectName>,
}

impl Aside {
    fn of(late: &[Node], making: &[Node]) -> Self {
        let type_name = |node: &Node| match node {
            Node::Enum(name)
            | Node::Domain(name)
            | Node::Table(name)
            | Node::View(name)
            | Node::MaterializedView(name) => Some(name.clone()),
            _ => None,
        };
        let new: BTreeSet<ObjectName> = making.iter().filter_map(type_name).collect();
        let late = late.iter().filter_map(|node| match node {
            Node::Enum(name) | Node::Domain(name) => Some(name.clone()),
            _ => None,
        });
        let clash = late.filter(|name| new.contains(name));
        let names = clash.map(|name| {
            let aside = name.sibling(aside(&name.name));
            (name, aside)
        });
        Aside {
            names: names.collect(),
        }
    }

    fn of_type(&self, data_type: &Type) -> Type {
        let namespace = data_type.namespace.clone().unwrap_or_default();
        let name = ObjectName::new(namespace, data_type.name.clone());
        match self.names.get(&name) {
            Some(aside) => Type {
                name: aside.name.clone(),
                ..data_type.clone()
            },
            None => data_type.clone(),
        }
    }

    fn steps(&self) -> Result<Vec<Step>> {
        let rename = |from: &ObjectName, to: &ObjectName| {
            let (from, to) = (from.quoted()?, quote::identifier(&to.name)?);
            Ok::<_, underpin_core::Error>(format!("ALTER TYPE {from} RENAME TO {to}"))
        };
        let steps = self.names.iter().map(|(name, aside)| {
            let words = format!("Set type {name} aside as {aside}");
            let undo = Undo::sql(rename(aside, name)?);
            Ok(makes::step(words, rename(name, aside)?, undo, Lock::none()))
        });
        steps.collect()
    }

    /// The step that drops a type under the name that it has meanwhile.
    fn of_step(&self, node: &Node, step: Step, scene: &Scene<'_>) -> Result<Step> {
        let (Node::Enum(name) | Node::Domain(name)) = node else {
            return Ok(step);
        };
        let Some(aside) = self.names.get(name) else {
            return Ok(step);
        };
        let mut one = Schema::default();
        let renamed = match node {
            Node::Enum(_) => {
                one.enums
                    .insert(aside.clone(), scene.from.enums[name].clone());
                Node::Enum(aside.clone())
            }
            _ => {
                one.domains
                    .insert(aside.clone(), scene.from.domains[name].clone());
                Node::Domain(aside.clone())
            }
        };
        Ok(Step {
            sql: drops::drop_sql(&one, &renamed)?,
            undo: Undo::Sql(definition::whole(&one, &renamed, &BTreeSet::new())?),
            ..step
        })
    }
}

/// A name that no longer is than names can be.
fn aside(name: &str) -> String {
    const MAX_BYTES: usize = 63;
    const END: &str = "_aside";
    let mut end = name.len().min(MAX_BYTES - END.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{END}", &name[..end])
}
