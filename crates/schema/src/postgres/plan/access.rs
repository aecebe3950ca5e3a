//! Owners and privileges: of what stays, and of what is made.

use std::collections::BTreeMap;

use underpin_core::Result;

use super::intent::Intent;
use super::makes::step;
use super::node::Node;
use crate::diff::has_object;
use crate::postgres::ddl::access::{Act, acts};
use crate::{Access, AccessOn, Change, DefinedKind, Future, Lock, ObjectRef, Schema, Step, Undo};

/// The owners and privileges of the goal: those of the target where they were compared, else those
/// that there are. Default privileges are those that there are, since they change last.
pub(super) fn wanted(was: &Schema, to: &Schema, compared: bool) -> BTreeMap<AccessOn, Access> {
    let is_future = |on: &AccessOn| matches!(on, AccessOn::Future(_));
    if compared {
        let kept = was.access.iter().filter(|(on, _)| match on.object() {
            Some(object) => !has_object(to, object),
            None => true,
        });
        let own = to.access.iter().filter(|(on, _)| !is_future(on));
        return kept
            .chain(own)
            .map(|(on, of)| (on.clone(), of.clone()))
            .collect();
    }
    let mut wanted = was.access.clone();
    if was.access.keys().any(is_future) {
        // What is new is as it comes.
        for object in objects(to).filter(|object| !has_object(was, object)) {
            let on = AccessOn::Object(object);
            let of = fresh(was, &on);
            wanted.insert(on, of);
        }
    }
    wanted
}

fn objects(schema: &Schema) -> impl Iterator<Item = ObjectRef> {
    let namespaces = schema.namespaces.keys().cloned().map(ObjectRef::Namespace);
    let enums = schema.enums.keys().cloned().map(ObjectRef::Enum);
    let domains = schema.domains.keys().cloned().map(ObjectRef::Domain);
    let defined = schema.defined.keys().cloned().map(ObjectRef::Defined);
    let sequences = schema.sequences.keys().cloned().map(ObjectRef::Sequence);
    let functions = schema.functions.keys().cloned().map(ObjectRef::Function);
    let tables = schema.tables.keys().cloned().map(ObjectRef::Table);
    let views = schema.views.keys().cloned().map(ObjectRef::View);
    let kept = schema.materialized_views.keys();
    let kept = kept.cloned().map(ObjectRef::MaterializedView);
    let types = namespaces.chain(enums).chain(domains).chain(defined);
    types
        .chain(sequences)
        .chain(functions)
        .chain(tables)
        .chain(views)
        .chain(kept)
}

/// The owner and privileges that something has when the reader of the schema has just made it: by
/// default privileges.
pub(super) fn fresh(schema: &Schema, on: &AccessOn) -> Access {
    let mut access = Access::default();
    let AccessOn::Object(object) = on else {
        return access;
    };
    let (kind, namespace) = match object {
        ObjectRef::Namespace(_) => ("SCHEMAS", None),
        ObjectRef::Enum(name) | ObjectRef::Domain(name) => ("TYPES", Some(&name.namespace)),
        ObjectRef::Defined(name) => match name.kind {
            DefinedKind::CompositeType | DefinedKind::RangeType => {
                ("TYPES", Some(&name.name.namespace))
            }
            DefinedKind::Aggregate => ("FUNCTIONS", Some(&name.name.namespace)),
            _ => return access,
        },
        ObjectRef::Sequence(name) => ("SEQUENCES", Some(&name.namespace)),
        ObjectRef::Function(name) => ("FUNCTIONS", Some(&name.namespace)),
        ObjectRef::Table(name) | ObjectRef::View(name) | ObjectRef::MaterializedView(name) => {
            ("TABLES", Some(&name.namespace))
        }
        ObjectRef::Extension(_) => return access,
    };
    for place in [None, namespace] {
        let future = AccessOn::Future(Future {
            role: None,
            namespace: place.cloned(),
            objects: kind.to_owned(),
        });
        if let Some(of) = schema.access.get(&future) {
            access.granted.extend(of.granted.iter().cloned());
            access.revoked.extend(of.revoked.iter().cloned());
        }
        if namespace.is_none() {
            break;
        }
    }
    // A right that all have and that a schema gives again is there.
    let again: Vec<_> = access
        .granted
        .intersection(&access.revoked)
        .cloned()
        .collect();
    for grant in again {
        access.granted.remove(&grant);
        access.revoked.remove(&grant);
    }
    access
}

/// What gives a new object its owner and privileges.
pub(super) fn of_new(schema: &Schema, on: &AccessOn) -> Result<Vec<Act>> {
    let mut wanted = schema.access.get(on).cloned().unwrap_or_default();
    // The sequence of an identity column belongs to the owner of the table.
    if let AccessOn::Object(ObjectRef::Sequence(name)) = on
        && !schema.sequences.contains_key(name)
    {
        wanted.owner = None;
    }
    acts(on, &fresh(schema, on), &wanted)
}

/// The columns of an object that have privileges of their own.
pub(super) fn columns_of(schema: &Schema, object: &ObjectRef) -> Vec<AccessOn> {
    let first = AccessOn::Column(object.clone(), String::new());
    let rest = schema.access.range(first..);
    let of_object =
        rest.take_while(|(on, _)| matches!(on, AccessOn::Column(of, _) if of == object));
    of_object.map(|(on, _)| on.clone()).collect()
}

pub(super) fn steps(intent: &Intent) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for change in &intent.access {
        let Change::SetAccess { on, from, to } = change else {
            continue;
        };
        if made(on, intent) {
            continue;
        }
        let object = on.object().filter(|_| matches!(on, AccessOn::Object(_)));
        let change_hands = |object| intent.columns_change_hands.contains(object);
        let keeps_columns = !object.is_some_and(change_hands);
        for act in acts(on, from, to)? {
            let undo = match keeps_columns {
                true => Undo::Sql(act.undo.clone()),
                false => Undo::None(COLUMNS_CHANGE_HANDS.to_owned()),
            };
            of_act(act, undo, &mut steps);
        }
    }
    Ok(steps)
}

const COLUMNS_CHANGE_HANDS: &str = "The privileges on columns change with the owner, and the old owner \
                                    does not get them back.";

/// The step, or steps, of one act. The first one undoes all.
fn of_act(act: Act, undo: Undo, out: &mut Vec<Step>) {
    let mut undo = undo;
    for sql in act.sql {
        let undo = std::mem::replace(&mut undo, Undo::Included);
        out.push(step(act.words.clone(), sql, undo, Lock::none()));
    }
}

/// Whether it was made in this plan, and its privileges with it.
fn made(on: &AccessOn, intent: &Intent) -> bool {
    let Some(object) = on.object() else {
        return false;
    };
    let mut nodes = vec![crate::postgres::plan::node::NodeRef::from(object).cloned()];
    if let (AccessOn::Column(_, column), ObjectRef::Table(table)) = (on, object) {
        nodes.push(Node::Column(table.clone(), column.clone()));
    }
    nodes.iter().any(|node| intent.makes.contains(node))
}
